import uuid

import pytest

from harness.settings.imei import luhn_digit
from harness.virtual.board.modem import make_identity
from tests.unit.virtual_board.bench import ERROR, Bench, cme, info


def test_identities_are_valid_fake_and_the_same_in_every_run():
    one, again, other = make_identity("virtual-1"), make_identity("virtual-1"), make_identity("virtual-2")
    assert one == again
    assert one.imei != other.imei
    assert one.device_uuid != other.device_uuid
    assert one.imei.startswith("00")
    assert len(one.imei) == 15
    assert luhn_digit(one.imei[:14]) == one.imei[14]
    assert one.imsi.startswith("00101")
    assert len(one.imsi) == 15
    assert one.device_uuid.bytes.startswith(b"VIRT00")
    assert str(one.device_uuid)[14] == "4"
    assert len(one.iccid) == 20


def test_luhn():
    assert luhn_digit("49015420323751") == "8"  # the example of 3GPP TS 23.003 annex B


def test_chosen_identities():
    chosen = make_identity("x", imei="490154203237518", device_uuid=uuid.UUID(int=7))
    assert (chosen.imei, chosen.device_uuid) == ("490154203237518", uuid.UUID(int=7))
    with pytest.raises(ValueError, match="490154203237510"):
        make_identity("x", imei="490154203237510")


def test_serial_numbers_and_versions():
    bench = Bench()
    imei = bench.nvm.identity.imei
    assert bench.ask("AT+CGSN") == info(imei)
    assert bench.ask("AT+CGSN=0") == info(imei)
    assert bench.ask("AT+CGSN=1") == info(f'+CGSN: "{imei}"')
    assert bench.ask("AT+CGSN=2") == info(f'+CGSN: "{imei[:14]}02"')
    assert bench.ask("AT+CGSN=3") == info('+CGSN: "02"')
    assert bench.ask("AT+CGSN=4") == ERROR
    assert bench.ask("AT+CGSN=?") == info("+CGSN: (0-3)")
    assert bench.ask("AT+CGMI") == info("Nordic Semiconductor ASA")
    assert bench.ask("AT+CGMM") == info("nRF9151-LACA")
    assert bench.ask("AT+CGMR") == info("mfw_nrf91x1_2.0.2")
    assert bench.ask("AT%SHORTSWVER") == info("%SHORTSWVER: nrf91x1_2.0.2")
    assert bench.ask("AT%HWVERSION") == info("%HWVERSION: nRF9151 LACA A1A")
    assert bench.ask("AT%DEVICEUUID") == info(f"%DEVICEUUID: {bench.nvm.identity.device_uuid}")
    assert bench.ask("AT%XMODEMUUID").startswith(b"\r\n%XMODEMUUID: ")


def test_the_sim_answers_once_it_has_started():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    for command in ("AT+CPIN?", "AT+CIMI", "AT%XICCID", 'AT+CPINR="SIM PIN"'):
        assert bench.ask(command) == cme(13)
    assert bench.ask("AT%XSIM?") == info("%XSIM: 0")
    bench.ask("AT%XSIM=1")
    bench.ask("AT+CFUN=41")
    assert bench.ask("AT+CPIN?") == cme(13)  # still starting
    assert bench.advance(0.6) == b"\r\n%XSIM: 1\r\n"
    assert bench.ask("AT+CPIN?") == info("+CPIN: READY")
    assert bench.ask("AT+CIMI") == info(bench.nvm.identity.imsi)
    assert bench.ask('AT+CPINR="SIM PIN"') == info('+CPINR: "SIM PIN",3')
    assert bench.ask('AT+CPINR="NONE"') == ERROR
    assert bench.ask("AT%XICCID") == info(f"%XICCID: {bench.nvm.identity.iccid}")
