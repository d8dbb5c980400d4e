"""The settings of a process of stand-ins: any number of boards, each with its own settings, and a local cloud."""

from collections.abc import Sequence
from typing import Annotated, Final, Self

from pydantic import Field, ValidationError, model_validator

from harness.settings.board import NamedBoard
from harness.settings.cloud import CloudSettings
from harness.settings.model import AS_TUPLE, Address, Option, Settings
from harness.settings.sentences import sentences

MOST_BOARDS: Final = 64
API_KEY_FILE: Final = "api-key"  # beside the ports of the boards
OF_ONE_BOARD: Final = ("imei", "device_uuid", "rfc2217")  # port 0 is any: it and None may be of several


class UnreadableSettings(Exception):
    """The text is not a settings document. The message says where and why, in one line."""


class ProcessCloud(CloudSettings):
    """The local cloud of a process. ``policies``: ``page``, ``current`` or a folder with documents."""

    policies: Annotated[
        str,
        Field(min_length=1),
        Option("policies: the page's, the page's with the topics of today's firmware, or DIR's", "page|current|DIR"),
    ] = "page"


class ProcessSettings(Settings):
    """The document that ``python -m harness.virtual --settings`` takes. ``cloud`` None: boards only."""

    boards: Annotated[tuple[NamedBoard, ...], AS_TUPLE, Field(max_length=MOST_BOARDS)] = ()
    cloud: ProcessCloud | None = None
    network: Annotated[
        dict[Address, Address], Option("where a name leads in the boards' network", "NAME:PORT=HOST:PORT")
    ] = Field(default_factory=dict)
    directory: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Option("where ports, journal, CA and API key go (default: a temporary folder)", "DIR", "--dir"),
    ] = None
    firmware_ca: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Option("root CA of the provisioning service in the boards' firmware (default: this process's cloud's)", "FILE"),
    ] = None
    die_with_stdin: Annotated[bool, Option("stop when standard input ends")] = False

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [board.name for board in self.boards]
        if len(set(names)) < len(names):
            raise ValueError(f"boards must have different names, but two are called {_twice(names)!r}")
        if self.cloud is not None and API_KEY_FILE in names:
            raise ValueError(f"a board cannot be called {API_KEY_FILE!r}, which is a file of the cloud")
        for what in OF_ONE_BOARD:
            given = [str(value) for board in self.boards if (value := getattr(board, what))]
            if len(set(given)) < len(given):
                raise ValueError(same_number(what, _twice(given)))
        return self


def same_number(what: str, value: str) -> str:
    """Return what is wrong if two boards have one ``value`` of the setting ``what``, one of OF_ONE_BOARD."""
    return f"boards must have different numbers, but two have {what} {value}"


def _twice(values: Sequence[str]) -> str:
    return next(value for value in values if values.count(value) > 1)


def read_settings(text: str | bytes, where: str) -> ProcessSettings:
    """Return the settings in a JSON document. Raises UnreadableSettings; ``where``: what the message calls it."""
    try:
        return ProcessSettings.model_validate_json(text)
    except ValidationError as error:
        raise UnreadableSettings(f"{where}: {'; '.join(sentences(error, ProcessSettings))}") from None
