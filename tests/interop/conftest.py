from tests.less_garbage import pytest_collection, pytest_collection_finish
from tests.own_environment import own_environment

__all__ = ["own_environment", "pytest_collection", "pytest_collection_finish"]
