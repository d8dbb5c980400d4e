"""Every target by its name. A new one: its module, a line here, a folder in corpus/."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, cast

Target = Callable[[bytes], None]

NAMES: Final = ("at_dialogue", "boards_yaml", "com_port", "mqtt_codec", "rest_bodies", "timeline_file", "tokens")
CORPUS: Final = Path(__file__).parent / "corpus"


def target(name: str) -> Target:
    """Return the target ``name``, imported now."""
    return cast(Target, import_module(f"fuzz.{name}").one_input)


def seeds(name: str) -> list[bytes]:
    """Return the target's corpus."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
