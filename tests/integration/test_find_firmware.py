"""``firmware: auto`` against every virtual firmware, and boards in a bad state, over ptys."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import pytest

from harness.at import AtPort, Terminator
from harness.errors import LabError, NoAnswer
from harness.firmware import Capability, NothingKnown, WrongFirmware, find_firmware
from harness.lab import BoardConfig
from harness.run.open_board import open_board
from harness.settings import FirmwareName, Sample, ShellName, TerminatorName
from harness.timeline import Kind, Timeline
from tests.integration.at_far_end import FarEnd
from tests.integration.board_lab import Lab

FIRMWARES: dict[str, tuple[Any, ...]] = {
    "serial-modem": ({}, "serial-modem", "Serial Modem 1.0.0", Terminator.CR, ""),
    "at-client": ({"firmware": FirmwareName.AT_CLIENT}, "at-client", "AT client", Terminator.CR, ""),
    "at-client-crlf": (
        {"firmware": FirmwareName.AT_CLIENT, "terminator": TerminatorName.CRLF},
        *("at-client", "AT client", Terminator.CRLF, ""),
    ),
    "at-client-nul": (
        {"firmware": FirmwareName.AT_CLIENT, "terminator": TerminatorName.NUL},
        *("at-client", "AT client", Terminator.NULL, ""),
    ),
    "at-shell": (
        {"firmware": FirmwareName.SHELL, "shell": ShellName.AT_SHELL},
        *("shell", "AT shell", Terminator.CR, "uart"),
    ),
    "modem-shell": (
        {"firmware": FirmwareName.SHELL, "colour": True},
        *("shell", "Modem Shell", Terminator.CR, "mosh"),
    ),
    "device-message": (
        {"firmware": FirmwareName.CLOUD_LIBRARY, "sample": Sample.DEVICE_MESSAGE},
        *("at-client", "AT client", Terminator.CR, ""),
    ),
    "template": (
        {"firmware": FirmwareName.CLOUD_LIBRARY, "sample": Sample.ASSET_TRACKER_TEMPLATE, "colour": True},
        *("shell", "AT shell", Terminator.CR, "uart"),
    ),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def opened():
    """Open ports; they are closed at the end."""
    ports = []

    def open_port(path, **options):
        ports.append(AtPort.open(str(path), name="b", timeline=Timeline(), **options))
        return ports[-1]

    yield open_port
    for port in ports:
        port.close()


@pytest.mark.parametrize("name", FIRMWARES)
def test_what_a_board_runs_is_found_and_said(lab, opened, name):
    options, kind, product, terminator, prompt = FIRMWARES[name]
    port = opened(lab.board(f"find-{name}", **options).port)
    found = find_firmware(port)
    assert (found.kind, str(found.firmware)) == (kind, product)
    assert (found.answering.baud, found.answering.terminator, found.answering.prompt) == (115200, terminator, prompt)
    assert port.command("AT+CFUN?").value("+CFUN") in ("0", "1")
    assert port.settings.queues == (name == "serial-modem")
    assert port.timeline.since(0)[-3:] != []
    assert any(event.text == f"found {found}" for event in port.timeline.since(0) if event.kind is Kind.STEP)


def test_a_cloud_librarys_log_is_recognised_and_the_entry_told(lab, opened):
    board = lab.board("told", firmware=FirmwareName.CLOUD_LIBRARY, sample=Sample.DEVICE_MESSAGE)
    port = opened(board.port)
    lab.loop.call_soon_threadsafe(board.power_on)
    port.wait_line("nRF Cloud MQTT Device Message Sample", 5.0, since=0)
    find_firmware(port)
    steps = [event.text for event in port.timeline.since(0) if event.kind is Kind.STEP]
    assert any("sample: nrf_cloud_mqtt_device_message}" in step for step in steps)


def test_what_it_found_is_driven(lab):
    board = lab.board("driven")
    opened = open_board(BoardConfig(name="b", port=str(board.port)), str(board.port), Timeline())
    assert opened.firmware.lacks(Capability.MQTT) is None
    assert opened.kind is FirmwareName.SERIAL_MODEM
    opened.port.close()


@pytest.mark.parametrize(
    ("options", "declared", "named"),
    [
        ({"firmware": FirmwareName.SHELL}, "serial-modem", "shell"),
        ({"firmware": FirmwareName.SHELL}, "at-client", r"the board runs Modem Shell \(firmware: shell\)"),
        ({}, "shell", r"expected AT shell, the board runs Serial Modem 1.0.0 \(firmware: serial-modem\)"),
        ({}, "at-client", "Serial Modem 1.0.0"),
        ({"firmware": FirmwareName.AT_CLIENT, "terminator": TerminatorName.NUL}, "serial-modem", "AT client"),
    ],
)
def test_a_wrong_declared_firmware_is_an_error_that_names_the_one_found(lab, options, declared, named, monkeypatch):
    monkeypatch.setattr("harness.at.port._TRY_TIMEOUT", 0.2)
    board = lab.board(f"wrong-{declared}-{len(options)}-{len(named)}", **options)
    config = BoardConfig(name="b", port=str(board.port), firmware=FirmwareName(declared))
    with pytest.raises(WrongFirmware, match=named):
        open_board(config, str(board.port), Timeline())


class Babble:
    """A board that says the same again and again, whatever it is sent."""

    def __init__(self, far, text, every=0.02):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._talk, args=(far, text, every), daemon=True)
        self._thread.start()

    def _talk(self, far, text, every):
        while not self._stop.wait(every):
            far.send(text)

    def stop(self):
        self._stop.set()
        self._thread.join(30)


BAD = {
    "nothing": (b"", "answers nothing"),
    "boot loop": (b"*** Booting nRF Connect SDK v3.2.1 ***\r\n", "restarts again and again"),
    "bootloader": (b"*** Booting MCUboot v2.1.0 ***\r\nI: Bootloader: waiting\r\n", "stays in its bootloader"),
    "binary": (bytes(range(0x80, 0x100)), "bytes that are not text"),
    "log": (b"[00:00:01.000,000] <inf> app: no shell here\r\n", "writes a log, and answers no AT command"),
    "endless line": (b"x" * 20_000, "sends text, and answers no AT command"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_board_in_a_bad_state_ends_in_a_clear_one(opened, name):
    text, state = BAD[name]
    with FarEnd() as far:
        babble = Babble(far, text)
        port = opened(far.path)
        try:
            with pytest.raises(NothingKnown, match=state) as caught:
                find_firmware(port)
        finally:
            babble.stop()
            port.close()
        assert isinstance(caught.value, LabError)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["nothing", "boot loop"])
def test_a_declared_firmware_does_not_hide_what_the_board_does_instead(name, monkeypatch):
    monkeypatch.setattr("harness.at.port._TRY_TIMEOUT", 0.1)
    monkeypatch.setattr(sys.modules[find_firmware.__module__], "DEADLINE", 0.5)
    text, state = BAD[name]
    with FarEnd() as far:
        babble = Babble(far, text)
        config = BoardConfig(name="b", port=far.path, firmware=FirmwareName.SERIAL_MODEM)
        try:
            with pytest.raises(NoAnswer, match="no answer to AT commands" if name == "nothing" else state) as caught:
                open_board(config, far.path, Timeline())
        finally:
            babble.stop()
        assert "\n" not in str(caught.value)


def test_a_board_that_is_only_busy_is_waited_for(opened):
    """It is silent while it does what an earlier user told it to, and answers everything afterwards."""
    ready = time.monotonic() + 3.5
    queue = bytearray()

    def answer(data):
        queue.extend(data)
        if time.monotonic() < ready:
            return b""
        said = b""
        while b"\r" in queue:
            line, _, rest = bytes(queue).partition(b"\r")
            queue[:] = rest
            core = line.strip(b'\n\0\x03+"')
            if core.startswith(b"AT+"):
                said += core[2:].removesuffix(b"?") + b": 0\r\nOK\r\n"
            elif core:
                said += b"OK\r\n" if core == b"AT" else b"ERROR\r\n"
        return said

    with FarEnd(answer) as far:
        port = opened(far.path)
        with pytest.raises(NoAnswer):
            find_firmware(port)
        assert find_firmware(port, patience=10.0).kind == "at-client"
        port.close()


def test_a_half_typed_line_of_a_shell_is_not_run(lab, opened):
    board = lab.board("typed", firmware=FirmwareName.SHELL)
    other = opened(board.port)
    other.type_bytes(b"kernel reboot col")
    other.close()
    port = opened(board.port)
    find_firmware(port)
    assert not any("*** Booting" in event.text for event in port.timeline.since(0))
