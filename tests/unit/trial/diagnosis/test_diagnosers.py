"""Each cause by the marks that it leaves, and what must not be mistaken for it."""

import pytest

from harness.timeline import Event, Kind
from harness.trial.diagnosis import DIAGNOSERS, Cause, Weight
from tests.unit.trial.diagnosis.made import Line, Record, diagnose


def refused():
    """A publish that is not answered, and the hang-up: how a refusal by policy looks."""
    return Line().connect().publish().publish("prod/t/a/x", answered=False).hung_up()


def pending():
    """One publish in flight, not answered yet."""
    return Line().connect().publish(answered=False)


def state(reason):
    """What is read of the device's state after a hang-up that could be a refusal."""
    return refused().cloud("", disconnectReason=reason)


def cause(line, run=()):
    return diagnose(line.events, run).cause


def test_one_hang_up_that_looks_like_the_policy_is_inconclusive_with_the_policy_possible():
    diagnosis = diagnose(refused().events)
    assert diagnosis.cause is Cause.INCONCLUSIVE
    (finding,) = diagnosis.findings
    assert (finding.cause, finding.weight) == (Cause.POLICY, Weight.POSSIBLE)
    assert "before answering it (ENOTCONN (128))" in finding.text
    assert len(finding.refs) == 2
    assert "the cloud's own reason was not read" in diagnosis.missing


def test_the_clouds_word_for_it_makes_it_the_policy():
    line = refused().cloud("state", reported={"connection": {"disconnectReason": "AUTH_ERROR"}})
    assert cause(line) is Cause.POLICY


@pytest.mark.parametrize("reason", ["CLIENT_ERROR", "CONNECTION_LOST", "UNKNOWN"])
def test_reasons_that_leave_it_open_change_nothing(reason):
    assert cause(refused().cloud(f'disconnectReason = "{reason}"')) is Cause.INCONCLUSIVE


def test_a_word_on_an_earlier_end_says_nothing_of_a_later_one():
    line = refused().cloud("", disconnectReason="AUTH_ERROR").connect().publish(answered=False).hung_up()
    assert cause(line) is Cause.INCONCLUSIVE
    assert cause(line.cloud("", disconnectReason="AUTH_ERROR")) is Cause.POLICY


BETTER_KNOWN = {
    "restart before it": (
        lambda: pending().urc("Ready").hung_up(),
        Cause.MODEM_FAULT,
    ),
    "restart after it": (lambda: refused().urc("Ready", after=1.0), Cause.MODEM_FAULT),
    "modem fault": (lambda: refused().urc("#XMODEM: FAULT,0x11,0x688de"), Cause.MODEM_FAULT),
    "library shut down": (lambda: pending().hung_up(110), Cause.MODEM_FAULT),
    "deregistered": (
        lambda: pending().urc('+CEREG: 2,"0001","00010101",7').hung_up(113),
        Cause.NETWORK_LOST,
    ),
    "PDN ended": (
        lambda: pending().urc("+CGEV: NW PDN DEACT 0").hung_up(113),
        Cause.NETWORK_LOST,
    ),
    "network down, by errno": (lambda: pending().hung_up(115), Cause.NETWORK_LOST),
    "another address": (
        lambda: (
            Line()
            .connect()
            .log('+CGPADDR: 0,"10.0.0.1"')
            .publish(answered=False)
            .hung_up()
            .log('+CGPADDR: 0,"10.0.0.9"')
        ),
        Cause.NETWORK_LOST,
    ),
    "own disconnect": (
        lambda: Line().connect().publish().tx("AT#XMQTTCON=0").tx("AT#XMQTTCON=1").urc("#XMQTTEVT: 1,0"),
        Cause.OWN_DISCONNECT,
    ),
    "radio off": (
        lambda: Line().connect().publish().tx("AT+CFUN=4").urc("+CEREG: 0").hung_up(113),
        Cause.OWN_DISCONNECT,
    ),
    "keep-alive, by time": (lambda: Line().connect(60).publish().hung_up(after=89.8), Cause.KEEP_ALIVE),
    "keep-alive, by reason": (
        lambda: refused().cloud('"disconnectReason": "MQTT_KEEP_ALIVE_TIMEOUT"'),
        Cause.KEEP_ALIVE,
    ),
    "duplicate, by reason": (
        lambda: state("DUPLICATE_CLIENTID"),
        Cause.DUPLICATE_CLIENT,
    ),
    "maintenance": (lambda: state("SERVER_INITIATED_DISCONNECT"), Cause.CLOUD_AWAY),
    "observer lost too": (
        lambda: refused().fault("observer lost: connection closed", source="observer"),
        Cause.CLOUD_AWAY,
    ),
    "throttled": (lambda: state("THROTTLED"), Cause.THROTTLED),
    "too many requests": (lambda: Line().cloud("GET /devices: 429", status=429), Cause.THROTTLED),
    "server busy": (lambda: Line().urc("#XMQTTEVT: 0,3"), Cause.THROTTLED),
    "rate control": (lambda: pending().hung_up(140), Cause.THROTTLED),
    "no memory": (lambda: pending().hung_up(12), Cause.INBOUND_TOO_LARGE),
    "large message": (
        lambda: Line().connect().publish().mqtt("message", topic="t", size=3000, sha256="").hung_up(113, after=0.2),
        Cause.INBOUND_TOO_LARGE,
    ),
    "garbled": (lambda: refused().fault("garbled, skipped: #XMQTTEVT: 1,-1x8"), Cause.UART_TROUBLE),
    "lost line": (lambda: Line().connect().publish().tx("AT#XMQTTCON?").log("#XMQTTCON: 0"), Cause.UART_TROUBLE),
    "CONNACK 5": (lambda: Line().urc("#XMQTTEVT: 0,5").urc("#XMQTTEVT: 1,-111"), Cause.CREDENTIAL_REFUSED),
    "wildcard in a topic": (lambda: Line().connect().publish("a/#", answered=False).hung_up(), Cause.MISUSE),
    "no TLS": (
        lambda: Line().add("result", "ERROR", command='AT#XMQTTCON=1,"",""', ok=False),
        Cause.INCONCLUSIVE,  # name, network, trust and key look alike
    ),
    "closed before CONNACK": (lambda: Line().tx("AT#XMQTTCON=1").hung_up(), Cause.INCONCLUSIVE),
    "nothing": (Line, Cause.INCONCLUSIVE),
}


@pytest.mark.parametrize(("make", "expected"), BETTER_KNOWN.values(), ids=BETTER_KNOWN)
def test_what_is_known_better_is_named(make, expected):
    diagnosis = diagnose(make().events)
    assert diagnosis.cause is expected, diagnosis
    assert bool(diagnosis.speaks_for) == (expected is not Cause.INCONCLUSIVE)


def test_every_cause_but_two_has_a_case_here():
    named = {expected for _, expected in BETTER_KNOWN.values()}
    assert set(Cause) - named == {Cause.POLICY, Cause.CONNECTION_LIMIT}


def test_the_first_cause_wins_over_what_follows_from_it():
    line = (
        Line()
        .connect()
        .publish(answered=False)
        .urc("#XMODEM: FAULT,0x2,0x0")
        .urc("+CEREG: 0")
        .hung_up(113)
        .urc("Ready")
    )
    diagnosis = diagnose(line.events)
    assert diagnosis.cause is Cause.MODEM_FAULT
    assert Cause.NETWORK_LOST in {finding.cause for finding in diagnosis.findings}


def test_a_changed_cell_is_no_loss():
    line = Line().connect().urc('+CEREG: 1,"0001","00010102",7').publish(answered=False).hung_up()
    assert cause(line) is Cause.INCONCLUSIVE
    line = Line().urc("+CEREG: 2").urc('+CEREG: 5,"0001","00010101",7')
    assert diagnose(line.events).findings == ()


def test_what_ended_an_older_session_is_no_cause():
    line = Line().connect().publish().tx("AT#XMQTTCON=0").urc("#XMQTTEVT: 1,0").connect()
    line.publish("prod/t/a/x", answered=False).hung_up()
    assert {finding.cause for finding in diagnose(line.events).findings} == {Cause.POLICY}
    line = Line().urc("Ready").connect().publish("prod/t/a/x", answered=False).hung_up()
    assert {finding.cause for finding in diagnose(line.events).findings} == {Cause.POLICY}


def test_a_reason_that_was_read_after_the_board_had_connected_again_is_only_possible():
    line = refused().connect().cloud("", disconnectReason="DUPLICATE_CLIENTID")
    assert cause(line) is Cause.INCONCLUSIVE


def test_a_large_message_long_before_the_end_is_no_cause():
    line = (
        Line().connect().mqtt("message", topic="t", size=3000).publish(after=10).publish("y", answered=False).hung_up()
    )
    assert cause(line) is Cause.INCONCLUSIVE


def test_two_operations_in_flight_leave_it_open():
    line = Line().connect().publish("x", answered=False).publish("y", answered=False).hung_up()
    diagnosis = diagnose(line.events)
    assert diagnosis.cause is Cause.INCONCLUSIVE
    assert {finding.cause for finding in diagnosis.findings} == {Cause.MISUSE, Cause.POLICY}


@pytest.mark.parametrize("chaser", ['AT#XMQTTUNSUB="harness/n1"', "MQTT UNSUBSCRIBE harness/n1 (id 8)"])
def test_the_unsubscribe_behind_an_action_is_no_second_operation(chaser):
    line = Line().connect().publish("x", answered=False).tx(chaser).hung_up()
    assert {finding.cause for finding in diagnose(line.events).findings} == {Cause.POLICY}


def test_what_has_no_answer_or_was_never_sent_is_not_in_flight():
    line = Line().connect().tx('AT#XMQTTPUB="t","x",0,0').add("result", "OK", ok=True)
    line.tx('AT#XMQTTSUB="t",1').add("result", "ERROR", command='AT#XMQTTSUB="t",1', ok=False).hung_up()
    assert diagnose(line.events).findings == ()


def run_of(*lives, topic="prod/t/{}/x"):
    """Sessions that are hung up on: ``lives`` are (seconds, answered publishes, in flight at the end)."""
    line = Line()
    for number, (seconds, answered, in_flight) in enumerate(lives):
        line.connect()
        begin = line.now
        for _ in range(answered):
            line.publish(topic.format(0))
        if in_flight:
            line.publish(topic.format(number + 1), answered=False)
        line.hung_up(after=begin + seconds - line.now)
    return line


def test_the_same_age_at_each_end_is_a_limit_whatever_was_in_flight():
    run = run_of((60, 3, True), (61, 5, False), (60, 9, True), (59, 1, True))
    assert cause(refused(), run.events) is Cause.CONNECTION_LIMIT


def test_the_same_packet_at_each_end_is_a_limit():
    run = run_of((5, 2, True), (9, 2, True), (30, 2, True))
    assert cause(refused(), run.events) is Cause.CONNECTION_LIMIT


def test_short_lives_may_be_a_second_client_or_a_limit():
    run = run_of((2, 3, True), (2.1, 5, False), (2, 9, False))
    found = diagnose(refused().events, run.events)
    assert found.cause is Cause.INCONCLUSIVE
    assert {Cause.DUPLICATE_CLIENT, Cause.CONNECTION_LIMIT} <= {finding.cause for finding in found.findings}


def test_the_same_refused_action_again_and_again_is_no_limit():
    run = run_of((2, 2, True), (2, 2, True), (2, 2, True), topic="prod/t/a/x")
    assert Cause.CONNECTION_LIMIT not in {finding.cause for finding in diagnose(refused().events, run.events).findings}


def test_an_experiment_is_proof_unless_something_as_certain_speaks_against_it():
    def proved(line, **data):
        line.events.append(Event(len(line.events), line.now, Kind.FACTS, "trial", "4 of 4", data))
        return line

    assert cause(proved(refused(), outcome="policy disconnect", one_in=14_000)) is Cause.POLICY
    assert cause(proved(refused().urc("Ready"), one_in=14_000)) is Cause.INCONCLUSIVE
    assert cause(proved(refused(), outcome="policy disconnect")) is Cause.INCONCLUSIVE  # of a single trial


@pytest.mark.parametrize("diagnoser", DIAGNOSERS, ids=lambda diagnoser: diagnoser.__name__)
def test_a_diagnoser_says_nothing_of_a_quiet_session(diagnoser):
    line = Line().urc('+CEREG: 1,"0001","00010101",7').connect().log('+CGPADDR: 0,"10.0.0.1"').publish().publish()
    line.log('+CGPADDR: 0,"10.0.0.1"').urc("#XMQTTEVT: 9,0").urc("+CSCON: 0")
    assert list(diagnoser(Record(line.events))) == []
