"""The fields of a settings model: what kind of value each holds, read from its annotation, and its option."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from harness.settings.model import Option


def core(annotation: Any) -> Any:
    """Return the type without Annotated and without None: ``Annotated[int, ...] | None`` is ``int``."""
    if get_origin(annotation) is Annotated:
        return core(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return core(next(kind for kind in get_args(annotation) if kind is not type(None)))
    return annotation


def item(annotation: Any) -> Any:
    """Return the type of a list's entries or of a mapping's values; None for anything else."""
    kind = core(annotation)
    if get_origin(kind) is tuple:
        return core(get_args(kind)[0])
    if get_origin(kind) is dict:
        return core(get_args(kind)[1])
    return None


def is_list(annotation: Any) -> bool:
    """Return whether the field is a list."""
    return get_origin(core(annotation)) is tuple


def sub_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model that the field holds, alone or in a list; None if it holds none."""
    kind = item(annotation) or core(annotation)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def is_mapping(annotation: Any) -> bool:
    """Return whether the field holds keys and values: a mapping or a model."""
    return get_origin(core(annotation)) is dict or (not is_list(annotation) and sub_model(annotation) is not None)


def known_keys(model: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    """Return the keys that are allowed at ``place`` (pydantic's ``loc``, without the key)."""
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            model = sub_model(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def option(field: FieldInfo) -> Option | None:
    """Return the field's command line option, or None."""
    return next((each for each in field.metadata if isinstance(each, Option)), None)


def options(model: type[BaseModel]) -> Mapping[str, Option]:
    """Return the options of a model by field."""
    found = {name: option(field) for name, field in model.model_fields.items()}
    return {name: each for name, each in found.items() if each is not None}


def flag(model: type[BaseModel], name: str) -> str:
    """Return the option for a field, e.g. ``--time-scale``."""
    given = options(model)[name].flag
    return given or f"--{name.replace('_', '-')}"
