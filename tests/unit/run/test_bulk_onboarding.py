"""Several boards: one bulk operation, and each board's own outcome."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.cloud import BulkResult
from harness.credentials import KeyOrigin
from harness.errors import CloudUnreachable, Misuse, NoAnswer
from harness.run.bulk_onboarding import RowRefused, onboard_together
from harness.run.onboarding import Onboarded, WrittenCredentials
from tests.fake import Fake


class Cloud:
    """A cloud's REST client and run in one. ``errors``: of the bulk operation, by row."""

    def __init__(self, errors=None):
        self.errors = errors or {}
        self.log: list[str] = []
        self.account = SimpleNamespace()
        self.api = self

    def onboard_devices(self, rows):
        self.log.append(f"bulk {' '.join(row.device_id for row in rows)}")
        return "01BULK"

    def wait_bulk(self, bulk_id):
        return BulkResult(bulk_id, "FAILED" if self.errors else "SUCCEEDED", self.errors)

    def delete_device(self, device_id):
        self.log.append(f"delete {device_id}")

    def wait_device(self, device_id):
        self.log.append(f"wait {device_id}")


class Made(Fake):
    def __init__(self, device_id, kept):
        self.device_id, self.kept, self.certificate_pem = device_id, kept, f"PEM of {device_id}"
        self.ended = []

    def commit(self):
        self.ended.append("commit")

    def rollback(self):
        self.ended.append("rollback")


class Board(Fake):
    """One board whose part comes out as given: an error, or written credentials."""

    def __init__(self, name, cloud, *, error=None, kept=False, known=False, key_origin=KeyOrigin.DEVICE):
        self.name, self.cloud, self.key_origin, self.error = name, cloud, key_origin, error
        self.made = Made(name, kept)
        self.written = WrittenCredentials(self.made, known)
        self.taken = None
        self.onboarded = Onboarded(self.written.made, attempts=3)

    def write_credentials(self):
        if self.error is not None:
            raise self.error
        return self.written

    def take(self, onboarded):
        self.taken = onboarded

    @property
    def ended(self):
        return self.made.ended


def test_what_was_written_is_registered_in_one_operation():
    cloud = Cloud()
    boards = [Board("a", cloud), Board("b", cloud, known=True), Board("c", cloud, kept=True, known=True)]
    outcomes = onboard_together(boards)
    assert cloud.log[:2] == ["delete b", "bulk a b"]
    assert sorted(cloud.log[2:]) == ["wait a", "wait b", "wait c"]
    assert [board.ended for board in boards] == [["commit"]] * 3
    assert outcomes == [board.taken for board in boards]


def test_nothing_to_register_is_no_operation():
    cloud = Cloud()
    onboard_together([Board("a", cloud, kept=True, known=True)])
    assert cloud.log == ["wait a"]


def test_a_refused_row_is_its_own_boards_trouble():
    cloud = Cloud({1: "certificate is malformed"})
    boards = [Board("a", cloud), Board("b", cloud)]
    good, refused = onboard_together(boards)
    assert isinstance(good, Onboarded)
    assert isinstance(refused, RowRefused)
    assert str(refused) == (
        "bulk onboarding 01BULK refused row 1, device b: certificate is malformed; correct that row"
    )
    assert [board.ended for board in boards] == [["commit"], ["rollback"]]


def test_an_error_without_a_row_is_everybodys():
    boards = [Board(name, Cloud.__new__(Cloud)) for name in "ab"]
    cloud = Cloud({-1: "the file is unreadable"})
    for board in boards:
        board.cloud = cloud
    assert all(isinstance(outcome, RowRefused) for outcome in onboard_together(boards))


def test_a_silent_board_leaves_the_others_alone():
    cloud = Cloud()
    error = NoAnswer("a: nothing came")
    outcomes = onboard_together([Board("a", cloud, error=error), Board("b", cloud)])
    assert outcomes[0] is error
    assert isinstance(outcomes[1], Onboarded)
    assert "bulk b" in cloud.log


def test_a_cloud_that_goes_away_puts_every_board_back(monkeypatch):
    cloud = Cloud()
    gone = CloudUnreachable("gone")
    monkeypatch.setattr(cloud, "wait_bulk", lambda _bulk_id: (_ for _ in ()).throw(gone))
    boards = [Board("a", cloud), Board("b", cloud)]
    assert onboard_together(boards) == [gone, gone]
    assert [board.ended for board in boards] == [["rollback"], ["rollback"]]


def test_each_cloud_has_its_own_operation_and_jitp_has_none():
    one, other = Cloud(), Cloud()
    boards = [Board("a", one), Board("b", other), Board("c", one, key_origin=KeyOrigin.CLOUD)]
    outcomes = onboard_together(boards)
    assert ("bulk a" in one.log, "bulk b" in other.log) == (True, True)
    assert outcomes[2] is boards[2].onboarded


def test_a_cloud_that_cannot_be_opened_is_told_before_any_board_is_touched():
    class Closed(Cloud):
        @property
        def account(self):
            raise Misuse("no API key")

        @account.setter
        def account(self, _value):
            pass

    board = Board("a", Closed())
    with pytest.raises(Misuse, match="no API key"):
        onboard_together([board])
    assert board.ended == []
