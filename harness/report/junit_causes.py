"""The cause of each bad case in a JUnit report, and where on the page it stands."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from harness.report.blame import blamed
from harness.report.junit import address
from harness.report.ran_tests import RanTest
from harness.report.run_summary import RunSummary


def add_causes(suites: Element, summary: RunSummary, tests: Sequence[RanTest]) -> None:
    """Add ``cause``, ``points_at`` and ``page`` (within the run's folder) to the properties of cases that have one.

    The first line of their messages says whom they point at.
    """
    causes = {cause.hash: cause for cause in summary.causes}
    found = {
        tuple(address(test.test).values()): (test.message.partition("\n")[0], causes[result.cause])
        for test, result in zip(tests, summary.results, strict=True)
        if result.cause
    }
    for case in suites.iter("testcase"):
        known = found.get((case.get("classname", ""), case.get("name", "")))
        if known is None or not any(case.find(tag) is not None for tag in ("failure", "error", "skipped")):
            continue
        said, cause = known
        for result in (*case.iterfind("failure"), *case.iterfind("error")):
            theirs = result.get("message", "")  # pytest has words of its own around it
            result.set("message", blamed(said if said and said in theirs else theirs, cause.party))
        properties = case.find("properties")
        if properties is None:
            properties = Element("properties")
            case.insert(0, properties)
        told = {"cause": cause.title, "points_at": cause.party, "page": f"report.html#c-{cause.hash}"}
        for name, value in told.items():
            SubElement(properties, "property", {"name": name, "value": _printable(value)})


def _printable(text: str) -> str:
    """Return ``text`` without what XML cannot hold."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
