"""The JSON schema of boards.yaml for editors, made from the models that read the file."""

from typing import Any, Final

from harness.lab.cloud_library_config import AUTO
from harness.lab.config import LocalCloudConfig, Schema
from harness.settings import BoardSettings, FirmwareName
from harness.settings.fields import options

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def boards_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). It says which keys exclude each other only as far as editors can show that."""
    schema = Schema.model_json_schema()
    board = schema["$defs"]["BoardConfig"]
    said = {"kind": {"const": FirmwareName.CLOUD_LIBRARY}, **schema["$defs"]["CloudLibraryConfig"]["properties"]}
    mapping = {"type": "object", "properties": said, "required": ["kind", "sample"], "additionalProperties": False}
    board["properties"]["firmware"]["anyOf"] += [{"const": AUTO}, mapping]
    board["oneOf"] = [{"required": [key]} for key in ("virtual", "port", "serial", "place")]
    for model in (BoardSettings, LocalCloudConfig):
        for name, option in options(model).items():
            schema["$defs"][model.__name__]["properties"][name]["description"] = option.help
    return {"$schema": DIALECT, "title": "boards.yaml of nrf91-harness", **_tidy(schema)}


def _tidy(part: Any, *, names: bool = False) -> Any:
    """Return a part without pydantic's internal keys. ``names``: its keys are names, one of which may be "title".

    In the models None means "not given", which nobody writes, and a list is a tuple with a least length.
    """
    if isinstance(part, list):
        return [_tidy(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    kept = {
        key: _tidy(value, names=key in ("properties", "$defs"))
        for key, value in part.items()
        if names or (key != "title" and not (key == "default" and value is None))
    }
    if names:
        return kept
    if kept.get("type") == "array" and "minLength" in kept:
        kept["minItems"] = kept.pop("minLength")
    choices = [choice for choice in kept.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        del kept["anyOf"]
        kept = choices[0] | kept
    return kept
