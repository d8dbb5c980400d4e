"""Whatever goes wrong at whichever command: nothing that can be kept is lost, and the next run mends the rest."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.credentials import CredentialRecords, KeyOrigin, ProvisionRequest
from harness.errors import HarnessError, NoAnswer
from tests.unit.credentials.cloud_keys import CloudKeys
from tests.unit.credentials.fake_board import FakeBoard
from tests.unit.credentials.over_the_air import provision

DEVICE_ID = "nrf-352656100000000"
REPLIES = ["ERROR", "OK", "+CME ERROR: 515", "+CME ERROR: 518", "+CME ERROR: 528", "silence"]


def _silence(command):
    raise NoAnswer(f"{command[:12]}: no answer within 15 s")


class _Nth:
    """Holds for one command: the ``number``-th that is sent from now on and does not begin with ``never``."""

    def __init__(self, number: int, *, never: str = " ") -> None:
        self._left = number
        self._never = never

    def __call__(self, command: str) -> bool:
        if command.startswith(self._never):
            return False
        self._left -= 1
        return self._left == 0


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key_origin=st.sampled_from(list(KeyOrigin)),
    sec_tags=st.sampled_from([(42,), (42, 43)]),
    number=st.integers(min_value=1, max_value=16),
    reply=st.sampled_from(REPLIES),
    other_root=st.booleans(),
)
def test_one_fault_anywhere(ca, root_ca, key_origin, sec_tags, number, reply, other_root):
    with TemporaryDirectory() as folder:
        board, keys = FakeBoard(sec_tags=sec_tags), CloudKeys(ca, root_ca)
        request = ProvisionRequest(DEVICE_ID, sec_tags, key_origin, ca, root_ca, CredentialRecords(Path(folder)))
        provision(board.modem, request, cloud_keys=keys)
        before = dict(board.items)
        # A list that leaves out what is there is beyond any care: all that is known of a store is its list.
        fault = _Nth(number, never="AT%CMNG=1" if reply == "OK" else " ")
        board.fail(fault, _silence if reply == "silence" else reply)
        renewal = replace(request, renew=True, root_ca_pem=ca.certificate_pem if other_root else root_ca)
        try:
            made = provision(board.modem, renewal, cloud_keys=keys)
        except HarnessError as error:
            if board.port.sent[-1] != "AT+CFUN=1" or "AT+CFUN=1" not in str(error):  # else: done, but the mode is not
                _check_left(board, before, error)
        else:
            assert board.items[made.sec_tag, 1].startswith(made.certificate_pem)
            assert [kind for tag, kind in sorted(board.items) if tag == made.sec_tag] == [0, 1, 2]
            if len(sec_tags) == 2:
                assert before.items() <= board.items.items()
        board.mend()
        made = provision(board.modem, request, cloud_keys=keys)
        assert provision(board.modem, request, cloud_keys=keys).kept
        assert board.items[made.sec_tag, 1].startswith(made.certificate_pem)


def _check_left(board, before, error):
    said = "\n".join([str(error), *getattr(error, "__notes__", [])])
    assert "\n" not in str(error)
    if board.items == before:
        return
    lost = before.items() - board.items.items()
    if "cannot come back" in said:
        assert {place for place, _ in lost} == {(42, 2)}
    else:
        # the one command that went wrong was one of those that put things back
        assert "failed too" in said or not lost
    assert board.items.items() - before.items() == set() or "failed too" in said


@pytest.mark.parametrize("origin", list(KeyOrigin))
def test_the_fault_that_comes_never(ca, root_ca, records, origin):
    board = FakeBoard()
    board.fail(_Nth(1000), "ERROR")
    request = ProvisionRequest(DEVICE_ID, (42,), origin, ca, root_ca, records)
    assert not provision(board.modem, request, cloud_keys=CloudKeys(ca, root_ca)).kept
