"""Time stamps, ULIDs and pages."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.formats import cut_page, iso, iso_now, make_ulid, now_utc, parse_iso

MOMENT = datetime(2023, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)


def test_iso_has_milliseconds_and_z():
    assert iso(MOMENT) == "2023-01-31T12:00:00.123Z"
    assert iso(MOMENT.astimezone(timezone(timedelta(hours=2)))) == "2023-01-31T12:00:00.123Z"


@pytest.mark.parametrize(
    "text", ["2023-01-31T12:00:00.123Z", "2023-01-31T14:00:00.123+02:00", "2023-01-31T12:00:00.123"]
)
def test_parse_iso_knows_zones(text):
    assert parse_iso(text) == MOMENT


def test_now_survives_being_printed():
    now = now_utc()
    assert parse_iso(iso(now)) == now


def test_the_time_now_has_the_form_of_every_time():
    before, now, after = iso(now_utc()), iso_now(), iso(now_utc())
    assert before <= now <= after
    assert len(now) == len(iso(MOMENT))
    assert iso(parse_iso(now)) == now


def test_ulids_have_their_alphabet_and_sort_by_time():
    early, late = make_ulid(MOMENT), make_ulid(MOMENT + timedelta(milliseconds=1))
    assert re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", early)
    assert early < late
    assert make_ulid(MOMENT) != early


@given(st.integers(0, 30), st.integers(1, 7), st.booleans())
def test_pages_show_every_item_once_in_order(count, limit, descending):
    items, seen, token = list(range(count)), [], None
    for _ in range(count // limit + 1):
        page, token = cut_page(items, number=int, descending=descending, limit=limit, token=token)
        seen += page
        if token is None:
            break
    assert token is None
    assert seen == sorted(items, reverse=descending)


def test_a_page_stays_where_it_was_when_items_arrive():
    _, token = cut_page([1, 2, 3, 4], number=int, descending=True, limit=2, token=None)
    assert cut_page([1, 2, 3, 4, 5, 6], number=int, descending=True, limit=2, token=token) == ([2, 1], None)


@pytest.mark.parametrize("token", ["", "x", "YWZ0ZXI6eA==", "YmVmb3JlOjE=", "ä"])
def test_a_token_of_nobody_is_refused(token):
    with pytest.raises(ValueError, match="no page has this token"):
        cut_page([1], number=int, descending=True, limit=1, token=token)
