"""Which driver a board gets, and what is said when it runs another firmware than the boards file says."""

import re

import pytest

from harness.at import Answer, AtError, PortSettings
from harness.at.syntax import FinalResult
from harness.errors import LabError, Misuse, NoAnswer
from harness.firmware import (
    FIRMWARES,
    Capability,
    Firmware,
    WrongFirmware,
    open_firmware,
    port_settings,
    reset_blindly,
    synchronise,
)
from harness.firmware.cloud_library.facts import SampleFacts
from harness.firmware.detect import set_up
from harness.firmware.own_connection import OwnSetup
from harness.firmware.serial_modem.driver import SerialModem
from harness.firmware.without_mqtt import WithoutMqtt
from harness.timeline import Kind, Timeline
from tests.fake import Fake


class Port(Fake):
    """A port that knows the commands of ``answers`` and, when synchronised, hears ``lines`` in place of an answer.

    ``ends``: the only terminator that its board takes. ``busy``: answers nothing to who has no patience.
    """

    name = "dk1"
    settings = PortSettings()

    def __init__(self, answers=None, lines=None, before=(), ends=None, busy=False):
        self.answers = answers or {}
        self.lines = lines
        self.ends = ends
        self.busy = busy
        self.patience = []
        self.tried = ["\r"]
        self.sent = []
        self.timeline = Timeline()
        self.hear(before)

    def hear(self, lines):
        for line in lines:
            self.timeline.add(Kind.RX, self.name, line)

    def sync(self, *, patience=0.0):
        self.timeline.add(Kind.TX, self.name, "AT+CMEE?")
        self.patience.append(patience)
        if self.busy and (not patience or self.tried[-1] != self.tried[0]):
            raise NoAnswer("dk1: no answer to AT commands in 4 tries")
        if self.lines is not None and self.tried[-1] != self.ends:
            self.hear(self.lines)
            raise NoAnswer("dk1: no answer to AT commands in 4 tries")

    def end_commands_with(self, terminator):
        self.tried.append(terminator)

    def command(self, text, timeout=None):
        self.sent.append(text)
        if text not in self.answers:
            raise AtError(text, FinalResult("ERROR"))
        return Answer(text, (self.answers[text],), 0.0)

    def watch(self, watch):
        self.watched = True

    def type_line(self, text):
        self.sent.append(text)

    def wait_line(self, pattern, timeout, *, since):
        raise NoAnswer("dk1: no line")


SERIAL = {"AT#XSMVER": '#XSMVER: "1.0.0","3.2.1"'}
OLD_SERIAL = {"AT#XSLMVER": '#XSLMVER: "2.9.0","2.0.2"'}
NOT_FOUND = ["AT+CMEE?", "AT+CMEE?: command not found"]


@pytest.mark.parametrize(
    ("firmware", "answers", "driver", "product"),
    [
        ("serial-modem", SERIAL, SerialModem, "Serial Modem 1.0.0"),
        ("serial-modem", OLD_SERIAL, SerialModem, "Serial LTE Modem of NCS 2.9.0"),
        ("at-client", {}, WithoutMqtt, "AT client"),
        ("shell", {}, WithoutMqtt, "AT shell"),
    ],
)
def test_each_firmware_has_its_driver(firmware, answers, driver, product):
    port = Port(answers)
    found = open_firmware(port, firmware)
    assert (type(found), str(found.firmware)) == (driver, product)
    has_mqtt = driver is SerialModem
    assert (found.firmware.lacks(Capability.MQTT) is None, hasattr(port, "watched")) == (has_mqtt, has_mqtt)
    assert found.firmware.capabilities == FIRMWARES[firmware].capabilities


@pytest.mark.parametrize(("answers", "name"), [(SERIAL, "serial-modem"), (OLD_SERIAL, "slm")])
def test_a_serial_modem_is_no_at_client(answers, name):
    with pytest.raises(WrongFirmware, match=rf"dk1: the board runs Serial .*, not the AT client.*\({name}\)"):
        open_firmware(Port(answers), "at-client")


def test_others_are_refused_in_whatever_order_they_are_registered(monkeypatch):
    monkeypatch.setattr("harness.firmware.detect.FIRMWARES", dict(reversed(FIRMWARES.items())))
    with pytest.raises(WrongFirmware, match=r"dk1: the board runs Serial .*, not the AT client"):
        open_firmware(Port(SERIAL), "at-client")


def test_an_at_client_is_no_serial_modem():
    with pytest.raises(WrongFirmware, match=r"does not run Serial Modem.*\(at-client, cloud-library\?\)"):
        open_firmware(Port(), "serial-modem")


@pytest.mark.parametrize("firmware", ["serial-modem", "at-client"])
def test_a_shell_where_none_is_expected(firmware):
    with pytest.raises(
        WrongFirmware, match=rf"a shell answers here .*, not {firmware}: say 'firmware: shell'"
    ) as caught:
        synchronise(Port(lines=NOT_FOUND), firmware)
    assert isinstance(caught.value, LabError)
    assert isinstance(caught.value.__cause__, NoAnswer)


@pytest.mark.parametrize("lines", [["ERROR"] * 4, ["+CME ERROR: 0", "ERROR"]])
def test_no_shell_where_one_is_expected(lines):
    with pytest.raises(
        WrongFirmware, match=r"no shell around them: say 'firmware: at-client' or .*'firmware: serial-modem'"
    ):
        synchronise(Port(lines=lines), "shell")


def test_a_shell_without_at_commands():
    with pytest.raises(WrongFirmware) as caught:
        synchronise(Port(lines=["at: command not found"]), "shell")
    assert str(caught.value) == (
        "dk1: its shell does not know the command at ('at: command not found'): "
        "build the firmware with CONFIG_AT_SHELL, or flash Modem Shell"
    )


@pytest.mark.parametrize("firmware", FIRMWARES)
@pytest.mark.parametrize("lines", [[], ["\ufffd\ufffd"], ["ERROR", "boot: done"]])
def test_silence_and_noise_stay_what_they_are(firmware, lines):
    with pytest.raises(NoAnswer, match="in 4 tries"):
        synchronise(Port(lines=lines), firmware)


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\0"])
def test_an_at_client_may_want_another_terminator(ends):
    port = Port(lines=[], ends=ends)
    synchronise(port, "at-client")
    assert port.tried[-1] == ends
    [(source, step)] = [(event.source, event.text) for event in port.timeline.since(0) if event.kind is Kind.STEP]
    assert source == "dk1"
    assert step.startswith("commands end with ")


@pytest.mark.parametrize(
    ("firmware", "tried"),
    [("at-client", ["\r", "\r\n", "\n", "\0", "\r"]), ("serial-modem", ["\r"]), ("shell", ["\r"])],
)
def test_only_the_at_clients_terminator_is_sought(firmware, tried):
    port = Port(lines=[])
    with pytest.raises(NoAnswer):
        synchronise(port, firmware)
    assert port.tried == tried


@pytest.mark.parametrize("firmware", FIRMWARES)
def test_a_busy_board_is_waited_for_whatever_ends_its_commands(firmware):
    port = Port(busy=True)
    port.tried = [FIRMWARES[firmware].terminator]
    synchronise(port, firmware, patience=70.0)
    assert [seconds for seconds in port.patience if seconds] == [70.0]
    assert port.tried[-1] == FIRMWARES[firmware].terminator


@pytest.mark.parametrize(
    ("firmware", "patience"), [("at-client", [0.0, 0.0, 0.0, 0.0, 9.0]), ("serial-modem", [9.0]), ("shell", [9.0])]
)
def test_patience_is_spent_once_where_no_other_terminator_can_be_it(firmware, patience):
    port = Port(lines=[])
    with pytest.raises(NoAnswer):
        synchronise(port, firmware, patience=9.0)
    assert port.patience == patience
    hasty = Port()
    synchronise(hasty, firmware)
    assert hasty.patience == [0.0]


def test_what_was_heard_before_does_not_count():
    with pytest.raises(NoAnswer, match="in 4 tries"):
        synchronise(Port(lines=[], before=NOT_FOUND), "at-client")


@pytest.mark.parametrize("firmware", FIRMWARES)
def test_a_board_that_answers_is_in_step(firmware):
    port = Port()
    synchronise(port, firmware)
    assert [event.kind for event in port.timeline.since(0)] == [Kind.TX]


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("publish", [None, "publish"])
def test_what_firmware_can_do_depends_on_how_it_is_built_and_set_up(pairs, publish):
    found = Firmware("an application", "1.0", frozenset({Capability.AT, Capability.OWN_CONNECTION}))
    setup = OwnSetup("a sample", SampleFacts(pairs=pairs), publish=publish)
    more = {Capability.PAIRING} if pairs else set()
    more |= {Capability.OWN_PUBLISH} if publish else set()
    assert set_up(found, setup) == Firmware("a sample", "1.0", found.capabilities | more)


class Restarting(Port):
    """Takes what is shouted at it, and says that it has started, as it is told to."""

    def shout(self, *texts):
        self.sent += texts
        self.hear(["Ready"])

    def wait_line(self, pattern, timeout, *, since=None):
        self.waited = pattern, timeout > 0
        return next(event for event in self.timeline.since(since) if re.search(pattern, event.text))


def test_a_board_that_answers_nothing_is_told_to_restart_with_its_radio_off():
    port = Restarting(before=["Ready"])
    assert reset_blindly(port, "serial-modem")
    assert port.sent == ["AT+CFUN=0", "AT#XRESET"]
    assert port.waited[1]


@pytest.mark.parametrize("firmware", ["at-client", "cloud-library"])
def test_firmware_without_a_command_for_it_is_told_nothing(firmware):
    """Of cloud-library it is known how it shows a start, and not what would make it start."""
    port = Restarting()
    assert not reset_blindly(port, firmware)
    assert port.sent == []


def test_settings_of_the_port():
    assert port_settings("shell", baudrate=9600, rtscts=True).at_shell
    assert port_settings("shell", baudrate=9600, rtscts=True).baudrate == 9600
    assert port_settings("shell", rtscts=True).rtscts
    usual = port_settings("at-client")
    assert (usual.baudrate, usual.rtscts, usual.at_shell, usual.terminator) == (115200, False, False, "\r")
    assert port_settings("at-client", at_shell=True).at_shell
    assert port_settings("slm").terminator == "\r\n"
    assert port_settings("at-client").framed == {}
    assert set(port_settings("serial-modem").framed) == {"#XMQTTMSG", "#XRECV", "#XTCPDATA", "#XHTTPCDATA"}


def test_serial_modem_and_its_kin_keep_what_is_sent_while_they_work():
    keep = {kind.name for kind in FIRMWARES.values() if port_settings(kind.name).queues}
    assert keep == {"serial-modem", "raw-sockets", "slm", "slm-sockets", "slm-tcp-client"}


def test_an_unknown_name_is_the_callers_mistake():
    for call in (
        lambda: port_settings("no-such"),
        lambda: open_firmware(Port(), "no-such"),
        lambda: synchronise(Port(), "no-such"),
    ):
        with pytest.raises(Misuse, match="'no-such' is not known; known: at-client, "):
            call()


CLOUD = "cloud-library"
READY = "[00:00:01.000,000] <inf> cloud_connection: Connected to nRF Cloud"


class Watched(Port):
    """Keeps what is to watch its lines."""

    def watch(self, watch):
        self.watcher = watch


def test_the_log_of_firmware_that_connects_by_itself_is_read():
    port = Watched()
    open_firmware(port, CLOUD)
    line = (1.0, Kind.RX, "dk1", READY, {})
    found = port.watcher([line])
    assert found[0] == line
    assert [draft[2] for draft in found] == ["dk1", "dk1"]
    assert found[1][4]["class"] == "connected"


def test_the_log_of_a_shell_without_a_connection_is_not():
    port = Watched()
    open_firmware(port, "shell")
    assert not hasattr(port, "watcher")


def test_what_the_boards_file_says_of_its_own_connection_counts_where_it_has_one():
    setup = OwnSetup("a sample", SampleFacts(pairs=True), publish="x")
    made = open_firmware(Watched(), CLOUD, setup=setup)
    assert made.firmware == Firmware(
        "a sample", "", FIRMWARES[CLOUD].capabilities | {Capability.PAIRING, Capability.OWN_PUBLISH}
    )
    assert str(open_firmware(Watched(), CLOUD).firmware) == "Cloud library firmware"
    assert str(open_firmware(Watched(), "shell", setup=setup).firmware) == "AT shell"
    assert str(open_firmware(Port(SERIAL), "serial-modem", setup=setup).firmware) == "Serial Modem 1.0.0"
