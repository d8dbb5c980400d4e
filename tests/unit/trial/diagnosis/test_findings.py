"""What each diagnoser says, word for word, how much it counts, on which events it rests, and where its limits are."""

import pytest

from harness.timeline import Event, Kind
from harness.trial.diagnosis import Cause, Weight
from harness.trial.diagnosis.cloud_away import cloud_away
from harness.trial.diagnosis.cloud_reason import cloud_reason
from harness.trial.diagnosis.connection_limit import connection_limit
from harness.trial.diagnosis.credential_refused import credential_refused
from harness.trial.diagnosis.duplicate_client import duplicate_client
from harness.trial.diagnosis.inbound_too_large import inbound_too_large
from harness.trial.diagnosis.keep_alive import keep_alive
from harness.trial.diagnosis.misuse import misuse
from harness.trial.diagnosis.modem_fault import modem_fault
from harness.trial.diagnosis.network_lost import network_lost
from harness.trial.diagnosis.own_disconnect import own_disconnect
from harness.trial.diagnosis.policy import policy
from harness.trial.diagnosis.throttled import throttled
from harness.trial.diagnosis.uart_trouble import uart_trouble
from tests.unit.trial.diagnosis.made import Line, Record, diagnose
from tests.unit.trial.diagnosis.test_diagnosers import pending, refused, run_of, state

CERTAIN, LIKELY, POSSIBLE = Weight.CERTAIN, Weight.LIKELY, Weight.POSSIBLE


def found(diagnoser, line, run=()):
    """What a diagnoser says: cause, weight, text and the texts of the events that it names."""
    texts = {event.seq: event.text for event in line.events}
    findings = diagnoser(Record(line.events, run))
    return [(one.cause, one.weight, one.text, *(texts[ref] for ref in one.refs)) for one in findings]


def last(line, text):
    """The line's last event must be the one that is named, and not another with the same text."""
    assert line.events[-1].text == text
    return text


# -- the harness itself


@pytest.mark.parametrize(
    "command",
    [
        "AT#XMQTTCON=0",
        "AT+CFUN=0",
        "AT+CFUN=4",
        "AT#XRESET",
        "AT#XMODEMRESET",
        "AT#XSHUTDOWN",
        "AT#XSLEEP=1",
    ],
)
def test_a_command_that_ends_the_connection(command):
    line = Line().connect().tx(command).hung_up(113)
    said = (Cause.OWN_DISCONNECT, CERTAIN, f"the harness asked for it: {command}", command)
    assert found(own_disconnect, line) == [said]


@pytest.mark.parametrize("command", ["AT#XMQTTCON=0", "AT#XRESET"])
@pytest.mark.parametrize("answered", [True, False])
def test_an_end_that_came_as_it_was_asked_for_explains_nothing(command, answered):
    """Whatever failed in that test, nobody hung up on its connection."""
    line = Line().connect().publish(answered=answered).tx(command)
    said = (Cause.OWN_DISCONNECT, POSSIBLE, f"the harness asked for it: {command}", command)
    assert found(own_disconnect, line) == [said]
    assert found(own_disconnect, line.urc("#XMQTTEVT: 1,0")) == [said]
    assert diagnose(line.events).cause is Cause.INCONCLUSIVE


def test_an_end_on_a_socket_of_the_board_that_came_as_it_was_asked_for_explains_nothing_either():
    line = Line().tx("MQTT CONNECT as nrf-1 (keep-alive 1200 s)").mqtt("accepted").tx("MQTT DISCONNECT").mqtt("closed")
    said = (Cause.OWN_DISCONNECT, POSSIBLE, "the harness asked for it: MQTT DISCONNECT", "MQTT DISCONNECT")
    assert found(own_disconnect, line) == [said]
    assert diagnose(line.events).cause is Cause.INCONCLUSIVE


def test_a_radio_that_is_switched_off_for_new_credentials_ended_nothing():
    line = Line().tx("AT+CFUN=4").add("result", "OK", ok=True).cloud("POST /devices: 500", status=500)
    assert diagnose(line.events).cause is Cause.INCONCLUSIVE


def test_a_late_line_of_an_end_that_was_asked_for_looks_like_a_hang_up_of_the_next():
    line = Line().connect().tx("AT#XMQTTCON=0").tx("AT#XMQTTCON=1").urc("#XMQTTEVT: 1,0")
    assert [weight for _, weight, *_ in found(own_disconnect, line)] == [CERTAIN]
    went_on = line.connect().publish()
    assert [weight for _, weight, *_ in found(own_disconnect, went_on)] == [POSSIBLE]


def test_the_last_of_several_commands_before_the_end_is_named():
    line = Line().connect().tx("AT+CFUN=4").tx("AT#XMQTTCON=0").hung_up().tx("AT#XRESET")
    said = (Cause.OWN_DISCONNECT, CERTAIN, "the harness asked for it: AT#XMQTTCON=0", "AT#XMQTTCON=0")
    assert found(own_disconnect, line) == [said]


@pytest.mark.parametrize("command", ["AT+CFUN=1", "AT+CFUN=40", "AT#XMQTTCON?", "AT"])
def test_another_command_ends_nothing(command):
    assert found(own_disconnect, Line().connect().tx(command).hung_up()) == []


def test_a_command_of_an_older_session_did_not_end_this_one():
    line = Line().tx("AT#XMQTTCON=0").connect().hung_up()
    assert found(own_disconnect, line) == []


def test_an_end_that_was_asked_for_without_a_command_on_record():
    line = Line().connect().urc("#XMQTTEVT: 1,0")
    line.urc("#XMQTTEVT: 1,0")
    assert found(own_disconnect, line) == [
        (Cause.OWN_DISCONNECT, CERTAIN, "the board reports an end that was asked for", "closed")
    ]
    assert diagnose(line.events).findings[0].refs == (7,)


def test_a_packet_behind_an_end_that_was_asked_for_was_sent_into_nothing():
    lost = Line().connect().tx("AT#XMQTTCON=0").urc("#XMQTTEVT: 1,0").tx("AT#XMQTTCON?")
    assert [weight for _, weight, *_ in found(own_disconnect, lost)] == [POSSIBLE]
    lost.tx('AT#XMQTTPUB="t","x",1,0')
    assert [weight for _, weight, *_ in found(own_disconnect, lost)] == [CERTAIN]


# -- network


@pytest.mark.parametrize(
    "text",
    [
        "+CGEV: NW DETACH",
        "+CGEV: ME DETACH",
        "+CGEV: NW PDN DEACT 0",
        "+CGEV: ME PDN DEACT 0",
        "+CGEV: ME OVERHEATED",
        "+CGEV: ME BATTERY LOW",
        "%MDMEV: ME OVERHEATED",
        "%MDMEV: RESET LOOP",
        "+CEREG: 2",
        "+CEREG: 0",
        '+CEREG: 4,"0001"',
        "+CEREG: 5,2",
        "+CEREG: 90",
    ],
)
def test_a_line_that_says_that_the_network_went_away(text):
    line = pending().urc(text).hung_up()
    assert found(network_lost, line) == [(Cause.NETWORK_LOST, CERTAIN, f"the radio network went away: {text!r}", text)]


@pytest.mark.parametrize(
    "text", ["+CEREG: 1", '+CEREG: 5,"0001"', "+CEREG: 0,1", "+CEREG: 5,5", "+CGEV: ME PDN ACT 0", "+CSCON: 0"]
)
def test_a_line_that_says_no_such_thing(text):
    assert found(network_lost, pending().urc(text).hung_up()) == []


def test_searching_before_the_first_registration_is_no_loss():
    line = Line().urc("+CEREG: 2").urc("+CEREG: 1").tx("+CEREG: 2").log("+CEREG: 3")
    assert found(network_lost, line) == [
        (Cause.NETWORK_LOST, CERTAIN, "the radio network went away: '+CEREG: 3'", "+CEREG: 3")
    ]


def test_the_applications_word_for_a_loss_of_the_network():
    line = pending().log("<wrn> app: Network connectivity lost").hung_up()
    (said,) = found(network_lost, line)
    assert said == (
        Cause.NETWORK_LOST,
        CERTAIN,
        "the radio network went away: '<wrn> app: Network connectivity lost'",
        "<wrn> app: Network connectivity lost",
    )


@pytest.mark.parametrize(("errno", "name"), [(114, "ENETUNREACH"), (115, "ENETDOWN"), (116, "ETIMEDOUT")])
def test_an_errno_of_a_dead_path(errno, name):
    line = pending().hung_up(errno)
    text = f"the board reports {name} ({errno}), which a dead path gives and a close does not"
    assert found(network_lost, line) == [(Cause.NETWORK_LOST, LIKELY, text, last(line, "closed"))]


def test_a_modem_that_an_earlier_test_left_without_network_did_not_lose_it_here():
    line = Line().tx("AT#XMQTTCON=0").urc("#XMQTTEVT: 1,0").tx("AT+CEREG?").log("+CEREG: 0,4")
    assert found(network_lost, line) == []
    assert found(network_lost, line.log("+CEREG: 5,1").connect()) == []
    assert len(found(network_lost, line.log("+CEREG: 5,4"))) == 1


def test_a_kept_connection_that_ends_shows_that_there_was_a_network():
    line = Line().tx('AT#XMQTTPUB="a","b",1,0').hung_up().urc("+CEREG: 2")
    text = "the radio network went away: '+CEREG: 2'"
    assert found(network_lost, line) == [(Cause.NETWORK_LOST, CERTAIN, text, "+CEREG: 2")]


def test_an_address_that_changed_is_compared_with_the_one_before():
    line = Line().connect().log('+CGPADDR: 0,"10.0.0.1"').log('+CGPADDR: 0,"10.0.0.1"')
    assert found(network_lost, line) == []
    line.log('+CGPADDR: 0,"10.0.0.2"').log('+CGPADDR: 0,"10.0.0.3"').hung_up()
    text = (
        "the device's address changed from '+CGPADDR: 0,\"10.0.0.1\"' to '+CGPADDR: 0,\"10.0.0.2\"': "
        "its PDN was rebuilt"
    )
    assert found(network_lost, line) == [(Cause.NETWORK_LOST, CERTAIN, text, '+CGPADDR: 0,"10.0.0.2"')]


# -- modem


@pytest.mark.parametrize(
    "text",
    [
        "Ready",
        "INIT ERROR",
        "#XMODEM: FAULT,0x2,0x0",
        "#XMODEM: SHUTDOWN",
        "#XMODEM: INIT,0",
        "Modem has crashed, reason 0x11",
        "*** Booting Zephyr OS",
    ],
)
def test_a_line_that_says_that_the_board_restarted_or_its_modem_failed(text):
    line = pending().log(text).hung_up()
    said = (Cause.MODEM_FAULT, CERTAIN, f"the board restarted, or its modem failed: {text!r}", text)
    assert found(modem_fault, line) == [said]


@pytest.mark.parametrize("command", ["AT#XRESET", "AT#XMODEMRESET", "AT#XSHUTDOWN", "AT#XSLEEP=1"])
def test_a_restart_that_the_harness_asked_for_is_no_fault(command):
    line = Line().connect().tx(command).urc("Ready", after=1.0)
    assert found(modem_fault, line) == []
    line.urc("#XMODEM: FAULT,0x11,0x688de", after=9.5)
    assert [weight for _, weight, *_ in found(modem_fault, line)] == [CERTAIN]


def test_a_line_that_only_begins_like_it():
    assert found(modem_fault, pending().log("Ready for more").hung_up()) == []


def test_a_start_that_the_modem_knows_nothing_of_is_somebody_elses_line():
    line = pending().log("Ready").add("phase", "questions ends", on="end", remembers=True)
    text = "a line says that the board restarted ('Ready'), but its modem had kept its settings"
    assert found(modem_fault, line) == [(Cause.UART_TROUBLE, CERTAIN, text, "Ready")]
    for asked in (
        pending().log("Ready").add("phase", "x", remembers=False),
        pending().add("phase", "x", remembers=True),
    ):
        assert [cause for cause, *_ in found(modem_fault, asked.log("Ready"))] == [Cause.MODEM_FAULT]


def test_a_modem_library_that_was_shut_down():
    line = pending().hung_up(110)
    text = "the board reports ESHUTDOWN: its modem library was shut down"
    assert found(modem_fault, line) == [(Cause.MODEM_FAULT, LIKELY, text, "closed")]
    assert found(modem_fault, pending().hung_up(111)) == []


def test_an_end_without_a_number_is_no_shut_down():
    line = pending().log("MQTT input error: -128")
    assert found(modem_fault, line) == []


# -- the cloud


REASONS = {
    "AUTH_ERROR": Cause.POLICY,
    "DUPLICATE_CLIENTID": Cause.DUPLICATE_CLIENT,
    "DUPLICATE_CLIENT_ID": Cause.DUPLICATE_CLIENT,
    "MQTT_KEEP_ALIVE_TIMEOUT": Cause.KEEP_ALIVE,
    "SERVER_ERROR": Cause.CLOUD_AWAY,
    "SERVER_INITIATED_DISCONNECT": Cause.CLOUD_AWAY,
    "THROTTLED": Cause.THROTTLED,
    "CLIENT_INITIATED_DISCONNECT": Cause.OWN_DISCONNECT,
}


@pytest.mark.parametrize(("reason", "cause"), REASONS.items())
def test_the_clouds_reason_counts_where_the_board_did_not_connect_again(reason, cause):
    text = f"the cloud gives the reason {reason}"
    assert found(cloud_reason, state(reason)) == [(cause, LIKELY, text, "")]
    line = refused().connect().cloud("", disconnectReason=reason)
    assert found(cloud_reason, line) == [(cause, POSSIBLE, text, "")]
    line = Line().cloud("", disconnectReason=reason)  # and no end in the window
    assert found(cloud_reason, line) == [(cause, POSSIBLE, text, "")]


def test_a_connection_before_the_end_or_after_the_reason_changes_nothing():
    line = Line().connect().hung_up().connect().hung_up().mqtt("suback").cloud("", disconnectReason="AUTH_ERROR")
    line.connect()
    assert [weight for _, weight, *_ in found(cloud_reason, line)] == [LIKELY]


def test_the_reason_that_was_read_last_is_the_clouds_word():
    line = (
        refused()
        .cloud("", disconnectReason="AUTH_ERROR")
        .cloud("disconnectReason: THROTTLED")
        .log("disconnectReason: SERVER_ERROR")
    )
    assert [text for _, _, text, _ in found(cloud_reason, line)] == ["the cloud gives the reason THROTTLED"]
    assert found(cloud_reason, refused().cloud("", disconnectReason="CLIENT_ERROR")) == []
    assert found(cloud_reason, refused()) == []


@pytest.mark.parametrize("text", ["observer lost: x", "the cloud went away", "the cloud's process died", "local cloud"])
@pytest.mark.parametrize(("after", "weight"), [(5.0, LIKELY), (5.5, POSSIBLE)])
def test_a_loss_on_the_clouds_side_counts_near_the_end(text, after, weight):
    line = Line().connect()
    line.now = 100.0
    line.hung_up(after=0.0).fault("something else").fault(text, after - 0.1, source="observer").fault(text)
    assert found(cloud_away, line) == [(Cause.CLOUD_AWAY, weight, f"on the cloud's side: {text}", text)]


def test_a_loss_on_the_clouds_side_before_the_end_counts_too():
    line = Line().connect().fault("observer lost").hung_up(after=4.0)
    assert [weight for _, weight, *_ in found(cloud_away, line)] == [LIKELY]
    line = Line().connect().fault("observer lost").hung_up(after=6.0)
    assert [weight for _, weight, *_ in found(cloud_away, line)] == [POSSIBLE]
    assert [weight for _, weight, *_ in found(cloud_away, Line().connect().fault("observer lost"))] == [POSSIBLE]


@pytest.mark.parametrize(
    ("line", "text", "shown"),
    [
        (lambda: Line().cloud("busy", status=500).cloud("GET", status=429), "the cloud answered HTTP 429", "GET"),
        (
            lambda: Line().mqtt("closed", result=3).mqtt("refused", result=5).mqtt("refused", result=3),
            "CONNACK 3: the server is unavailable",
            "refused",
        ),
        (
            lambda: pending().urc("+CGEV: APNRATECTRL STAT 1,0,0").hung_up(140),
            "the operator limits the rate (APN rate control)",
            "+CGEV: APNRATECTRL STAT 1,0,0",
        ),
        (lambda: pending().hung_up(140), "the operator limits the rate (APN rate control)", "closed"),
    ],
)
def test_who_asked_to_go_slower(line, text, shown):
    assert found(throttled, line()) == [(Cause.THROTTLED, LIKELY, text, shown)]


def test_an_answer_of_another_kind_is_no_throttling():
    assert found(throttled, pending().log("x").hung_up(128)) == []
    assert found(throttled, Line().add("step", "x", status=429).mqtt("refused", result=4)) == []
    assert diagnose(Line().cloud("a").cloud("b", status=429).events).findings[0].refs == (1,)


# -- who the board is


@pytest.mark.parametrize(
    ("code", "why"), [(1, "protocol"), (2, "client id"), (4, "user name or password"), (5, "not authorised")]
)
def test_a_connack_that_refuses_who_the_board_is(code, why):
    line = Line().mqtt("accepted").mqtt("closed", result=5).mqtt("refused", result=code).mqtt("refused", result=code)
    assert found(credential_refused, line) == [(Cause.CREDENTIAL_REFUSED, LIKELY, f"CONNACK {code}: {why}", "refused")]
    assert found(credential_refused, Line().mqtt("refused", result=3)) == []


@pytest.mark.parametrize(
    "text", ["x: Could not connect to nRF Cloud. err: -111", "x: NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: -9"]
)
def test_the_boards_log_of_credentials_that_are_missing(text):
    line = Line().log("x").log(text).log(text)
    said = (Cause.CREDENTIAL_REFUSED, LIKELY, f"the board's log of missing or refused credentials: {text!r}", text)
    assert found(credential_refused, line) == [said]


def test_a_connect_without_a_session_is_only_possible():
    text = "no TLS session: name, network, trust and key all look alike to the board"
    line = (
        Line().add("result", "no", command="AT+CFUN=1", ok=False).add("result", "yes", command="AT#XMQTTCON=1", ok=True)
    )
    assert found(credential_refused, line) == []
    line.add("result", "no").add("result", "ERROR", command='AT#XMQTTCON=1,"",""', ok=False)
    line.add("result", "again", command='AT#XMQTTCON=1,"",""', ok=False)
    assert found(credential_refused, line) == [(Cause.CREDENTIAL_REFUSED, POSSIBLE, text, "ERROR")]


# -- the policy


def test_a_close_before_the_answer_fits_the_policy():
    line = refused()
    sent = 'AT#XMQTTPUB="prod/t/a/x","x",1,0'
    text = f"the other side closed 0.2 s after {sent!r}, before answering it (ENOTCONN (128))"
    assert found(policy, line) == [(Cause.POLICY, POSSIBLE, text, sent, "closed")]


@pytest.mark.parametrize(("errno", "fits"), [(128, True), (113, True), (104, True), (111, False), (116, False)])
def test_only_a_close_by_the_other_side_fits_the_policy(errno, fits):
    assert bool(found(policy, pending().hung_up(errno))) is fits


def test_a_close_while_nothing_was_asked_for_does_not_fit():
    assert found(policy, Line().connect().publish().hung_up()) == []
    assert found(policy, pending()) == []


def test_a_close_before_connack_fits_the_policy_and_a_certificate_that_is_not_known():
    text = "the other side closed before CONNACK: the policy refuses the CONNECT, or the certificate is not known"
    assert found(policy, Line().tx("AT#XMQTTCON=1").hung_up()) == [
        (Cause.POLICY, POSSIBLE, text, "closed"),
        (Cause.CREDENTIAL_REFUSED, POSSIBLE, text, "closed"),
    ]
    assert found(policy, Line().hung_up()) == []


def test_an_experiment_is_proof_by_itself():
    line = refused().add("facts", "one", outcome="x").add("step", "no", one_in=2).add("facts", "proved", one_in=14_000)
    text = "an experiment showed it, with a chance of a coincidence below 1 in 14,000"
    assert found(policy, line) == [(Cause.POLICY, CERTAIN, text, "proved")]


def test_a_long_command_is_cut():
    line = Line().connect().publish("t" * 100, answered=False).hung_up()
    ((_, _, text, *_),) = found(policy, line)
    assert repr(('AT#XMQTTPUB="' + "t" * 100)[:80]) in text


# -- keep-alive


@pytest.mark.parametrize(
    ("silence", "named"),
    [(85.4, False), (85.6, True), (90.0, True), (94.4, True), (94.6, False)],
)
def test_one_and_a_half_keep_alives_of_silence(silence, named):
    line = Line().connect(60).publish(answered=False).hung_up(after=silence - 0.1)  # OK came after 0.1 s
    text = f"the connection ended after {silence:.0f} s of silence: 1.5 times its keep-alive of 60 s"
    assert found(keep_alive, line) == ([(Cause.KEEP_ALIVE, LIKELY, text, "closed")] if named else [])


def test_silence_counts_from_the_last_that_was_said():
    line = Line().connect(60).hung_up(after=90.0)  # nothing but CONNECT
    assert len(found(keep_alive, line)) == 1
    line = Line().connect(60).publish().urc("#XMQTTEVT: 9,0", after=60.0).hung_up(after=90.0)  # PINGRESP
    assert len(found(keep_alive, line)) == 1
    line = Line().connect(60).urc("#XMQTTEVT: 9,0", after=60.0).hung_up(after=30.0)
    assert found(keep_alive, line) == []
    line = Line().connect(60).publish().urc("#XMQTTEVT: 7,0", after=60.0).hung_up(after=30.0)  # SUBACK is no PINGRESP
    assert len(found(keep_alive, line)) == 1
    line = Line().connect(60).publish().hung_up(after=90.0).urc("#XMQTTEVT: 9,0")  # after the end
    assert len(found(keep_alive, line)) == 1


def test_the_keep_alive_that_was_configured_last_counts():
    line = (
        Line().connect(1200).urc("#XMQTTEVT: 1,0").log('AT#XMQTTCFG="x",1,1').connect(60).publish().hung_up(after=89.9)
    )
    (said,) = found(keep_alive, line)
    assert said[2].endswith("its keep-alive of 60 s")
    line = Line().mqtt("accepted").publish().hung_up(after=90.0)
    assert found(keep_alive, line) == []
    line = Line().connect(60).publish()
    assert found(keep_alive, line) == []


def test_a_ping_that_was_not_answered():
    line = pending().log("<err> mqtt: MQTT ping error: -128").log("MQTT ping error again").hung_up()
    shown = "<err> mqtt: MQTT ping error: -128"
    assert found(keep_alive, line) == [(Cause.KEEP_ALIVE, LIKELY, f"a ping was not answered: {shown!r}", shown)]


# -- messages that are too large


@pytest.mark.parametrize(
    ("errno", "name"), [(12, "ENOMEM"), (22, "EINVAL"), (77, "EBADMSG"), (122, "EMSGSIZE"), (139, "EOVERFLOW")]
)
def test_an_errno_of_a_reader_that_gave_up(errno, name):
    line = pending().mqtt("message", topic="t", size=3000).hung_up(errno)
    text = f"the board could not read what came: {name} ({errno})"
    assert found(inbound_too_large, line) == [(Cause.INBOUND_TOO_LARGE, LIKELY, text, "closed")]


def large(after=0.5, /, kind="message", **data):
    return Line().connect().mqtt(kind, 0.1, **data).hung_up(128, after=after)


@pytest.mark.parametrize("data", [{"size": 2000}, {"payload": "x" * 2000}])
def test_a_large_message_just_before_the_end(data):
    text = "a message of 2000 bytes arrived 0.5 s before the end"
    assert found(inbound_too_large, large(**data)) == [(Cause.INBOUND_TOO_LARGE, LIKELY, text, "message", "closed")]


@pytest.mark.parametrize("data", [{"size": 1999}, {"payload": "x" * 1999}, {}, {"kind": "other", "size": 3000}])
def test_a_message_that_is_small_enough(data):
    assert found(inbound_too_large, large(**data)) == []


def test_a_large_message_counts_two_seconds_long():
    def at(seconds):
        line = Line().connect()
        line.now = 10.0
        line.mqtt("message", 0.0, size=3000)
        line.now = 10.0 + seconds
        return found(inbound_too_large, line.mqtt("closed", 0.0, result=-128))

    assert len(at(2.0)) == 1
    assert len(at(0.0)) == 1
    assert at(2.5) == []
    after_the_end = Line().connect().hung_up().mqtt("message", size=3000)
    assert found(inbound_too_large, after_the_end) == []
    assert found(inbound_too_large, Line().connect().mqtt("message", size=3000)) == []
    other = Line().connect().log("x").add("step", "message", kind="message", size=3000).hung_up()
    assert found(inbound_too_large, other) == []


def test_the_first_large_message_is_named_once():
    line = Line().connect().mqtt("message", 0.1, size=100).mqtt("message", size=2500).mqtt("message", size=3000)
    assert [text for _, _, text, *_ in found(inbound_too_large, line.hung_up(128, after=0.3))] == [
        "a message of 2500 bytes arrived 0.4 s before the end"
    ]


# -- the UART


@pytest.mark.parametrize(
    "text",
    [
        "garbled: x",
        "the port had gone away",
        "it went away",
        "3 lines dropped",
        "overrun",
        "unplugged",
        "lines lost",
        "asked once more: x",
    ],
)
def test_a_complaint_of_the_ports_reader(text):
    line = refused().fault("fine").fault(text).fault(text)
    assert found(uart_trouble, line) == [(Cause.UART_TROUBLE, LIKELY, f"the UART: {text}", text)]
    assert found(uart_trouble, refused().fault(text, source="the observer")) == []


def test_an_end_whose_line_never_came():
    text = "the board says that it is not connected ('#XMQTTCON: 0'), and no line said that the connection ended"
    line = Line().connect().publish().log("#XMQTTCON: 0")
    assert found(uart_trouble, line) == [(Cause.UART_TROUBLE, LIKELY, text, "#XMQTTCON: 0")]
    assert found(uart_trouble, Line().connect().hung_up().log("#XMQTTCON: 0")) == []
    assert found(uart_trouble, Line().log("#XMQTTCON: 0").connect()) == []
    assert found(uart_trouble, Line().log("#XMQTTCON: 0")) == []
    assert found(uart_trouble, Line().tx("AT#XMQTTCON=1").log("#XMQTTCON: 0")) == []
    assert found(uart_trouble, Line().connect().log("#XMQTTCON: 1")) == []


def asked(command, *answer, final="OK"):
    """A question with the lines of its answer."""
    line = Line().tx("AT+CGMR").add("rx", "mfw", role="answer").add("result", "OK", ok=True, command="AT+CGMR")
    line.tx(command)
    for text in answer:
        line.add("rx", text, role="answer")
    return line.add("result", final, ok=final == "OK", command=command)


@pytest.mark.parametrize("command", ["AT#XMQTTCON?", "AT+CEREG?", "AT+CFUN?"])
def test_a_question_whose_answer_has_no_line_or_two(command):
    text = f"{command} was answered by 0 lines: the line of its answer got lost"
    assert found(uart_trouble, asked(command)) == [(Cause.UART_TROUBLE, LIKELY, text, "OK")]
    text = f"{command} was answered by 2 lines: the line of its answer came twice"
    assert found(uart_trouble, asked(command, "+X: 1", "+X: 1")) == [(Cause.UART_TROUBLE, LIKELY, text, "OK")]
    assert found(uart_trouble, asked(command, "+X: 1")) == []
    assert found(uart_trouble, asked(command, final="ERROR")) == []
    assert found(uart_trouble, asked("AT+CGPADDR")) == []


# -- the harness's or the test's mistakes


@pytest.mark.parametrize(
    ("command", "topic", "fault"),
    [
        ("PUB", "", "is an empty topic"),
        ("PUB", "a/#", "has a wildcard, which no topic of a PUBLISH may have"),
        ("pub", "a/+/b", "has a wildcard, which no topic of a PUBLISH may have"),
        ("SUB", "", "is an empty topic"),
        ("SUB", "#/a", "has a # that is not its last level"),
        ("SUB", "a/b#", "has a # that is not its last level"),
        ("SUB", "a+/b", "has a + that is not a whole level"),
        ("sub", "a/b+", "has a + that is not a whole level"),
        ("SUB", "a/#", None),
        ("SUB", "#", None),
        ("SUB", "+/a/+", None),
        ("PUB", "a/b", None),
    ],
)
def test_a_topic_that_mqtt_forbids(command, topic, fault):
    sent = f'AT#XMQTT{command}="{topic}",""'
    line = Line().connect().tx("AT").tx(sent).tx(sent.replace(topic or "never", "#+")).hung_up()
    said = found(misuse, line)
    if fault is None:
        assert [text for *_, text in said if sent in text] == []
    else:
        assert said == [(Cause.MISUSE, LIKELY, f"{topic!r} {fault}", sent)]


def test_two_operations_in_flight_at_the_end():
    line = Line().connect().publish("x").publish("y", answered=False).publish("z", answered=False).hung_up()
    text = "2 operations were in flight at the end: nobody can say which one it was"
    sent = [f'AT#XMQTTPUB="{topic}","x",1,0' for topic in "yz"]
    assert found(misuse, line) == [(Cause.MISUSE, POSSIBLE, text, *sent, "closed")]
    assert found(misuse, refused()) == []


# -- what shows only in many sessions


def over(diagnoser, run):
    return [(one.cause, one.weight, one.text, len(one.refs)) for one in diagnoser(Record(refused().events, run.events))]


def test_the_same_age_is_said_with_the_number_of_connections():
    run = run_of((60, 3, True), (61, 5, False), (59, 9, True))
    text = "3 connections ended at the age of 60 s, whatever was in flight"
    assert over(connection_limit, run) == [(Cause.CONNECTION_LIMIT, LIKELY, text, 3)]
    (one,) = connection_limit(Record([], run.events))
    assert [run.events[ref].text for ref in one.refs] == ["closed"] * 3


def test_two_connections_are_too_few():
    assert over(connection_limit, run_of((60, 3, True), (60, 5, False))) == []


def test_ages_may_spread_by_a_tenth():
    assert over(connection_limit, run_of((50, 3, True), (60, 5, False), (70, 9, True))) == []


@pytest.mark.parametrize(("age", "weight"), [(15.5, LIKELY), (14.5, POSSIBLE)])
def test_young_connections_may_be_a_second_client(age, weight):
    run = run_of((age, 3, True), (age, 5, False), (age, 9, True))
    assert [found[1] for found in over(connection_limit, run)] == [weight]


def test_the_same_packet_is_said_with_its_number():
    run = run_of((5, 2, True), (9, 2, True), (30, 2, True))
    text = "3 connections ended at the same packet (number 3), whatever it was"
    assert over(connection_limit, run) == [(Cause.CONNECTION_LIMIT, LIKELY, text, 3)]


def test_idle_connections_that_end_at_any_age_have_no_packet_in_common():
    assert over(connection_limit, run_of((5, 0, False), (9, 0, False), (30, 0, False))) == []
    run = run_of((5, 0, False), (9, 1, False), (30, 0, True))
    assert over(connection_limit, run) == []


def test_an_own_end_is_none_that_counts():
    run = run_of((60, 3, True), (60, 5, False))
    run.connect().publish()
    run.urc("#XMQTTEVT: 1,0", after=60.0)
    assert over(connection_limit, run) == []


def test_short_lives_are_said_with_their_average():
    run = run_of((2, 3, True), (3, 5, False), (4, 9, False))
    text = "3 connections ended 3 s after CONNACK on average, 2 of them while nothing was asked for"
    assert over(duplicate_client, run) == [(Cause.DUPLICATE_CLIENT, POSSIBLE, text, 3)]
    (one,) = duplicate_client(Record([], run.events))
    assert [run.events[ref].text for ref in one.refs] == ["closed"] * 3


@pytest.mark.parametrize(
    "lives",
    [
        [(2, 3, True), (3, 5, False)],  # too few
        [(2, 3, True), (3, 5, True), (4, 9, True)],  # something was asked for each time
        [(2, 3, False), (3, 5, False), (15.5, 9, False)],  # one lived longer than a client takes to come back
    ],
)
def test_other_lives_are_no_second_client(lives):
    assert over(duplicate_client, run_of(*lives)) == []


# -- sessions and the window


def sessions(line):
    return [
        (one.asked and one.asked.seq, one.opened and one.opened.seq, one.closed and one.closed.seq, len(one.sent))
        for one in Record(line.events).sessions
    ]


def test_a_session_lasts_from_its_command_to_its_end():
    line = Line().tx("AT#XMQTTCON=1").mqtt("accepted").publish().mqtt("closed").tx("AT#XMQTTCON=1").mqtt("closed")
    line.mqtt("accepted").mqtt("accepted").tx('at#xmqttsub="t"').mqtt("closed").tx("MQTT CONNECT")
    assert sessions(line) == [
        (0, 1, 6, 1),
        (7, None, 8, 0),
        (None, 9, None, 0),
        (None, 10, 12, 1),
        (13, None, None, 0),
    ]


def test_a_session_of_a_firmware_that_only_prints():
    line = Line().log("Connection to nRF Cloud ready").log("x").log("MQTT input error: -128").log("x")
    assert sessions(line) == [(None, 0, 2, 0)]
    record = Record(line.events)
    assert record.ended is record.sessions[0]
    assert record.hang_up is line.events[2]
    assert record.ended is not None
    assert record.ended.age == pytest.approx(0.2)
    assert found(inbound_too_large, Line().log("Connection to nRF Cloud ready").log("MQTT input error: 12")) != []


def test_nothing_is_no_session():
    assert sessions(Line().log("x").mqtt("suback")) == []
    assert Record([]).ended is None
    assert Record([]).hang_up is None
    assert Record([]).scope == []


def test_what_was_sent_and_what_was_answered():
    line = Line().connect().tx('AT#XMQTTPUB="t","x",0,1').tx('AT#XMQTTUNSUB="t"').mqtt("unsuback").tx('AT#XMQTTSUB="t"')
    line.add("result", "ERROR", command='AT#XMQTTSUB="t"', ok=False).add("result", "ERROR", command="AT", ok=False)
    line.tx('AT#XMQTTSUB="u"').add("result", "OK", command='AT#XMQTTSUB="u"', ok=True)
    (session,) = Record(line.events).sessions
    assert [event.text for event in session.sent] == ['AT#XMQTTUNSUB="t"', 'AT#XMQTTSUB="u"']
    assert [event.text for event in session.outstanding] == ['AT#XMQTTSUB="u"']
    assert session.age is None


def test_the_last_end_that_nobody_asked_for_is_the_one_in_question():
    line = Line().connect().hung_up().connect().hung_up().connect().urc("#XMQTTEVT: 1,0")
    record = Record(line.events)
    assert record.ended is record.sessions[1]


def test_the_window_is_the_session_and_ten_seconds_more():
    line = Line().log("before").connect().log("in it").hung_up()
    end = line.now
    line.log("at its end", 9.9).log("too late", 0.2)
    record = Record(line.events)
    assert [event.text for event in record.lines(Kind.RX)] == ["in it", "at its end"]
    assert line.now - end > 10.0
    assert record.first("i", Kind.RX, Kind.TX) is next(event for event in line.events if event.text == "in it")
    assert record.first("n it", Kind.RX) is None
    unopened = Line().log("before").tx("AT#XMQTTCON=1").hung_up()
    assert [event.text for event in Record(unopened.events).lines(Kind.RX)] == ["before"]
    assert [event.text for event in Record(Line().log("x").urc("y").tx("z").events).lines()] == ["x", "y"]


def test_the_runs_sessions_are_the_windows_where_no_run_is_known():
    run = run_of((5, 2, True), (9, 2, True))
    assert len(Record(refused().events, run.events).all_sessions) == 2
    assert len(Record(refused().events).all_sessions) == 1


# -- the diagnosis


def test_what_nobody_looked_at_is_named():
    assert diagnose([]).missing == (
        "the cloud's own reason was not read",
        "nothing was heard of the radio network",
        "the device's address was not asked for",
        "the firmware reports no MQTT events, only log lines",
    )
    line = refused().urc("+CGEV: x").log("+CGPADDR: 0").cloud("", disconnectReason="UNKNOWN")
    assert diagnose(line.events).missing == ()
    assert len(diagnose(refused().urc("+CEREG: 1").events).missing) == 2


def test_findings_are_sorted_by_weight_and_then_by_time():
    line = Line().connect().publish(answered=False).urc("+CGEV: NW DETACH").urc("#XMODEM: FAULT,1,2").hung_up(115)
    diagnosis = diagnose(line.events)
    assert [(one.cause, one.weight) for one in diagnosis.findings] == [
        (Cause.NETWORK_LOST, CERTAIN),
        (Cause.MODEM_FAULT, CERTAIN),
        (Cause.NETWORK_LOST, LIKELY),
    ]
    assert diagnosis.cause is Cause.NETWORK_LOST
    assert [one.weight for one in diagnosis.speaks_for] == [CERTAIN, LIKELY]


def test_a_second_certain_cause_takes_the_policy_out():
    line = refused()
    line.events.append(Event(len(line.events), line.now, Kind.FACTS, "trial", "x", {"one_in": 100}))
    assert diagnose(line.events).cause is Cause.POLICY
    assert diagnose(line.urc("Ready").events).cause is Cause.INCONCLUSIVE
    assert diagnose(state("AUTH_ERROR").events).cause is Cause.POLICY
    assert diagnose(state("AUTH_ERROR").fault("garbled").events).cause is Cause.INCONCLUSIVE


def test_a_command_whose_own_session_has_ended_did_not_end_the_next_connect():
    """The next one never came as far as CONNACK, so its window begins with the whole record."""
    line = Line().connect().tx("AT#XMQTTCON=0").urc("#XMQTTEVT: 1,0").tx("AT#XMQTTCON=1").hung_up()
    assert found(own_disconnect, line) == []
    line = Line().tx("AT#XMQTTCON=0").mqtt("suback").tx("AT#XMQTTCON=1").hung_up()
    assert len(found(own_disconnect, line)) == 1


def test_the_first_packet_of_each_idle_connection_is_none_that_they_have_in_common():
    run = run_of((5, 0, False), (9, 0, False), (30, 0, False))
    run.connect().publish("x", answered=False).hung_up(after=1.0)
    assert over(connection_limit, run) == []


def test_one_packet_a_connection_is_the_same_packet():
    run = run_of((5, 0, True), (9, 0, True), (30, 0, True))
    text = "3 connections ended at the same packet (number 1), whatever it was"
    assert over(connection_limit, run) == [(Cause.CONNECTION_LIMIT, LIKELY, text, 3)]


def test_an_end_in_the_log_has_the_number_that_the_log_gives():
    line = Line().log("Connection to nRF Cloud ready").log("MQTT input error: -12").log("x")
    assert [text for _, _, text, _ in found(inbound_too_large, line)] == [
        "the board could not read what came: ENOMEM (12)"
    ]


def test_an_answer_is_counted_by_its_event():
    line = Line().connect().publish()
    (session,) = Record(line.events).sessions
    assert [event.text for event in session.answers] == ["puback"]


def test_a_session_that_was_only_asked_for_or_only_sent_in_is_one():
    assert len(Record(Line().tx("AT#XMQTTCON=1").events).sessions) == 1
    assert len(Record(Line().tx('AT#XMQTTSUB="t",1').events).sessions) == 1
    assert len(Record(Line().connect().events).sessions) == 1
