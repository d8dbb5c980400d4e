"""The end of a run, when something goes wrong there: everything else is left clean all the same."""

from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import CloudUnreachable, NoAnswer
from harness.run.board import Board
from harness.run.cloud import Cloud


class Things(set):
    pass


class Api:
    """``error``: what deleting raises."""

    def __init__(self, error=None):
        self.made = Things({"dev-1"})
        self.claims: Any = SimpleNamespace(made=Things())
        self.not_ours: list[str] = []
        self.closed = False
        self.error = error

    def delete_all_made(self):
        if self.error is not None:
            raise self.error
        self.made.clear()
        return []

    def close(self):
        self.closed = True


class Ledger:
    kept: bool | None = None

    def close(self, *, keep):
        self.kept = keep


def raising(error):
    def act():
        raise error

    return act


@pytest.fixture
def cloud():
    opened = Cloud(SimpleNamespace(), "local")  # type: ignore[arg-type]
    opened._api, opened._ledger = Api(), Ledger()  # type: ignore[assignment]
    opened._endpoints = SimpleNamespace(dead=lambda: None)  # type: ignore[assignment]
    return opened


def test_an_observer_that_cannot_be_closed_leaves_nothing_in_the_account(cloud):
    cloud._observer = SimpleNamespace(close=raising(CloudUnreachable("gone")))
    api = cloud._api
    assert cloud.close() == ["local: the observer was not closed: gone"]
    assert (api.made, api.closed, cloud._ledger.kept) == (set(), True, False)


def test_a_clean_up_that_is_interrupted_stays_in_the_ledger(cloud):
    cloud._api.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        cloud.close()
    assert (cloud._ledger.kept, cloud._api.closed) == (True, True)


def test_of_a_cloud_whose_process_has_died_nothing_is_left_to_delete(cloud):
    cloud._endpoints.dead = lambda: "local cloud 'local' died with signal 9"
    cloud._api.error = CloudUnreachable("refused")
    assert cloud.close() == []
    assert cloud._api.closed


class Leased:
    alive = True

    def __init__(self):
        self.done: list[str] = []

    def restore(self):
        self.done.append("restore")

    def close(self):
        self.done.append("close")


def test_a_connection_that_cannot_be_ended_does_not_keep_the_mode_from_being_put_back():
    board: Any = Board.__new__(Board)
    board.config = SimpleNamespace(name="dk-1")
    board._leased = Leased()
    board.device = SimpleNamespace(close=list)
    board._provisioned = SimpleNamespace(link=SimpleNamespace(disconnect=raising(NoAnswer("dk-1: silence"))))
    assert board.close() == ["dk-1: not left as it was found: silence"]
    assert board._leased.done == ["restore", "close"]
