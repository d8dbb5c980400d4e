"""The pytest face: options, fixtures, and how a run is reported. Thin; what it does lives in the packages below.

A test that asks for ``board`` (or for anything made from it) runs once for each selected board. Heavy modules are
imported when the first such test is collected, so that other tests of the same environment do not pay for them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.junitxml import xml_key  # pytest has no public way to take its own report back

from harness.errors import LabError, Misuse
from harness.redact import SECRETS
from harness.report import CaseRecord, RunFolder, Transcript, short_name, table
from harness.timeline import Timeline

if TYPE_CHECKING:
    from harness.cloud import DeviceApi, NrfCloud, Observer
    from harness.firmware import MqttFirmware
    from harness.modem import Modem
    from harness.policy.derivation.case import Case
    from harness.policy.evaluation.membership import Membership
    from harness.policy_trials.derived import DerivedTrials
    from harness.policy_trials.own_names import OwnNames
    from harness.run import BoardBench, Provisioned, Run
    from harness.trial import RestTrials, Trials, Verdict

_FOLDER = pytest.StashKey[RunFolder]()
_OWN_JUNIT = pytest.StashKey[bool]()
_RUN = pytest.StashKey["Run"]()
_TRIALS = pytest.StashKey["DerivedTrials"]()
_MISTAKE = pytest.StashKey[Misuse]()
_LEFT = pytest.StashKey[list[str]]()
_CASE = pytest.StashKey[CaseRecord]()
_BOARD_PARAMETER = "_bench"
_DERIVED = "derived"
_OWN_NAMES = "own_names"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's own options."""
    group = parser.getgroup("nrf91", "nRF91 boards and clouds")
    group.addoption("--boards", metavar="FILE", help="boards file (default: boards.yaml in the root folder)")
    group.addoption("--board", metavar="NAME|TAG", action="append", default=[], help="only these boards; repeatable")
    group.addoption("--cloud", metavar="NAME", help="use this cloud of the boards file for every board")
    group.addoption("--reports", metavar="DIR", help="where runs are reported (default: reports in the root folder)")
    group.addoption(
        "--policy-trials",
        choices=("minimal", "full"),
        default="minimal",
        help="derived policy trials: the smallest set that notices every change to the policies, or all",
    )
    group.addoption("--lab-ca", metavar="DIR", help="folder of the lab's CA, made on first use (default: .lab/ca)")
    group.addoption("--provision", metavar="WAY", choices=("device", "host", "cloud"), help="where every key is made")
    group.addoption("--reprovision", action="store_true", help="make new credentials although valid ones are there")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and name the JUnit report before pytest's own plug-in looks for its option."""
    config.addinivalue_line("markers", "violation: breaks a policy on purpose; the board must be hung up on")
    folder = RunFolder(Path(config.getoption("--reports") or config.rootpath / "reports"))
    config.stash[_FOLDER] = folder
    if config.option.xmlpath is None:
        config.option.xmlpath = str(folder.junit)
        config.stash[_OWN_JUNIT] = True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once per selected board, the board's name in its id.

    One that asks for ``derived`` runs once for each policy case that the documents of the board's cloud yield.
    """
    if _BOARD_PARAMETER not in metafunc.fixturenames:
        return
    derived = _DERIVED in metafunc.fixturenames
    names: list[str] = []
    pairs: list[tuple[Case, str]] = []
    try:
        run = _run(metafunc.config)
        names = [board.name for board in run.selected]
        if derived:
            pairs = _derived(metafunc.config).cases(full=_full(metafunc.config))
    except Misuse as mistake:
        metafunc.config.stash[_MISTAKE] = mistake
    if not derived:
        metafunc.parametrize(_BOARD_PARAMETER, names, ids=names, indirect=True, scope="session")
        return
    # The board comes last, because pytest puts tests together that have the last parameter in common.
    metafunc.parametrize(
        [_DERIVED, _BOARD_PARAMETER],
        pairs,
        ids=[f"{name}-{case.id}" for case, name in pairs],
        indirect=[_BOARD_PARAMETER],
        scope="session",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """End here on a mistake in the boards file; leave no report of a run that uses no board."""
    mistake = config.stash.get(_MISTAKE, None)
    if mistake is not None:
        config.stash[_FOLDER].write_mistake(str(mistake))
        raise pytest.UsageError(str(mistake))
    uses_boards = any(_BOARD_PARAMETER in getattr(item, "fixturenames", ()) for item in items)
    if not uses_boards and config.stash.get(_OWN_JUNIT, False) and xml_key in config.stash:
        config.pluginmanager.unregister(config.stash[xml_key])
        del config.stash[xml_key]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the lab's trouble as an error in one line, note derived trials, and journal each phase as it ends."""
    report = yield
    phase = report.when or ""
    trouble = call.excinfo is not None and isinstance(call.excinfo.value, LabError | Misuse)
    if call.excinfo is not None and trouble:
        report.longrepr = call.excinfo.getrepr(style="value", chain=False)
        if phase == "call":
            report.when = "setup"  # what pytest, and every reader of JUnit, takes for an error and not a failure
    given: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    if phase == "call" and not trouble and not report.skipped:
        found: OwnNames | None = getattr(item, "funcargs", {}).get(_OWN_NAMES)
        if _DERIVED in given:
            _derived(item.config).note_trial(given[_BOARD_PARAMETER], given[_DERIVED])
        if found is not None and not _cut_short(call.excinfo):
            _derived(item.config).note_own_names(given[_BOARD_PARAMETER], found)
    _scrub(report)
    case = item.stash.get(_CASE, None)
    if case is not None:
        case.seconds += report.duration
        if report.failed:
            case.result = "failed" if phase == "call" and not trouble else "error"
        elif report.skipped:
            case.result = "skipped"
        message = SECRETS.scrub(str(call.excinfo.value)) if call.excinfo is not None else ""
        item.config.stash[_FOLDER].write_journal(
            {"test": item.nodeid, "board": case.board, "phase": phase, "outcome": report.outcome}
            | {"seconds": round(report.duration, 3), "message": message, **case.properties}
        )
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close what the run opened, whatever happened to it, and say in JUnit where derived trials came from."""
    run = session.config.stash.get(_RUN, None)
    if run is None:
        return
    session.config.stash[_LEFT] = run.close()
    if run.cases and xml_key in session.config.stash:
        for cloud, line in _derived(session.config).summary().items():
            session.config.stash[xml_key].add_global_property(f"policy_trials.{cloud}", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """End with a short table and where the reports are."""
    run = config.stash.get(_RUN, None)
    if run is None or not run.cases:
        return
    terminalreporter.section("nRF91 boards")
    for line in table(run.cases):
        terminalreporter.write_line(line)
    for line in _derived(config).summary().values():
        terminalreporter.write_line(line)
    for line in config.stash.get(_LEFT, []):
        terminalreporter.write_line(f"left behind: {line}", yellow=True)
    published = run.folder.publish_junit()
    terminalreporter.write_line(f"reports: {run.folder.path}" + (f" (JUnit also at {published})" if published else ""))


@pytest.fixture(scope="session")
def _bench(request: pytest.FixtureRequest) -> BoardBench:
    return _run(request.config).bench(request.param)


@pytest.fixture
def timeline(request: pytest.FixtureRequest, _bench: BoardBench) -> Iterator[Timeline]:
    """Everything that happens during this test, also written to its transcript. One per test."""
    run, item = _run(request.config), request.node
    case = CaseRecord(_bench.name, short_name(item.nodeid))
    item.stash[_CASE] = case
    run.cases.append(case)
    timeline = Timeline()
    path = run.folder.transcript(item.nodeid)
    case.properties["transcript"] = str(path.relative_to(run.folder.path))
    with Transcript(path, title=item.nodeid) as transcript, timeline.sink(transcript):
        try:
            _bench.begin(timeline)
            yield timeline
        finally:
            case.properties |= _bench.properties()
            if "verdict" not in case.properties:
                case.add_verdict(case.result, "")
            item.user_properties.extend(case.properties.items())


@pytest.fixture
def board(timeline: Timeline, _bench: BoardBench) -> BoardBench:
    """The board under test: leased, opened, its modem and firmware known."""
    _bench.check()
    _ = _bench.opened
    return _bench


@pytest.fixture
def modem(board: BoardBench) -> Modem:
    """The board's modem."""
    return board.opened.modem


@pytest.fixture
def device(board: BoardBench) -> MqttFirmware:
    """What the board's firmware can do over MQTT. Skips the test on a board whose firmware has none."""
    from harness.firmware import WithoutMqtt

    firmware = board.opened.firmware
    if isinstance(firmware, WithoutMqtt):
        pytest.skip(f"{firmware.product} has no MQTT commands")
    return firmware


@pytest.fixture
def cloud(board: BoardBench) -> NrfCloud:
    """The cloud's REST side. It changes only devices that this run made."""
    return board.cloud.api


@pytest.fixture
def observer(board: BoardBench) -> Observer:
    """The team's MQTT device: sees every message below the team's topic prefix."""
    return board.cloud.observer


@pytest.fixture
def membership() -> Membership:
    """What the device is in its team during the test: an ordinary member, unless a test overrides this fixture."""
    from harness.policy.evaluation.membership import Membership

    return Membership.ASSOCIATED


@pytest.fixture
def provisioned(board: BoardBench, membership: Membership) -> Provisioned:
    """The board as a device of the cloud: key made on it, certificate written and verified, onboarded, registered.

    It is what ``membership`` says, whatever the test before made of it. Skips the test on a board that cannot be that.
    """
    provisioned = board.provisioned
    reason = board.cannot_be(membership)
    if reason is not None:
        pytest.skip(reason)
    board.be(membership)
    return provisioned


@pytest.fixture
def own_names(
    request: pytest.FixtureRequest, device: MqttFirmware, provisioned: Provisioned, board: BoardBench
) -> OwnNames:
    """The policy cases that only the names of the board's device call for; a test that asks for them runs them all."""
    return _derived(request.config).own_names(board.name, full=_full(request.config))


@pytest.fixture
def device_api(board: BoardBench, timeline: Timeline) -> Iterator[DeviceApi]:
    """REST calls as a device makes them, with a token of its own."""
    from harness.cloud import DeviceApi

    with DeviceApi(board.cloud.endpoints, timeline) as api:
        yield api


@pytest.fixture
def trial_recorder(request: pytest.FixtureRequest, timeline: Timeline) -> Callable[[Verdict], None]:
    """Puts a trial's verdict into the report of this test."""
    case: CaseRecord = request.node.stash[_CASE]
    return lambda verdict: case.add_verdict(verdict.outcome, str(verdict), attempts=verdict.attempts)


@pytest.fixture
def rest_trial(trial_recorder: Callable[[Verdict], None]) -> RestTrials:
    """Trials of what a device's token may do over REST."""
    from harness.trial import RestTrials

    return RestTrials(trial_recorder)


@pytest.fixture
def evidence(request: pytest.FixtureRequest, timeline: Timeline) -> Callable[[str], None]:
    """Call it with one sentence: what a test that needs no trial has verified."""
    case: CaseRecord = request.node.stash[_CASE]
    return lambda sentence: case.add_verdict("verified", sentence)


@pytest.fixture
def trial(
    device: MqttFirmware, provisioned: Provisioned, board: BoardBench, trial_recorder: Callable[[Verdict], None]
) -> Trials:
    """Trials on the provisioned device's MQTT connection."""
    return board.trials(trial_recorder)


def _full(config: pytest.Config) -> bool:
    return bool(config.getoption("--policy-trials") == "full")


def _cut_short(excinfo: pytest.ExceptionInfo[BaseException] | None) -> bool:
    from harness.policy_trials.own_names import RestNotRun

    return excinfo is not None and isinstance(excinfo.value, RestNotRun)


def _scrub(report: pytest.TestReport) -> None:
    """Cut secrets from what pytest shows: a traceback shows arguments, and a captured log whatever was logged."""
    text = report.longreprtext
    clean = SECRETS.scrub(text)
    if clean != text:
        report.longrepr = clean
    report.sections = [(name, SECRETS.scrub(content)) for name, content in report.sections]


def _run(config: pytest.Config) -> Run:
    if _RUN not in config.stash:
        from harness.credentials import KeyOrigin
        from harness.run import Run

        origin, ca_folder = config.getoption("--provision"), config.getoption("--lab-ca")
        config.stash[_RUN] = Run(
            Path(config.getoption("--boards") or config.rootpath / "boards.yaml"),
            config.getoption("--board"),
            cloud=config.getoption("--cloud"),
            folder=config.stash[_FOLDER],
            ca_folder=Path(ca_folder) if ca_folder else None,
            root=config.rootpath,
            key_origin=KeyOrigin(origin) if origin else None,
            renew=config.getoption("--reprovision"),
        )
    return config.stash[_RUN]


def _derived(config: pytest.Config) -> DerivedTrials:
    if _TRIALS not in config.stash:
        from harness.policy_trials.derived import DerivedTrials

        config.stash[_TRIALS] = DerivedTrials(_run(config))
    return config.stash[_TRIALS]
