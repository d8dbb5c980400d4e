"""``nrf91-harness report``: the reports of runs that were killed."""

from xml.etree import ElementTree

from harness.cli.arguments import Arguments
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.errors import Misuse
from harness.report.junit import run_of, write_report
from harness.report.junit_form import PropertiesPlace
from harness.report.rebuild import rebuild
from harness.report.run_lock import refuse_going_on
from harness.report.timeline_faults import timeline_faults


def rebuild_junit(given: Arguments, progress: Progress) -> Result:
    """Make the JUnit report of a run from its journal; also the one in the folder above, if it is this run's."""
    refuse_going_on(given.run)
    run = given.run.resolve()
    suites = rebuild(run, PropertiesPlace(given.junit_properties))
    for note in timeline_faults(run, "not needed for the report", "the report is made from the journal"):
        progress(note)
    places = [run / "junit.xml"]
    shared = run.parent / "junit.xml"
    if run_of(shared) == run.name:
        places.append(shared)
    try:
        write_report(suites, *places)
    except OSError as error:
        raise Misuse(f"{error.filename}: cannot write the report: {error.strerror}") from error
    suite = next(iter(suites.iter("testsuite")), ElementTree.Element("testsuite"))
    counts = {name: int(suite.get(name, "0")) for name in ("tests", "errors", "failures", "skipped")}
    told = ", ".join(f"{number} {name}" for name, number in counts.items())
    data = {"run": run.name, **counts, "written": [str(place) for place in places]}
    return Result(data, [f"{place}: {told}" for place in places])
