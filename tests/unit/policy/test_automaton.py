"""Patterns read side by side, compared with each of them alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.policy import Pattern
from harness.policy.documents.pattern import Variable, Wild, tokenise
from harness.policy.proof.automaton import Automaton, Level, Reading

pieces = st.sampled_from(["a", "b", "/", "ab/", "*", "?", "**", "*?"])
patterns = st.lists(pieces, max_size=6).map(lambda found: tokenise("".join(found), variables=False))
texts = st.text(alphabet="ab/x", max_size=8)


def read(automaton: Automaton, text: str) -> int:
    state = automaton.start
    for character in text:
        state = automaton.step(state, character)
    return state


@given(st.lists(patterns, max_size=4), texts, texts)
def test_reads_as_the_patterns_match(several, prefix, text):
    automaton = Automaton(Reading(tokens, prefix) for tokens in several)
    state = read(automaton, text)
    for tokens, end, span in zip(several, automaton.ends, automaton.spans, strict=True):
        matches = Pattern(tokens).matches(prefix + text)
        assert bool(state & end) is matches
        assert not matches or state & span


@given(patterns, texts, texts)
def test_a_pattern_without_places_matches_nothing_that_follows(tokens, begin, rest):
    automaton = Automaton([Reading(tokens)])
    if not read(automaton, begin) & automaton.spans[0]:
        assert not Pattern(tokens).matches(begin + rest)


def test_a_variable_without_value_matches_nothing():
    automaton = Automaton([Reading(("a", Variable("iot:ClientId"), Wild.ANY))])
    assert not read(automaton, "a") & automaton.ends[0]
    assert not read(automaton, "aa") & automaton.ends[0]


@given(texts)
def test_levels_that_are_not_empty(text):
    automaton = Automaton([Reading(("a/", Level.FIRST, Level.REST, "/b"))])
    assert bool(read(automaton, text) & automaton.ends[0]) == bool(re.fullmatch("a/[^/]+/b", text))


@pytest.mark.parametrize(("text", "expected"), [("", "a"), ("a", "b/"), ("ab", "a"), ("ax", "")])
def test_what_is_spelt_next(text, expected):
    automaton = Automaton([Reading(("ab", Wild.ONE)), Reading(("a/",)), Reading((Wild.ONE, "ba"))])
    state = read(automaton, text)
    assert automaton.spelt(state) == sorted(expected)


@given(st.lists(patterns, min_size=1, max_size=3), texts, texts)
def test_what_remains_is_never_more_than_is_needed(several, begin, rest):
    automaton = Automaton(Reading(tokens) for tokens in several)
    if any(Pattern(tokens).matches(begin + rest) for tokens in several):
        remaining = automaton.remaining(range(len(several)))
        state = read(automaton, begin)
        assert next(number for number, places in enumerate(remaining) if places & state) <= len(rest)


def test_behind_a_variable_without_value_nothing_remains():
    automaton = Automaton([Reading(("ab", Variable("iot:ClientId"), "c"))])
    assert not any(places & automaton.start for places in automaton.remaining([0]))
