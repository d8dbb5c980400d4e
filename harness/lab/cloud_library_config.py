"""What boards.yaml may say of firmware that connects by itself: ``firmware: {kind: cloud-library, ...}``."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from harness.settings import FirmwareName, Sample, Settings
from harness.settings.model import AS_TUPLE, BY_VALUE

AUTO: Final = "auto"
KIND: Final = "kind"
PAYLOAD: Final = "{payload}"


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _with_payload(value: str) -> str:
    if PAYLOAD not in value:
        raise ValueError(f"must have {PAYLOAD} where the message goes, or no message is the one that a test looks for")
    return value


Line = Annotated[str, Field(min_length=1)]
Lines = Annotated[tuple[Line, ...], AS_TUPLE, BeforeValidator(_one_or_more), Field(min_length=1)]


class CloudLibraryConfig(Settings):
    """What a boards file says of such firmware besides its kind. None: as the sample has it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    sample: Annotated[Sample, BY_VALUE]
    """Which sample or application it is, or is made from"""
    at_shell: bool | None = None
    """AT commands go through a shell; otherwise they share the port with the log"""
    publish: Annotated[Line, AfterValidator(_with_payload)] | None = None
    """The line that makes it publish; {payload} is replaced"""
    topic: Line | None = None
    """Where it publishes; {device} and {prefix} (prod/TEAM/) are replaced"""
    reconnect: Lines | None = None
    """What makes it connect anew: AT commands, and lines for its shell; by default its network goes and comes back"""
    button: Annotated[tuple[Line, ...], AS_TUPLE, Field(min_length=1)] | None = None
    """A program, with its arguments, that presses its button; of a virtual board the harness does it"""

    @property
    def through_shell(self) -> bool:
        """AT commands go through a shell."""
        from harness.firmware.cloud_library.facts import FACTS  # all firmwares come along

        return FACTS[self.sample].at_shell if self.at_shell is None else self.at_shell


def split_firmware(board: Any) -> Any:
    """Return a board of the file with ``firmware`` as a name (None: to be found out) and its other keys set apart."""
    if not isinstance(board, Mapping) or "firmware" not in board:
        return board
    firmware = board["firmware"]
    kind = firmware.get(KIND, FirmwareName.CLOUD_LIBRARY) if isinstance(firmware, Mapping) else firmware
    if kind == AUTO:
        return {**board, "firmware": None}
    if not isinstance(firmware, Mapping):
        return board
    return {**board, "firmware": kind, "cloud_library": {key: firmware[key] for key in firmware if key != KIND}}
