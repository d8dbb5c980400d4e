"""The cause of each bad case in a JUnit report, and where on the page it stands: for programs and for readers."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from harness.report.blame import blamed
from harness.report.causes import FailureCause
from harness.report.junit import address
from harness.report.ran_tests import RanTest
from harness.report.run_summary import RunSummary

_BAD = ("failure", "error", "skipped")


def add_causes(suites: Element, summary: RunSummary, tests: Sequence[RanTest], begin: Mapping[str, Any]) -> None:
    """Add to the cases of ``suites`` their causes, and how often each was run again.

    ``summary``: of the run. ``tests``: of the journal. ``begin``: the journal's first line.

    Properties: ``cause``, ``points_at`` and ``page`` (within the run's folder), ``reruns`` and ``first_failure``. What
    CI services show of a case is message and text of its failure: the first line of the message says whom it points
    at, the end of the text has cause and page.
    """
    causes = {cause.hash: cause for cause in summary.causes}
    pairs = list(zip(tests, summary.results, strict=True))
    found = {
        tuple(address(test.test).values()): (test.message.partition("\n")[0], causes[result.cause])
        for test, result in pairs
        if result.cause
    }
    again = {tuple(address(test.test).values()): test for test in tests if test.reruns}
    place = page_place(begin, summary.run)
    for case in suites.iter("testcase"):
        key = (case.get("classname", ""), case.get("name", ""))
        if key in again:
            first = again[key].first_failure
            _add_properties(case, {"reruns": str(again[key].reruns), "first_failure": first.partition("\n")[0]})
        bad = [case.find(tag) for tag in _BAD]
        if key in found and any(one is not None for one in bad):
            _add_cause(case, *found[key], place)


def page_place(begin: Mapping[str, Any], run: str) -> str:
    """Return where a reader of CI finds the page: an address, where the service has one for its artefacts.

    GitLab: https://docs.gitlab.com/ci/jobs/job_artifacts/ (the job's address, ``/artifacts/file/`` and the path).
    Jenkins: https://www.jenkins.io/doc/pipeline/steps/core/ (the build's address, ``artifact/`` and the path).
    """
    ci, folder = begin.get("ci", {}), str(begin.get("folder", ""))
    page = f"{folder or run}/report.html"
    if folder and ci.get("CI_JOB_URL"):
        return f"{ci['CI_JOB_URL']}/artifacts/file/{page}"
    if folder and ci.get("BUILD_URL"):
        return f"{str(ci['BUILD_URL']).rstrip('/')}/artifact/{page}"
    return page


def _add_cause(case: Element, said: str, cause: FailureCause, place: str) -> None:
    told = {"cause": cause.title, "points_at": cause.party, "page": f"report.html#c-{cause.hash}"}
    _add_properties(case, told)
    lines = f"cause: {cause.title}\npoints at: {cause.party}\npage: {place}#c-{cause.hash}"
    for tag in _BAD:
        for one in case.findall(tag):
            before = one.text or one.get("message") or ""
            if tag != "skipped":
                theirs = one.get("message", "")  # pytest has words of its own around it
                one.set("message", blamed(said if said and said in theirs else theirs, cause.party))
            one.text = f"{before}\n\n{_printable(lines)}" if before else _printable(lines)


def _add_properties(case: Element, told: Mapping[str, str]) -> None:
    properties = case.find("properties")
    if properties is None:
        properties = Element("properties")
        case.insert(0, properties)
    for name, value in told.items():
        SubElement(properties, "property", {"name": name, "value": _printable(value)})


def _printable(text: str) -> str:
    """Return ``text`` without what XML cannot hold."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
