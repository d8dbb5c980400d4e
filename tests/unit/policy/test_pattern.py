"""Matching and substitution. Vectors: IAM User Guide, "Resource" and "Policy variables"."""

import pytest

from harness.policy.documents.pattern import Pattern, Reach, Variable, Wild, as_text, substitute, tokenise


def matches(pattern: str, text: str, **values: str) -> bool:
    return Pattern(substitute(tokenise(pattern, variables=True), values.get)).matches(text)


# The page's own list for one pattern, with the bucket renamed.
@pytest.mark.parametrize("text", ["bucket//test/object.jpg", "bucket/1/test/", "bucket/1///test///object.jpg"])
def test_star_crosses_slashes_and_may_be_empty(text):
    assert matches("bucket/*/test/*", text)


@pytest.mark.parametrize("text", ["bucket/test/object.jpg", "bucket/1-test/object.jpg", "bucket/1/2/test.jpg"])
def test_literals_between_stars_are_wanted(text):
    assert not matches("bucket/*/test/*", text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/", False),
        ("a/b", "xa/b", False),
        ("a/b", "a/B", False),
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("**", "a", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", True),
        ("a?c", "ac", False),
        ("a?c", "abbc", False),
        ("?", "", False),
        ("?*", "", False),
        ("*?", "ab", True),
        ("a*?b*c", "aXbXc", True),
        ("a*?b*c", "abXc", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("ab*ba", "aba", False),
        ("*ab*", "aab", True),
        ("*ab*ba*", "aba", False),
        ("*ab*ba*", "abba", True),
        ("?*b*c", "a/x/b/c", True),
        ("*a*b", "ab/a", False),
        ("some/+/topic", "some/x/topic", False),
        ("some/#", "some/x", False),
        ("a.c", "abc", False),
        ("a?(b)[c]$", "a.(b)[c]$", True),
        ("line*end?", "line\nend\n", True),
    ],
)
def test_anchored_case_sensitive_and_literal_otherwise(pattern, text, expected):
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("${*}", "*", True),
        ("${*}", "x", False),
        ("a${?}", "a?", True),
        ("a${?}", "ab", False),
        ("${$}{x}", "${x}", True),
        ("$aws/things", "$aws/things", True),
        ("$*", "$aws", True),
    ],
)
def test_escapes_and_dollars(pattern, text, expected):
    assert matches(pattern, text) is expected


@pytest.mark.parametrize("value", ["*", "?", "a*b", "${*}", "${x}", "\\1", "$", ".*", "(", "+", "#"])
def test_values_are_literal(value):
    assert matches("t/${v}/*", f"t/{value}/x", v=value)
    assert not matches("t/${v}/*", "t/other/x", v=value)


def test_variable_without_value_matches_nothing():
    for text in ("t//x", "t/${v}/x", "t/x", "", "t/v/x"):
        assert not matches("t/${v}/*", text)


def test_default_values_are_not_substituted():
    assert not matches("t/${v, 'x'}", "t/x")


def test_tokens():
    tokens = tokenise("a${x:y}*b?${*}c", variables=True)
    assert tokens == ("a", Variable("x:y"), Wild.ANY, "b", Wild.ONE, "*c")
    assert as_text(tokens) == "a${x:y}*b?${*}c"


def test_without_variables_only_wildcards_mean_something():
    assert tokenise("${iot:ClientId}/${*}", variables=False) == ("${iot:ClientId}/${", Wild.ANY, "}")


@pytest.mark.parametrize("text", ["a/${x", "${", "a/${}/b", "${x{y}"])
def test_broken_variables(text):
    with pytest.raises(ValueError, match=r"\$\{"):
        tokenise(text, variables=True)


@pytest.mark.parametrize("tail", ["b", "b?", "?b", "b*", "*b?"])
def test_hostile_patterns_take_linear_time(tail):
    # A backtracking matcher would need longer than the universe has: 12 stars against 100,000 characters.
    pattern = Pattern(tokenise("*a" * 12 + "*" + tail, variables=True))
    assert not pattern.matches("a" * 100_000)
    assert pattern.matches("a" * 100_000 + "b") is (tail in ("b", "?b", "b*"))


@pytest.mark.parametrize(
    ("pattern", "text", "reach"),
    [
        ("a/m/*", "a/x/1", Reach(2, "m/", None)),
        ("a/get/*", "a/get", Reach(5, "/", None)),
        ("a/get", "a/get/x", Reach(5, "", None)),
        ("arn:*:t/m/*", "arn:r:t/x", Reach(8, "m/", None)),
        ("a/?/c", "a/b/d", Reach(4, "c", None)),
        ("arn:*:t/m?x/*", "arn:r:t/m1y", Reach(10, "x/", None)),
        ("a*bcd*e", "abcbce", Reach(3, "d", None)),
        ("a*b${v}", "acb", Reach(3, "${v}", "v")),
        ("p/${v}/m", "p/T/m", Reach(2, "${v}/m", "v")),
        ("p/${v}/m", "q/T/m", Reach(0, "p/${v}/m", None)),
    ],
)
def test_reach(pattern, text, reach):
    assert Pattern(tokenise(pattern, variables=True)).reach(text) == reach


def test_reach_of_hostile_text():
    # Trying each place of such a text one after the other would take minutes.
    reach = Pattern(tokenise("t/*" + "a" * 1900 + "b", variables=True)).reach("t/" + "a" * 300_000)
    assert reach == Reach(2 + 1900, "b", None)
