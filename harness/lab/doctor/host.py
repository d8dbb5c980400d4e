"""Checks of the computer: open files, disk, folders, clock, encoding, packages, programs that grab ports, udev."""

import codecs
import ctypes
import locale
import resource
import shutil
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from shlex import quote
from typing import Final

from harness.credentials.private_file import unwritable
from harness.lab.config import BoardConfig
from harness.lab.discovery import KIT_VENDORS, list_devices
from harness.lab.doctor.check import Check, CheckResult, Machine, Status

HOST: Final = "host"
_FILES_EACH: Final = 20  # for each board: port, journal, timeline, sockets; about 15 were measured
_FILES_BASE: Final = 100
_LITTLE_DISK: Final = (200, 1000)  # MB for failure and for warning; a night writes about 10 MB for each board
_UNSYNCHRONISED: Final = 0x40  # adjtimex(2), STA_UNSYNC
_CLOCK_ERROR: Final = 5  # TIME_ERROR
_RULES: Final = ("etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
_MM_RULE: Final = (
    """printf 'ATTRS{idVendor}=="%s", ENV{ID_MM_DEVICE_IGNORE}="1"\\n' 1366 1915"""
    " | sudo tee /etc/udev/rules.d/76-nrf91.rules"
    " && sudo udevadm control --reload && sudo udevadm trigger && sudo systemctl restart ModemManager"
)
_START_UDEV: Final = "sudo systemctl start systemd-udevd && sudo udevadm trigger"
# In a container nothing can be started, and the host's devices come as they are shared; ttyACM is major number 166.
_DEVICES_OF_THE_HOST: Final = (
    "docker run -v /dev:/dev -v /run/udev:/run/udev:ro --device-cgroup-rule='c 166:* rmw' IMAGE ..."
)


def checks(machine: Machine, boards: Sequence[BoardConfig], folders: Sequence[Path], ca_folder: Path) -> list[Check]:
    """Return the checks of the computer.

    ``machine``: the computer. ``boards``: their entries. ``folders``: into which a run writes. ``ca_folder``: of
    the lab's CA.
    """
    on_usb = any(board.serial or (board.port or "").startswith("/dev/") for board in boards)
    return [
        Check("host.descriptors", HOST, lambda: _descriptors(len(boards)), quick=True),
        Check("host.disk", HOST, lambda: _disk(folders), quick=True),
        Check("host.folders", HOST, lambda: _folders([*folders, ca_folder]), quick=True),
        Check("host.clock", HOST, _clock, quick=True),
        Check("host.encoding", HOST, lambda: _encoding(locale.getencoding()), quick=True),
        Check("host.serial-package", HOST, _packages),
        Check("host.modem-manager", HOST, lambda: modem_manager(machine, on_usb), quick=True),
        Check("host.port-grabbers", HOST, lambda: _grabbers(machine)),
        Check("host.udev", HOST, lambda: _udev(machine)),
    ]


def _descriptors(boards: int) -> Iterator[CheckResult]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_BASE + boards * _FILES_EACH
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        yield CheckResult("host.descriptors", HOST, Status.OK, f"{soft} files may be open, {wanted} are needed")
        return
    cure = (
        f"ulimit -n {wanted}" if hard == resource.RLIM_INFINITY or hard >= wanted else f"sudo prlimit -n{wanted} -p$$"
    )
    yield CheckResult(
        "host.descriptors", HOST, Status.FAIL, f"only {soft} files may be open, {wanted} are needed", cure
    )


def _disk(folders: Iterable[Path]) -> Iterator[CheckResult]:
    for folder in dict.fromkeys(_existing(folder) for folder in folders):
        free = shutil.disk_usage(folder).free // 1_000_000
        status = Status.FAIL if free < _LITTLE_DISK[0] else Status.WARN if free < _LITTLE_DISK[1] else Status.OK
        cure = "" if status is Status.OK else f"du -xh -d1 {folder} | sort -h"
        yield CheckResult("host.disk", HOST, status, f"{free} MB free in {folder}", cure)


def _existing(folder: Path) -> Path:
    folder = folder.resolve()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _folders(folders: Iterable[Path]) -> Iterator[CheckResult]:
    wrong = {why: folder for folder in folders if (why := unwritable(folder)) is not None}
    for why, folder in wrong.items():
        yield CheckResult("host.folders", HOST, Status.FAIL, why, f"ls -ld {quote(str(_existing(folder)))}")
    if not wrong:
        text = "reports, temporary files and the lab's CA can be written"
        yield CheckResult("host.folders", HOST, Status.OK, text)


def _clock() -> Iterator[CheckResult]:
    """Check the clock, for certificates and tokens. adjtimex(2) tells without root whether it is synchronised."""
    buffer = ctypes.create_string_buffer(512)  # struct timex, zero: read only
    state = ctypes.CDLL(None).adjtimex(buffer)
    status = int.from_bytes(buffer.raw[40:44], "little")  # after modes, offset, freq, maxerror, esterror
    if state < 0:
        yield CheckResult("host.clock", HOST, Status.SKIPPED, "the kernel does not say whether the clock is right")
    elif state == _CLOCK_ERROR or status & _UNSYNCHRONISED:
        cure = "sudo timedatectl set-ntp true"
        yield CheckResult("host.clock", HOST, Status.WARN, "nothing keeps the clock right (no NTP)", cure)
    else:
        yield CheckResult("host.clock", HOST, Status.OK, "the clock is synchronised")


def _encoding(name: str) -> Iterator[CheckResult]:
    if codecs.lookup(name).name == "utf-8":
        yield CheckResult("host.encoding", HOST, Status.OK, "the encoding is UTF-8")
    else:
        yield CheckResult(
            "host.encoding", HOST, Status.WARN, f"the encoding is {name}, not UTF-8", "export PYTHONUTF8=1"
        )


def _packages() -> Iterator[CheckResult]:
    try:
        distribution("pyserial-labgrid")
    except PackageNotFoundError:
        yield CheckResult("host.serial-package", HOST, Status.OK, "pyserial is the only package named serial")
    else:
        text = "pyserial-labgrid replaces a part of pyserial here; labgrid needs an environment of its own"
        cure = "pip uninstall -y pyserial-labgrid pyserial && pip install pyserial"
        yield CheckResult("host.serial-package", HOST, Status.FAIL, text, cure)


def modem_manager(machine: Machine, on_usb: bool) -> Iterator[CheckResult]:
    """Check ModemManager, which types AT commands into every new port unless a udev rule tells it not to.

    The rule has to name both vendors: DKs are 1366, and the rule of the package nrf-udev has only 1915.
    """
    if not machine.programs("ModemManager"):
        yield CheckResult("host.modem-manager", HOST, Status.OK, "ModemManager does not run")
        return
    rules = "\n".join(
        line
        for folder in _RULES
        for path in sorted((machine.root / folder).glob("*.rules"))
        for line in (machine.read(path) or "").splitlines()
        if "ID_MM_DEVICE_IGNORE" in line and not line.lstrip().startswith("#")
    )
    missing = [f"{vendor:04x}" for vendor in sorted(KIT_VENDORS) if f"{vendor:04x}" not in rules]
    if not missing:
        yield CheckResult("host.modem-manager", HOST, Status.OK, "ModemManager runs, and is told to ignore the kits")
        return
    text = f"ModemManager runs and types into ports of vendor {' and '.join(missing)}: no udev rule tells it not to"
    yield CheckResult("host.modem-manager", HOST, Status.FAIL if on_usb else Status.WARN, text, _MM_RULE)


def _grabbers(machine: Machine) -> Iterator[CheckResult]:
    """Check brltty, which takes adapters with CP210x, CH340 and FTDI chips for Braille displays, and gpsd."""
    found = machine.programs("brltty", "gpsd")
    if not found:
        yield CheckResult("host.port-grabbers", HOST, Status.OK, "neither brltty nor gpsd runs")
    for name in found:
        text = f"{name} runs, and may take ports of USB adapters"
        cure = f"sudo systemctl disable --now {name}"
        yield CheckResult("host.port-grabbers", HOST, Status.WARN, text, cure)


def _udev(machine: Machine) -> Iterator[CheckResult]:
    if not list_devices(machine.comports):
        yield CheckResult("host.udev", HOST, Status.SKIPPED, "no USB device with a serial port is attached")
    elif (machine.root / "dev/serial/by-id").is_dir():
        yield CheckResult("host.udev", HOST, Status.OK, "udev makes links by serial number")
    else:
        text = "no /dev/serial/by-id: udev does not run, so ports have no permanent names (serial: needs none)"
        has_systemd = (machine.root / "run/systemd/system").is_dir()
        yield CheckResult("host.udev", HOST, Status.WARN, text, _START_UDEV if has_systemd else _DEVICES_OF_THE_HOST)
