"""What boards.yaml may say about faults, on the wires and as commands to the stand-ins: the schema."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

from pydantic import AfterValidator, ConfigDict, ValidationError, create_model, model_validator

from harness.errors import Misuse
from harness.faults import Deed, Fault
from harness.faults.fault import CLOSES
from harness.settings import BrokerBehaviour, Settings
from harness.settings.cloud_faults import ChangeBroker
from harness.settings.commands import BadControlLine, Target, command_of
from harness.settings.model import AS_TUPLE, BY_VALUE
from harness.settings.sentences import sentences

DEVICE: Final = "{device}"
"""The placeholder for the id of the board's device, which is known only once the board is open."""
_TIMING: Final = ("phase", "times")
_CURE: Final = "; correct it"


class ToldFault(NamedTuple):
    """A command to a stand-in. ``phase``: of a trial; the command is sent when it begins. "": when the stand-in starts.

    ``times``: how often it is sent; None: at each such phase.
    """

    command: str
    fields: Mapping[str, Any]
    phase: str
    times: int | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "ToldFault":
        """Return the command of an entry that has no mistake."""
        own = {name: value for name, value in entry.items() if name not in ("command", *_TIMING)}
        return cls(str(entry["command"]), own, str(entry.get("phase", "")), entry.get("times"))


def _told(target: Target, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the entry if it has a command to a ``target``. Raises ValueError."""
    phase, times = entry.get("phase", ""), entry.get("times")
    _check_phase(phase)
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
        raise ValueError("must have times that are a number from 1")
    if times is not None and not phase:
        raise ValueError("must have a phase if it has times: without one it is sent once, when the stand-in starts")
    said = {name: value for name, value in entry.items() if name not in _TIMING}
    if target is Target.BOARD:
        if "board" in said:
            raise ValueError("must not name a board: the command goes to the board whose entry it is in")
        said = {"board": "", **said}
    try:
        command = command_of(said, target)
    except BadControlLine as error:
        why = str(error).removesuffix(_CURE)  # which the sentence around it has, too
        raise ValueError(f"must be a command to a {target} ({why})") from None
    if isinstance(command, ChangeBroker):
        _check_broker_settings(command)
    if not all(map(math.isfinite, _floats(entry))):
        raise ValueError(f"must be a command to a {target} whose numbers are finite")
    if DEVICE in said.values() and not phase:
        raise ValueError(f"must have a phase: {DEVICE} is known only when the board's tests run")
    return entry


def _check_broker_settings(command: ChangeBroker) -> None:
    """Raise ValueError for settings that the broker would refuse in the middle of a run."""
    try:
        BrokerBehaviour.model_validate(command.settings)
    except ValidationError as error:
        why = "; ".join(sentences(error, BrokerBehaviour)).removesuffix(_CURE)
        raise ValueError(f"must be a command to a cloud ({command.command}: {why})") from None


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _floats(part)


def _check_phase(phase: Any) -> None:
    """Raise ValueError unless ``phase`` is a phase of a trial, or "" for none."""
    if phase == "":
        return
    from harness.trial.phases import FORMER, Phase  # imported here, because trials import all firmwares

    known = [one.value for one in Phase if one not in FORMER]
    if phase not in known:
        raise ValueError(f"must have a phase of a trial, not {phase!r}: {', '.join(known)}")


def _to_board(entry: dict[str, Any]) -> dict[str, Any]:
    return _told(Target.BOARD, entry)


def _to_cloud(entry: dict[str, Any]) -> dict[str, Any]:
    return _told(Target.CLOUD, entry)


class _WireFault(Settings):
    """A fault on a wire: the fields of :class:`harness.faults.Fault`, added below."""

    @model_validator(mode="after")
    def _good(self) -> "_WireFault":
        _check_phase(getattr(self, "phase", "") or "")
        try:
            _fault(self)
        except Misuse as error:
            raise ValueError(f"must be a fault that can strike ({error})") from None
        return self


def _fault(said: Settings) -> Fault:
    return Fault(**{field.name: getattr(said, field.name) for field in fields(Fault)})


_HINTS: Final = get_type_hints(Fault)
_FIELDS: Final[dict[str, Any]] = {
    field.name: (
        Annotated[_HINTS[field.name], BY_VALUE] if field.name in ("deed", "direction") else _HINTS[field.name],
        ... if field.default is MISSING else field.default,
    )
    for field in fields(Fault)
}


class _LineFault(_WireFault):
    """A fault on a port. It can do less than one on a TCP connection, and has no usual direction."""

    @model_validator(mode="after")
    def _on_a_line(self) -> "_LineFault":
        said = _fault(self)
        if said.deed in CLOSES - {Deed.FIN}:
            raise ValueError(f"must be a fault that a port can have, not {said.deed}: use fin, which unplugs the port")
        if said.one_way and "direction" not in self.model_fields_set:
            raise ValueError("must have its direction: in (from the board) or out (to the board)")
        if (said.connection or 1) > 1:
            raise ValueError(f"must be a fault that can strike: a port has one connection, not {said.connection}")
        if (said.byte or said.packet) and (said.times or 1) > 1:
            moment = "byte" if said.byte else "packet"
            raise ValueError(f"must have no times above 1: {moment} {said.byte or said.packet} of a port comes once")
        return self


WireFault = create_model("WireFault", __base__=_WireFault, **_FIELDS)
WireFaults = Annotated[tuple[WireFault, ...], AS_TUPLE]
LineFault = create_model("LineFault", __base__=_LineFault, **_FIELDS)
LineFaults = Annotated[tuple[LineFault, ...], AS_TUPLE]


class BoardFaults(Settings):
    """Faults of a board."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    seed: int = 0
    """Seed of the random choices"""
    line: LineFaults = ()
    """Faults of a man in the middle on the port"""
    commands: Annotated[tuple[Annotated[dict[str, Any], AfterValidator(_to_board)], ...], AS_TUPLE] = ()
    """Commands to the virtual board, at its start or in a phase of a trial"""

    @property
    def on_line(self) -> list[Fault]:
        """The faults of the man in the middle."""
        return [_fault(one) for one in self.line]

    @property
    def told(self) -> list[ToldFault]:
        """The commands to the board."""
        return [ToldFault.of(entry) for entry in self.commands]


class CloudFaults(Settings):
    """Faults of a local cloud."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    seed: int = 0
    """Seed of the random choices"""
    device: WireFaults = ()
    """A proxy between the boards and the broker"""
    observer: WireFaults = ()
    """A proxy between the observer and the broker"""
    commands: Annotated[tuple[Annotated[dict[str, Any], AfterValidator(_to_cloud)], ...], AS_TUPLE] = ()
    """Told to the cloud, at its start or in a phase of a trial"""

    @property
    def on_device(self) -> list[Fault]:
        """The faults of the boards' proxy."""
        return [_fault(one) for one in self.device]

    @property
    def on_observer(self) -> list[Fault]:
        """The faults of the observer's proxy."""
        return [_fault(one) for one in self.observer]

    @property
    def told(self) -> list[ToldFault]:
        """The commands to the cloud."""
        return [ToldFault.of(entry) for entry in self.commands]


NO_BOARD_FAULTS: Final = BoardFaults()
NO_CLOUD_FAULTS: Final = CloudFaults()
