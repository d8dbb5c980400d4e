from dataclasses import replace
from pathlib import Path

import pytest

import harness
from harness.virtual.board.personality import NRF9151_MFW_2_0_2
from tests.unit.virtual_board.bench import ERROR, OK, Bench, cme, info

AMAZON_ROOT = (Path(harness.__file__).parent / "cloud" / "ca" / "AmazonRootCA1.pem").read_text()
AMAZON_DIGEST = "2C43952EE9E000FF2ACC4E2ED0897C0A72AD5FA72C3D934E81741CBD54F05BD1"
RESERVED = (4294967293, 10), (4294967294, 6), (4294967292, 11)


@pytest.fixture
def bench():
    bench = Bench()
    bench.ask("AT+CMEE=1")
    return bench


def test_an_empty_list_is_just_ok(bench):
    assert bench.ask("AT%CMNG=1,42") == OK
    assert bench.ask("AT%CMNG=1,0,0") == OK


def test_the_digest_is_of_the_exact_bytes(bench):
    assert bench.ask(f'AT%CMNG=0,16842753,0,"{AMAZON_ROOT}"') == OK
    assert bench.ask("AT%CMNG=1,16842753,0") == info(f'%CMNG: 16842753,0,"{AMAZON_DIGEST}"')
    crlf = AMAZON_ROOT.replace("\n", "\r\n")
    assert bench.ask(f'AT%CMNG=0,16842753,0,"{crlf}"') == OK  # writing again replaces
    assert AMAZON_DIGEST.encode() not in bench.ask("AT%CMNG=1,16842753,0")


def test_reading_gives_the_content_back(bench):
    bench.ask(f'AT%CMNG=0,7,0,"{AMAZON_ROOT}"')
    bench.ask('AT%CMNG=0,7,4,"an identity"')
    assert bench.ask("AT%CMNG=2,7,0") == info(f'%CMNG: 7,0,"{AMAZON_DIGEST}","{AMAZON_ROOT}"')
    assert bench.ask("AT%CMNG=2,7,4").endswith(b',"an identity"\r\n\r\nOK\r\n')


def test_what_cannot_be_read(bench):
    bench.ask(f'AT%CMNG=0,7,1,"{AMAZON_ROOT}"')
    bench.ask('AT%CMNG=0,7,2,"key"')
    bench.ask("AT%CMNG=0,7,3,0123456789abcdef")
    for kind in (1, 2, 3):
        assert bench.ask(f"AT%CMNG=2,7,{kind}") == cme(514)
    assert bench.ask("AT%CMNG=2,7,0") == cme(513)
    assert bench.ask("AT%CMNG=2,4294967294,6") == cme(514)


def test_the_list_user_tags_first_then_the_reserved_ones(bench):
    for tag, kind in ((16842753, 4), (42, 4), (42, 3)):
        bench.ask(f'AT%CMNG=0,{tag},{kind},"00"')
    lines = bench.ask("AT%CMNG=1").decode().split("\r\n")
    items = [tuple(int(part) for part in line[7:].split(",")[:2]) for line in lines if line.startswith("%CMNG: ")]
    assert items == [(42, 3), (42, 4), (16842753, 4), *RESERVED]


def test_delete_twice(bench):
    bench.ask('AT%CMNG=0,42,4,"x"')
    assert bench.ask("AT%CMNG=3,42,4") == OK
    assert bench.ask("AT%CMNG=3,42,4") == cme(513)


@pytest.mark.parametrize(
    ("mode", "answer"), [(1, cme(518)), (2, cme(518)), (21, cme(518)), (4, OK), (31, OK), (44, OK)]
)
def test_writing_needs_an_inactive_modem(bench, mode, answer):
    bench.ask('AT%CMNG=0,42,4,"before"')
    bench.ask(f"AT+CFUN={mode}")
    assert bench.ask('AT%CMNG=0,42,4,"x"') == answer
    assert bench.ask("AT%CMNG=3,42,4") == answer
    assert bench.ask("AT%CMNG=1,42,4").endswith(OK)


def test_reserved_and_developer_tags(bench):
    for command in ('0,4294967294,0,"x"', "3,4294967294,6", '0,2147483668,4,"x"'):
        assert bench.ask(f"AT%CMNG={command}") == cme(514)
    assert bench.ask('AT%CMNG=0,2147483648,4,"x"') == OK
    assert bench.ask('AT%CMNG=0,2147483647,4,"x"') == OK


def test_order_of_the_checks(bench):
    bench.ask("AT+CFUN=1")
    assert bench.ask('AT%CMNG=0,4294967294,0,"not PEM"') == cme(518)
    bench.ask("AT+CFUN=4")
    assert bench.ask('AT%CMNG=0,4294967294,0,"not PEM"') == cme(514)
    assert bench.ask('AT%CMNG=0,1,12,"x"') == cme(50)
    assert bench.ask('AT%CMNG=0,1,6,"x"') == cme(514)
    assert bench.ask('AT%CMNG=0,1,0,""') == cme(50)
    assert bench.ask('AT%CMNG=0,1,0,"not PEM"') == cme(527)


def test_pem_with_backslash_n_is_refused_by_this_firmware_only():
    literal = AMAZON_ROOT.replace("\n", "\\n")
    new, old = Bench(), Bench(replace(NRF9151_MFW_2_0_2, pem_checked=False))
    for bench, answer in ((new, cme(527)), (old, OK)):
        bench.ask("AT+CMEE=1")
        assert bench.ask(f'AT%CMNG=0,1,0,"{literal}"') == answer
    assert new.ask('AT%CMNG=0,1,2,"not checked"') == OK


def test_several_certificates_in_one_item(bench):
    assert bench.ask(f'AT%CMNG=0,1,0,"{AMAZON_ROOT}{AMAZON_ROOT}"') == OK


def test_memory_full():
    bench = Bench(replace(NRF9151_MFW_2_0_2, credential_capacity=100))
    bench.ask("AT+CMEE=1")
    assert bench.ask(f'AT%CMNG=0,1,4,"{"x" * 90}"') == OK
    assert bench.ask(f'AT%CMNG=0,2,4,"{"x" * 11}"') == cme(515)
    assert bench.ask(f'AT%CMNG=0,1,4,"{"x" * 100}"') == OK
    assert bench.ask("AT%KEYGEN=3,2,0") == cme(515)


@pytest.mark.parametrize(
    "command",
    ["AT%CMNG", "AT%CMNG?", "AT%CMNG=?", "AT%CMNG=", "AT%CMNG=0", "AT%CMNG=0,1,0", "AT%CMNG=3,1", 'AT%CMNG="0",1,0,"x"',
     "AT%CMNG=2,1", 'AT%CMNG=0,1,4,"x","",1'],
)  # fmt: skip
def test_malformed_commands(bench, command):
    assert bench.ask(command) == ERROR


def test_unknown_opcode(bench):
    assert bench.ask("AT%CMNG=4,1,1") == cme(50)


def test_spaces_after_commas_as_in_the_documentation(bench):
    bench.ask('AT%CMNG=0, 12345678, 4, "x"')
    assert bench.ask("AT%CMNG=1,12345678, 4").startswith(b"\r\n%CMNG: 12345678,4,")


def test_any_bytes_between_the_quotes(bench):
    content = "".join(chr(c) for c in range(256) if c not in (0x08, 0x22, 0x7F))
    assert bench.ask(f'AT%CMNG=0,1,4,"{content}"') == OK
    assert content.encode("latin-1") in bench.ask("AT%CMNG=2,1,4")


def test_a_generated_key_cannot_be_overwritten(bench):
    bench.ask("AT%KEYGEN=5,2,1")
    assert bench.ask('AT%CMNG=0,5,2,"other"') == cme(519)
    assert bench.ask("AT%CMNG=3,5,2") == OK
    assert bench.ask('AT%CMNG=0,5,2,"other"') == OK
