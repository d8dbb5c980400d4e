"""The radio's word: what the modem is asked before a trial and after a hang-up.

Only passive questions: they cost milliseconds and no radio traffic. Source: nRF91x1 AT Commands reference (+CGPADDR,
%XMONITOR); :mod:`harness.modem.signal` for +CESQ.
"""

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from harness.at import Answer, AtError, AtFormatError, AtPort
from harness.modem.signal import signal_in
from harness.timeline import Kind

SOURCE: Final = "radio"
_MONITOR: Final = ("status", "full_name", "short_name", "plmn", "tac", "act", "band", "cell_id")


@dataclass(frozen=True, slots=True)
class RadioFigures:
    """What was found; None: the modem did not say. ``rsrp`` in dBm, ``rsrq`` in dB.

    ``address``: of the PDN; "": there is none.
    """

    address: str | None = None
    plmn: str | None = None
    tac: str | None = None
    cell_id: str | None = None
    band: str | None = None
    rsrp: float | None = None
    rsrq: float | None = None

    def changes(self, later: "RadioFigures") -> dict[str, tuple[Any, Any]]:
        """Return what is known of both and differs, without the signal, which differs always."""
        fields = ("address", "plmn", "tac", "cell_id", "band")
        pairs = {name: (getattr(self, name), getattr(later, name)) for name in fields}
        return {name: pair for name, pair in pairs.items() if None not in pair and pair[0] != pair[1]}


def read_figures(port: AtPort) -> RadioFigures:
    """Ask the modem. What it refuses, or what cannot be read, is None."""
    monitor = _fields(port, "AT%XMONITOR", "%XMONITOR")
    seen = dict(zip(_MONITOR, monitor, strict=False)) if len(monitor) > 1 else {}
    signal = signal_in(f"+CESQ: {','.join(_fields(port, 'AT+CESQ', '+CESQ'))}")
    return RadioFigures(
        address=_address(port),
        plmn=seen.get("plmn"),
        tac=seen.get("tac"),
        cell_id=seen.get("cell_id"),
        band=seen.get("band"),
        rsrp=signal.get("rsrp"),
        rsrq=signal.get("rsrq"),
    )


class RadioWitness:
    """Compares what the modem says after a hang-up with what it said before."""

    def __init__(self, port: AtPort) -> None:
        self._port = port
        self._before: RadioFigures | None = None

    def begin(self) -> None:
        """A trial begins: take the figures. Those of the trial before may be of a PDN connection that was left."""
        self._before = read_figures(self._port)
        self._note("before", self._before, {})

    def __call__(self) -> Mapping[str, Any]:
        """Take the figures after a hang-up, and say what has changed."""
        now, before = read_figures(self._port), self._before or RadioFigures()
        if "address" in before.changes(
            now
        ):  # one flipped bit on the UART makes another address, too: is it said twice?
            again = _address(self._port)
            now = (
                now
                if again == now.address
                else replace(now, address=before.address if again == before.address else None)
            )
        self._before = now
        changes = before.changes(now)
        self._note("after", now, changes)
        return {"figures": asdict(now), "changes": {name: list(pair) for name, pair in changes.items()}}

    def _note(self, when: str, figures: RadioFigures, changes: Mapping[str, tuple[Any, Any]]) -> None:
        known = {name: value for name, value in asdict(figures).items() if value is not None}
        text = f"radio {when}: {', '.join(f'{name} {value}' for name, value in known.items())}"
        data: dict[str, Any] = {"when": when, **known}
        if changes:
            text += f"; changed: {', '.join(f'{name} from {old} to {new}' for name, (old, new) in changes.items())}"
            data["changes"] = {name: list(pair) for name, pair in changes.items()}
        if "address" in changes:
            data["lost"] = True  # another PDN connection: every socket of the old one is dead
        self._port.timeline.add(Kind.STEP, SOURCE, text, **data)


def _address(port: AtPort) -> str | None:
    """Return the PDN's address, "" where the modem says that there is none; None: it did not say.

    "None" is OK alone, and so is an answer whose line was lost on the way: it counts if it is said twice.
    """
    try:
        fields = _parsed(port.command("AT+CGPADDR"), "+CGPADDR") or _parsed(port.command("AT+CGPADDR"), "+CGPADDR")
    except (AtError, AtFormatError, csv.Error):
        return None
    return fields[1] if len(fields) > 1 else ""


def _fields(port: AtPort, command: str, name: str) -> list[str]:
    """Return the fields of an answer; none where the modem has no answer, or one that cannot be read."""
    try:
        return _parsed(port.command(command), name)
    except (AtError, AtFormatError, csv.Error):
        return []


def _parsed(answer: Answer, name: str) -> list[str]:
    return next(csv.reader([answer.value(name)], strict=True)) if answer.lines else []
