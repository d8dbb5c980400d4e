"""The base of classes that play another's part in a test: the type checker takes their objects for whatever is wanted.

``typing.Any`` itself will do from Python 3.12 on; before, a class that is made of it takes no arguments.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    Fake: TypeAlias = Any
else:
    Fake = object
