"""What readers of JUnit take a report for: rules of CI services, written down from their sources.

Jenkins' xunit-plugin validates by a schema (https://github.com/jenkinsci/xunit-plugin, junit-10.xsd). GitLab's parser
is lib/gitlab/ci/parsers/test/junit.rb of https://gitlab.com/gitlab-org/gitlab. On GitHub, where nothing reads JUnit by
itself, a widespread reader is https://github.com/dorny/test-reporter, java-junit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


@dataclass(frozen=True)
class Rule:
    """An element of the schema. ``text``: it may hold text of its own."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    text: bool = False


def _rule(required="", optional="", children="", text=False):
    return Rule(frozenset(required.split()), frozenset(optional.split()), frozenset(children.split()), text)


_OUTCOME = _rule(optional="type message", text=True)
_OUTPUT = _rule(text=True)
XUNIT_PLUGIN = {
    "testsuites": _rule("", "name time tests failures errors", "testsuite"),
    "testsuite": _rule(
        "name tests failures errors",
        "group time skipped timestamp hostname id package file log url",
        "testsuite properties testcase system-out system-err",
    ),
    "properties": _rule("", "", "property"),
    "property": _rule("name value"),
    "testcase": _rule("name", "time classname group", "skipped error failure system-out system-err"),
    "failure": _OUTCOME,
    "error": _OUTCOME,
    "skipped": _OUTCOME,
    "system-out": _OUTPUT,
    "system-err": _OUTPUT,
}


def refused_by_xunit_plugin(element: Element) -> list[str]:
    """What the schema does not allow, in words."""
    rule = XUNIT_PLUGIN.get(element.tag)
    if rule is None:
        return [f"no element {element.tag}"]
    found = [f"{element.tag} lacks {name}" for name in rule.required - set(element.keys())]
    found += [f"{element.tag} has {name}" for name in set(element.keys()) - rule.required - rule.optional]
    found += [f"{child.tag} in {element.tag}" for child in element if child.tag not in rule.children]
    if not rule.text and any((text or "").strip() for text in (element.text, *(child.tail for child in element))):
        found.append(f"text in {element.tag}")
    if element.tag in ("testsuite", "testsuites") and not _TIME.fullmatch(element.get("time", "")):
        found.append(f"time {element.get('time')}")
    for child in element:
        found += refused_by_xunit_plugin(child)
    return found


@dataclass(frozen=True)
class Read:
    """A case as a service shows it."""

    suite: str
    classname: str
    name: str
    status: str
    seconds: float
    output: str


def read_by_gitlab(root: Element) -> list[Read]:
    """One level of ``testsuites`` at the top, suites may be nested; of a case the first outcome counts.

    A second case of a suite with the same status, class name and name takes the place of the first.
    """
    cases: dict[tuple[str, ...], Read] = {}
    for suite in root.iter("testsuite"):
        for case in suite.findall("testcase"):
            tags = (("failure", "failed"), ("error", "error"), ("skipped", "skipped"))
            status, one = next(
                ((word, case.find(tag)) for tag, word in tags if case.find(tag) is not None), ("success", None)
            )
            output = "" if one is None else (one.text or one.get("message") or "")
            name, classname = case.get("name", ""), case.get("classname", "")
            read = Read(suite.get("name", ""), classname, name, status, float(case.get("time", "nan")), output)
            key = (status, read.suite, classname, name)
            assert key not in cases, f"GitLab shows only one of two cases {key}"
            cases[key] = read
    return list(cases.values())


def read_by_github_action(root: Element) -> list[Read]:
    """Failure and error are both failed; it calls ``trim`` of each name, and parses each time."""
    found: list[Read] = []
    for suite in root.findall("testsuite"):
        assert suite.get("name") is not None
        assert float(suite.get("time", "nan")) >= 0
        for case in suite.findall("testcase"):
            bad = case.find("failure") if case.find("failure") is not None else case.find("error")
            status = "failed" if bad is not None else "skipped" if case.find("skipped") is not None else "success"
            details = "" if bad is None else (bad.text or "")
            found.append(
                Read(
                    suite.attrib["name"].strip(),
                    case.attrib["classname"],
                    case.attrib["name"].strip(),
                    status,
                    float(case.attrib["time"]),
                    details,
                )
            )
    return found
