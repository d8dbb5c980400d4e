import os

from hypothesis import settings

from tests.less_garbage import pytest_collection, pytest_collection_finish, pytest_unconfigure
from tests.own_environment import own_environment

__all__ = ["own_environment", "pytest_collection", "pytest_collection_finish", "pytest_unconfigure"]

# hypothesis allows an example 200 ms, which a busy computer does not keep. Where CI is set it is its CI profile still.
# With EXAMPLES=same every run draws the same examples, so that a red one tells of what has changed and not of luck.
_usual = settings.get_profile(settings.get_current_profile_name())
settings.register_profile(
    "no-deadline", parent=_usual, deadline=None, derandomize=_usual.derandomize or os.environ.get("EXAMPLES") == "same"
)
settings.load_profile("no-deadline")
