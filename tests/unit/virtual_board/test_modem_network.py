import pytest

from tests.unit.virtual_board.bench import ERROR, OK, Bench, info


@pytest.mark.parametrize(
    ("command", "offline", "registered"),
    [
        ("AT+CEREG?", ("+CEREG: 0,4",), ("+CEREG: 0,1",)),
        ("AT+CSCON?", ("+CSCON: 0,0",), ("+CSCON: 0,1",)),
        ("AT+COPS?", ("+COPS: 0",), ('+COPS: 0,2,"00101",7',)),
        ("AT+CESQ", ("+CESQ: 99,99,255,255,255,255",), ("+CESQ: 99,99,255,255,11,54",)),
        ("AT+CSQ", ("+CSQ: 99,99",), ("+CSQ: 99,99",)),
        (
            "AT%XMONITOR",
            ("%XMONITOR: 4",),
            (
                '%XMONITOR: 1,"Test PLMN 1-1","Test1-1","00101","0001",7,20,"00010101",428,6300,54,22,"",'
                '"11100000","11100000","01001001"',
            ),
        ),
        ("AT%XCBAND", ("%XCBAND: 0",), ("%XCBAND: 20",)),
        ("AT+CGACT?", ("+CGACT: 0,0",), ("+CGACT: 0,1",)),
        ("AT+CIND?", ("+CIND: 0,0,0",), ("+CIND: 1,0,0",)),
        ("AT%XVBAT", ("%XVBAT: 3712",), ("%XVBAT: 3712",)),
        ("AT%XTEMP?", ("%XTEMP: 24",), ("%XTEMP: 24",)),
        ("AT+CEMODE?", ("+CEMODE: 2",), ("+CEMODE: 2",)),
        ("AT+CEREG=?", ("+CEREG: (0-5)",), ("+CEREG: (0-5)",)),
        ("AT+CGEREP?", ("+CGEREP: 0,0",), ("+CGEREP: 0,0",)),
        ("AT+CGEREP=?", ("+CGEREP: (0,1),(0)",), ("+CGEREP: (0,1),(0)",)),
        ("AT+CNEC?", ("+CNEC: 0",), ("+CNEC: 0",)),
        ("AT+CESQ=?", ("+CESQ: (99),(99),(255),(255),(0-34,255),(0-97,255)",), None),
        ("AT%XCBAND=?", ("%XCBAND: (1,2,3,4,5,8,12,13,18,19,20,25,26,28,66)",), None),
    ],
)
def test_what_is_shown_offline_and_registered(command, offline, registered):
    bench = Bench()
    assert bench.ask(command) == info(*offline)
    bench.attach()
    assert bench.ask(command) == info(*(registered or offline))


@pytest.mark.parametrize("command", ["+CEREG=6", "+CSCON=4", "+CNEC=1", "%MDMEV=3", "%XTIME=2", "%CESQ=2", "+CGEREP=2"])
def test_levels_that_do_not_exist(command):
    assert Bench().ask("AT" + command) == ERROR


def test_signalling_connection_levels():
    for level, text in ((1, "1,1"), (2, "2,1,7"), (3, "3,1,7,4")):
        bench = Bench()
        bench.ask(f"AT+CSCON={level}")
        bench.attach()
        assert bench.ask("AT+CSCON?") == info(f"+CSCON: {text}")
        bench.advance(20)
        assert bench.ask("AT+CSCON?") == info(f"+CSCON: {level},0")


def test_power_saving_mode():
    bench = Bench()
    assert bench.ask('AT+CPSMS=1,"","","10101111","01101100"') == OK
    assert bench.ask("AT+CPSMS?") == info('+CPSMS: 1,,,"10101111","01101100"')
    assert bench.ask('AT+CPSMS=1,,,"1010111","01101100"') == ERROR
    bench.ask("AT+CEREG=5")
    bench.attach()
    assert bench.ask("AT+CEREG?") == info('+CEREG: 5,1,"0001","00010101",7,,,"01101100","10101111"')
    assert bench.ask("AT+CPSMS=0") == OK


def test_edrx():
    bench = Bench()
    assert bench.ask("AT+CEDRXS?") == OK
    assert bench.ask('AT+CEDRXS=2,4,"0001"') == OK
    assert bench.ask("AT+CEDRXS?") == info('+CEDRXS: 4,"0001"')
    assert bench.ask('AT+CEDRXS=2,6,"0001"') == ERROR
    assert bench.ask('AT+CEDRXS=2,4,"001"') == ERROR
    assert bench.ask("AT+CEDRXS=?") == info('+CEDRXS: (0-3),(4-5),("0000"-"1111")')
    assert bench.ask("AT+CEDRXS=0") == OK
    assert bench.ask("AT+CEDRXS?") == OK


def test_pdn():
    bench = Bench()
    address = bench.core._modem.radio.address
    assert bench.ask("AT+CGDCONT?") == info('+CGDCONT: 0,"","","",0,0')
    assert bench.ask("AT+CGPADDR") == OK
    assert bench.ask("AT+CGPADDR=1") == ERROR
    assert bench.ask('AT+CGDCONT=0,"IP","iot.example"') == OK
    assert bench.ask('AT+CGDCONT=0,"XX","a"') == ERROR
    assert bench.ask("AT+CGACT=1,0") == ERROR
    bench.attach()
    assert bench.ask("AT+CGDCONT?") == info(f'+CGDCONT: 0,"IP","iot.example","{address}",0,0')
    assert bench.ask('AT+CGDCONT=0,"IP","late"') == ERROR
    assert bench.ask("AT+CGPADDR=0") == info(f'+CGPADDR: 0,"{address}"')
    assert bench.ask("AT+CGACT=1,0") == OK
    assert bench.ask("AT+CGACT=0,0") == ERROR


def test_the_clock_may_be_set_by_hand():
    bench = Bench()
    assert bench.ask("AT+CCLK?") == ERROR
    assert bench.ask('AT+CCLK="26/13/01,00:00:00+00"') == ERROR
    assert bench.ask('AT+CCLK="20/01/02,03:04:05+04"') == OK
    assert bench.ask("AT+CCLK?") == info('+CCLK: "20/01/02,02:04:05+00"')


def test_trace_and_modes():
    bench = Bench()
    assert bench.ask("AT%XMODEMTRACE=0") == OK
    assert bench.ask("AT%XMODEMTRACE=1,2") == OK
    assert bench.ask("AT%XMODEMTRACE=1,6") == ERROR
    assert bench.ask("AT%XMODEMTRACE=1") == ERROR
    assert bench.ask("AT+CEMODE=0") == OK
    assert bench.ask("AT+CEMODE?") == info("+CEMODE: 0")
    assert bench.ask("AT%XTEMP=1") == OK
    assert bench.ask("AT+CEER") == info('+CEER: ""')
