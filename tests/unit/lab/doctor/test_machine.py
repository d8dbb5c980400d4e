"""Faults of the computer, prepared in a fake root: ModemManager, rights, holders, leases, USB, kernel messages."""

import os
import socket
import ssl
from functools import cache
from threading import Event

import pytest

from harness.at.holders import holders
from harness.credentials.lab_ca import LabCa
from harness.lab import Lease, load_boards_file
from harness.lab.doctor import (
    Check,
    CheckResult,
    Machine,
    Patient,
    Status,
    checks_of,
    ports,
    run_checks,
    verdict,
    worst,
)
from tests.unit.lab.test_discovery import Port

FILE = """
clouds:
  mine: {{kind: nrfcloud, api_key_env: NO_SUCH_KEY, rest: "https://rest.invalid/v1", mqtt: "mqtt.invalid:8883"}}
boards:
  - {{name: dk-1, serial: "1051216197", cloud: mine}}
  - {{name: dk-2, port: {port}, cloud: mine}}
"""


class Lab:
    """A fake computer with one kit, whose port is ``device``; what each test changes is a fault."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "root"
        self.device = self.root / "dev" / "ttyACM0"
        self.write("dev/kmsg", "")
        self.write("sys/bus/usb/devices/1-2.1/speed", "480\n")
        self.write("sys/bus/usb/devices/1-2.1/power/control", "on\n")
        self.write("sys/bus/usb/devices/1-2.1/bMaxPower", "500mA\n")
        self.write("sys/bus/usb/devices/1-2.1:1.0/interface", "")
        self.write("sys/bus/usb/devices/1-2/bmAttributes", "e0\n")
        (self.root / "dev/serial/by-id").mkdir(parents=True)
        (self.root / "proc").mkdir()
        master, slave = os.openpty()
        self.descriptors = (master, slave)
        self.device.symlink_to(os.ttyname(slave))
        self.attached = [Port(str(self.device), "USB SER=001051216197 LOCATION=1-2.1:1.0", 0x1366)]
        self.ca_folder = folder / "ca"
        self.boards = folder / "lab.yaml"
        self.boards.write_text(FILE.format(port=folder / "gone"))

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run_program(self, name, *files, pid=77):
        self.write(f"proc/{pid}/comm", f"{name}\n")
        self.write(f"proc/{pid}/cmdline", name)
        (self.root / f"proc/{pid}/fd").mkdir(exist_ok=True)
        for number, file in enumerate(files):
            (self.root / f"proc/{pid}/fd/{number}").symlink_to(os.path.realpath(file))

    def examine(self, *groups, about=None, environment=None, **patient):
        file = load_boards_file(self.boards, comports=lambda: self.attached)
        machine = Machine(self.root, environment or {}, lambda: self.attached)
        found = Patient(
            file=file,
            boards=file.boards,
            ca_folder=self.ca_folder,
            reports=self.folder,
            leftovers=lambda _account: {},
            written=lambda _imei, _tag: set(),
            machine=machine,
            leases=self.folder,
            **patient,
        )
        checks = [check for check in checks_of(found) if check.id.partition(".")[0] in groups]
        checks = [check for check in checks if about in (None, check.about)]
        return list(run_checks(checks))


TRUST = cache(ssl.create_default_context)
"""The same for each test: each call reads all that the system trusts, and no test here looks at it."""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(ssl, "create_default_context", TRUST)
    lab = Lab(tmp_path)
    yield lab
    for descriptor in lab.descriptors:
        os.close(descriptor)


def only(results, id_, about):
    (result,) = [each for each in results if (each.id, each.about) == (id_, about)]
    return result


def test_a_kit_that_is_fit(lab):
    found = lab.examine("port", "usb")
    assert {each.status for each in found if each.about == "dk-1"} == {Status.OK}
    assert [each.id for each in found if each.about == "dk-1"] == [
        *("port.present", "port.rights", "port.holder", "port.lease"),
        *("usb.hubs", "usb.power", "usb.suspend", "usb.kernel"),
    ]


def test_modem_manager_without_a_rule_for_both_vendors(lab):
    lab.run_program("ModemManager")
    lab.write("usr/lib/udev/rules.d/71-nrf.rules", 'ATTRS{idVendor}=="1915", ENV{ID_MM_DEVICE_IGNORE}="1"\n')
    found = only(lab.examine("host"), "host.modem-manager", "host")
    assert found.status is Status.FAIL
    assert "vendor 1366" in found.text
    assert "tee /etc/udev/rules.d/76-nrf91.rules" in found.remedy
    lab.write("etc/udev/rules.d/76.rules", '#1366\nATTRS{idVendor}=="1366", ENV{ID_MM_DEVICE_IGNORE}="1"\n')
    assert only(lab.examine("host"), "host.modem-manager", "host").status is Status.OK


def test_a_computer_without_udev_and_a_container_that_has_not_even_systemd(lab):
    assert only(lab.examine("host"), "host.udev", "host").status is Status.OK
    (lab.root / "dev/serial/by-id").rmdir()
    container = only(lab.examine("host"), "host.udev", "host")
    assert container.status is Status.WARN
    assert "udev does not run" in container.text
    assert container.remedy.startswith("docker run -v /dev:/dev -v /run/udev:/run/udev:ro ")
    (lab.root / "run/systemd/system").mkdir(parents=True)
    assert only(lab.examine("host"), "host.udev", "host").remedy.startswith("sudo systemctl start systemd-udevd")


@pytest.mark.parametrize("folder", ["ca", "ca/deeper"])
def test_folders_that_cannot_be_written_are_named_before_a_run(lab, monkeypatch, folder):
    assert only(lab.examine("host"), "host.folders", "host").status is Status.OK
    assert not (lab.folder / "ca").exists()
    lab.ca_folder = lab.folder / folder
    (lab.folder / "ca").write_text("a plain file")
    found = only(lab.examine("host"), "host.folders", "host")
    assert (found.status, found.text) == (Status.FAIL, f"{lab.folder}/ca is not a folder")
    (lab.folder / "ca").unlink()
    monkeypatch.setattr(os, "access", lambda path, _mode: path != lab.folder)
    found = only(lab.examine("host"), "host.folders", "host")
    assert (found.text, found.remedy) == (f"{lab.folder} cannot be written", f"ls -ld {lab.folder}")


def test_brltty(lab):
    lab.run_program("brltty")
    found = only(lab.examine("host"), "host.port-grabbers", "host")
    assert (found.status, found.remedy) == (Status.WARN, "sudo systemctl disable --now brltty")


def test_a_port_that_is_not_there(lab):
    found = only(lab.examine("port"), "port.present", "dk-2")
    assert found.status is Status.FAIL
    assert found.text == f"no such port: {lab.folder / 'gone'}"


@pytest.mark.parametrize("port", ["/dev/null", "/dev"])
def test_what_is_no_serial_port(lab, port):
    lab.boards.write_text(FILE.format(port=port))
    found = [each for each in lab.examine("port") if each.about == "dk-2"]
    assert [(each.id, each.status, each.text) for each in found] == [
        ("port.present", Status.FAIL, f"{port} is not a serial port")
    ]


def test_a_port_that_nobody_serves_is_the_boards_own_failure(lab):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
    lab.boards.write_text(FILE.format(port=port))
    found = only(lab.examine("board", about="dk-2"), "board.answers", "dk-2")
    assert found.status is Status.FAIL
    assert f"cannot open {port}: " in found.text
    assert found.remedy == "nrf91-harness boards list"


def test_a_board_whose_port_is_missing_has_one_failure_and_not_two(lab):
    found = only(lab.examine("board", about="dk-2"), "board.answers", "dk-2")
    assert (found.status, found.text) == (Status.SKIPPED, "not asked: its port is missing")


def test_a_plain_file_is_removed_in_place_of_a_device_only(lab, monkeypatch):
    lab.boards.write_text(FILE.format(port="/dev/null"))
    lab.device.unlink()
    lab.device.write_text("AT")
    found = only(lab.examine("port"), "port.present", "dk-1")
    assert found.text == f"{lab.device} is a plain file, not a device: correct port:"
    assert (found.status, found.remedy) == (Status.FAIL, "nrf91-harness boards list")
    monkeypatch.setattr(ports, "in_place_of_device", lambda _path: True)
    assert only(lab.examine("port"), "port.present", "dk-1").remedy == f"sudo rm {lab.device}"


def test_a_port_without_rights(lab, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = only(lab.examine("port"), "port.rights", "dk-1")
    assert found.status is Status.FAIL
    assert found.remedy.startswith(("sudo usermod -aG ", "newgrp ", "sudo chmod g+rw "))


@pytest.mark.parametrize(
    ("program", "cure"), [("ModemManager", "sudo systemctl stop ModemManager"), ("minicom", "kill 77")]
)
def test_a_port_that_is_held(lab, program, cure):
    lab.run_program(program, lab.device)
    found = only(lab.examine("port"), "port.holder", "dk-1")
    assert (found.status, found.remedy) == (Status.FAIL, cure)
    assert f"held by {program} (pid 77)" in found.text


def test_a_leased_board(lab, monkeypatch):
    with Lease("dk-1", "usb-1051216197", folder=lab.folder):
        assert only(lab.examine("port"), "port.lease", "dk-1").status is Status.OK  # our own
        monkeypatch.setattr(os, "getpid", lambda: 1)
        found = only(lab.examine("port"), "port.lease", "dk-1")
    assert found.status is Status.FAIL
    assert found.text.endswith("wait for it (pytest --wait SECONDS), or end that run")
    assert found.remedy.startswith("tail --pid=")  # which waits
    assert "  # waits; kill " in found.remedy


def test_a_port_that_the_run_has_open_that_leased_the_board(lab, monkeypatch):
    """The doctor said to kill it, where one should wait."""
    monkeypatch.setattr(os, "getpid", lambda: 77)
    with Lease("dk-1", "usb-1051216197", folder=lab.folder):
        monkeypatch.setattr(os, "getpid", lambda: 1)
        lab.run_program("python", lab.device)
        found = lab.examine("port")
        lab.run_program("ModemManager", lab.device, pid=78)
        both = only(lab.examine("port"), "port.holder", "dk-1")
    assert only(found, "port.holder", "dk-1").status is Status.OK
    assert only(found, "port.lease", "dk-1").status is Status.FAIL
    # Whoever has it open beside that run spoils it.
    assert (both.status, both.remedy) == (Status.FAIL, "sudo systemctl stop ModemManager")
    assert both.text == f"{lab.device} is held by ModemManager (pid 78)"


def test_autosuspend(lab):
    lab.write("sys/bus/usb/devices/1-2.1/power/control", "auto\n")
    found = only(lab.examine("usb"), "usb.suspend", "dk-1")
    assert found.status is Status.WARN
    assert found.remedy == f"echo on | sudo tee {lab.root}/sys/bus/usb/devices/1-2.1/power/control"


def test_several_kits_on_a_hub_without_a_supply(lab):
    lab.write("sys/bus/usb/devices/1-2/bmAttributes", "a0\n")
    assert only(lab.examine("usb"), "usb.power", "dk-1").status is Status.OK
    lab.write("sys/bus/usb/devices/1-2.2/bMaxPower", "500mA\n")
    found = only(lab.examine("usb"), "usb.power", "dk-1")
    assert found.status is Status.WARN
    assert "1000 mA of 500" in found.text


def test_a_slow_kit_and_a_deep_one(lab):
    lab.write("sys/bus/usb/devices/1-2.1/speed", "1.5\n")
    assert only(lab.examine("usb"), "usb.hubs", "dk-1").status is Status.WARN
    lab.attached[0].hwid = "USB SER=001051216197 LOCATION=1-1.1.1.1.1.1:1.0"
    lab.write("sys/bus/usb/devices/1-1.1.1.1.1.1/speed", "480\n")
    assert "behind 5 hubs" in only(lab.examine("usb"), "usb.hubs", "dk-1").text


def test_kernel_messages_of_the_kits_own_path(lab):
    lab.write("dev/kmsg", "6,1,5,-;usb 1-2.11: USB disconnect, device number 4\n")
    assert only(lab.examine("usb"), "usb.kernel", "dk-1").status is Status.OK
    lab.write(
        "dev/kmsg",
        "6,1,5,-;usb 1-2.1: new full-speed USB device\n3,2,6,-;usb 1-2.1: device descriptor read/64, error -71\n",
    )
    found = only(lab.examine("usb"), "usb.kernel", "dk-1")
    assert found.status is Status.WARN
    assert found.text.startswith(
        "1 kernel message of trouble, the last: usb 1-2.1: device descriptor read/64, error -71"
    )


def test_no_api_key(lab):
    found = lab.examine("account")
    assert only(found, "account.key", "mine").remedy == "export NO_SUCH_KEY=..."
    assert only(found, "account.access", "mine").status is Status.SKIPPED


def test_names_that_are_not_found_and_a_proxy(lab, monkeypatch):
    def no_such_name(*_arguments, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    found = lab.examine("cloud", environment={"HTTPS_PROXY": "http://user:secret@proxy.lan:3128"})
    dns = [each for each in found if each.id == "cloud.dns"]
    assert len(dns) >= 2
    assert {each.status for each in dns} == {Status.FAIL}
    assert {each.remedy for each in dns} >= {"getent hosts rest.invalid", "getent hosts mqtt.invalid"}
    proxy = only(found, "cloud.proxy", "mine")
    assert (proxy.status, "secret" in proxy.text) == (Status.WARN, False)


def test_the_lab_ca_is_not_made_and_its_faults_are_named(lab):
    folder = lab.folder / "ca"
    assert only(lab.examine("lab-ca"), "lab-ca.files", "lab-ca").status is Status.OK
    assert not folder.exists()
    LabCa.load_or_create(folder)
    assert [each.status for each in lab.examine("lab-ca")] == [Status.OK, Status.OK]
    (folder / "lab-ca.key.pem").chmod(0o644)
    found = only(lab.examine("lab-ca"), "lab-ca.files", "lab-ca")
    assert (found.status, found.remedy) == (Status.FAIL, f"chmod 600 {folder}/*.key.pem")


def test_a_check_that_hangs_and_one_that_breaks_fail_and_the_others_go_on():
    forever = Event()
    good = CheckResult("c", "x", Status.OK, "fine")

    def broken():
        raise RuntimeError("no such thing")

    def hangs():
        forever.wait()
        return []

    found = list(
        run_checks([Check("a", "x", hangs, deadline=0.05), Check("b", "x", broken), Check("c", "x", lambda: [good])])
    )
    forever.set()
    assert [(each.id, each.status) for each in found] == [("a", Status.FAIL), ("b", Status.FAIL), ("c", Status.OK)]
    assert found[0].text == "no result within 0.05 s"
    assert "RuntimeError: no such thing" in found[1].text
    assert worst(found) is Status.FAIL
    assert verdict(found, 0.1) == "not fit for a night: 1 ok, 0 skipped, 0 warn, 2 fail in 0.1 s"


def test_processes_are_looked_through_once_for_all_boards(lab, monkeypatch):
    walks = []
    real = holders

    def counted(devices, **options):
        walks.append(list(devices))
        return real(walks[-1], **options)

    monkeypatch.setattr(ports, "holders", counted)
    far, near = os.openpty()
    other = os.ttyname(near)
    lab.boards.write_text(FILE.format(port=other))
    found = lab.examine("port")
    os.close(far)
    os.close(near)
    assert walks == [[str(lab.device), other]]
    assert {each.about for each in found if each.id == "port.holder"} == {"dk-1", "dk-2"}
