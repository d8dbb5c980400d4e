"""A firmware's own connection: what the harness does to it, and which of its lines it takes for an answer."""

import re
from typing import ClassVar

import pytest

from harness.at import PortSettings
from harness.errors import BoardLost, Misuse, NoAnswer
from harness.firmware import own_connection as module
from harness.firmware.cloud_library.cause import Timed
from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.facts import SampleFacts
from harness.firmware.cloud_library.watcher import CLASS, log_watch
from harness.firmware.own_connection import OwnConnection, OwnSetup
from harness.timeline import Kind, Timeline, now
from tests.fake import Fake

READY = "[00:00:01.000,000] <inf> cloud_connection: Connected to nRF Cloud"
KICK = "[00:00:01.100,000] <err> nrf_cloud_transport: MQTT input error: -128"
LOST = "Network connectivity lost!"
SHORT = 0.01
WAIT = 10.0


class Port(Fake):
    """Notes what it is told; ``says`` follows each command. ``at_shell``: it has a console."""

    name = "b"
    failure: BoardLost | None = None

    def __init__(self, says=None, *, at_shell=False):
        self.timeline = Timeline()
        self.settings = PortSettings(at_shell=at_shell)
        self.says = says or {}
        self.done = []
        self.waits = []
        self._watch = log_watch(self.name)

    def hear(self, *lines, source="b", kind=Kind.RX, **data):
        drafts = [(now(), kind, source, line, data) for line in lines]
        self.timeline.extend(self._watch(drafts) if source == self.name else drafts)

    def command(self, text, timeout=None):
        self.done.append((text, timeout))
        self.hear(*self.says.get(text, ()))

    def wait(self, match, *, since, timeout):
        self.waits.append(timeout)
        return self.timeline.wait(match, since=since, timeout=timeout)

    def wait_line(self, pattern, timeout, *, since):
        self.waited = timeout
        for event in self.timeline.since(since):
            if re.search(pattern, event.text):
                return event
        raise NoAnswer("no line")

    def last_heard(self):
        return "last heard: this"


class Console:
    """Plays the console on a port; ``typed``: what people typed and pressed there."""

    typed: ClassVar[list[object]] = []

    def __init__(self, port, *, press=None):
        self._port, self._press = port, press

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.typed.append("closed")

    def run(self, line):
        self.typed.append((self._port.name, line))
        self._port.hear(*self._port.says.get(line, ()))

    def press(self):
        self.typed.append((self._port.name, "the button"))
        self._press()


@pytest.fixture(autouse=True)
def console(monkeypatch):
    monkeypatch.setattr(Console, "typed", [])
    monkeypatch.setattr(module, "Console", Console)


def own(port, **setup):
    return OwnConnection(port, OwnSetup("a sample", SampleFacts(), **setup))


# -- what it is told


def test_any_firmware_is_made_to_connect_anew_by_its_network():
    port = Port()
    connection = own(port)
    connection.end()
    assert port.done == [("AT+CFUN=4", 60.0)]
    connection.begin()
    assert port.done[1:] == [("AT+CFUN=1", 60.0)]
    assert (connection.name, connection.last_heard()) == ("b", "last heard: this")


def test_the_network_comes_back_with_the_sims_pin_in_whatever_case():
    port = Port()
    done = []
    setup = OwnSetup("a sample", SampleFacts(), reconnect=("at+cfun=4", "at+cfun=1"))
    connection = OwnConnection(port, setup, switch_on=lambda: done.append("with PIN"))
    connection.end()
    connection.begin()
    assert ([text for text, _ in port.done], done) == (["at+cfun=4"], ["with PIN"])


def test_all_but_the_last_of_a_reconnect_ends_the_connection():
    port = Port()
    connection = own(port, reconnect=("AT+CFUN=4", "at%XCOEX=1", "AT#XRESET", "AT+CFUN=1"))
    connection.end()
    assert [text for text, _ in port.done] == ["AT+CFUN=4", "at%XCOEX=1", "AT#XRESET"]
    connection.begin()
    assert [text for text, _ in port.done[3:]] == ["AT+CFUN=1"]


def test_other_lines_are_typed_at_a_shell():
    port = Port(at_shell=True)
    connection = own(port, reconnect=("cloud disconnect", "cloud connect"))
    connection.end()
    connection.begin()
    assert Console.typed == [("b", "cloud disconnect"), "closed", ("b", "cloud connect"), "closed"]
    assert port.done == []


def test_without_a_shell_there_is_nowhere_to_type_them():
    with pytest.raises(Misuse) as caught:
        own(Port(), reconnect=("cloud disconnect", "x")).end()
    assert str(caught.value) == (
        "b: 'cloud disconnect' is no AT command, and a sample has no shell to type it at: correct firmware: in the"
        " boards file"
    )


@pytest.mark.parametrize(
    ("publish", "press", "can"), [(None, None, False), ("x", None, True), (None, lambda: None, True)]
)
def test_something_has_to_make_it_publish(publish, press, can):
    assert OwnSetup("a sample", SampleFacts(), publish=publish, press=press).can_publish is can


def test_a_line_makes_it_publish_what_is_asked():
    port = Port(at_shell=True)
    own(port, publish="send {payload} now {payload}").publish("7")
    assert Console.typed == [("b", "send 7 now 7"), "closed"]


def test_a_button_makes_it_publish():
    pressed = []
    own(Port(), press=lambda: pressed.append(1)).publish("7")
    assert (pressed, Console.typed) == ([1], [("b", "the button"), "closed"])


# -- what it says


@pytest.mark.parametrize("ended", [LOST, KICK, "<inf> cloud_connection: Disconnected from nRF Cloud"])
def test_the_end_of_a_connection_that_was_up_is_waited_for(ended, monkeypatch):
    monkeypatch.setattr(module, "_ENDING", WAIT)
    port = Port({"AT+CFUN=4": [ended]})
    connection = own(port)
    asked = []
    wait = connection.wait

    def noted(classes, *, since, timeout):
        asked.append((set(classes), [event.text for event in port.timeline.since(since)], timeout))
        return wait(classes, since=since, timeout=SHORT)

    port.hear(READY)
    assert connection.wait([LogClass.CONNECTED], since=0, timeout=WAIT)
    monkeypatch.setattr(connection, "wait", noted)
    connection.end()
    ((classes, told, timeout),) = asked
    assert classes == {LogClass.USER_DISCONNECT, LogClass.LINK_LOST, LogClass.KICKED}
    assert told[0] == ended
    assert timeout == WAIT
    connection.end()  # it is no longer up, whatever was heard
    assert len(asked) == 1


def test_the_end_of_a_connection_that_was_not_up_is_not_waited_for(monkeypatch):
    port = Port()
    connection = own(port)
    monkeypatch.setattr(connection, "wait", lambda *_, **__: pytest.fail("it was waited for"))
    connection.end()


def test_three_seconds_are_enough_for_what_it_says_of_its_end():
    assert module._ENDING == 3.0


def test_the_first_evidence_of_what_is_wanted_is_found_from_a_mark_on():
    port = Port()
    connection = own(port)
    port.hear(READY)
    mark = connection.mark()
    port.hear("nothing", KICK, READY)
    found = connection.wait([LogClass.CONNECTED], since=mark, timeout=WAIT)
    assert found is not None
    assert (found.data[CLASS], found.seq > mark) == (LogClass.CONNECTED, True)
    found = connection.wait([LogClass.CONNECTED, LogClass.KICKED], since=mark, timeout=WAIT)
    assert found is not None
    assert found.data[CLASS] == LogClass.KICKED
    assert port.waits == [WAIT, WAIT]


def test_another_boards_lines_are_none_of_its_own():
    port = Port()
    connection = own(port)
    port.timeline.extend(log_watch("c")([(now(), Kind.RX, "c", READY, {})]))
    assert connection.wait([LogClass.CONNECTED], since=0, timeout=SHORT) is None


def test_a_board_that_is_gone_ends_the_wait():
    port = Port()
    connection = own(port)
    port.failure = BoardLost("b: unplugged")
    port.hear("last words")
    for since in (0, connection.mark()):
        with pytest.raises(BoardLost, match="b: unplugged"):
            connection.wait([LogClass.CONNECTED], since=since, timeout=WAIT)
    assert port.waits == [0.0, 0.0]


def test_evidence_of_a_lost_board_counts():
    port = Port()
    connection = own(port)
    port.hear(READY)
    evidence = port.timeline.since()[-1]
    port.failure = BoardLost("b: unplugged")
    assert connection.wait([LogClass.CONNECTED], since=evidence.seq, timeout=WAIT) == evidence


def test_the_lines_that_it_said_by_itself():
    port = Port()
    connection = own(port)
    port.hear("before")
    mark = connection.mark()
    port.hear("one")
    port.hear("OK", role="final")
    port.hear("+CEREG: 1", kind=Kind.URC)
    port.hear("AT", kind=Kind.TX)
    port.hear("elsewhere", source="c")
    found = connection.lines(mark)
    assert [line.text for line in found] == ["one", "+CEREG: 1"]
    assert all(isinstance(line, Timed) for line in found)
    assert [line.t for line in found] == [
        event.t for event in port.timeline.since(mark) if event.text in ("one", "+CEREG: 1")
    ]


def test_a_text_is_looked_for_as_it_is_and_a_pattern_as_a_pattern():
    port = Port()
    connection = own(port)
    port.hear("a.b", "axb")
    mark = connection.mark()
    port.hear("axb", "a.b")
    assert connection.wait_line("a.b", since=mark, timeout=4.0) == "a.b"
    assert connection.wait_line(re.compile("a.b"), since=mark, timeout=4.0) == "axb"
    assert port.waited == 4.0
