"""The options of a command line that starts stand-ins, made from the settings models: one table for every program.

A field with an :class:`Option` is an option of its own. Further options say how many boards there are, and ``--board
NAME,key=value,...`` adds a board that differs from the others.
"""

import argparse
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from harness.settings.board import DEFAULT_FIRMWARE, ONLY_WITH, RENAMED, BoardSettings, FirmwareName, NamedBoard
from harness.settings.fields import core, flag, is_list, is_mapping, item, options, sub_model
from harness.settings.model import Settings
from harness.settings.process import MOST_BOARDS, ProcessCloud, ProcessSettings, UnreadableSettings, read_settings
from harness.settings.sentences import sentence, unknown_key

SECTIONS: Final[Mapping[str, type[Settings]]] = {
    "process": ProcessSettings,
    "board": BoardSettings,
    "cloud": ProcessCloud,
}
_WHOLE = re.compile(r"-?[0-9]+")


class WrongOption(Exception):
    """An option has a wrong value, or two contradict each other. One line."""


def add_options(parser: argparse.ArgumentParser, *, without: Collection[str] = ()) -> None:
    """Add the options of all settings to a parser. ``without``: fields that the program sets by itself."""
    add = parser.add_argument
    text: dict[str, Any] = {"default": argparse.SUPPRESS}  # an option that is not given is not in the result
    add("--settings", metavar="FILE|-", help="all settings as a JSON document, in place of other options", **text)
    add("--boards", dest="count", metavar="N", help="how many boards (default 1, or as many as --names)", **text)
    add("--names", metavar="A,B", help="their names (default virtual-1, virtual-2, ...)", **text)
    board = "a board that differs from the others, e.g. a,model=nrf9160,fault=no-sim; repeatable"
    add("--board", dest="single", action="append", metavar="NAME,KEY=VALUE", help=board, **text)
    add("--no-cloud", action="store_true", help="boards only; --network says where names lead", **text)
    for section, model in SECTIONS.items():
        for name in options(model):
            if name not in without:
                _add(parser, section, model, name)
    for former, now in RENAMED.items():
        add(f"--{former}", dest=f"former.{now}", help=argparse.SUPPRESS, **text)


def settings_of(given: argparse.Namespace, read_input: Callable[[], bytes], *, fewest: int = 0) -> ProcessSettings:
    """Return the settings that the options of :func:`add_options` give, or those of the document that they name.

    ``given``: as the parser returns it. ``read_input``: returns the document for ``--settings -``. ``fewest``: boards
    that the program needs; with 0 a local cloud may run alone. Raises WrongOption or UnreadableSettings.
    """
    if "settings" not in given:
        return _from_options(given, fewest)
    other = _beside_a_document(given)
    if other is not None:
        raise WrongOption(f"{other} has no effect together with --settings; write it into the document")
    if given.settings == "-":
        settings = read_settings(read_input(), "standard input")
    else:
        path = Path(given.settings)
        try:
            settings = read_settings(path.read_bytes(), str(path))
        except OSError as error:
            raise UnreadableSettings(
                f"{path}: cannot read the settings: {error.strerror}; name another file"
            ) from error
    asked = getattr(given, "process.die_with_stdin", False)
    return settings.model_copy(update={"die_with_stdin": True}) if asked else settings


def _from_options(given: argparse.Namespace, fewest: int) -> ProcessSettings:
    values = vars(given)
    for key in values:
        if key.startswith("former."):
            now = key.removeprefix("former.")
            former = next(name for name, other in RENAMED.items() if other == now)
            raise WrongOption(f"--{former} is called --{now} now; rename it")
    shared = _values(values, "board", BoardSettings)
    boards = _boards(values, shared, fewest)
    cloud = _values(values, "cloud", ProcessCloud)
    if values.get("no_cloud") and cloud:
        raise WrongOption(f"{flag(ProcessCloud, next(iter(cloud)))} has no effect together with --no-cloud")
    document = _values(values, "process", ProcessSettings)
    try:
        settings = ProcessSettings.model_validate(
            {**document, "boards": boards, "cloud": None if values.get("no_cloud") else cloud}
        )
    except ValidationError as error:
        raise WrongOption(_complaint(error)) from None
    _check_used(boards)
    return settings


def _beside_a_document(given: argparse.Namespace) -> str | None:
    """Return an option that was given beside ``--settings``, where it has no meaning, or None."""
    for key in vars(given):
        section, dot, name = key.partition(".")
        if dot and section in SECTIONS and name != "die_with_stdin":
            return flag(SECTIONS[section], name)
        if key in ("count", "names", "single", "no_cloud"):
            return {"count": "--boards", "single": "--board", "no_cloud": "--no-cloud"}.get(key, f"--{key}")
    return None


def _add(parser: argparse.ArgumentParser, section: str, model: type[BaseModel], name: str) -> None:
    field, option = model.model_fields[name], options(model)[name]
    kind = field.annotation
    about: dict[str, Any] = {"dest": f"{section}.{name}", "default": argparse.SUPPRESS}
    default = field.get_default(call_default_factory=True)
    if core(kind) is bool:
        about |= {"action": "store_true", "help": option.help}
    elif is_list(kind) or is_mapping(kind):
        about |= {"action": "append", "metavar": option.metavar or _choices(item(kind)), "help": option.help}
        about["help"] += "; repeatable"
    else:
        about |= {"metavar": option.metavar or _choices(core(kind)), "help": option.help}
        about["help"] += "" if default is None else f" (default {default})"
    parser.add_argument(flag(model, name), **about)


def _choices(kind: Any) -> str:
    known = getattr(kind, "__args__", None) or list(kind)
    return f"{{{','.join(known)}}}"


def _values(values: Mapping[str, Any], section: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return what was given for a model, as values of its fields if the texts can be converted."""
    found = {}
    for name in options(model):
        if (given := values.get(f"{section}.{name}")) is not None:
            found[name] = _value(model, name, given)
    return found


def _value(model: type[BaseModel], name: str, given: Any) -> Any:
    kind = model.model_fields[name].annotation
    if is_list(kind):
        return tuple(_parsed(item(kind), text) for text in given)
    if is_mapping(kind):
        inner = sub_model(kind)
        made = {}
        for text in given:
            key, equals, value = text.partition("=")
            if not equals:
                form = options(model)[name].metavar
                raise WrongOption(f"{flag(model, name)} cannot be {text!r}: it must be of the form {form}; correct it")
            key = key.replace("-", "_") if inner else key
            known = inner.model_fields if inner else {}
            made[key] = _parsed(core(known[key].annotation) if key in known else item(kind), value)
        return made
    return _parsed(core(kind), given)


def _parsed(kind: Any, text: Any) -> Any:
    """Return ``text`` as a number if the field is one and the text is; else ``text``, which the model then refuses."""
    if kind is int and isinstance(text, str) and _WHOLE.fullmatch(text):
        return int(text)
    if kind is float and isinstance(text, str) and text.isascii() and "_" not in text:
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _boards(values: Mapping[str, Any], shared: Mapping[str, Any], fewest: int) -> list[dict[str, Any]]:
    singles = [_single(text) for text in values.get("single", ())]
    names = values["names"].split(",") if "names" in values else []
    count = _count(values["count"], fewest) if "count" in values else None
    if names and count is not None and count != len(names):
        raise WrongOption(f"--boards {count} contradicts --names, which has {len(names)}")
    if not names:
        wanted = (0 if singles else 1) if count is None else count
        names = [f"virtual-{number}" for number in range(1, wanted + 1)]
    return [{**shared, "name": name} for name in names] + [{**shared, **single} for single in singles]


def _check_used(boards: Sequence[Mapping[str, Any]]) -> None:
    """Raise WrongOption for a setting that no board's firmware has: it would change nothing."""
    for key, only in ONLY_WITH.items():
        firmwares = [str(board.get("firmware", DEFAULT_FIRMWARE)) for board in boards if key in board]
        if firmwares and not only.intersection(firmwares):
            cure = " or ".join(f"--firmware {name}" for name in FirmwareName if name in only)
            raise WrongOption(f"{flag(BoardSettings, key)} changes nothing on firmware {firmwares[0]}; give {cure}")


def _count(text: str, fewest: int) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= MOST_BOARDS):
        wanted = f"a number from {fewest} to {MOST_BOARDS}"
        raise WrongOption(f"--boards cannot be {text!r}: it must be {wanted}; correct it")
    return int(text)


def _single(text: str) -> dict[str, Any]:
    """Return the settings of one ``--board``."""
    name, *rest = text.split(",")
    keys = {flag(BoardSettings, field).removeprefix("--"): field for field in options(BoardSettings)}
    given: dict[str, Any] = {}
    for part in rest:
        key, equals, value = part.partition("=")
        if key not in keys:
            raise WrongOption(f"--board {text!r}: {unknown_key(key, key, list(keys))}")
        field = keys[key]
        kind = BoardSettings.model_fields[field].annotation
        if core(kind) is bool:
            if equals and value not in ("true", "false"):
                raise WrongOption(f"--board {text!r}: {key} cannot be {value!r}: it must be true or false; correct it")
            given[field] = value != "false"
        elif is_list(kind):
            given.setdefault(field, []).append(value)
        else:
            given[field] = value
    return {field: _value_of_single(field, value) for field, value in given.items()} | {"name": name}


def _value_of_single(field: str, value: Any) -> Any:
    return value if isinstance(value, bool) else _value(BoardSettings, field, value)


def _complaint(error: ValidationError) -> str:
    """Return the first mistake, with its option."""
    details = error.errors(include_url=False)[0]
    place: Sequence[int | str] = details["loc"]
    if not place:
        return sentence(details, "--boards")
    model: type[BaseModel] = ProcessSettings
    if place[0] == "boards":
        model, place = NamedBoard, place[2:]
    elif place[0] == "cloud":
        model, place = ProcessCloud, place[1:]
    name = str(place[0]) if place else "boards"
    if name == "name":
        return sentence(details, "--names")
    option = flag(model, name) if name in options(model) else f"--{name}"
    if details["type"] == "extra_forbidden":
        inner = sub_model(model.model_fields[name].annotation)
        return f"{option}: {unknown_key(str(place[-1]), str(place[-1]), list(inner.model_fields) if inner else [])}"
    inside = [part for part in place[1:] if isinstance(part, str)]
    return sentence(details, " ".join([option, *(part for part in inside if part != "[key]")]))
