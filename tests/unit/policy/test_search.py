"""The search for the shortest text that leads patterns to a wanted place: compared with trying all short texts."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.policy.documents.pattern import tokenise
from harness.policy.evaluation.mqtt_rules import possible_filter, possible_topic
from harness.policy.proof.automaton import Automaton, Reading
from harness.policy.proof.search import Effort, TextSearch
from tests.unit.policy.test_automaton import read

LONGEST = 5
TEXTS = ["".join(one) for count in range(1, LONGEST + 1) for one in itertools.product("abx/+#", repeat=count)]
TOPICS = [text for text in TEXTS if possible_topic(text)]
FILTERS = [text for text in TEXTS if possible_filter(text)]

pieces = st.sampled_from(["a", "b", "/", "*", "?", "*a", "+", "#"])
patterns = st.lists(pieces, min_size=1, max_size=5).map(lambda found: tokenise("".join(found), variables=False))


@settings(deadline=None)
@given(st.lists(patterns, min_size=1, max_size=3, unique=True), st.booleans(), st.booleans(), st.booleans())
def test_the_shortest_as_by_trying_all(several, wildcards, tidy, all_in_question):
    automaton = Automaton(Reading(tokens) for tokens in several)
    first, *others = automaton.ends

    def wanted(places: int) -> bool:
        return places & first != 0 and not any(places & end for end in others)

    through = None if all_in_question else frozenset({0})
    search = TextSearch(automaton, Effort(), wildcards=wildcards, through=through, reserved=frozenset())
    allowed = [text for text in (FILTERS if wildcards else TOPICS) if not tidy or "" not in text.split("/")]
    fitting = [text for text in allowed if wanted(read(automaton, text))]
    found = next(filter(None, search.texts(wanted, tidy=tidy)), None)
    assert not search.cut_off
    if fitting:
        assert found is not None
        assert len(found) == len(fitting[0])
    if found is not None:
        assert wanted(read(automaton, found))
        assert len(found) > LONGEST or fitting


@pytest.mark.parametrize(("pattern", "found"), [("*/1/*/2/*/3/*/4", ["/1//2//3//4"]), ("*/1/*/2/*/3/*/4/*", [])])
def test_no_more_levels_than_aws_iot_takes(pattern, found):
    automaton = Automaton([Reading(tokenise(pattern, variables=False))])
    search = TextSearch(automaton, Effort(), wildcards=False, through=frozenset({0}), reserved=frozenset())
    texts = search.texts(lambda places: places & automaton.ends[0] != 0, tidy=False)
    assert list(itertools.islice(texts, 1)) == found
    assert not search.cut_off
