"""Golden answers of each kind of board."""

import hashlib

import cbor2
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from harness.virtual.board.personality import PERSONALITIES, Uart
from tests.unit.virtual_board.bench import ERROR, OK, Bench, cme, info
from tests.unit.virtual_board.signatures import parts, skeleton, verify
from tests.unit.virtual_board.test_modem_credentials import AMAZON_DIGEST, AMAZON_ROOT
from tests.unit.virtual_board.test_modem_keys import VECTORS

ALIVE = [name for name, kind in PERSONALITIES.items() if kind.uart is Uart.ALIVE]
WITH_KEYGEN = [name for name in ALIVE if name != "nrf9160-1.2"]
NULL = bytes.fromhex("300c06082a8648ce3d0403020500")
NO_NULL = bytes.fromhex("300a06082a8648ce3d040302")


def boot(name):
    bench = Bench(PERSONALITIES[name])
    bench.ask("AT+CMEE=1")
    return bench


def device_uuid(bench):
    return f"%DEVICEUUID: {bench.nvm.identity.device_uuid}"


@pytest.mark.parametrize(
    ("name", "model", "firmware", "short", "hardware"),
    [
        ("nrf9160", "nRF9160-SICA", "mfw_nrf9160_1.3.5", "nrf9160_1.3.5", "nRF9160 SICA B1A"),
        ("nrf9160-1.2", "nRF9160-SICA", "mfw_nrf9160_1.2.7", "nrf9160_1.2.7", "nRF9160 SICA B1A"),
        ("nrf9161", "nRF9161-LACA", "mfw_nrf91x1_2.0.0", "nrf91x1_2.0.0", "nRF9161 LACA ADA"),
        ("nrf9151", "nRF9151-LACA", "mfw_nrf91x1_2.0.2", "nrf91x1_2.0.2", "nRF9151 LACA A1A"),
    ],
)
def test_versions(name, model, firmware, short, hardware):
    bench = boot(name)
    assert bench.ask("AT+CGMI") == info("Nordic Semiconductor ASA")
    assert bench.ask("AT+CGMM") == info(model)
    assert bench.ask("AT+CGMR") == info(firmware)
    assert bench.ask("AT%SHORTSWVER") == info(f"%SHORTSWVER: {short}")
    assert bench.ask("AT%HWVERSION") == info(f"%HWVERSION: {hardware}")


def test_each_firmware_build_has_its_uuid():
    answers = [boot(name).ask("AT%XMODEMUUID") for name in ALIVE]
    assert all(answer.startswith(b"\r\n%XMODEMUUID: ") for answer in answers)
    assert len(set(answers)) == len(ALIVE)
    assert boot("nrf9151").ask("AT%XMODEMUUID") == answers[ALIVE.index("nrf9151")]


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("nrf9160", {"%DEVICEUUID", "%FEACONF", "%CERTEXPIRY"}),
        (
            "nrf9160-1.2",
            {"%DEVICEUUID", "%FEACONF", "%CERTEXPIRY", "%KEYGEN", "%ATTESTTOKEN", "%JWT", "%XFACTORYRESET"},
        ),
        ("nrf9161", {"%CERTEXPIRY"}),
        ("nrf9151", set()),
    ],
)
def test_commands_that_a_firmware_lacks(name, missing):
    bench = boot(name)
    listed, every = (
        {line.removeprefix("AT") for line in each.ask("AT+CLAC").decode().split()} for each in (bench, boot("nrf9151"))
    )
    assert every - listed == missing
    for command in ("%DEVICEUUID", "%KEYGEN=1,2,0", "%ATTESTTOKEN", "%JWT", "%XFACTORYRESET=1", "%FEACONF=2"):
        assert (bench.ask(f"AT{command}") == ERROR) is (command.partition("=")[0] in missing), command


def test_the_uuid_of_the_application_comes_out_of_a_token():
    assert boot("nrf9160-1.2").ask("AT#XUUID") == ERROR
    bench = boot("nrf9160")
    assert bench.ask("AT#XUUID") == info(f"#XUUID: {bench.nvm.identity.device_uuid}")


# -- the golden tests of the credential commands ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ALIVE)
def test_credential_store(name):
    bench = boot(name)
    assert bench.ask("AT%CMNG=1,16842753") == OK
    assert bench.ask(f'AT%CMNG=0,16842753,0,"{AMAZON_ROOT}"') == OK
    assert bench.ask("AT%CMNG=1,16842753,0") == info(f'%CMNG: 16842753,0,"{AMAZON_DIGEST}"')
    assert bench.ask("AT%CMNG=3,16842753,0") == OK
    assert bench.ask("AT%CMNG=3,16842753,0") == cme(513)
    bench.ask("AT+CMEE=0")
    assert bench.ask("AT%CMNG=3,16842753,0") == ERROR
    bench.ask("AT+CMEE=1")
    bench.ask("AT+CFUN=1")
    assert bench.ask(f'AT%CMNG=0,16842753,0,"{AMAZON_ROOT}"') == cme(518)


@pytest.mark.parametrize(
    ("name", "answer"), [("nrf9160", OK), ("nrf9160-1.2", OK), ("nrf9161", OK), ("nrf9151", cme(527))]
)
def test_only_new_firmware_looks_at_certificates(name, answer):
    bench = boot(name)
    literal = AMAZON_ROOT.replace("\n", "\\n")
    for kind in (0, 1):
        assert bench.ask(f'AT%CMNG=0,1,{kind},"{literal}"') == answer
    assert bench.ask('AT%CMNG=0,1,2,"no key"') == OK


@pytest.mark.parametrize(("name", "known"), [("nrf9160", False), ("nrf9161", True), ("nrf9151", True)])
def test_what_only_nrf91x1_knows(name, known):
    bench = boot(name)
    assert bench.ask('AT%CMNG=0,1,13,"x"') == (OK if known else cme(50))
    assert bench.ask('AT%CMNG=0,2147483648,4,"x"') == (OK if known else cme(514))
    assert bench.ask("AT%MDMEV=2") == (OK if known else ERROR)
    assert bench.ask("AT%MDMEV=1") == OK


@pytest.mark.parametrize("name", WITH_KEYGEN)
def test_key_generation(name):
    bench = boot(name)
    body, cose = parts(bench.ask("AT%KEYGEN=16842753,2,0"), "%KEYGEN")
    null = name != "nrf9151"
    assert (NULL in body) is null
    assert (NO_NULL in body) is not null
    csr = x509.load_der_x509_csr(without_null(body))
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == f"CN={bench.nvm.identity.device_uuid}"
    aad = body if name == "nrf9160" else b""
    kind, uuid_bytes, tag, digest, _ = cbor2.loads(verify(bench, cose, aad))
    assert (kind, uuid_bytes, tag) == (9, bench.nvm.identity.device_uuid.bytes, bytes.fromhex("1a01010001"))
    assert digest == hashlib.sha256(body).digest()  # of the bytes as they are, NULL included
    with pytest.raises(InvalidSignature):
        verify(bench, cose, b"" if aad else body)
    assert bench.ask("AT%KEYGEN=16842753,2,0") == cme(519)
    bench.ask("AT+CFUN=1")
    assert bench.ask("AT%KEYGEN=2,2,0") == cme(518)


def without_null(der):
    """What a strict parser needs: the NULL taken out, the two lengths around it corrected."""
    if NULL not in der:
        return der
    assert der[:2] == b"\x30\x82"
    length = int.from_bytes(der[2:4], "big") - 2
    return der[:2] + length.to_bytes(2, "big") + der[4:].replace(NULL, NO_NULL)


@pytest.mark.parametrize("vector", ["nordic-keygen-csr-tag17", "nordic-keygen-csr-mfw135"])
def test_the_csr_of_an_nrf9160_has_the_skeleton_of_a_recorded_one(vector):
    recorded = bytes.fromhex(next(v for v in VECTORS["keygen_attest"] if v["id"] == vector)["body_hex"])
    body, _ = parts(boot("nrf9160").ask("AT%KEYGEN=16842753,2,0"), "%KEYGEN")

    assert skeleton(body, 46) == skeleton(recorded, 46)
    assert len(body) == 4 + int.from_bytes(body[2:4], "big")


@pytest.mark.parametrize("usage", ["100000000", "000000001", "1", "0"])
def test_key_usage_and_long_names_with_null(usage):
    name = "x" * 64
    body, _ = parts(boot("nrf9160").ask(f'AT%KEYGEN=1,2,0,"CN={name},O={name},OU={name}","{usage}"'), "%KEYGEN")
    csr = x509.load_der_x509_csr(without_null(body))
    assert csr.is_signature_valid
    assert len(csr.subject) == 3
    if usage == "100000000":
        assert csr.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature


@pytest.mark.parametrize(("name", "device_type"), [("nrf9160", 3), ("nrf9161", 4), ("nrf9151", 6)])
def test_attestation(name, device_type):
    bench = boot(name)
    body, cose = parts(bench.ask("AT%ATTESTTOKEN"), "%ATTESTTOKEN")
    assert verify(bench, cose, body) is None
    kind, uuid_bytes, found, firmware, nonce = cbor2.loads(body)
    assert (kind, uuid_bytes, found) == (1, bench.nvm.identity.device_uuid.bytes, device_type)
    assert firmware.hex() == bench.ask("AT%XMODEMUUID").decode().split()[1].replace("-", "")
    assert len(nonce) == 16
