"""The JUnit report of a run: one that says it is in progress, the last one, and how both reach the place CI looks at.

A report is written beside its place and moved there in one step, so a reader finds a whole one or the one before.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from harness.redact import SECRETS
from harness.report.cases import NOTHING_PROVED

UNFINISHED = "in progress, or ended without a report"
_MOST_NAMED = 2000  # tests that an interrupted run names


def new_report(run: str) -> Element:
    """Return an empty report of the run ``run``."""
    suites = Element("testsuites")
    suite = SubElement(suites, "testsuite", {"name": "pytest"})
    SubElement(SubElement(suite, "properties"), "property", {"name": "run", "value": run})
    return suites


def unfinished(run: str, path: Path) -> Element:
    """Return the report that stands in for the one of a run that has not ended. ``path``: the run's folder."""
    suites = new_report(run)
    add_error(
        suites, "run", f"run {run}: {UNFINISHED}", f"nrf91-harness report rebuild {path} makes it from the journal"
    )
    return suites


def add_error(suites: Element, name: str, message: str, text: str = "") -> None:
    """Add to ``suites`` a case of the harness's own, ``name``, with one error: ``message`` and ``text``."""
    case = SubElement(_suite(suites), "testcase", {"classname": "harness", "name": name, "time": "0"})
    SubElement(case, "error", {"message": message}).text = text or message


def overturn(suites: Element, told: Mapping[str, str]) -> None:
    """Turn tests whose results the run as a whole took back into errors. ``told``: each with the reason."""
    for test, message in told.items():
        case = _case_of(suites, test)
        for failure in case.findall("failure"):
            case.remove(failure)
        if case.find("error") is None:
            SubElement(case, "error", {"message": message}).text = message
        for one in case.iterfind("properties/property[@name='verdict']"):
            one.set("value", NOTHING_PROVED)


def interrupt(suites: Element, why: str, running: Sequence[str], not_run: Sequence[str]) -> None:
    """Say in ``suites`` that the run was interrupted: in each test that was running, and in a case of its own.

    ``why``: by what. ``running``: the tests that were. ``not_run``: the tests that were still to come.
    """
    for test in running:
        case = _case_of(suites, test)
        if case.find("error") is None:
            SubElement(case, "error", {"message": f"{why} while this test ran"}).text = f"{why} while this test ran"
    number = len(not_run)
    message = f"{why}: {number} {'test was' if number == 1 else 'tests were'} not run"
    named = [*not_run[:_MOST_NAMED], *([f"and {number - _MOST_NAMED} more"] if number > _MOST_NAMED else [])]
    add_error(suites, "interrupted", message, "\n".join([message, *named]))


def address(test: str) -> dict[str, str]:
    """Return classname and name as pytest writes them: ``a/test_b.py::C::test_d[x]`` is a.test_b.C and test_d[x]."""
    head, bracket, parameters = test.partition("[")
    path, *names = head.split("::")
    parts = [path.removesuffix(".py").replace("/", "."), *names]
    return {"classname": ".".join(parts[:-1]), "name": parts[-1] + bracket + parameters}


def read_report(path: Path, run: str) -> Element:
    """Return the report that pytest wrote to ``path``, with the run's id in it."""
    suites = ElementTree.parse(path).getroot()  # noqa: S314 - pytest in this process wrote it
    suite = _suite(suites)
    for case in suite.findall("testcase"):
        if not case.get("name"):
            suite.remove(case)  # pytest's own, of a test that was interrupted before it had an outcome
    properties = suite.find("properties")
    if properties is None:
        properties = Element("properties")
        suite.insert(0, properties)
    SubElement(properties, "property", {"name": "run", "value": run})
    return suites


def run_of(path: Path) -> str | None:
    """Return the id of a report's run; None if there is no report, or one that is not the harness's."""
    try:
        found = ElementTree.parse(path).getroot().iterfind("testsuite/properties/property")  # noqa: S314 - our own
        return next((one.get("value") for one in found if one.get("name") == "run"), None)
    except (OSError, ElementTree.ParseError):
        return None


def write_report(suites: Element, *places: Path) -> None:
    """Write a report to each of ``places``, with counts that fit its cases. Raises OSError, leaves no half of it."""
    suite = _suite(suites)
    cases = list(suite.iter("testcase"))
    suite.attrib |= {
        "tests": str(len(cases)),
        "errors": str(_with(cases, "error")),
        "failures": str(_with(cases, "failure")),
        "skipped": str(_with(cases, "skipped")),
    }
    data = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    for place in places:
        replace_file(place, data)


def replace_file(place: Path, data: bytes) -> None:
    """Put ``data`` into ``place`` in one step. Raises OSError, and leaves what was there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        fresh.write_bytes(data)
        fresh.replace(place)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def mistake(run: str, message: str) -> Element:
    """Return a report with one error: the run could not begin. CI then shows why, not just an exit code."""
    suites = new_report(run)
    add_error(suites, "run", SECRETS.scrub(message))
    return suites


def _with(cases: Sequence[Element], kind: str) -> int:
    return sum(case.find(kind) is not None for case in cases)


def _suite(suites: Element) -> Element:
    found = suites.find("testsuite")
    return suites if found is None else found


def _case_of(suites: Element, test: str) -> Element:
    wanted = address(test)
    for case in suites.iter("testcase"):
        if case.get("name") == wanted["name"] and case.get("classname") == wanted["classname"]:
            return case
    return SubElement(_suite(suites), "testcase", {**wanted, "time": "0"})
