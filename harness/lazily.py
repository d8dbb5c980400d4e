"""Names of a package, imported when they are first used: what a short command does not need costs it nothing."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def names_of(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a package's ``__getattr__``. ``homes``: by module of the package, the names in it, with spaces between.

    Names are kept once they are found. For type checkers the package imports them where ``TYPE_CHECKING`` is true.
    """

    def get(name: str) -> Any:
        home = next((module for module, names in homes.items() if name in names.split()), None)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home}"), name)
        setattr(import_module(package), name, value)
        return value

    return get
