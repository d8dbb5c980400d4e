"""Finds out which product answers on a port, as the boards file claims or not."""

from typing import Final

from harness.at import AtError, AtPort, FramedUrc, PortSettings, Terminator
from harness.errors import LabError, Misuse, NoAnswer
from harness.firmware.at_client import AtClient
from harness.firmware.interface import MqttFirmware
from harness.firmware.serial_modem import FRAMED, SerialModem
from harness.firmware.shell import Shell
from harness.timeline import Kind

SERIAL_MODEM: Final = "serial-modem"
AT_CLIENT: Final = "at-client"
SHELL: Final = "shell"
FIRMWARES: Final = (SERIAL_MODEM, AT_CLIENT, SHELL)
"""The names that the boards file may use."""

_SHELL_ERROR: Final = ": command not found"  # Zephyr's shell


class WrongFirmware(LabError):
    """The board runs another firmware than the boards file says."""


def framed_urcs(firmware: str) -> dict[str, FramedUrc]:
    """Return the counted payloads that ``firmware`` (a name of the boards file) sends. Misuse: unknown name."""
    _check_name(firmware)
    return dict(FRAMED) if firmware == SERIAL_MODEM else {}


def port_settings(firmware: str, *, baudrate: int = 115200, rtscts: bool = False) -> PortSettings:
    """Return how to talk to a board with ``firmware`` (a name of the boards file). Misuse: unknown name."""
    framed = framed_urcs(firmware)
    return PortSettings(baudrate=baudrate, rtscts=rtscts, framed=framed, at_shell=firmware == SHELL)


def synchronise(port: AtPort, firmware: str) -> None:
    """Make sure that the board answers, as :meth:`AtPort.sync` does, and find out what ends a command there.

    Raises WrongFirmware when it answers, but as another firmware does; else NoAnswer, BoardLost.
    """
    _check_name(firmware)
    mark = port.timeline.mark()
    try:
        port.sync()
    except NoAnswer as silence:
        heard = [
            event.text for event in port.timeline.since(mark) if event.source == port.name and event.kind is Kind.RX
        ]
        if found := _other_firmware(heard, firmware):
            raise WrongFirmware(f"{port.name}: {found}") from silence
        if firmware != AT_CLIENT or not _other_terminator(port):
            raise


def open_firmware(port: AtPort, firmware: str) -> MqttFirmware:
    """Return the driver for ``firmware`` after asking the board. Raises WrongFirmware when the board is another.

    The port is in step (:func:`synchronise`).
    """
    _check_name(firmware)
    if firmware == SHELL:
        return Shell(port)
    product = _serial_modem_product(port)
    if firmware == SERIAL_MODEM:
        if product is None:
            raise WrongFirmware(
                f"{port.name}: neither AT#XSMVER nor AT#XSLMVER is known to the board: it does not run Serial Modem; "
                f"flash it, or correct 'firmware' in the boards file ({AT_CLIENT}?)"
            )
        return SerialModem(port, product=product)
    if product is not None:
        raise WrongFirmware(
            f"{port.name}: the board runs {product}, not the AT client: "
            f"correct 'firmware' in the boards file ({SERIAL_MODEM}), or flash it"
        )
    return AtClient(port)


def _serial_modem_product(port: AtPort) -> str | None:
    """Return name and version of Serial Modem, None when the board does not know its commands."""
    # Serial Modem from 0.2 on knows only the first command, the Serial LTE Modem only the second. The fields differ:
    # own version and SDK version, against SDK version and modem library version.
    for command, product in (("AT#XSMVER", "Serial Modem"), ("AT#XSLMVER", "Serial LTE Modem of NCS")):
        try:
            answer = port.command(command)
        except AtError:
            continue
        version = answer.value(command[2:]).split(",")[0].strip('"')
        return f"{product} {version}"
    return None


def _other_firmware(heard: list[str], firmware: str) -> str | None:
    """Return what the lines show that came in place of answers, and what to do; None when they show nothing."""
    no_command = next((line for line in heard if line.endswith(_SHELL_ERROR)), None)
    if no_command and firmware != SHELL:
        return f"a shell answers here ({no_command!r}), not {firmware}: say 'firmware: {SHELL}' in the boards file"
    if no_command:
        return (
            f"its shell does not know the command at ({no_command!r}): "
            "build the firmware with CONFIG_AT_SHELL, or flash Modem Shell"
        )
    if firmware == SHELL and heard and all(line == "ERROR" or line.startswith("+CME ERROR") for line in heard):
        return (
            "it answers AT commands, but has no shell around them: "
            f"say 'firmware: {AT_CLIENT}' or 'firmware: {SERIAL_MODEM}' in the boards file"
        )
    return None


def _other_terminator(port: AtPort) -> bool:
    """Say whether the board answers commands that end with anything else than CR; the port keeps what it found."""
    for terminator in (Terminator.CRLF, Terminator.LF, Terminator.NULL):
        port.end_commands_with(terminator)
        try:
            port.sync()
        except NoAnswer:
            continue
        port.timeline.add(Kind.STEP, port.name, f"commands end with {terminator.name} here")
        return True
    port.end_commands_with(Terminator.CR)
    return False


def _check_name(firmware: str) -> None:
    if firmware not in FIRMWARES:
        raise Misuse(f"firmware {firmware!r} is not known; known: {', '.join(sorted(FIRMWARES))}")
