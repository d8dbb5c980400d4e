import pytest

from tests.unit.virtual_board.bench import ERROR, OK, Bench, cme, info, urcs


def test_modes():
    bench = Bench()
    assert bench.ask("AT+CFUN?") == info("+CFUN: 0")
    assert bench.ask("AT+CFUN=?") == info("+CFUN: (0,1,2,4,20,21,30,31,40,41,44)")
    for mode in ("3", "5", "45", "-1", '"1"', "", "1,1"):
        assert bench.ask(f"AT+CFUN={mode}") == ERROR


@pytest.mark.parametrize(
    ("sequence", "shown"),
    [
        ((4,), 4),
        ((44,), 44),
        ((1,), 1),
        ((1, 0), 0),
        ((21,), 1),
        ((1, 20), 31),
        ((31,), 31),
        ((31, 30), 4),
        ((41,), 41),
    ],
)
def test_mode_that_is_shown(sequence, shown):
    bench = Bench()
    for mode in sequence:
        assert bench.ask(f"AT+CFUN={mode}") == OK
    assert bench.ask("AT+CFUN?") == info(f"+CFUN: {shown}")


def test_the_same_mode_again_has_no_effect():
    bench = Bench()
    bench.ask("AT+CEREG=1")
    bench.attach()
    assert bench.ask("AT+CFUN=1") == OK
    assert bench.advance(10) == b""


def test_attach_as_recorded():
    bench = Bench()
    for subscription in (
        "+CEREG=5",
        "+CSCON=1",
        "+CGEREP=1",
        "+CNEC=24",
        "%MDMEV=2",
        "+CIND=1,1,1",
        "%CESQ=1",
        "%XTIME=1",
    ):
        assert bench.ask("AT" + subscription) == OK
    start = bench.time
    assert bench.ask("AT+CFUN=1") == OK
    assert bench.time - start == pytest.approx(0.033)
    assert bench.advance(1.1) == b""
    assert bench.advance(0.1) == urcs(
        "+CGEV: EXCE STATUS 0", "%MDMEV: SEARCH STATUS 1", '+CEREG: 2,"0001","00010101",7'
    )
    assert bench.ask("AT+CEREG?") == info('+CEREG: 5,2,"0001","00010101",7')
    assert bench.ask("AT+CCLK?") == ERROR
    assert bench.advance(0.6) == urcs("%CESQ: 56,2,17,2", "%CESQ: 54,2,11,1")
    assert bench.advance(0.5) == urcs("%MDMEV: PRACH CE-LEVEL 0", "+CSCON: 1")
    assert bench.advance(1.7) == urcs(
        "+CGEV: ME PDN ACT 0,0",
        "+CNEC_ESM: 50,0",
        "%MDMEV: SEARCH STATUS 2",
        '+CEREG: 1,"0001","00010101",7,,,"11100000","11100000"',
        '+CIND: "service",1',
        '%XTIME: "00","62113221000000","00"',
    )
    assert bench.ask("AT+CCLK?") == info('+CCLK: "26/11/23,12:00:00+00"')
    assert bench.advance(20) == urcs("+CSCON: 0")


@pytest.mark.parametrize("mode", [0, 4])
def test_detach(mode):
    bench = Bench()
    for subscription in ("+CEREG=5", "+CSCON=1", "+CGEREP=1"):
        bench.ask("AT" + subscription)
    bench.attach()
    bench.advance(20)
    bench.type(f"AT+CFUN={mode}\r".encode())
    # At the modem the results come before OK; the application holds them back until the command is done.
    assert bench.advance(1) == OK + urcs("+CSCON: 1", "+CGEV: ME DETACH", "+CEREG: 0", "+CSCON: 0")
    assert bench.ask("AT+CFUN?") == info(f"+CFUN: {mode}")
    assert bench.advance(100) == b""


def test_nobody_hears_what_was_not_asked_for():
    bench = Bench()
    bench.ask("AT+CFUN=1")
    assert bench.advance(100) == b""
    assert bench.ask("AT+CEREG?") == info("+CEREG: 0,1")
    assert bench.ask("AT+CFUN=4") == OK
    assert bench.advance(100) == b""


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (1, "+CEREG: 1"),
        (2, '+CEREG: 1,"0001","00010101",7'),
        (3, '+CEREG: 1,"0001","00010101",7'),
        (4, '+CEREG: 1,"0001","00010101",7,,,"11100000","11100000"'),
        (5, '+CEREG: 1,"0001","00010101",7,,,"11100000","11100000"'),
    ],
)
def test_levels_of_cereg(level, text):
    bench = Bench()
    bench.ask(f"AT+CEREG={level}")
    assert bench.ask("AT+CEREG?") == info(f"+CEREG: {level},4")
    bench.ask("AT+CFUN=1")
    bench.advance(2)
    assert bench.advance(3) == urcs(text)
    assert bench.ask("AT+CEREG?") == info(text.replace(": ", f": {level},"))


def test_a_search_that_is_called_off():
    bench = Bench()
    bench.ask("AT+CEREG=1")
    bench.ask("AT+CFUN=1")
    assert bench.advance(2) == urcs("+CEREG: 2")
    bench.type(b"AT+CFUN=4\r")
    assert bench.advance(100) == OK + urcs("+CEREG: 0")


def test_receive_only_never_registers():
    bench = Bench()
    bench.ask("AT+CEREG=2")
    bench.ask("AT+CFUN=2")
    assert bench.advance(100) == urcs('+CEREG: 0,"0001","00010101",7')
    assert bench.ask("AT+CFUN?") == info("+CFUN: 2")


def test_system_mode_is_refused_while_active_and_survives_a_reset():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    assert bench.ask("AT%XSYSTEMMODE?") == info("%XSYSTEMMODE: 1,0,1,0")
    assert bench.ask("AT%XSYSTEMMODE=0,1,0,2") == OK
    assert bench.ask("AT%XSYSTEMMODE=0,0,0,0") == ERROR
    bench.ask("AT+CFUN=1")
    assert bench.ask("AT%XSYSTEMMODE=1,0,0,0") == cme(518)
    bench.advance(5)
    assert bench.ask("AT+COPS?") == info('+COPS: 0,2,"00101",9')
    bench.ask("AT#XRESET")
    bench.advance(5)
    assert bench.ask("AT%XSYSTEMMODE?") == info("%XSYSTEMMODE: 0,1,0,2")


def test_without_lte_in_the_system_mode_nothing_is_searched():
    bench = Bench()
    bench.ask("AT+CEREG=1")
    bench.ask("AT%XSYSTEMMODE=0,0,1,0")
    bench.ask("AT+CFUN=1")
    assert bench.advance(100) == b""


def test_operator_selection():
    bench = Bench()
    assert bench.ask("AT+COPS?") == info("+COPS: 0")
    assert bench.ask("AT+COPS=3,2") == OK
    bench.ask("AT+CEREG=1")
    bench.attach()
    assert bench.ask('AT+COPS=1,2,"00101"') == OK
    assert bench.advance(10) == b""
    assert bench.ask('AT+COPS=1,2,"24407"') == OK + urcs("+CEREG: 2")
    assert bench.advance(100) == b""
    assert bench.ask("AT+COPS?") == info("+COPS: 1")
    assert bench.ask("AT+COPS=0") == OK
    assert bench.advance(100) == urcs("+CEREG: 1")
    assert bench.ask('AT+COPS=1,2,"x"') == ERROR


def test_features():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    assert bench.ask("AT%FEACONF=0,3,1") == OK
    assert bench.ask("AT%FEACONF=1,3") == info("%FEACONF: 3,1")
    assert bench.ask("AT%FEACONF=2") == info("%FEACONF: 0,0", "%FEACONF: 3,1", "%FEACONF: 7,0")
    assert bench.ask("AT%FEACONF=0,1,1") == ERROR
    bench.attach()
    assert bench.ask("AT%FEACONF=0,3,0") == cme(518)


def test_packet_domain_attach():
    bench = Bench()
    assert bench.ask("AT+CGATT?") == info("+CGATT: 0")
    assert bench.ask("AT+CGATT=1") == ERROR
    bench.attach()
    assert bench.ask("AT+CGATT?") == info("+CGATT: 1")
    assert bench.ask("AT+CGATT=0") == OK
    assert bench.ask("AT+CGATT?") == info("+CGATT: 0")
    assert bench.ask("AT+CGATT=1") == OK
    bench.advance(5)
    assert bench.ask("AT+CGATT?") == info("+CGATT: 1")
