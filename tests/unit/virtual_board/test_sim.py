"""A SIM with a PIN, and the band lock, as the virtual modem has them."""

import pytest

from harness.virtual.board.modem import Nvm, make_identity
from harness.virtual.board.modem.radio import BAND
from tests.unit.virtual_board.bench import ERROR, OK, Bench, cme, info


@pytest.fixture
def locked():
    bench = Bench(nvm=Nvm(make_identity("x"), pin="1234"))
    bench.ask("AT+CMEE=1")
    return bench


def test_a_sim_waits_for_its_pin_and_the_search_with_it(locked):
    locked.ask("AT%XSIM=1")
    locked.ask("AT+CEREG=1")
    locked.ask("AT+CFUN=1")
    heard = locked.advance(10)
    assert b"%XSIM: 0,1\r\n" in heard
    assert b"+CEREG: 90\r\n" in heard
    assert locked.ask("AT+CPIN?") == info("+CPIN: SIM PIN")
    assert locked.ask("AT%XSIM?") == info("%XSIM: 0,1")
    assert locked.ask('AT+CPINR="SIM PIN"') == info('+CPINR: "SIM PIN",3')
    assert locked.ask("AT+CIMI") == cme(13)
    heard = locked.ask('AT+CPIN="1234"') + locked.advance(10)
    assert OK in heard
    assert b"%XSIM: 1\r\n" in heard
    assert b"+CEREG: 1\r\n" in heard
    assert locked.ask('AT+CPIN="1234"') == ERROR


def test_the_pin_is_forgotten_when_the_sim_is_switched_off(locked):
    locked.ask("AT+CFUN=41")
    locked.advance(1)
    locked.ask('AT+CPIN="1234"')
    assert locked.ask("AT+CPIN?") == info("+CPIN: READY")
    locked.ask("AT+CFUN=4")
    assert locked.ask("AT+CPIN?") == cme(13)
    locked.ask("AT+CFUN=41")
    locked.advance(1)
    assert locked.ask("AT+CPIN?") == info("+CPIN: SIM PIN")


def test_three_wrong_pins_block_the_sim_and_a_reset_does_not_help(locked):
    locked.ask("AT+CFUN=41")
    locked.advance(1)
    assert locked.ask('AT+CPIN="12"') == ERROR  # no PIN at all costs no try
    for left in (2, 1, 0):
        assert locked.ask('AT+CPIN="4321"') == cme(16)
        assert locked.ask('AT+CPINR="SIM PIN"') == info(f'+CPINR: "SIM PIN",{left}')
    assert locked.ask("AT+CPIN?") == info("+CPIN: SIM PUK")
    assert locked.ask("AT%XSIM?") == info("%XSIM: 0,2")
    assert locked.ask('AT+CPIN="1234"') == cme(12)
    again = Bench(nvm=locked.nvm)
    again.ask("AT+CFUN=41")
    again.advance(1)
    assert again.ask("AT+CPIN?") == info("+CPIN: SIM PUK")


def mask(*bands):
    return "".join("1" if number in bands else "0" for number in range(88, 0, -1))


def test_a_band_lock_is_set_read_kept_at_cfun_0_and_removed():
    bench = Bench()
    assert bench.ask("AT%XBANDLOCK?") == info('%XBANDLOCK: "",""')
    assert bench.ask('AT%XBANDLOCK=1,"1001"') == OK
    assert bench.ask('AT%XBANDLOCK=2,"1000"') == OK
    assert bench.ask("AT%XBANDLOCK?") == info(f'%XBANDLOCK: "{mask(1, 4)}","{mask(4)}"')
    assert Bench(nvm=bench.nvm).ask("AT%XBANDLOCK?") == info('%XBANDLOCK: "",""')  # not saved yet
    bench.ask("AT+CFUN=4")
    bench.ask("AT+CFUN=0")
    assert Bench(nvm=bench.nvm).ask("AT%XBANDLOCK?") == info(f'%XBANDLOCK: "{mask(1, 4)}",""')
    assert bench.ask("AT%XBANDLOCK=0") == OK
    assert bench.ask("AT%XBANDLOCK?") == info('%XBANDLOCK: "",""')


@pytest.mark.parametrize(
    "wrong",
    [
        '1,"0000"',
        '1,"1000000"',  # band 7, which it has not got
        '1,"12"',
        "1",
        "1,1001",
        '3,"1"',
        f'1,"{"1" * 89}"',
        "0,1,2",
    ],
)
def test_a_band_lock_that_leaves_nothing_or_is_no_mask_is_refused(wrong):
    bench = Bench()
    assert bench.ask(f"AT%XBANDLOCK={wrong}") == ERROR
    assert bench.ask("AT%XBANDLOCK?") == info('%XBANDLOCK: "",""')


def test_two_locks_need_a_band_in_common_and_an_inactive_modem():
    bench = Bench()
    bench.ask('AT%XBANDLOCK=1,"1"')
    assert bench.ask('AT%XBANDLOCK=2,"1000"') == ERROR
    bench.ask("AT+CMEE=1")
    bench.attach()
    assert bench.ask("AT%XBANDLOCK=0") == cme(518)


def test_a_modem_that_may_not_use_the_networks_band_finds_no_network():
    bench = Bench()
    bench.ask('AT%XBANDLOCK=1,"1"')
    bench.ask("AT+CEREG=1")
    bench.ask("AT+CFUN=1")
    assert b"+CEREG" not in bench.advance(60)
    bench.ask("AT+CFUN=4")
    bench.ask(f'AT%XBANDLOCK=1,"{mask(1, BAND)}"')
    bench.ask("AT+CFUN=1")
    assert b"+CEREG: 1" in bench.advance(60)
