"""Finds out which product answers on a port, and whether it is the one that the boards file names."""

from dataclasses import replace
from typing import Final

from harness.at import AtPort, PortSettings
from harness.errors import LabError, NoAnswer
from harness.firmware.interface import Capability, Firmware, MqttDriver
from harness.firmware.kind import FirmwareKind
from harness.firmware.mqtt_event import watching
from harness.firmware.own_connection import OwnSetup
from harness.firmware.registry import FIRMWARES, kind_of
from harness.timeline import Kind

_RESTART: Final = 10.0
_SHELL_ERROR: Final = ": command not found"  # Zephyr's shell


class WrongFirmware(LabError):
    """The board runs another firmware than the boards file says."""


def port_settings(
    firmware: str, *, baudrate: int = 115200, rtscts: bool = False, at_shell: bool | None = None
) -> PortSettings:
    """Return how to talk to a board with ``firmware`` (a name of the boards file). Misuse: unknown name.

    ``baudrate``: in bit/s. ``rtscts``: hardware flow control. ``at_shell``: None: as the firmware has it.
    """
    kind = kind_of(firmware)
    shell = kind.at_shell if at_shell is None else at_shell
    return PortSettings(
        baudrate=baudrate,
        rtscts=rtscts,
        terminator=kind.terminator,
        framed=kind.framed,
        at_shell=shell,
        queues=kind.queues,
    )


def synchronise(port: AtPort, firmware: str, *, patience: float = 0.0) -> None:
    """Make sure that the board answers, as :meth:`AtPort.sync` does, and find out what ends a command there.

    ``port``: the board's. ``firmware``: the one that the boards file names. ``patience``: see there.

    Raises WrongFirmware when it answers, but as another firmware does; else NoAnswer, BoardLost.
    """
    kind = kind_of(firmware)
    mark = port.timeline.mark()
    try:
        port.sync(patience=0.0 if kind.terminators else patience)
    except NoAnswer as silence:
        heard = [
            event.text for event in port.timeline.since(mark) if event.source == port.name and event.kind is Kind.RX
        ]
        if found := _other_firmware(heard, kind, at_shell=_at_shell(port, kind)):
            raise WrongFirmware(f"{port.name}: {found}") from silence
        if _other_terminator(port, kind):
            return
        if not kind.terminators or not patience:
            raise
        # No other terminator was it, so the board may have been busy all the while: now it gets its time.
        port.sync(patience=patience)


def to_known_state(port: AtPort, firmware: str) -> None:
    """End what an earlier user of the board, killed in the middle of something, has left behind.

    After :func:`synchronise`, which leaves data mode. Raises LabError where that does not work.
    """
    kind_of(firmware).to_known_state(port)


def reset_blindly(port: AtPort, firmware: str) -> bool:
    """Tell the board to restart, though it answers nothing, and wait for it to say that it has started.

    False: the firmware has no command for it, so nothing was sent. Raises NoAnswer: no start was seen; BoardLost.
    """
    kind = kind_of(firmware)
    if not kind.reset or kind.restart is None:
        return False
    mark = port.timeline.mark()
    # The radio is switched off first: modems that are reset while it is on count that against the network.
    port.shout("AT+CFUN=0", kind.reset)
    port.wait_line(kind.restart, _RESTART, since=mark)
    return True


def open_firmware(port: AtPort, firmware: str, *, setup: OwnSetup | None = None) -> MqttDriver:
    """Return the driver for ``firmware`` after asking the board. Raises WrongFirmware if the board runs another.

    ``port``: in step (:func:`synchronise`). From now on its timeline has the board's MQTT events. ``setup``: how the
    firmware's own connection is made, if it has one.
    """
    kind = kind_of(firmware)
    if kind.anonymous:
        _refuse_others(port, kind)
    found = kind.recognise(port)
    if found is None:
        shell = _at_shell(port, kind)
        likely = [other.name for other in FIRMWARES.values() if other.anonymous and other.at_shell is shell]
        raise WrongFirmware(
            f"{port.name}: {kind.unrecognised}; "
            f"flash it, or correct 'firmware' in the boards file ({', '.join(likely)}?)"
        )
    if kind.watcher is not None:
        port.watch(watching(kind.watcher(), port.name))
    elif kind.log is not None and found.connects_itself:
        port.watch(kind.log(port.name))
    return kind.driver(port, found if setup is None or not found.connects_itself else set_up(found, setup))


def set_up(found: Firmware, setup: OwnSetup) -> Firmware:
    """Return what the firmware can do as it is built and set up on this board."""
    more = {
        Capability.PAIRING: setup.facts.pairs,
        Capability.OWN_PUBLISH: setup.can_publish,
    }
    capabilities = found.capabilities | {capability for capability, has in more.items() if has}
    return replace(found, product=setup.what, capabilities=capabilities)


def _at_shell(port: AtPort, kind: FirmwareKind) -> bool:
    """Return whether commands go through a shell: some firmware has one or not, as it was built."""
    return kind.at_shell or port.settings.at_shell


def _refuse_others(port: AtPort, kind: FirmwareKind) -> None:
    """Raise WrongFirmware when the board knows a command of another firmware, which ``kind`` does not."""
    for other in FIRMWARES.values():
        if other.anonymous or other.at_shell is not _at_shell(port, kind):
            continue
        found = other.recognise(port)
        if found is not None:
            raise WrongFirmware(
                f"{port.name}: the board runs {found}, not the {kind.product}: "
                f"correct 'firmware' in the boards file ({other.name}), or flash it"
            )


def _other_firmware(heard: list[str], kind: FirmwareKind, *, at_shell: bool) -> str | None:
    """Return what the lines that came in place of answers show, and what to do; None if they show nothing."""
    no_command = next((line for line in heard if line.endswith(_SHELL_ERROR)), None)
    if no_command and not at_shell:
        shells = _sayings(at_shell=True)
        return f"a shell answers here ({no_command!r}), not {kind.name}: say {shells} in the boards file"
    if no_command:
        return (
            f"its shell does not know the command at ({no_command!r}): "
            "build the firmware with CONFIG_AT_SHELL, or flash Modem Shell"
        )
    if at_shell and heard and all(line == "ERROR" or line.startswith("+CME ERROR") for line in heard):
        return (
            f"it answers AT commands, but has no shell around them: say {_sayings(at_shell=False)} in the boards file"
        )
    return None


def _sayings(*, at_shell: bool) -> str:
    names = sorted(kind.name for kind in FIRMWARES.values() if kind.at_shell is at_shell)
    return " or ".join(f"'firmware: {name}'" for name in names)


def _other_terminator(port: AtPort, kind: FirmwareKind) -> bool:
    """Say whether the board answers commands that end with anything else than CR; the port keeps what it found."""
    for terminator in kind.terminators:
        port.end_commands_with(terminator)
        try:
            port.sync()
        except NoAnswer:
            continue
        port.timeline.add(Kind.STEP, port.name, f"commands end with {terminator.name} here")
        return True
    if kind.terminators:
        port.end_commands_with(kind.terminator)
    return False
