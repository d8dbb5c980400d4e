"""%CERTEXPIRY, %XFACTORYRESET, +COPS=?."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.virtual.board.personality import NRF9151_MFW_2_0_2, NRF9160_MFW_1_3_5
from tests.unit.virtual_board.bench import ERROR, OK, Bench, cme, info
from tests.unit.virtual_board.test_modem_credentials import AMAZON_ROOT, RESERVED

AMAZON = "066C9FCF99BF8C0A39E2F0788A43E696365BCA,20150526000000Z,20380117000000Z"


@pytest.fixture
def bench():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    return bench


def certificate(serial):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    dates = datetime(2026, 1, 21, 10, 7, 55, tzinfo=UTC), datetime(2031, 1, 20, 10, 7, 55, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), serial, *dates).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_expiry(bench):
    bench.ask(f'AT%CMNG=0,3,1,"{certificate(0x15E1A419ADF6FAA5B2E8770C5DED39319F982EF2)}"')
    expected = "%CERTEXPIRY: 15E1A419ADF6FAA5B2E8770C5DED39319F982EF2,20260121100755Z,20310120100755Z"
    assert bench.ask("AT%CERTEXPIRY=3,1") == info(expected)


def test_serial_numbers_are_whole_bytes_and_every_certificate_has_a_line(bench):
    bench.ask(f'AT%CMNG=0,3,0,"{certificate(0xABC)}{AMAZON_ROOT}"')
    first = "%CERTEXPIRY: 0ABC,20260121100755Z,20310120100755Z"
    assert bench.ask("AT%CERTEXPIRY=3,0") == info(first, f"%CERTEXPIRY: {AMAZON}")


def test_expiry_refusals(bench):
    bench.ask('AT%CMNG=0,3,2,"key"')
    assert bench.ask("AT%CERTEXPIRY=3,2") == cme(50)
    assert bench.ask("AT%CERTEXPIRY=3,0") == cme(513)
    for wrong in ("", "=3", "=3,1,1", "?"):
        assert bench.ask("AT%CERTEXPIRY" + wrong) == ERROR
    nvm = Bench(NRF9160_MFW_1_3_5).nvm
    old = Bench(NRF9160_MFW_1_3_5, nvm)
    assert old.ask('AT%CMNG=0,3,1,"not PEM"') == OK
    updated = Bench(NRF9151_MFW_2_0_2, nvm)
    updated.ask("AT+CMEE=1")
    assert updated.ask("AT%CERTEXPIRY=3,1") == cme(527)


@pytest.mark.parametrize(("what", "kept"), [(0, False), (1, True)])
def test_factory_reset(bench, what, kept):
    bench.ask('AT%CMNG=0,3,4,"x"')
    bench.ask("AT%KEYGEN=3,2,0")
    bench.ask("AT%XSYSTEMMODE=0,1,0,2")
    start = bench.time
    assert bench.ask(f"AT%XFACTORYRESET={what}") == OK
    assert bench.time - start == pytest.approx(2)
    assert bench.ask("AT%XSYSTEMMODE?") == info("%XSYSTEMMODE: 1,0,1,0")
    assert (b"%CMNG: 3,4," in bench.ask("AT%CMNG=1")) is kept
    assert (b"%CMNG: 3,2," in bench.ask("AT%CMNG=1")) is kept
    for tag, kind in RESERVED:
        assert f"%CMNG: {tag},{kind},".encode() in bench.ask("AT%CMNG=1")
    bench.ask("AT#XRESET")
    bench.advance(5)
    assert bench.ask("AT%XSYSTEMMODE?") == info("%XSYSTEMMODE: 1,0,1,0")


def test_factory_reset_refusals(bench):
    for wrong in ("", "=", "=2", "=0,0", "?"):
        assert bench.ask("AT%XFACTORYRESET" + wrong) == ERROR
    bench.attach()
    assert bench.ask("AT%XFACTORYRESET=0") == cme(518)


def test_network_scan(bench):
    assert bench.ask("AT+COPS=?") == ERROR  # nothing to search with
    bench.attach()
    assert bench.ask("AT+COPS=?") == cme(516)  # still connected after the attach
    bench.advance(20)
    start = bench.time
    assert bench.ask("AT+COPS=?") == info('+COPS: (2,"","","00101",7)')
    assert bench.time - start == pytest.approx(5)


def test_a_network_scan_of_another_operators_device(bench):
    bench.ask('AT+COPS=1,2,"24407"')
    bench.attach()
    assert bench.ask("AT+COPS=?") == info('+COPS: (1,"","","00101",7)')


def test_a_network_scan_that_the_attach_interrupts(bench):
    bench.ask("AT+CFUN=1")
    assert bench.ask("AT+COPS=?") == cme(521)
