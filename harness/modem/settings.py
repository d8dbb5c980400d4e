"""Settings that a modem keeps in its NVM: read, and written only where they differ, because flash wears.

Sources: nRF9160 and nRF91x1 AT Commands references, +CGDCONT, %XSYSTEMMODE, %XBANDLOCK, +CPSMS, +CEDRXS. They are
stored at AT+CFUN=0, so a board that loses its power before that has the former ones, and gets them written again.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from harness.at import AtError, AtFormatError, AtPort
from harness.errors import LabError

RADIO: Final[Mapping[str, tuple[str, str]]] = {  # LTE-M, NB-IoT
    "lte-m": ("1", "0"),
    "nb-iot": ("0", "1"),
    "lte-m+nb-iot": ("1", "1"),
}
_MASK_BITS: Final = 88
Lines = tuple[str, ...]
Keep = Callable[[str, Sequence[str]], object]


@dataclass(frozen=True, slots=True)
class WantedSettings:
    """What a lab wants of a modem; None: leave it as it is.

    ``apn``: of the first PDN. ``system_mode``: a key of RADIO; GNSS and preference stay. ``bands``: the only ones that
    may be used. ``psm``, ``edrx``: False: not asked for.
    """

    apn: str | None = None
    system_mode: str | None = None
    bands: tuple[int, ...] | None = None
    psm: bool | None = None
    edrx: bool | None = None


@dataclass(frozen=True, slots=True)
class _Setting:
    """``question`` reads it. ``change`` makes of its lines the command that is needed, None: none is.

    ``back`` makes of its lines the commands that put them back.
    """

    key: str
    question: str
    change: Callable[[Lines], str | None]
    back: Callable[[Lines], Sequence[str]]


def write_settings(
    port: AtPort,
    wanted: WantedSettings,
    offline: Callable[[], AbstractContextManager[None]],
    note: Callable[[str], None],
    keep: Keep,
) -> None:
    """Write those settings of ``wanted`` that differ, at ``port``.

    ``offline``: keeps the modem inactive for a block. ``note``: called with each change. ``keep``: gets, before each
    write, a setting's key and the commands that put its former value back. Raises LabError if the modem does not tell a
    setting, or refuses it.
    """
    settings = _settings(wanted)
    if not any(setting.change(_read(port, setting)) for setting in settings):
        return
    with offline():
        for setting in settings:
            former = _read(port, setting)  # an attached modem tells the network's APN, not its own
            command = setting.change(former)
            if command is None:
                continue
            keep(setting.key, setting.back(former))
            _send(port, setting, command)
            if setting.change(_read(port, setting)) is not None:
                raise LabError(f"{port.name}: {command} was answered with OK and changed nothing; {_cure(setting)}")
            note(f"{setting.key}: {command} (was: {'; '.join(former) or 'nothing'})")


def put_back(port: AtPort, commands: Sequence[str], offline: Callable[[], AbstractContextManager[None]]) -> None:
    """Send all ``commands`` that :func:`write_settings` kept to ``port``. Raises AtError for the first one refused.

    ``offline``: keeps the modem inactive for a block.
    """
    if not commands:
        return
    refused: AtError | None = None
    with offline():
        for command in commands:
            try:
                port.command(command)
            except AtError as error:  # the other settings are no less to be put back
                refused = refused or error
    if refused is not None:
        raise refused


def _settings(wanted: WantedSettings) -> list[_Setting]:
    made = [
        _apn(wanted.apn) if wanted.apn is not None else None,
        _system_mode(wanted.system_mode) if wanted.system_mode is not None else None,
        _bands(wanted.bands) if wanted.bands is not None else None,
        _PSM if wanted.psm is False else None,
        _EDRX if wanted.edrx is False else None,
    ]
    return [setting for setting in made if setting is not None]


def _read(port: AtPort, setting: _Setting) -> Lines:
    try:
        return port.command(setting.question).lines
    except AtError as error:
        text = f"{port.name}: the modem does not report {setting.key} ({error}), so whether to write it is not known"
        raise LabError(f"{text}; {_cure(setting)}") from error


def _send(port: AtPort, setting: _Setting, command: str) -> None:
    try:
        port.command(command)
    except AtError as error:
        raise LabError(f"{port.name}: {setting.key}: {error}; {_cure(setting)}") from error


def _cure(setting: _Setting) -> str:
    return f"correct {setting.key}: in the boards file, or take it out"


def _value(lines: Lines, name: str) -> str:
    found = next((line for line in lines if line.startswith(f"{name}:")), None)
    if found is None:
        raise AtFormatError(f"expected a line {name}: ..., got {lines!r}")
    return found[len(name) + 1 :].strip()


def _fields(lines: Lines, name: str) -> list[str]:
    return next(csv.reader([_value(lines, name)], skipinitialspace=True), [])


def _apn(apn: str) -> _Setting:
    def first(lines: Lines) -> tuple[str, str]:
        """Return type and APN of the first PDN, which may not be there."""
        fields = _fields(lines, "+CGDCONT") if lines else []
        return (fields[1], fields[2]) if len(fields) > 2 and fields[0] == "0" else ("", "")

    def change(lines: Lines) -> str | None:
        kind, now = first(lines)
        return None if now.lower() == apn.lower() else f'AT+CGDCONT=0,"{kind or "IP"}","{apn}"'

    def back(lines: Lines) -> list[str]:
        kind, now = first(lines)
        return [f'AT+CGDCONT=0,"{kind}","{now}"' if kind else "AT+CGDCONT=0"]

    return _Setting("apn", "AT+CGDCONT?", change, back)


def _system_mode(name: str) -> _Setting:
    def change(lines: Lines) -> str | None:
        fields = _fields(lines, "%XSYSTEMMODE")
        if len(fields) < 3:
            raise AtFormatError(f"expected %XSYSTEMMODE: with three fields or more, got {lines!r}")
        if tuple(fields[:2]) == RADIO[name]:
            return None
        return f"AT%XSYSTEMMODE={','.join((*RADIO[name], *fields[2:]))}"

    def back(lines: Lines) -> list[str]:
        return [f"AT%XSYSTEMMODE={','.join(_fields(lines, '%XSYSTEMMODE'))}"]

    return _Setting("system_mode", "AT%XSYSTEMMODE?", change, back)


def _bands(bands: Sequence[int]) -> _Setting:
    mask = "".join("1" if number in bands else "0" for number in range(_MASK_BITS, 0, -1)).lstrip("0")

    def permanent(lines: Lines) -> str:
        fields = _fields(lines, "%XBANDLOCK")
        if not fields:
            raise AtFormatError(f"expected %XBANDLOCK: with a mask behind, got {lines!r}")
        return fields[0].lstrip("0")

    def change(lines: Lines) -> str | None:
        return None if permanent(lines) == mask else f'AT%XBANDLOCK=1,"{mask}"'

    def back(lines: Lines) -> list[str]:
        return [f'AT%XBANDLOCK=1,"{now}"' if (now := permanent(lines)) else "AT%XBANDLOCK=0"]

    return _Setting("bands", "AT%XBANDLOCK?", change, back)


def _psm_change(lines: Lines) -> str | None:
    return "AT+CPSMS=0" if _value(lines, "+CPSMS").startswith("1") else None


def _edrx_asked(lines: Lines) -> list[list[str]]:
    """Return access technology and value of each line that asks for eDRX; without any, only OK comes."""
    fields = [_fields((line,), "+CEDRXS") for line in lines]
    return [each for each in fields if len(each) > 1 and each[1]]


_PSM: Final = _Setting(
    "psm", "AT+CPSMS?", _psm_change, lambda lines: [f"AT+CPSMS={_value(lines, '+CPSMS').replace(' ', '')}"]
)
_EDRX: Final = _Setting(
    "edrx",
    "AT+CEDRXS?",
    lambda lines: "AT+CEDRXS=3" if _edrx_asked(lines) else None,
    lambda lines: [f'AT+CEDRXS=1,{technology},"{value}"' for technology, value, *_ in _edrx_asked(lines)],
)
