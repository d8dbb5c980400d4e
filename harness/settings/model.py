"""The base of every settings model: frozen, no unknown keys, no guessing; and how a field becomes an option."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function


class Settings(BaseModel):
    """No unknown keys, no guessing: ``"115200"`` is text and not a number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True)
class Option:
    """How a field is given on a command line; it stands in the field's annotation.

    ``help``: its meaning, in a few words. ``metavar``: the word for the value in the help (None: its choices).
    ``flag``: the option (None: the field's name). A list's option may be given again, a mapping's takes ``KEY=VALUE``.
    """

    help: str
    metavar: str | None = None
    flag: str | None = None


@dataclass(frozen=True)
class Matching:
    """A validator: the text must match ``pattern``. ``meaning``: the pattern in words ("must be ...").

    Not pydantic's ``pattern``, whose message would show the expression. The JSON schema has both.
    """

    pattern: str
    meaning: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$", "description": f"{self.meaning}"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"must be {self.meaning}")
        return value


def matching(pattern: str, meaning: str) -> Matching:
    """Return a validator, see :class:`Matching`."""
    return Matching(pattern, meaning)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
        raise ValueError("must be HOST:PORT, e.g. mqtt.nrfcloud.com:8883")
    return value


AS_TUPLE = BeforeValidator(_tuple)  # YAML and JSON have lists, a frozen model has tuples
BY_VALUE = Field(strict=False)  # for enumerations: their values are what people write
Name = Annotated[str, matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "one word of letters, digits, '_' and '-'")]
Address = Annotated[str, AfterValidator(_address)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
