"""What a board's answers mean for a night."""

from datetime import UTC, datetime

import pytest

from harness.lab.config import BoardConfig
from harness.lab.doctor.check import Status
from harness.lab.doctor.findings import judge
from harness.lab.doctor.known_firmware import known_trouble
from harness.lab.doctor.questions import QUESTIONS, Answers

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
GOOD = {
    "AT+CFUN?": ("+CFUN: 1",),
    "AT+CGMR": ("mfw_nrf91x1_2.0.2",),
    "AT+CGMM": ("nRF9151-LACA",),
    "AT%HWVERSION": ("%HWVERSION: nRF9151 LACA A1A",),
    "AT+CGSN=1": ('+CGSN: "352656100000000"',),
    "AT%XSIM?": ("%XSIM: 1",),
    "AT+CPIN?": ("+CPIN: READY",),
    "AT%XICCID": ("%XICCID: 8901234567012345678F",),
    "AT+CIMI": ("001010123456789",),
    "AT+CEREG?": ('+CEREG: 5,1,"0901","02024720",7',),
    "AT+CESQ": ("+CESQ: 99,99,255,255,11,54",),
    "AT+CGDCONT?": ('+CGDCONT: 0,"IP","ibasis.iot","10.0.0.2",0,0',),
    "AT+CGPADDR": ('+CGPADDR: 0,"10.0.0.2"',),
    "AT%XSYSTEMMODE?": ("%XSYSTEMMODE: 1,0,1,0",),
    "AT%XBANDLOCK?": ('%XBANDLOCK: 0,"0000"',),
    "AT+CPSMS?": ('+CPSMS: 0,,,"10101111","01101100"',),
    "AT+CEDRXS?": (),
    "AT+CCLK?": ('+CCLK: "26/11/27,13:00:10+04"',),
    "AT%CMNG=1": ('%CMNG: 4294967294,6,"A3CC"',),
}


def judged(board=None, *, firmware="Serial Modem 1.0.0", written=None, **changes):
    """Judge good answers with some changed (None: ERROR); return the results by id without "board."."""
    said = {**GOOD, **changes}
    answers = Answers(said, firmware, "/dev/ttyACM0")
    config = BoardConfig(name="dk-1", port="/dev/ttyACM0", **(board or {}))
    found = list(judge(config, answers, now=NOW, written=written or {}))
    assert {result.about for result in found} == {"dk-1"}
    return {result.id.removeprefix("board."): result for result in found}


def test_a_board_that_is_fit():
    found = judged()
    assert [each for each in found.values() if each.status is not Status.OK] == []
    assert found["sim"].text == "SIM …5678, IMSI …6789"  # no more of a person's numbers
    assert found["coverage"].text.endswith(", -87 dBm")


def test_every_question_only_reads():
    assert [command for command in QUESTIONS if "=" in command and command not in ("AT+CGSN=1", "AT%CMNG=1")] == []


def test_error_is_not_told_and_never_a_failure():
    found = judged(**dict.fromkeys(QUESTIONS))
    assert {each.status for id_, each in found.items() if id_ not in ("firmware", "imei")} == {Status.SKIPPED}


def test_a_modem_in_flight_mode_is_not_asked_about_sim_and_network():
    asleep = {"AT+CFUN?": ("+CFUN: 4",), "AT%XSIM?": ("%XSIM: 0",), "AT+CPIN?": None, "AT+CEREG?": ("+CEREG: 0,0",)}
    found = judged(**asleep)
    assert {found[id_].status for id_ in ("sim", "coverage")} == {Status.SKIPPED}
    assert found["sim"].text == "in flight mode or off: not asked"


@pytest.mark.parametrize(
    ("changes", "id_", "status", "text"),
    [
        ({"AT+CPIN?": ("+CPIN: SIM PIN",)}, "sim", Status.FAIL, "the SIM waits for SIM PIN"),
        ({"AT+CPIN?": ("+CPIN: SIM PUK",)}, "sim", Status.FAIL, "do not try PINs"),
        ({"AT+CPIN?": None, "AT%XSIM?": ("%XSIM: 0,3",)}, "sim", Status.FAIL, "no working SIM"),
        ({"AT+CEREG?": ("+CEREG: 5,90",)}, "coverage", Status.FAIL, "not registered"),
        ({"AT+CEREG?": ('+CEREG: 5,3,"002F","0012BEEF",7,0,13',)}, "coverage", Status.FAIL, "EMM cause 13"),
        ({"AT+CEREG?": ("+CEREG: 5,2",)}, "coverage", Status.WARN, "check antenna"),
        ({"AT+CESQ": ("+CESQ: 99,99,255,255,1,20",)}, "coverage", Status.WARN, "weak: -121 dBm"),
        ({"AT+CGPADDR": (), "AT+CGDCONT?": ('+CGDCONT: 0,"IP","wrong","",0,0',)}, "apn", Status.FAIL, "APN wrong"),
        ({"AT%XSYSTEMMODE?": ("%XSYSTEMMODE: 0,0,1,0",)}, "system-mode", Status.FAIL, "no network"),
        ({"AT%XBANDLOCK?": ('%XBANDLOCK: 1,"0100"',)}, "bands", Status.WARN, "locked"),
        ({"AT+CPSMS?": ('+CPSMS: 1,,,"10101111","01101100"',)}, "psm", Status.WARN, "PSM is requested"),
        ({"AT+CEDRXS?": ('+CEDRXS: 4,"0001"',)}, "edrx", Status.WARN, "eDRX is requested"),
        ({"AT+CCLK?": ('+CCLK: "26/11/27,12:00:10+04"',)}, "clock", Status.WARN, "3590 s off"),
        ({"AT+CGMR": ("mfw_nrf9160_1.2.1",)}, "modem-firmware", Status.WARN, "has no AT%KEYGEN"),
        ({"AT+CGSN=1": None}, "imei", Status.FAIL, "no IMEI"),
        ({"AT%CMNG=1": ('%CMNG: 16842753,0,"2C43"',)}, "store", Status.FAIL, "16842753 holds credentials"),
    ],
)
def test_each_fault_is_named_with_its_cure(changes, id_, status, text):
    found = judged(**changes)[id_]
    assert found.status is status
    assert text in found.text
    assert found.remedy
    others = [each for name, each in judged(**changes).items() if name != id_ and each.status is Status.FAIL]
    assert others == []


def test_what_the_run_sets_up_by_itself_is_no_fault():
    asleep = {"AT+CPSMS?": ('+CPSMS: 1,,,"10101111","01101100"',), "AT+CEDRXS?": ('+CEDRXS: 4,"0001"',)}
    locked = {"AT%XBANDLOCK?": ('%XBANDLOCK: "1000",""',), "AT+CPIN?": ("+CPIN: SIM PIN",)}
    found = judged({"psm": "off", "edrx": False, "bands": [4], "pin_env": "SIM_PIN"}, **asleep, **locked)
    assert {found[id_].status for id_ in ("psm", "edrx", "bands", "sim")} == {Status.OK}
    assert found["psm"].text == "PSM is requested, and the run switches it off"


def test_another_firmware_than_the_boards_file_says():
    assert judged(firmware=None)["firmware"].status is Status.FAIL


def test_credentials_of_our_own_or_adopted_ones_are_no_fault():
    held = {"AT%CMNG=1": ('%CMNG: 16842753,0,"2C43"', '%CMNG: 16842753,2,"2C43"', '%CMNG: 7,0,"AA"')}
    assert (
        judged(**held, written={16842753: {0, 2}})["store"].text == "3 items, of which 0 were not written by this lab"
    )
    assert judged({"adopt": True}, **held)["store"].status is Status.OK


@pytest.mark.parametrize("value", ['"26/13/41,12:00:10+04"', '"yesterday"', ""])
def test_a_clock_that_tells_no_time(value):
    assert judged(**{"AT+CCLK?": (f"+CCLK: {value}",)})["clock"].status is Status.SKIPPED


@pytest.mark.parametrize(
    ("firmware", "hardware", "trouble"),
    [
        ("mfw_nrf91x1_2.0.4", "", None),
        ("mfw_nrf9160_1.3.1", "", "cannot be relied on"),
        ("mfw_nrf9160_1.3.7", "nRF9160 SICA B0A", "revision 2"),
        ("mfw_nrf9160_1.3.7", "nRF9160 SICA B1A", None),
        ("something else", "", "not a version that is known"),
    ],
)
def test_known_trouble(firmware, hardware, trouble):
    found = known_trouble(firmware, hardware)
    assert found is None if trouble is None else trouble in (found or "")
