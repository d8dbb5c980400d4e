"""Framing of the at_client sample, byte for byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.settings import TerminatorName
from harness.virtual.board.at_host import AtHost
from harness.virtual.board.at_host.host_input import BUFFER_SIZE, HostInput
from tests.unit.virtual_board.bench import Bench, lines_of
from tests.unit.virtual_board.test_modem_credentials import AMAZON_DIGEST, AMAZON_ROOT
from tests.unit.virtual_board.test_modem_keys import VECTORS

OK = b"OK\r\n"
ERROR = b"ERROR\r\n"


def boot(**options):
    return Bench(firmware=AtHost, **options)


def test_banner_and_nothing_unasked():
    bench = boot()
    assert bench.banner.endswith(b"\r\nThe AT host sample started\r\nReady\r\n")
    assert bench.banner.startswith(b"*** Booting nRF Connect SDK v3.2.1 ***\r\n")
    assert bench.advance(3600) == b""


def test_answers_are_those_of_the_modem():
    bench = boot()
    assert bench.ask("AT") == OK
    assert bench.ask("AT+CFUN?") == b"+CFUN: 0\r\nOK\r\n"
    assert bench.ask("AT+CGSN") == f"{bench.nvm.identity.imei}\r\nOK\r\n".encode()
    recorded = next(each["raw"] for each in VECTORS["cmng"] if each["id"] == "nordic-cmng-list-empty")
    assert bench.ask("AT%CMNG=1,0,0") == recorded.encode()
    assert bench.ask("AT%CMNG=3,5,0") == ERROR
    assert bench.ask("AT+CMEE=1") == OK
    assert bench.ask("AT%CMNG=3,5,0") == b"+CME ERROR: 513\r\n"


def test_nothing_but_the_modem():
    bench = boot()
    for line in ("AT#XSMVER", "AT#XUUID", "ATE0", "ATE1", "ATI", "AT+IPR?", "hello", "AT+NOPE"):
        assert bench.ask(line) == ERROR, line
    assert b"#X" not in bench.ask("AT+CLAC")


def test_the_line_feed_of_crlf_comes_back_before_the_next_answer():
    bench = boot()
    assert bench.type(b"AT+CFUN?\r\n") == b"+CFUN: 0\r\nOK\r\n"
    assert bench.type(b"AT+CGMR\r\n") == b"\nmfw_nrf91x1_2.0.2\r\nOK\r\n"
    assert bench.type(b"AT+NOPE\r\n") == b"\nERROR\r\n"
    assert bench.type(b"\x08AT\r") == OK  # taken back
    captured = next(each["pairs"] for each in VECTORS["uart_captures"] if "host sends CRLF" in each["source"])
    assert captured[0] == ["AT+CGMR", "\nmfw_nrf91x1_2.0.0-77.beta\r\nOK\r\n"]
    assert captured[2][1] == "\nERROR\r\n"


def test_lines_without_anything_visible_get_no_answer():
    bench = boot()
    assert bench.type(b"\r\r\n\r \t\r\x00\r") == b""
    assert bench.type(b"AT\r") == OK


def test_what_stands_before_at_is_part_of_the_command():
    bench = boot()
    assert bench.type(b"junkAT\rAT\r") == ERROR + OK
    assert bench.type(b" AT\r") == OK


def test_one_byte_at_a_time_and_corrected():
    bench = boot()
    heard = [bench.type(bytes((byte,))) for byte in b"AT+CFUM\x08N?\r"]
    assert heard == [b""] * 10 + [b"+CFUN: 0\r\nOK\r\n"]
    assert bench.type(b"AX\x7fT\r\x00") == OK


@pytest.mark.parametrize(
    ("terminator", "end", "others"),
    [
        (TerminatorName.CR, b"\r", [b"\n", b"\0"]),
        (TerminatorName.LF, b"\n", [b"\r", b"\0"]),
        (TerminatorName.CRLF, b"\r\n", [b"\r", b"\n", b"\0"]),
        (TerminatorName.NUL, b"\0", [b"\r", b"\n"]),
    ],
)
def test_only_the_terminator_ends_a_command(terminator, end, others):
    bench = boot(terminator=terminator)
    for _ in range(2):
        assert bench.type(b"AT+CFUN?" + end) == b"+CFUN: 0\r\nOK\r\n"
    for other in others:
        assert bench.type(b"AT" + other) == b""
        assert bench.type(end).endswith(OK)


def test_a_host_with_crlf_suits_lf_and_crlf():
    for terminator in (TerminatorName.LF, TerminatorName.CRLF):
        bench = boot(terminator=terminator)
        assert bench.type(b"AT\r\nAT\r\n") == OK + OK


def test_quotes_protect_terminators():
    bench = boot()
    bench.ask("AT+CMEE=1")
    for content in (AMAZON_ROOT, AMAZON_ROOT.replace("\n", "\r\n")):
        assert bench.ask(f'AT%CMNG=0,16842753,0,"{content}"') == OK
        answer = bench.ask("AT%CMNG=2,16842753,0").decode()
        assert answer.endswith(f'","{content}"\r\nOK\r\n')
    bench.ask(f'AT%CMNG=0,16842753,0,"{AMAZON_ROOT}"')
    assert bench.ask("AT%CMNG=1,16842753,0") == f'%CMNG: 16842753,0,"{AMAZON_DIGEST}"\r\nOK\r\n'.encode()


def test_an_open_quote_swallows_commands_until_it_is_closed():
    bench = boot()
    assert bench.type(b'AT%CMNG=0,1,4,"x\rAT\rAT\r') == b""
    assert bench.type(b'"\r') == OK  # it was the content after all
    assert bench.type(b'"\rAT\r') == b""
    assert bench.type(b'"\r') == ERROR
    assert bench.type(b"AT\r") == OK


def test_results_come_when_they_happen_even_before_the_final_result():
    bench = boot()
    for subscription in ("+CEREG=1", "+CSCON=1"):
        bench.ask("AT" + subscription)
    assert bench.ask("AT+CFUN=1") == OK
    assert bench.advance(5) == b"+CEREG: 2\r\n+CSCON: 1\r\n+CEREG: 1\r\n"
    bench.advance(20)
    assert bench.type(b"AT+CFUN=4\r") == b""
    assert bench.advance(1) == b"+CSCON: 1\r\n+CEREG: 0\r\n+CSCON: 0\r\nOK\r\n"


def test_results_between_a_command_and_its_answer():
    bench = boot()
    bench.ask("AT+CEREG=1")
    bench.ask("AT+CFUN=1")
    bench.type(b"AT+COPS=?\r")
    assert bench.advance(10) == b"+CEREG: 2\r\n+CEREG: 1\r\nERROR\r\n"  # the attach interrupted the scan


def test_commands_wait_for_the_running_one():
    bench = boot()
    assert bench.type(b"AT%KEYGEN=1,2,1\rAT+CFUN?\r") == b""
    heard = bench.advance(2)
    assert heard.startswith(b'%KEYGEN: "')
    assert heard.endswith(b'"\r\nOK\r\n+CFUN: 0\r\nOK\r\n')


def test_an_answer_that_does_not_fit_is_an_error():
    bench = boot()
    for tag in range(50):
        assert bench.ask(f'AT%CMNG=0,{tag},4,"x"') == OK
    assert bench.ask("AT%CMNG=1") == ERROR
    assert bench.ask("AT%CMNG=1,7").endswith(OK)


def test_a_power_cycle_starts_anew():
    bench = boot()
    bench.ask("AT+CMEE=1")
    bench.ask('AT%CMNG=0,1,4,"x"')
    bench.type(b'AT%KEYGEN=1,2,0\rAT+X="')
    assert bench._collect(bench.core.power_on()) == bench.banner
    assert bench.advance(10) == b""  # the key was never made
    assert bench.ask("AT+CMEE?") == b"+CMEE: 0\r\nOK\r\n"
    answer = bench.ask("AT%CMNG=1,1").decode()
    assert answer.startswith("%CMNG: 1,4,")
    assert answer.count("%CMNG") == 1


# -- the input alone --------------------------------------------------------------------------------------------------


def lines(*chunks):
    return lines_of(HostInput(), *chunks)


def test_a_command_that_is_too_long_is_cut():
    full = b"AT" + b"x" * (BUFFER_SIZE - 2)
    assert lines(full + b"\r") == [full]
    assert lines(full + b"yyy\rAT\r") == [full, b"AT"]


def test_a_quote_that_does_not_fit_is_lost_with_its_effect():
    begun = b'AT+X="' + b"x" * (BUFFER_SIZE - 6)
    assert lines(begun + b'"\rAT\r') == []  # the closing quote was dropped: all is content
    assert lines(begun + b'"\r\x08"\rAT\r') == [begun[:-1] + b'"', b"AT"]


def test_deleting_a_quote_does_not_undo_it():
    assert lines(b'AT+X"\x08\rAT\r"\r') == [b'AT+X\rAT\r"']


@given(st.binary(), st.lists(st.integers(1, 7)))
def test_how_the_bytes_are_cut_makes_no_difference(data, sizes):
    chunks, rest = [], data
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    assert lines(*chunks, rest) == lines(data)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(data):
    bench = boot()
    bench.type(data)
    bench.advance(10)
    bench.type(b'\r"\r"\r')
    bench.advance(10)
    assert bench.type(b"\rAT\r").endswith(OK) or bench.type(b'"\rAT\r').endswith(OK)
