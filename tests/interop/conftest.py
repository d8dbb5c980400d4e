from tests.less_garbage import pytest_collection, pytest_collection_finish
from tests.own_leases import own_leases

__all__ = ["own_leases", "pytest_collection", "pytest_collection_finish"]
