"""The form of a JUnit report: where the properties of a case stand.

pytest, GitLab and junitparser have them in the case. The schema of Jenkins' xunit-plugin
(https://github.com/jenkinsci/xunit-plugin, junit-10.xsd) allows properties only of a whole suite, and refuses a report
that has others; what it allows in a case is its output.
"""

from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement


class PropertiesPlace(StrEnum):
    """Where the properties of a case stand: as properties, or as lines of its output."""

    CASE = "case"
    OUTPUT = "output"


def place_properties(suites: Element, place: PropertiesPlace) -> None:
    """Put the properties of each case where they are wanted; those of the suite stay."""
    if place is PropertiesPlace.CASE:
        return
    for case in suites.iter("testcase"):
        lines: list[str] = []
        for properties in case.findall("properties"):
            lines += [f"{one.get('name')}: {one.get('value')}" for one in properties]
            case.remove(properties)
        if lines:
            _add_output(case, "\n".join(lines))


def _add_output(case: Element, text: str) -> None:
    output = case.find("system-out")
    if output is None:
        output = SubElement(case, "system-out")
    output.text = f"{text}\n\n{output.text}" if output.text else text
