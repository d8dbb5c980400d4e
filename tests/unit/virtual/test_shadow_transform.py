"""Dotted paths and one object of them: all of JSONata that firmware asks with."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.services.shadow_transform import TransformRefused, answer, transform

PAIRING = {"state": "paired", "topics": {"d2c": "prod/t/m/d/x/d2c"}}
DOCUMENT = {
    "state": {
        "desired": {"nrfcloud_mqtt_topic_prefix": "prod/t/", "pairing": PAIRING, "config": {"odd key": 5}},
        "reported": {"list": [{"a": 1}]},
    },
    "version": 7,
}
FIRST_OF_THE_SDK = (
    '{"nrfcloud_mqtt_topic_prefix":state.desired.nrfcloud_mqtt_topic_prefix,"pairing":state.desired.pairing}'
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (FIRST_OF_THE_SDK, {"nrfcloud_mqtt_topic_prefix": "prod/t/", "pairing": PAIRING}),
        ("version", 7),
        (" state . desired.config.`odd key` ", 5),
        ("{'p': state.desired.pairing.state, \"gone\": state.nothing.at.all}", {"p": "paired"}),
        ("{ }", {}),
        ("state.reported.list", [{"a": 1}]),
    ],
)
def test_what_is_understood(expression, value):
    assert transform(expression, DOCUMENT) == {"tf": value}


@pytest.mark.parametrize("expression", ["state.nothing", "version.more", "nothing.at.all"])
def test_a_path_that_leads_nowhere_has_no_value(expression):
    assert transform(expression, DOCUMENT) == {}


@pytest.mark.parametrize(
    ("expression", "position"),
    [
        ("", 0),
        ("$", 0),
        ("state.", 6),
        ("state[0]", 5),
        ("a + b", 1),
        ('{"a" state}', 4),
        ('{"a": state', 11),
        ('{"a": {"b": state}}', 5),
        ("{a: state}", 1),
        ('{"a": state} x', 12),
    ],
)
def test_the_rest_of_jsonata_is_refused_with_its_place(expression, position):
    with pytest.raises(TransformRefused, match="only paths") as caught:
        transform(expression, DOCUMENT)
    assert caught.value.document() == {"message": str(caught.value), "position": position}


def test_lists_are_not_looked_into():
    with pytest.raises(TransformRefused, match="paths into lists"):
        transform("state.reported.list.a", DOCUMENT)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "an object with an expression"),
        (b'{"t":5}', "an object with an expression"),
        (b'{"t":"state","l":0}', "must be a number of bytes"),
        (b'{"t":"state","l":true}', "must be a number of bytes"),
        (b'{"t":"state","l":20}', "20 are allowed"),
    ],
)
def test_refused_requests(request_, message):
    with pytest.raises(TransformRefused, match=message) as caught:
        answer(request_, DOCUMENT)
    assert "position" not in caught.value.document()


def test_the_limit_counts_the_bytes_of_the_answer():
    document = {"x": "y" * 1783}  # {"tf":"..."} adds 9
    assert answer(b'{"t":"x"}', document) == {"tf": "y" * 1783}
    with pytest.raises(TransformRefused, match="1793 bytes, 1792 are allowed"):
        answer(b'{"t":"x"}', {"x": "y" * 1784})
    assert answer(b'{"t":"x","l":1793}', {"x": "y" * 1784}) == {"tf": "y" * 1784}


_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
_LEAVES = st.one_of(st.integers(), st.text(), st.booleans())
_TREES = st.recursive(_LEAVES, lambda inner: st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12)


@given(st.dictionaries(_NAMES, _TREES, min_size=1, max_size=4), st.data())
def test_every_path_of_a_document_leads_to_its_value(document, data):
    value, path = document, []
    while isinstance(value, dict) and value and (not path or data.draw(st.booleans())):
        path.append(data.draw(st.sampled_from(sorted(value))))
        value = value[path[-1]]
    expression = ".".join(path)
    assert transform(expression, document) == {"tf": value}
    assert transform(f'{{"k":{expression}}}', document) == {"tf": {"k": value}}


@given(st.text())
def test_any_expression_is_answered_or_refused(expression):
    try:
        answered = transform(expression, DOCUMENT)
    except TransformRefused as refusal:
        answered = refusal.document()
    assert json.loads(json.dumps(answered)).keys() <= {"tf", "message", "position"}
    assert 0 <= answered.get("position", 0) <= len(expression)
