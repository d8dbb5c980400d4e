"""Trials that only a device's own names call for, and what a run may claim of them."""

import re
from functools import cache

import pytest

from harness.errors import BoardLost, HarnessError
from harness.policy import allowed_by, load_profile, plan
from harness.policy.evaluation.membership import Names
from harness.policy.proof.selection import notice_all
from harness.policy_trials.own_names import OwnNames, RestNotRun, own_names, run_cases
from harness.policy_trials.summary import PolicySummary
from harness.policy_trials.trials import MEMBERSHIPS, cases_for, concrete, fit_for_trials, selection_for
from harness.trial import Outcome, Unproved, Verdict, WrongVerdict
from tests.unit.policy.build import ARN, allow, document

NAMES = Names("5649-1", "5649-1-other", "team-1", "team-2")
_CONNECT = allow("iot:Connect", ARN + "client/${iot:ClientId}")
_OWN_TOPIC = allow("iot:Publish", ARN + "topic/a/${iot:ClientId}/*")
ANY = (document(_CONNECT, _OWN_TOPIC),)
"""Documents that do not look at names."""
BY_ID = (document(allow("iot:Connect", ARN + "client/5649*"), _OWN_TOPIC),)
"""Nobody called {device} may connect."""
LENGTH = (document(_CONNECT, allow("iot:Publish", ARN + "topic/?????????")),)
"""A topic of as many characters as ``{device}`` has, and one more."""


def added(documents, *, full=False):
    return own_names(documents, NAMES, cases_for(documents, full=full), full=full)


@pytest.mark.parametrize("full", [False, True])
def test_nothing_for_documents_that_do_not_look_at_names(full):
    found = added(ANY, full=full)
    assert (found.further, found.left_out, str(found)) == ((), 0, "nothing more")


def test_what_nobody_called_device_may_is_tried_under_the_real_name():
    assert {case.request.verb for case in cases_for(BY_ID, full=False)} == {"connect"}
    found = added(BY_ID)
    assert any(case.allowed and case.request.name.startswith("a/5649-1/") for case in found.further)
    assert str(found).startswith(f"{len(found.further)} more trials (for its own names ")


PAGE = tuple(load_profile("page", account=NAMES.account).values())


@cache
def selected(documents):
    return plan(documents, NAMES, MEMBERSHIPS, fit=fit_for_trials(documents, NAMES))


@pytest.mark.parametrize("documents", [ANY, BY_ID, LENGTH, PAGE])
def test_together_they_notice_every_change_for_the_real_names(documents):
    found = added(documents)
    known = [concrete(case, documents, NAMES) for case in cases_for(documents, full=False)]
    together = [*known, *found.further]
    before = [case.allowed for case in together]
    for mutant in selected(documents).mutants:
        assert allowed_by(together, mutant.documents) != before, str(mutant)


@pytest.mark.parametrize(("documents", "all_of_them"), [(ANY, True), (PAGE, True), (BY_ID, False), (LENGTH, True)])
def test_whether_trials_notice_all_is_what_the_selection_says(documents, all_of_them):
    """It is asked first, because a selection takes three times as long."""
    fit = fit_for_trials(documents, NAMES)
    known = [one for one in (concrete(case, documents, NAMES) for case in cases_for(documents, full=False)) if fit(one)]
    selection = selected(documents)
    before = [case.allowed for case in known]
    assert all(allowed_by(known, mutant.documents) != before for mutant in selection.mutants) is all_of_them
    assert notice_all(known, documents, NAMES, MEMBERSHIPS, fit=fit) is all_of_them
    assert notice_all(selection.cases, documents, NAMES, MEMBERSHIPS, fit=fit)
    for left_out in selection.cases[:6]:
        rest = [case for case in selection.cases if case is not left_out]
        assert not notice_all(rest, documents, NAMES, MEMBERSHIPS, fit=fit), left_out.id


def test_full_adds_everything_that_is_derived_for_the_real_names():
    few, many = added(BY_ID), added(BY_ID, full=True)
    packets = {(case.membership, case.request) for case in many.further}
    assert len(many.further) == len(packets) > len(few.further)
    assert packets >= {(case.membership, case.request) for case in few.further if case.request.verb != "connect"}


def test_what_the_board_cannot_run_is_counted():
    found = added(BY_ID)
    less = found.only(lambda case: case is not found.further[0])
    assert (len(less.further), less.left_out) == (len(found.further) - 1, 1)
    assert " more trials and 1 that it cannot run (" in str(less)


def ended(*found):
    """Run a case for each of ``found``, an outcome or what running it raises; return what came, and how many ran."""
    queue, count = list(found), 0

    def run(case):
        nonlocal count
        count += 1
        one = queue.pop(0)
        if isinstance(one, Exception):
            raise one
        return Verdict(one, case.id, f"no {count}")

    try:
        run_cases(added(BY_ID).further[:1] * len(found), run, lambda case, verdict: verdict.expect(GOOD))
    except HarnessError as error:
        return type(error), re.findall(r"no \d|the rest was not run.*", str(error)), count
    return None, [], count


GOOD, WRONG, OPEN = Outcome.TOLERATED, Outcome.POLICY_DISCONNECT, Outcome.INCONCLUSIVE
GONE = BoardLost("gone")


@pytest.mark.parametrize(
    ("found", "kind", "told", "count"),
    [
        ([GOOD, GOOD], None, [], 2),
        ([WRONG, OPEN, WRONG, GOOD], WrongVerdict, ["no 1", "no 3", "no 2"], 4),
        ([OPEN, GOOD, OPEN, OPEN, GOOD], Unproved, ["no 1", "no 3", "no 4"], 5),
        ([OPEN, OPEN, OPEN, GOOD], Unproved, ["no 1", "no 2", "no 3", "the rest was not run"], 3),
        ([WRONG, OPEN, OPEN, OPEN, GOOD], RestNotRun, ["no 1", "no 2", "no 3", "no 4", "the rest was not run"], 4),
        ([GOOD, Outcome.BOARD_LOST, GOOD], Unproved, ["no 2", "the rest was not run"], 2),
        ([WRONG, Outcome.CLOUD_LOST, GOOD], RestNotRun, ["no 1", "no 2", "the rest was not run"], 2),
        ([GOOD, GONE, GOOD], BoardLost, [], 2),
        ([WRONG, GONE, GOOD], RestNotRun, ["no 1", "the rest was not run: gone"], 2),
    ],
)
def test_everything_wrong_is_told_and_trouble_ends_it(found, kind, told, count):
    assert ended(*found) == (kind, told, count)


class TestSummary:
    SELECTION = selection_for(ANY)

    def summary(self, *boards, names=()):
        made = PolicySummary()
        for board in boards:
            for case in self.SELECTION.cases:
                made.note_trial("c", board, case.id)
        for board, found in names:
            made.note_own_names(board, str(found))
        return made.line("c", self.SELECTION)

    def test_all_was_run(self):
        nothing = OwnNames(self.SELECTION, ())
        assert self.summary("a", "b", names=[("a", nothing), ("b", nothing)]) == str(self.SELECTION)

    def test_names_add_trials(self):
        found = OwnNames(self.SELECTION, self.SELECTION.cases[:2])
        line = self.summary("a", names=[("a", found)])
        assert line == f"{self.SELECTION}; a: 2 more trials (for its own names {self.SELECTION})"

    def test_names_were_not_asked(self):
        nothing = OwnNames(self.SELECTION, ())
        line = self.summary("a", "b", "c", names=[("b", nothing)])
        assert line == f"{self.SELECTION}; not compared with the own names of a, c"

    def test_each_board_has_to_run_all(self):
        made = PolicySummary()
        first, *rest = self.SELECTION.cases
        made.note_trial("c", "a", first.id)
        for case in rest:
            made.note_trial("c", "b", case.id)
        told = f"; 1 of the trials were run on a; {len(rest)} of the trials were run on b; not compared"
        assert told in (made.line("c", self.SELECTION) or "")

    def test_not_all_was_run(self):
        made = PolicySummary()
        made.note_trial("c", "a", self.SELECTION.cases[0].id)
        assert "; 1 of the trials were run; not compared" in (made.line("c", self.SELECTION) or "")
        made = PolicySummary()
        made.note_trial("c", "a", "another")
        assert made.line("c", self.SELECTION) is None
