"""A JUnit report from a journal: for a run that ended without one. The counts are those that pytest would have had."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from harness.report.journal import read_journal
from harness.report.junit import address, interrupt, new_report, overturn
from harness.report.junit_causes import add_causes
from harness.report.junit_form import PropertiesPlace, place_properties
from harness.report.ran_tests import attempts_of, overturned_in
from harness.report.run_summary import summary_of

_KILLED = "the run ended without a report (killed, or the computer went down)"
_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def rebuild(run: Path, place: PropertiesPlace = PropertiesPlace.CASE) -> Element:
    """Return the report of the run whose folder is ``run``. Raises Misuse where that holds no journal.

    ``place``: where the properties of cases stand.
    """
    lines = read_journal(run / "journal.jsonl")
    suites = new_report(run.name)
    suite = suites[0]
    phases: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line["k"] in ("begin", "phase"):
            phases.setdefault(line["test"], [])
        if line["k"] == "phase":
            phases[line["test"]].append(line)
    for test, ended in phases.items():
        if ended:
            _add(suite, test, attempts_of(ended)[-1])
    overturn(suites, overturned_in(lines))
    add_causes(suites, *summary_of(run.name, lines), lines[0])
    place_properties(suites, place)
    end = next((line for line in lines if line["k"] == "end"), None)
    why = _KILLED if end is None else end.get("interrupted")
    if why:
        running = [test for test, ended in phases.items() if not _complete(ended)]
        interrupt(suites, str(why), running, [test for test in lines[0]["tests"] if test not in phases])
    return suites


def _complete(phases: Sequence[Mapping[str, Any]]) -> bool:
    return any(phase["phase"] == "teardown" or phase.get("crashed") for phase in phases)


def _add(suite: Element, test: str, phases: Sequence[Mapping[str, Any]]) -> None:
    case = _case(suite, test, phases)
    for phase in phases:
        tag = _TAGS.get(phase["result"])
        if tag is None:
            continue
        if phase["phase"] == "teardown" and case.find("failure") is not None:
            case = _case(suite, test, phases)  # as pytest does: a case has one outcome
        message = str(phase.get("message", "")).partition("\n")[0]
        SubElement(case, tag, {"message": message}).text = str(phase.get("message", ""))


def _case(suite: Element, test: str, phases: Sequence[Mapping[str, Any]]) -> Element:
    seconds = sum(float(phase.get("seconds", 0.0)) for phase in phases)
    case = SubElement(suite, "testcase", {**address(test), "time": f"{seconds:.3f}"})
    found = {name: value for phase in phases for name, value in (phase.get("properties") or {}).items()}
    if found:
        properties = SubElement(case, "properties")
        for name, value in found.items():
            SubElement(properties, "property", {"name": name, "value": str(value)})
    return case
