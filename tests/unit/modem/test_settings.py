"""What is written of a modem's settings, and what puts the former ones back."""

from contextlib import contextmanager

import pytest

from harness.at import AtError, AtFormatError
from harness.errors import LabError
from harness.modem.settings import WantedSettings, put_back, write_settings
from tests.unit.modem.scripted import ScriptedPort


class Memory:
    """A modem that keeps its settings; ``offline`` counts how often it was made inactive."""

    def __init__(self, **said):
        self.said = {
            "AT+CGDCONT?": ['+CGDCONT: 0,"IP","former.example","",0,0'],
            "AT%XSYSTEMMODE?": ["%XSYSTEMMODE: 1,0,1,2"],
            "AT%XBANDLOCK?": ['%XBANDLOCK: "",""'],
            "AT+CPSMS?": ['+CPSMS: 1,,,"10101111","01101100"'],
            "AT+CEDRXS?": ['+CEDRXS: 4,"0001"', '+CEDRXS: 5,"0010"'],
        } | said
        self.port = ScriptedPort(dict.fromkeys(self.said, self.answer), default=self.take)
        self.offline_times = 0
        self.kept = []  # key, commands, and how many had been written by then

    def answer(self, question):
        return [*self.said[question], "OK"]

    def take(self, command):
        name, _, value = command.partition("=")
        name = name.removeprefix("AT")
        if name == "%XBANDLOCK":
            value = f'"{value.partition(",")[2].strip(chr(34)).zfill(88)}",""'
        if command == "AT+CEDRXS=3":
            self.said["AT+CEDRXS?"] = []
        else:
            self.said[f"AT{name}?"] = [f"{name}: {value}"]
        return "OK"

    @contextmanager
    def offline(self):
        self.offline_times += 1
        yield

    def write(self, **wanted):
        """Return what puts the former values back, last change first."""
        before = len(self.kept)
        write_settings(self.port.as_port(), WantedSettings(**wanted), self.offline, lambda _text: None, self.keep)
        return tuple(command for _, commands, _ in reversed(self.kept[before:]) for command in commands)

    def keep(self, key, commands):
        self.kept.append((key, list(commands), len(self.written)))

    @property
    def written(self):
        return [command for command in self.port.sent if not command.endswith("?")]


@pytest.mark.parametrize(
    ("wanted", "written", "back"),
    [
        ({"apn": "iot.example"}, 'AT+CGDCONT=0,"IP","iot.example"', ['AT+CGDCONT=0,"IP","former.example"']),
        ({"system_mode": "nb-iot"}, "AT%XSYSTEMMODE=0,1,1,2", ["AT%XSYSTEMMODE=1,0,1,2"]),
        ({"system_mode": "lte-m+nb-iot"}, "AT%XSYSTEMMODE=1,1,1,2", ["AT%XSYSTEMMODE=1,0,1,2"]),
        ({"bands": (1, 4, 20)}, 'AT%XBANDLOCK=1,"10000000000000001001"', ["AT%XBANDLOCK=0"]),
        ({"psm": False}, "AT+CPSMS=0", ['AT+CPSMS=1,,,"10101111","01101100"']),
        ({"edrx": False}, "AT+CEDRXS=3", ['AT+CEDRXS=1,4,"0001"', 'AT+CEDRXS=1,5,"0010"']),
    ],
    ids=["apn", "system-mode", "both", "bands", "psm", "edrx"],
)
def test_what_differs_is_written_offline_and_once(wanted, written, back):
    memory = Memory()
    assert memory.write(**wanted) == tuple(back)
    assert memory.written == [written]
    assert memory.offline_times == 1
    assert memory.write(**wanted) == ()
    assert memory.written == [written]
    assert memory.offline_times == 1


def test_nothing_wanted_asks_nothing():
    memory = Memory()
    assert memory.write() == ()
    assert memory.port.sent == []


def test_the_last_change_is_put_back_first():
    memory = Memory()
    back = memory.write(apn="a", psm=False)
    assert back == ('AT+CPSMS=1,,,"10101111","01101100"', 'AT+CGDCONT=0,"IP","former.example"')
    before = len(memory.port.sent)
    put_back(memory.port.as_port(), back, memory.offline)
    assert memory.port.sent[before:] == list(back)
    put_back(memory.port.as_port(), (), memory.offline)
    assert memory.offline_times == 2


def test_an_attached_modem_tells_the_apn_of_the_network_and_is_asked_again_when_it_is_off():
    memory = Memory(**{"AT+CGDCONT?": ['+CGDCONT: 0,"IP","iot.example.mnc001.mcc001.gprs","10.0.0.2",0,0']})

    @contextmanager
    def offline():
        memory.said["AT+CGDCONT?"] = ['+CGDCONT: 0,"IP","iot.example","",0,0']
        yield

    memory.offline = offline
    assert memory.write(apn="IOT.example") == ()
    assert memory.written == []


@pytest.mark.parametrize("lines", [[], ['+CGDCONT: 0,"","","",0,0'], ['+CGDCONT: 1,"IP","other","",0,0']])
def test_an_apn_where_none_was_is_taken_away_again(lines):
    memory = Memory(**{"AT+CGDCONT?": lines})
    assert memory.write(apn="iot.example") == ("AT+CGDCONT=0",)
    assert memory.written == ['AT+CGDCONT=0,"IP","iot.example"']


def test_an_edrx_line_without_a_value_asks_for_nothing():
    assert Memory(**{"AT+CEDRXS?": ['+CEDRXS: 4,""']}).write(edrx=False) == ()


def test_what_the_modem_does_not_tell_is_not_written():
    memory = Memory()
    memory.port.answers["AT%XBANDLOCK?"] = "ERROR"
    with pytest.raises(LabError, match=r"does not report bands .* take it out"):
        memory.write(bands=(20,))
    assert memory.written == []


def test_a_setting_that_is_refused_or_not_taken_is_an_error_with_its_key():
    memory = Memory()
    memory.port.answers['AT+CGDCONT=0,"IP","a"'] = "+CME ERROR: 50"
    with pytest.raises(LabError, match=r"^board-1: apn: .*CME ERROR: 50.*; correct apn: in the boards file"):
        memory.write(apn="a")
    memory.port.answers["AT+CPSMS=0"] = "OK"
    with pytest.raises(LabError, match=r"AT\+CPSMS=0 was answered with OK and changed nothing"):
        memory.write(psm=False)


def test_what_puts_a_setting_back_is_kept_before_it_is_written():
    memory = Memory()
    memory.port.answers['AT%XBANDLOCK=1,"1"'] = "ERROR"
    with pytest.raises(LabError, match="bands"):
        memory.write(apn="a", bands=(1,))
    assert memory.kept == [
        ("apn", ['AT+CGDCONT=0,"IP","former.example"'], 0),
        ("bands", ["AT%XBANDLOCK=0"], 1),
    ]


def test_a_setting_that_is_not_taken_back_does_not_keep_the_others_changed():
    memory = Memory()
    memory.port.answers["AT%XBANDLOCK=0"] = "ERROR"
    with pytest.raises(AtError):
        put_back(memory.port.as_port(), ["AT%XBANDLOCK=0", "AT+CGDCONT=0"], memory.offline)
    assert memory.written == ["AT%XBANDLOCK=0", "AT+CGDCONT=0"]


@pytest.mark.parametrize("question", ["AT%XSYSTEMMODE?", "AT+CPSMS?", "AT%XBANDLOCK?"])
def test_an_answer_without_its_line_is_not_taken_for_another(question):
    memory = Memory(**{question: []})
    with pytest.raises(AtFormatError):
        memory.write(system_mode="lte-m", psm=False, bands=(1,))


def test_a_band_lock_without_a_mask_is_no_answer():
    memory = Memory(**{"AT%XBANDLOCK?": ["%XBANDLOCK: "]})
    with pytest.raises(AtFormatError, match="with a mask behind"):
        memory.write(bands=(1,))
    assert memory.written == []
