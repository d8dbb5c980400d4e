"""The shadow core: documents as AWS publishes them, refusals with their codes, and the algebra of merging."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.services import shadow as core
from harness.virtual.cloud.services.json_tree import difference, merge, same
from harness.virtual.cloud.services.shadow import Shadow, ShadowRejected, parse_plain, parse_update

NOW = 1_700_000_000


def apply(shadow: Shadow, document: object, now: int = NOW) -> core.Updated:
    return core.update(shadow, parse_update(json.dumps(document).encode()), now)


def rejected(payload: bytes, shadow: Shadow | None = None) -> ShadowRejected:
    with pytest.raises(ShadowRejected) as refusal:
        core.update(shadow or Shadow(), parse_update(payload), NOW)
    return refusal.value


def test_first_update_publishes_accepted_documents_and_delta():
    updated = apply(Shadow(), {"state": {"desired": {"led": {"on": True}}}, "clientToken": "abc"})
    assert updated.accepted == {
        "state": {"desired": {"led": {"on": True}}},
        "metadata": {"desired": {"led": {"on": {"timestamp": NOW}}}},
        "version": 1,
        "timestamp": NOW,
        "clientToken": "abc",
    }
    assert updated.delta == {
        "state": {"led": {"on": True}},
        "metadata": {"led": {"on": {"timestamp": NOW}}},
        "version": 1,
        "timestamp": NOW,
        "clientToken": "abc",
    }
    assert updated.documents["previous"] == {"state": {}, "metadata": {}, "version": 0}
    assert updated.documents["current"]["state"] == {"desired": {"led": {"on": True}}}


def test_delta_vanishes_when_the_device_reports_what_is_desired():
    desired = apply(Shadow(), {"state": {"desired": {"a": 1, "b": {"c": [1, 2]}}}})
    partly = apply(desired.shadow, {"state": {"reported": {"a": 1, "b": {"c": [2, 1]}}}})
    assert partly.delta is not None
    assert partly.delta["state"] == {"b": {"c": [1, 2]}}
    assert apply(partly.shadow, {"state": {"reported": {"b": {"c": [1, 2]}}}}).delta is None


def test_true_is_not_one():
    assert apply(Shadow(), {"state": {"desired": {"a": True}, "reported": {"a": 1}}}).shadow.delta() == {"a": True}


def test_null_removes_a_key_and_its_metadata_and_a_section():
    first = apply(Shadow(), {"state": {"desired": {"a": 1, "b": 2}, "reported": {"a": 1}}})
    second = apply(first.shadow, {"state": {"desired": {"a": None}, "reported": None}}, NOW + 5)
    assert second.shadow.state == {"desired": {"b": 2}}
    assert second.shadow.metadata == {"desired": {"b": {"timestamp": NOW}}}
    assert second.accepted["state"] == {"desired": {"a": None}, "reported": None}
    assert apply(second.shadow, {"state": None}).shadow.state == {}


def test_get_shows_the_delta_and_the_token():
    shadow = apply(Shadow(), {"state": {"desired": {"a": 1}, "reported": {"a": 2}}}).shadow
    document = core.get(shadow, parse_plain(b'{"clientToken":"t"}'), NOW + 1)
    assert document["state"] == {"desired": {"a": 1}, "reported": {"a": 2}, "delta": {"a": 1}}
    assert (document["version"], document["timestamp"], document["clientToken"]) == (1, NOW + 1, "t")


def test_get_without_a_shadow_is_404():
    with pytest.raises(ShadowRejected) as refusal:
        core.get(Shadow(), parse_plain(b""), NOW)
    assert refusal.value.code == 404


def test_delete_keeps_the_version_counter():
    shadow = apply(Shadow(), {"state": {"desired": {"a": 1}}}).shadow
    gone, document = core.delete(shadow, parse_plain(b""), NOW)
    assert document == {"version": 1, "timestamp": NOW}
    with pytest.raises(ShadowRejected, match="No shadow exists"):
        core.delete(gone, parse_plain(b""), NOW)
    assert apply(gone, {"state": {"desired": {"b": 1}}}).shadow.version == 2


def test_version_must_match_and_the_refusal_echoes_the_token():
    shadow = apply(Shadow(), {"state": {"desired": {"a": 1}}}).shadow
    assert apply(shadow, {"state": {"desired": {"a": 2}}, "version": 1}).shadow.version == 2
    refusal = rejected(b'{"state":{},"version":7,"clientToken":"t"}', shadow)
    assert refusal.document(NOW) == {"code": 409, "message": "Version conflict", "timestamp": NOW, "clientToken": "t"}


@pytest.mark.parametrize(
    ("payload", "code", "message"),
    [
        (b"", 400, "Invalid JSON"),
        (b"{", 400, "Invalid JSON"),
        (b"\xff\xfe", 400, "Invalid JSON"),
        (b"[]", 400, "Invalid JSON"),
        (b'{"state":{"desired":{"a":NaN}}}', 400, "Invalid JSON"),
        (b'{"state":{"desired":{"a":1e999}}}', 400, "Invalid JSON"),
        (b'{"state":{"reported":{"a":[-1e999]}}}', 400, "Invalid JSON"),
        (b"{}", 400, "Missing required node: state"),
        (b'{"state":1}', 400, "State node must be an object"),
        (b'{"state":{"desired":1}}', 400, "Desired node must be an object"),
        (b'{"state":{"other":{}}}', 400, "State contains an invalid node"),
        (b'{"state":{"desired":{"a":[null]}}}', 400, "State contains an invalid node"),
        (b'{"state":{},"version":"1"}', 400, "Invalid version"),
        (b'{"state":{},"version":true}', 400, "Invalid version"),
        (b'{"state":{},"clientToken":5}', 400, "Invalid clientToken"),
        (b'{"state":{},"clientToken":"%s"}' % (b"x" * 65), 400, "Invalid clientToken"),
        (b'{"state":{"desired":' + b'{"a":' * 9 + b"1" + b"}" * 11, 400, "JSON contains too many levels of nesting"),
        (b"[" * 8000, 400, "JSON contains too many levels of nesting"),
        (b'{"state":{"desired":{"a":"%s"}}}' % (b"x" * 8192), 413, "The payload exceeds the maximum size allowed"),
    ],
)
def test_refused_requests(payload, code, message):
    refusal = rejected(payload)
    assert refusal.code == code
    assert refusal.message.startswith(message)


def test_eight_levels_are_allowed():
    payload = b'{"state":{"desired":' + b'{"a":' * 8 + b"1" + b"}" * 10
    assert core.update(Shadow(), parse_update(payload), NOW).shadow.version == 1


def test_a_shadow_that_grows_beyond_8_kb_is_413_and_unchanged():
    shadow = apply(Shadow(), {"state": {"desired": {"a": "x" * 5000}}}).shadow
    assert rejected(json.dumps({"state": {"desired": {"b": "x" * 5000}}}).encode(), shadow).code == 413
    assert shadow.version == 1


KEYS = st.sampled_from("abcd")
SCALARS = st.one_of(st.booleans(), st.integers(-3, 3), st.sampled_from(["", "x", "\u00e4", "\ud800"]))
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS | st.lists(SCALARS, max_size=2), lambda leaf: st.dictionaries(KEYS, leaf, max_size=3), max_leaves=6
    ),
    max_size=4,
)
CHANGES = st.dictionaries(
    KEYS,
    st.recursive(SCALARS | st.none(), lambda leaf: st.dictionaries(KEYS, leaf, max_size=3), max_leaves=6),
    max_size=4,
)


def leaves_have_stamps(tree: object, stamps: Any) -> bool:
    if isinstance(tree, dict):
        return tree.keys() == stamps.keys() and all(leaves_have_stamps(tree[key], stamps[key]) for key in tree)
    if isinstance(tree, list):
        return len(tree) == len(stamps) and all(map(leaves_have_stamps, tree, stamps))
    return set(stamps) == {"timestamp"}


def nulls(value: object) -> bool:
    return value is None or (isinstance(value, dict) and any(map(nulls, value.values())))


@given(TREES, TREES)
def test_a_device_that_reports_the_delta_has_what_is_desired(desired, reported):
    delta = difference(desired, reported)
    assert difference(desired, merge(reported, merge({}, {}, reported, 1)[1], delta, 2)[0]) == {}
    assert same(desired, reported) <= (delta == {})


@given(st.lists(st.tuples(st.sampled_from(["desired", "reported"]), st.none() | CHANGES), max_size=5))
def test_any_sequence_of_updates_stays_consistent(changes):
    shadow = Shadow()
    for count, (section, change) in enumerate(changes, 1):
        previous = shadow
        updated = apply(shadow, {"state": {section: change}})
        shadow = updated.shadow
        assert shadow.version == count
        assert not nulls(shadow.state)
        assert leaves_have_stamps(shadow.state, shadow.metadata)
        assert updated.documents["previous"]["state"] == (previous.state or {})
        assert updated.documents["current"]["state"] == shadow.state
        again = apply(shadow, {"state": {section: change}}).shadow
        assert same(again.state, shadow.state)
        assert (updated.delta or {"state": {}})["state"] == shadow.delta()


@given(st.binary(max_size=10))
def test_any_bytes_are_refused_with_a_code(payload):
    refusal = rejected(payload)  # none of these bytes can be a whole request
    assert refusal.code in (400, 413)
