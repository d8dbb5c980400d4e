"""The fixtures: board, modem, device, cloud, observer, trials. Heavy modules are imported when a test needs them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from harness.plugin.marks import marked_needs
from harness.plugin.state import CASE, READING, WINDOW, derived_of, full, out_of, run_of

if TYPE_CHECKING:
    from harness.cloud import DeviceApi, NrfCloud, Observer
    from harness.firmware import BridgeListener, Console, MqttDriver, OwnConnection
    from harness.modem import Modem
    from harness.policy import Case
    from harness.policy.evaluation.membership import Membership
    from harness.policy_trials.own_names import OwnNames
    from harness.report import CaseRecord
    from harness.run import Board, Provisioned
    from harness.run.asked_faults import AskedFaults
    from harness.run.own_trials import OwnTrials
    from harness.timeline import Window
    from harness.trial import RestTrials, Trials, Verdict


@pytest.fixture(scope="session")
def _board(request: pytest.FixtureRequest) -> Board:
    return run_of(request.config).board(request.param)


@pytest.fixture
def timeline(request: pytest.FixtureRequest, _board: Board) -> Iterator[Window]:
    """Everything that happens during this test, also written to its transcript: a window of the board's timeline."""
    from harness.plugin.recording import begin_test
    from harness.redact import SECRETS
    from harness.report import CaseRecord, Transcript, short_name
    from harness.trial.verdict_record import RecordReading

    run, item = run_of(request.config), request.node
    window = item.stash[WINDOW] = begin_test(item, _board)
    reading = item.stash[READING] = RecordReading()
    case = CaseRecord(_board.name, short_name(item.nodeid))
    item.stash[CASE] = case
    path = run.folder.transcript(item.nodeid)
    case.properties["transcript"] = str(path.relative_to(run.folder.path))
    sinks = _board.timeline.sink
    with Transcript(path, title=item.nodeid) as transcript, sinks(transcript), sinks(reading):
        try:
            _board.begin()
            yield window
        finally:
            window.close()
            case.properties |= _board.properties()
            if "verdict" not in case.properties:
                case.add_verdict(case.result, "")
            case.properties = {name: SECRETS.scrub(str(value)) for name, value in case.properties.items()}
            # A test that another plug-in runs again has the properties of its last time.
            item.user_properties[:] = [pair for pair in item.user_properties if pair[0] not in case.properties]
            item.user_properties.extend(case.properties.items())


@pytest.fixture
def board(request: pytest.FixtureRequest, timeline: Window, _board: Board) -> Board:
    """The board under test: leased, opened, its modem and firmware known.

    Skips the test on a board that is out, and on one whose firmware lacks what ``@pytest.mark.needs(...)`` names.
    """
    out_of(request.config).open(_board, request.node.nodeid)
    marked = marked_needs(request.node)
    if marked and (reason := _board.opened.firmware.lacks(*marked)) is not None:
        pytest.skip(reason)
    return _board


@pytest.fixture
def power_cycle(board: Board) -> Callable[[], str]:
    """Takes the board's power away and gives it back; returns what proves that it restarted. Skips without power:."""
    if board.config.power is None:
        pytest.skip(f"board {board.name} has no power: in the boards file")
    return board.cycle_power


@pytest.fixture
def modem(board: Board) -> Modem:
    """The board's modem."""
    return board.opened.modem


@pytest.fixture
def device(board: Board) -> MqttDriver:
    """The board's MQTT client. Skips the test on a board whose firmware has no commands for one."""
    from harness.firmware import Capability

    reason = board.opened.firmware.lacks(Capability.MQTT)
    if reason is not None:
        pytest.skip(reason)
    return board.opened.mqtt


@pytest.fixture
def faults(board: Board) -> Iterator[AskedFaults]:
    """What goes wrong on purpose with a virtual board or a local cloud; undone after the test."""
    from harness.run.asked_faults import AskedFaults

    with AskedFaults(board) as asked:
        yield asked


@pytest.fixture
def own(board: Board) -> OwnConnection:
    """The connection that the board's firmware holds itself. Skips the test on a board whose firmware holds none."""
    from harness.firmware import Capability

    opened = board.opened
    reason = opened.firmware.lacks(Capability.OWN_CONNECTION)
    if reason is not None or opened.own is None:
        pytest.skip(reason or f"{opened.firmware} has no {Capability.OWN_CONNECTION}")
    return opened.own


@pytest.fixture
def own_trials(
    own: OwnConnection, provisioned: Provisioned, board: Board, trial_recorder: Callable[[Verdict], None]
) -> OwnTrials:
    """Trials on the connection that the provisioned board's firmware holds itself."""
    return board.own_trials(trial_recorder)


@pytest.fixture
def console(board: Board) -> Iterator[Console]:
    """The board's console, as a person uses it, by pexpect: type a line, wait for a prompt, press the button."""
    from harness.firmware import Console

    opened = board.opened
    with Console(opened.port, press=None if opened.own is None else opened.own.setup.press) as console:
        yield console


@pytest.fixture
def cloud(board: Board) -> NrfCloud:
    """The cloud's REST side. It changes only devices that this run made."""
    return board.cloud.api


@pytest.fixture
def observer(board: Board) -> Observer:
    """The team's MQTT device: sees what comes on the device's topics, on those of trials, and on what it is told to
    listen to.
    """
    return board.observer


@pytest.fixture
def membership() -> Membership:
    """The device's membership during the test: an ordinary member, unless a test overrides this fixture."""
    from harness.policy.evaluation.membership import Membership

    return Membership.ASSOCIATED


@pytest.fixture
def provisioned(board: Board, membership: Membership) -> Provisioned:
    """The board as a device of the cloud: key made on it, certificate written and verified, onboarded, registered.

    It has the ``membership``, whatever the test before did to it. Skips the test on a board that cannot have that.
    """
    provisioned = board.provisioned
    reason = board.device.cannot_be(membership)
    if reason is not None:
        pytest.skip(reason)
    board.be(membership)
    return provisioned


@pytest.fixture
def own_names(request: pytest.FixtureRequest, device: MqttDriver, provisioned: Provisioned, board: Board) -> OwnNames:
    """The additional policy cases for the names of the board's device; a test that asks for them runs them all."""
    return derived_of(request.config).own_names(board.name, full=full(request.config))


@pytest.fixture
def device_api(board: Board, timeline: Window) -> Iterator[DeviceApi]:
    """REST calls as a device makes them, with a token of its own."""
    from harness.cloud import DeviceApi

    with DeviceApi(board.cloud.endpoints, board.timeline) as api:
        yield api


@pytest.fixture
def board_api(board: Board, provisioned: Provisioned, timeline: Window) -> Iterator[DeviceApi]:
    """The same calls, from the board: its modem does TLS. Skips boards whose firmware can make none."""
    from harness.firmware import Capability

    reason = board.opened.firmware.lacks(Capability.SOCKETS)
    if reason is not None:
        pytest.skip(reason)
    with board.sockets.device_api(board.timeline) as api:
        yield api


@pytest.fixture
def trial_recorder(request: pytest.FixtureRequest, timeline: Window) -> Callable[[Verdict], None]:
    """Puts a trial's verdict into the report of this test."""
    case: CaseRecord = request.node.stash[CASE]
    return lambda verdict: case.add_verdict(verdict.outcome, str(verdict), attempts=verdict.attempts)


@pytest.fixture
def rest_trial(board: Board, timeline: Window, trial_recorder: Callable[[Verdict], None]) -> RestTrials:
    """Trials of a device's token over REST."""
    from harness.trial import RestTrials

    return RestTrials(timeline.timeline, trial_recorder, board.rule)


@pytest.fixture
def evidence(request: pytest.FixtureRequest, timeline: Window) -> Callable[[str], None]:
    """Call it with one sentence that says what a test without a trial has verified."""
    case: CaseRecord = request.node.stash[CASE]
    return lambda sentence: case.add_verdict("verified", sentence)


@pytest.fixture
def trial(
    device: MqttDriver, provisioned: Provisioned, board: Board, trial_recorder: Callable[[Verdict], None]
) -> Trials:
    """Trials on the provisioned device's MQTT connection."""
    return board.trials(trial_recorder)


@pytest.fixture
def board_socket(board: Board) -> Iterator[Callable[..., socket.socket]]:
    """Opens TLS sockets of the board: ``board_socket()`` leads to its cloud's broker, ``board_socket(host, port)``
    elsewhere. What is written into the local socket that it returns leaves the board. Skips where there are none.
    """
    from harness.firmware import Capability, Pump, carry

    reason = board.opened.firmware.lacks(Capability.SOCKETS)
    if reason is not None:
        pytest.skip(reason)
    pumps: list[Pump] = []

    def connect(host: str = "", port: int = 0) -> socket.socket:
        ours, boards = socket.socketpair()
        to = board.sockets.to(host=host, port=port)
        try:
            pumps.append(carry(boards, board.sockets.new(), to))
        except BaseException:
            ours.close()
            boards.close()
            raise
        return ours

    yield connect
    for pump in pumps:
        pump.stop()


@pytest.fixture
def mqtt_through_board(board: Board, provisioned: Provisioned, board_socket: object) -> Iterator[BridgeListener]:
    """A local address (``.address``) at which any MQTT program, without TLS, talks to the cloud through the board."""
    provisioned.link.disconnect()  # the device has one connection
    with board.sockets.bridge(board.sockets.to()) as bridge:
        yield bridge


@pytest.fixture
def run_derived(request: pytest.FixtureRequest, board: Board, trial: Trials) -> Callable[[Case], Verdict]:
    """Runs a derived case with the board's own names in it; allowed ones in a group with those to come."""

    def run(case: Case) -> Verdict:
        items = request.session.items
        rest = items[items.index(request.node) + 1 :] if request.node in items else []
        found = (getattr(getattr(item, "callspec", None), "params", {}) for item in rest)
        coming = [one["derived"] for one in found if "derived" in one and one.get("_board") == board.name]
        return derived_of(request.config).groups(board.name).run(board, trial, case, coming)

    return run
