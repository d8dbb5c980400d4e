from hypothesis import given, settings
from hypothesis import strategies as st

from harness.policy.documents.pattern import Pattern, tokenise
from harness.policy.proof.containment import covers, remainders

patterns = st.lists(st.sampled_from(["a", "b", "/", "*", "?"]), max_size=6).map("".join)
texts = st.text("ab/", max_size=7)


def tokens(text: str):
    return tokenise(text, variables=True)


def test_examples():
    assert covers(tokens("jobs/*"), tokens("jobs/ble/*"))
    assert not covers(tokens("jobs/ble/*"), tokens("jobs/*"))
    assert covers(tokens("a*"), tokens("a${x}"))
    assert covers(tokens("${x}/*"), tokens("${x}/?"))
    assert not covers(tokens("${x}"), tokens("${y}"))
    assert not covers(tokens("?"), tokens("*"))
    assert not covers(tokens("?"), tokens("${x}"))


@settings(max_examples=500, deadline=None)
@given(patterns, patterns, texts)
def test_what_is_covered_matches_no_more(wide, narrow, text):
    if covers(tokens(wide), tokens(narrow)) and Pattern(tokens(narrow)).matches(text):
        assert Pattern(tokens(wide)).matches(text)


@settings(max_examples=500, deadline=None)
@given(patterns, texts, texts)
def test_remainders(pattern, prefix, rest):
    matches = Pattern(tokens(pattern)).matches(prefix + rest)
    assert matches == any(covers(left, tuple(rest)) for left in remainders(tokens(pattern), prefix))
