"""What a board with a fault answers, and that it recovers when the fault goes away."""

import pytest

from harness.settings import BoardFault
from tests.unit.virtual_board.bench import ERROR, NOON, OK, Bench, cme, info, urcs
from tests.unit.virtual_board.test_modem_credentials import AMAZON_ROOT


def faulty(*faults):
    bench = Bench(faults=faults)
    bench.ask("AT+CMEE=1")
    return bench


def test_no_sim():
    bench = faulty(BoardFault.NO_SIM)
    for subscription in ("+CEREG=5", "%XSIM=1", "+CSCON=1", "%MDMEV=1"):
        bench.ask("AT" + subscription)
    assert bench.ask("AT+CPIN?") == cme(13)  # the UICC is off
    assert bench.ask("AT+CFUN=1") == OK
    assert bench.advance(100) == urcs("%XSIM: 0", "+CEREG: 90")
    for command in ("AT+CPIN?", "AT+CIMI", "AT%XICCID", 'AT+CPINR="SIM PIN"'):
        assert bench.ask(command) == cme(10)
    assert bench.ask("AT%XSIM?") == info("%XSIM: 0")
    assert bench.ask("AT+CEREG?") == info("+CEREG: 5,90")
    assert bench.ask("AT%XMONITOR") == info("%XMONITOR: 90")
    assert bench.ask("AT+CGSN").endswith(OK)
    bench.type(b"AT+CFUN=4\r")
    assert bench.advance(1) == OK + urcs("+CEREG: 0")
    bench.faults.clear()
    bench.attach()
    assert bench.ask("AT+CEREG?").startswith(b'\r\n+CEREG: 5,1,"0001"')


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (1, "+CEREG: 3"),
        (2, '+CEREG: 3,"0001","00010101",7'),
        (3, '+CEREG: 3,"0001","00010101",7,0,13'),
        (4, '+CEREG: 3,"0001","00010101",7'),
        (5, '+CEREG: 3,"0001","00010101",7,0,13'),
    ],
)
def test_denied(level, text):
    bench = faulty(BoardFault.DENIED)
    bench.ask(f"AT+CEREG={level}")
    bench.ask("AT+CFUN=1")
    bench.advance(2)
    assert bench.advance(100) == urcs(text)
    assert bench.ask("AT+CEREG?") == info(text.replace(": ", f": {level},"))


def test_denied_leaves_no_connection():
    bench = faulty(BoardFault.DENIED)
    for subscription in ("+CSCON=1", "+CNEC=24", "+CGEREP=1"):
        bench.ask("AT" + subscription)
    bench.ask("AT+CFUN=1")
    assert bench.advance(100) == urcs("+CGEV: EXCE STATUS 0", "+CSCON: 1", "+CNEC_EMM: 13", "+CSCON: 0")
    assert bench.ask("AT+COPS?") == info("+COPS: 0")
    assert bench.ask("AT+COPS=?") == info('+COPS: (3,"","","00101",7)')
    assert bench.ask("AT+CGATT?") == info("+CGATT: 0")
    assert bench.ask("AT+CEER") == info('+CEER: "EMM 13"')
    assert bench.ask("AT+CGPADDR=0") == OK
    assert bench.ask('AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,1') == ERROR


def test_low_voltage():
    bench = faulty()
    bench.ask('AT%CMNG=0,1,4,"x"')
    bench.faults.add(BoardFault.LOW_VOLTAGE)
    for command in ('AT%CMNG=0,1,4,"y"', "AT%CMNG=3,1,4", "AT%KEYGEN=2,2,0", "AT%XSYSTEMMODE=1,1,0,0",
                    "AT%XFACTORYRESET=0", "AT%FEACONF=0,3,1"):  # fmt: skip
        assert bench.ask(command) == cme(528), command
    assert bench.ask("AT+CFUN=1") == ERROR
    assert bench.ask("AT+CFUN?") == info("+CFUN: 0")
    assert bench.ask("AT%CMNG=1,1,4").startswith(b"\r\n%CMNG: 1,4,")
    assert bench.ask("AT%XVBAT") == info("%XVBAT: 2900")
    bench.faults.clear()
    assert bench.ask("AT%CMNG=3,1,4") == OK
    assert bench.ask("AT%XVBAT") == info("%XVBAT: 3712")


def test_low_voltage_keeps_settings_out_of_the_memory():
    bench = faulty()
    bench.ask("AT%XSYSTEMMODE=0,1,0,2")
    bench.faults.add(BoardFault.LOW_VOLTAGE)
    bench.ask("AT#XRESET")
    bench.advance(5)
    assert bench.ask("AT%XSYSTEMMODE?") == info("%XSYSTEMMODE: 1,0,1,0")


def test_the_codes_only_show_when_asked_for():
    bench = Bench(faults=[BoardFault.LOW_VOLTAGE])
    assert bench.ask('AT%CMNG=0,1,4,"y"') == ERROR


def test_no_imei():
    bench = faulty(BoardFault.NO_IMEI)
    for command in ("AT+CGSN", "AT+CGSN=0", "AT+CGSN=1", "AT+CGSN=2", "AT+CFUN=1", "AT+CFUN=21"):
        assert bench.ask(command) == ERROR
    bench.ask("AT%MDMEV=1")
    assert bench.ask("AT+CFUN=1") == ERROR + urcs("%MDMEV: NO IMEI")
    assert bench.ask("AT+CFUN=4") == OK
    assert bench.ask("AT+CGMM") == info("nRF9151-LACA")


def test_a_full_store():
    bench = faulty(BoardFault.STORE_FULL)
    for command in ('AT%CMNG=0,1,4,"x"', "AT%KEYGEN=1,2,0", "AT%KEYGEN=1,8"):
        assert bench.ask(command) == cme(515)


def test_a_store_that_cannot_be_written():
    bench = faulty()
    bench.ask('AT%CMNG=0,1,4,"x"')
    bench.faults.add(BoardFault.STORAGE_ERROR)
    assert bench.ask('AT%CMNG=0,1,4,"y"') == cme(23)
    assert bench.ask("AT%CMNG=3,1,4") == cme(23)
    assert bench.ask("AT%KEYGEN=1,2,0") == cme(523)
    assert bench.ask("AT%CMNG=3,2,4") == cme(513)
    bench.faults.clear()
    assert bench.ask("AT%CMNG=3,1,4") == OK


def test_a_store_that_becomes_full_has_room_for_what_is_taken_out():
    bench = faulty()
    bench.ask('AT%CMNG=0,1,4,"0123456789"')
    bench.faults.add(BoardFault.STORE_FULL)
    assert bench.ask('AT%CMNG=0,1,4,"01234567890"') == cme(515)
    assert bench.ask('AT%CMNG=0,2,4,"0"') == cme(515)
    assert bench.ask("AT%CMNG=3,1,4") == OK
    assert bench.ask('AT%CMNG=0,2,4,"9876543210"') == OK
    assert bench.ask("AT%CMNG=0,1,4,0") == cme(515)


def test_the_network_does_not_tell_the_time():
    bench = faulty(BoardFault.CLOCK_UNKNOWN)
    bench.ask("AT%XTIME=1")
    bench.ask("AT+CFUN=1")
    assert bench.advance(100) == b""
    assert bench.ask("AT+CCLK?") == ERROR
    assert bench.ask("AT%JWT=0,60") == cme(525)
    assert bench.ask(f'AT+CCLK="{NOON:%y/%m/%d,%H:%M:%S}+00"') == OK
    assert bench.ask("AT%JWT=0,60").endswith(OK)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(BoardFault.NO_ROOM_FOR_CA, 0), (BoardFault.NO_ROOM_FOR_CERTIFICATE, 1), (BoardFault.NO_ROOM_FOR_KEY, 2)],
)
def test_no_room_for_one_entry(fault, kind):
    bench = faulty(fault)
    assert bench.ask("AT%KEYGEN=1,2,0").endswith(OK)
    content = {0: AMAZON_ROOT, 1: AMAZON_ROOT, 2: "any text"}
    for entry, text in content.items():
        expected = cme(515) if entry == kind else OK
        assert bench.ask(f'AT%CMNG=0,2,{entry},"{text}"') == expected
    bench.faults.clear()
    assert bench.ask(f'AT%CMNG=0,2,{kind},"{content[kind]}"') == OK
