"""``firmware: auto`` on a port that is played: what it is asked, what is made of it, and how the port is left."""

import sys
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue

import pytest

from harness.at import Answer, AtError, PortSettings, Terminator
from harness.at.syntax import FinalResult
from harness.errors import BoardLost, LabError, NoAnswer, Party
from harness.firmware import FIRMWARES, find_firmware
from harness.firmware.detection import BAUDS, Answering, NotAnswering, PortState, Question
from harness.firmware.find_firmware import FoundFirmware, NothingKnown, look, seen_sample
from harness.firmware.interface import Capability, Firmware
from harness.timeline import Kind, Timeline
from tests.fake import Fake

MODULE = sys.modules[FoundFirmware.__module__]  # the package gives its name to the function
SERIAL = {"AT#XSMVER": '#XSMVER: "1.0.0","3.2.1"'}
OK = b"OK\r\n"


class Clock:
    """Time passes only where somebody waits for bytes that do not come."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


class Heard:
    """What is overheard. ``get`` takes all the time that it is given where nothing comes."""

    def __init__(self, clock):
        self.clock = clock
        self.queue = SimpleQueue()
        self.waits = []

    def get(self, timeout):
        self.waits.append(timeout)
        if self.queue.empty():
            self.clock.now += timeout
        return self.queue.get_nowait()


class Port(Fake):
    """A board that ``answers(settings, data)`` what it is sent; ``knows`` these commands."""

    name = "b"
    failure = None

    def __init__(self, clock, answers, knows=None, before=()):
        self.settings = PortSettings(baudrate=9600, rtscts=True)
        self.timeline = Timeline()
        self.clock, self.answers, self.knows = clock, answers, knows or {}
        self.asked, self.adapted, self.synced = [], [], []
        self.heard = Heard(clock)
        for line in before:
            self.timeline.add(Kind.RX, "b", line)

    @contextmanager
    def overhear(self):
        yield self.heard

    def type_bytes(self, data):
        self.asked.append((self.settings.baudrate, data))
        for piece in self.answers(self.settings, data):
            self.heard.queue.put(piece)

    def adapt(self, settings):
        self.settings = settings
        self.adapted.append(settings)

    def sync(self, *, patience=0.0):
        self.synced.append((patience, self.settings))

    def command(self, text, timeout=None):
        if text not in self.knows:
            raise AtError(text, FinalResult("ERROR"))
        return Answer(text, (self.knows[text],), 0.0)

    def type_line(self, text):
        for line in self.knows.get(text, "cloud: command not found").splitlines():
            self.timeline.add(Kind.RX, self.name, line)

    def wait_line(self, pattern, timeout, *, since):
        return self.timeline.since(since)[-1]


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(MODULE.time, "monotonic", clock.monotonic)
    return clock


def at_host(baud=9600, ends=b"\r"):
    """Answer OK to AT at this speed where its terminator ends it."""
    return lambda settings, data: [OK] if settings.baudrate == baud and data.endswith(b"AT" + ends) else []


def shell(settings, data):
    """A shell says its prompt after each line."""
    return [b"\r\nuart:~$ "] if data.endswith(b"\r") else []


def silent(settings, data):
    return []


def test_what_answers_is_set_up_on_the_port_and_told(clock):
    port = Port(clock, at_host(), SERIAL)
    found = find_firmware(port)
    assert str(found) == ("Serial Modem 1.0.0 (firmware: serial-modem), AT commands that end with CR at 9600 baud")
    settings = port.settings
    assert (settings.baudrate, settings.terminator, settings.at_shell, settings.rtscts) == (
        *(9600, Terminator.CR, False, True),
    )
    assert (settings.framed, settings.queues) == (FIRMWARES["serial-modem"].framed, True)
    ((patience, asked_with),) = port.synced
    assert patience == 0.0
    frames = {name for kind in FIRMWARES.values() if not kind.at_shell for name in kind.framed}
    assert set(asked_with.framed) == frames != set()
    event = port.timeline.since()[-1]
    assert (event.kind, event.source, event.text) == (Kind.STEP, "b", f"found {found}")


def test_the_ports_own_speed_is_tried_first_and_each_other_once(clock):
    port = Port(clock, silent)
    port.settings = PortSettings(baudrate=460800)
    with pytest.raises(NothingKnown):
        find_firmware(port)
    bauds = list(dict.fromkeys(baud for baud, _ in port.asked))
    assert bauds == [460800, *(baud for baud in BAUDS if baud != 460800)]


def test_only_the_speeds_that_are_given_are_tried(clock):
    port = Port(clock, silent)
    with pytest.raises(NothingKnown):
        find_firmware(port, bauds=(57600,))
    assert {baud for baud, _ in port.asked} == {57600}


def test_the_speed_terminator_and_shell_that_were_found_are_kept(clock):
    port = Port(clock, at_host(57600, b"\r\n"), {"AT": ""})
    found = find_firmware(port, bauds=(57600,))
    assert (port.settings.baudrate, port.settings.terminator) == (57600, Terminator.CRLF)
    assert (port.settings.framed, port.settings.queues) == ({}, False)
    assert (found.kind, str(found.firmware)) == ("at-client", "AT client")
    assert found.firmware.capabilities == FIRMWARES["at-client"].capabilities
    port = Port(clock, shell, {"cloud": "cloud - commands"})
    found = find_firmware(port)
    assert port.settings.at_shell
    assert (found.kind, str(found.firmware)) == ("shell", "Modem Shell")
    ((_, asked_with),) = port.synced
    assert asked_with.framed == {}


def test_what_knows_no_command_of_its_own_is_what_it_answers_like(clock, monkeypatch):
    can = frozenset({Capability.AT, Capability.SOCKETS})
    kind = replace(FIRMWARES["at-client"], recognise=lambda _port: None, capabilities=can)
    monkeypatch.setitem(FIRMWARES, "at-client", kind)
    found = find_firmware(Port(clock, at_host(), {"AT": ""}))
    assert found.firmware == Firmware("AT client", capabilities=can)


def test_nothing_that_answers_leaves_the_port_as_it_was(clock):
    port = Port(clock, silent)
    before = port.settings
    with pytest.raises(NothingKnown) as caught:
        find_firmware(port)
    assert port.settings == before
    assert caught.value.state is PortState.SILENT
    assert str(caught.value).startswith("b: expected firmware that answers AT commands; the board answers nothing; is")
    assert isinstance(caught.value, NoAnswer)
    assert caught.value.party is Party.LAB
    assert port.synced == []


def test_a_busy_board_gets_its_time_and_is_asked_again(clock):
    port = Port(clock, silent, SERIAL)
    before = port.settings

    def sync(*, patience=0.0):
        port.synced.append((patience, port.settings))
        port.answers = at_host()

    port.sync = sync
    assert find_firmware(port, bauds=(57600, 9600), patience=70.0).kind == "serial-modem"
    assert port.synced[0] == (70.0, before)


def test_a_board_that_stays_silent_is_told_as_it_is(clock):
    port = Port(clock, silent)

    def sync(*, patience=0.0):
        port.synced.append(patience)
        raise NoAnswer("still nothing")

    port.sync = sync
    with pytest.raises(NothingKnown, match="answers nothing"):
        find_firmware(port, patience=70.0)
    assert port.synced == [70.0]


def test_who_speaks_is_not_busy(clock):
    port = Port(clock, lambda settings, data: [b"<inf> app: no shell here\r\n"])
    with pytest.raises(NothingKnown) as caught:
        find_firmware(port, patience=70.0)
    assert caught.value.state is PortState.LOG
    assert port.synced == []


# -- one question


def test_a_question_is_asked_at_its_speed_and_listened_for_as_long_as_it_says(clock):
    port = Port(clock, silent)
    assert look(port, (9600,)) == NotAnswering(PortState.SILENT)
    assert port.adapted == []
    assert port.heard.waits[0] == pytest.approx(0.1)
    assert clock.now - 100.0 == pytest.approx(sum(port.heard.waits))
    look(port, (57600,))
    (changed,) = port.adapted
    assert changed == replace(PortSettings(rtscts=True), baudrate=57600)


def test_all_questions_together_have_three_seconds(clock):
    port = Port(clock, lambda settings, data: [b"\x01"])
    look(port, BAUDS)
    assert 2.0 < clock.now - 100.0 <= 3.0
    many = Port(clock, silent)
    began = clock.now
    look(many, BAUDS * 20)
    assert clock.now - began == pytest.approx(3.0)
    asked = len(many.asked)
    assert len({baud for baud, _ in many.asked}) == len(BAUDS)
    assert asked < 40


def test_an_answer_in_pieces_is_heard_and_ends_the_listening(clock):
    port = Port(clock, lambda settings, data: [b"O", b"K", b"\r\n", b"late"] if data == b"AT\r" else [])
    found = look(port, (9600,))
    assert found == Answering(9600, Terminator.CR)
    assert not port.heard.queue.empty()


def test_a_prompt_ends_the_listening_too(clock):
    port = Port(clock, shell)
    assert look(port, (9600,)) == Answering(9600, Terminator.CR, "uart")


def test_a_question_without_data_only_listens(clock):
    port = Port(clock, silent)
    port.heard.queue.put(b"late ")
    port.heard.queue.put(b"answer")
    assert MODULE._asked(port, port.heard, Question(9600, b"", 0.25), clock.now + 3.0) == b"late answer"
    assert port.asked == []
    assert clock.now == pytest.approx(100.25)
    assert MODULE._asked(port, port.heard, Question(9600, b"AT", 0.25), clock.now + 0.1) == b""
    assert clock.now == pytest.approx(100.35)
    assert MODULE._asked(port, port.heard, Question(9600, b"AT", 0.25), clock.now) == b""
    assert len(port.asked) == 1


def test_a_megabyte_of_answers_ends_with_its_time(clock):
    """An answer behind it would be one of many: what it says is looked through once, at the end."""
    port = Port(clock, silent)
    for piece in (b"x" * ((1 << 20) - 6), b"\r\n" + OK, b"more"):
        port.heard.queue.put(piece)
    heard = MODULE._asked(port, port.heard, Question(9600, b"", 0.25), clock.now + 3.0)
    assert heard.endswith(b"OK\r\nmore")
    for piece in (b"x" * ((1 << 20) - 7), b"\r\n" + OK, b"more"):
        port.heard.queue.put(piece)
    assert MODULE._asked(port, port.heard, Question(9600, b"", 0.25), clock.now + 3.0).endswith(OK)


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [(BoardLost("b: unplugged"), BoardLost, "b: unplugged"), (None, LabError, "b: the port failed")],
)
def test_a_port_that_fails_is_said(clock, failure, kind, said):
    port = Port(clock, lambda settings, data: [None])
    port.failure = failure
    with pytest.raises(kind) as caught:
        look(port, (9600,))
    assert str(caught.value) == said


# -- what a log shows


@pytest.mark.parametrize(
    ("lines", "sample"),
    [
        ([], None),
        (["hello"], None),
        (["[0] <inf> nrf_cloud_multi_service: up"], "nrf_cloud_multi_service"),
        (["[0] <inf> nrf_cloud_multi_service: up", "[0] <inf> nrf_cloud_mqtt_device_message: up"], "..."),
        (["[0] <inf> nrf_cloud: up"], "..."),
        (["[0] <inf> nrf_cloud_transport: up"], "..."),
        (["[0] <inf> cloud_connection: up"], "..."),
        (["[0] <inf> cloud_module: up"], "..."),
        (["[0] <inf> mqtt_helper: up"], "..."),
        (["NRF_CLOUD_EVT_READY"], "..."),
        (["nrf_cloud: without a level"], None),
    ],
)
def test_a_cloud_librarys_log_shows_its_sample(clock, lines, sample):
    port = Port(clock, silent, before=lines)
    for source, kind in (("c", Kind.RX), ("b", Kind.TX)):
        port.timeline.add(kind, source, "[0] <inf> nrf_cloud_multi_service: up")
    assert seen_sample(port) == sample


def test_whose_log_is_a_cloud_librarys_is_told_what_to_say(clock):
    port = Port(clock, at_host(), {"AT": ""}, before=["[0] <inf> nrf_cloud_multi_service: up"])
    find_firmware(port)
    step = port.timeline.since()[-2]
    assert (step.kind, step.source, step.text) == (
        *(Kind.STEP, "b"),
        "its log is a cloud library's: say firmware: {kind: cloud-library, sample: nrf_cloud_multi_service} in the"
        " boards file, and its own connection is tested too",
    )
    assert str(port.timeline.since()[-1].text).startswith("found AT client")
    quiet = Port(clock, at_host(), {"AT": ""})
    find_firmware(quiet)
    assert [event.kind for event in quiet.timeline.since()].count(Kind.STEP) == 1


def test_found_firmware_says_all_that_was_found():
    kind = FIRMWARES["at-client"]
    found = FoundFirmware(kind.name, Firmware("X", "2"), Answering(9600, Terminator.CR, "uart"))
    assert str(found) == "X 2 (firmware: at-client), a shell (uart:~$) at 9600 baud"
