"""The shell, byte for byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.virtual.board.shell import Shell
from harness.virtual.board.shell.line_editor import BUFFER_SIZE
from harness.virtual.board.shell.words import OpenQuote, split_words
from tests.unit.virtual_board.bench import Bench
from tests.unit.virtual_board.test_modem_credentials import AMAZON_DIGEST, AMAZON_ROOT

PROMPT = b"mosh:~$ "


def boot(**options):
    return Bench(firmware=Shell, **options)


def say(bench, line):
    """One line; what comes after its echo."""
    heard = bench.type(line.encode("latin-1") + b"\r")
    assert heard.startswith(line.encode("latin-1") + b"\r\n")
    if not heard.endswith(PROMPT):
        heard += bench.advance(10)
    return heard[len(line) + 2 :]


def test_banner_and_nothing_unasked():
    bench = boot()
    assert bench.banner == b"*** Booting nRF Connect SDK v3.2.1 ***\r\n\r\n" + PROMPT
    assert bench.advance(3600) == b""


def test_commands_with_and_without_quotes():
    bench = boot()
    assert bench.type(b"at AT+CFUN?\r") == b"at AT+CFUN?\r\n+CFUN: 0\r\nOK\r\n" + PROMPT
    assert say(bench, "at 'AT+CFUN?'") == b"+CFUN: 0\r\nOK\r\n" + PROMPT
    assert say(bench, "at AT+CGSN") == f"{bench.nvm.identity.imei}\r\nOK\r\n".encode() + PROMPT
    assert say(bench, "at 'AT+NOPE'") == b"ERROR\r\n" + PROMPT
    assert say(bench, "at 'AT#XUUID'") == b"ERROR\r\n" + PROMPT
    assert say(bench, "at AT+CMEE=1 ignored") == b"OK\r\n" + PROMPT
    assert say(bench, "at 'AT%CMNG=3,1,0'") == b"+CME ERROR: 513\r\n" + PROMPT


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_every_line_end_will_do(end):
    bench = boot()
    for _ in range(2):
        assert bench.type(b"at AT" + end) == b"at AT\r\nOK\r\n" + PROMPT
    assert bench.type(end) == b"\r\n" + PROMPT


def test_one_byte_at_a_time_is_echoed():
    bench = boot()
    heard = [bench.type(bytes((byte,))) for byte in b"at AX\x08T\r\n"]
    assert heard == [b"a", b"t", b" ", b"A", b"X", b"\b \b", b"T", b"\r\nOK\r\n" + PROMPT, b""]
    assert bench.type(b"\x7f\x08at AX\x03at AT\r") == b"at AX\r\n" + PROMPT + b"at AT\r\nOK\r\n" + PROMPT


def test_what_the_shell_itself_says():
    bench = boot()
    assert say(bench, "AT+CFUN?") == b"AT+CFUN?: command not found\r\n" + PROMPT
    assert say(bench, "at") == (
        b"Usage: at <subcommand>\r\nSubcommands: events_enable, events_disable; anything else goes to the modem\r\n"
        + PROMPT
    )
    assert say(bench, "at 'AT+CFUN?") == b"not terminated: '\r\n" + PROMPT
    assert say(bench, "   ") == PROMPT


def test_line_feeds_are_written_as_backslash_n():
    bench = boot()
    escaped = AMAZON_ROOT.replace("\n", "\\n")
    assert say(bench, f"at 'AT%CMNG=0,1,0,\"{escaped}\"'") == b"OK\r\n" + PROMPT
    crlf = AMAZON_ROOT.replace("\n", "\r\n")
    assert say(bench, "at 'AT%CMNG=2,1,0'").decode().endswith(f'","{crlf}"\r\nOK\r\nmosh:~$ ')
    # The library puts CR LF where the host had LF: the digest is another one than that of the text with LF.
    assert AMAZON_DIGEST.encode() not in say(bench, "at 'AT%CMNG=1,1,0'")


def test_only_in_credentials():
    bench = boot()
    say(bench, "at AT+CMEE=1")
    assert say(bench, "at 'at%cmng=0,1,4,\"a\\nb\"'") == b"OK\r\n" + PROMPT
    assert b'"a\\nb"' in say(bench, "at 'AT%CMNG=2,1,4'")


def test_without_single_quotes_the_shell_takes_the_double_ones():
    bench = boot()
    assert say(bench, 'at AT%CMNG=0,1,4,"x"') == b"OK\r\n" + PROMPT  # the modem takes content without quotes
    assert say(bench, 'at AT+CPINR="SIM PIN"') == b"ERROR\r\n" + PROMPT


def test_notifications_only_after_events_enable():
    bench = boot()
    say(bench, "at AT+CEREG=1")
    assert say(bench, "at AT+CFUN=1") == b"OK\r\n" + PROMPT
    assert bench.advance(5) == b""
    say(bench, "at AT+CFUN=4")
    assert say(bench, "at events_enable") == b"AT command event handler enabled\r\n" + PROMPT
    bench.type(b"at AT+CFUN=1\r")
    bench.advance(0.1)
    bench.type(b"at A")
    assert bench.advance(2) == b"AT event handler:\r\n+CEREG: 2\r\n" + PROMPT + b"at A"
    assert bench.type(b"T\r") == b"T\r\nOK\r\n" + PROMPT
    assert say(bench, "at events_disable") == b"AT command event handler disabled\r\n" + PROMPT
    assert bench.advance(10) == b""


def test_notifications_while_a_command_runs():
    bench = boot()
    say(bench, "at events_enable")
    say(bench, "at AT+CEREG=1")
    say(bench, "at AT+CFUN=1")
    bench.advance(20)
    assert bench.type(b"at AT+CFUN=4\r") == b"at AT+CFUN=4\r\n"
    assert bench.advance(1) == b"AT event handler:\r\n+CEREG: 0\r\nOK\r\n" + PROMPT


def test_typing_waits_for_the_running_command():
    bench = boot()
    assert bench.type(b"at AT%KEYGEN=1,2,1\rat AT\r") == b"at AT%KEYGEN=1,2,1\r\n"
    heard = bench.advance(2)
    assert heard.startswith(b'%KEYGEN: "')
    assert heard.endswith(b'"\r\nOK\r\n' + PROMPT + b"at AT\r\nOK\r\n" + PROMPT)


def test_colours():
    bench = boot(colour=True)
    prompt = b"\x1b[1;32mmosh:~$ \x1b[m"
    assert bench.banner.endswith(b"\r\n" + prompt)
    assert bench.type(b"x\r") == b"x\r\n\x1b[1;31mx: command not found\x1b[m\r\n" + prompt
    bench.type(b"at events_enable\rat AT+CEREG=1\rat AT+CFUN=1\r")
    bench.advance(0.1)
    bench.type(b"at")
    assert bench.advance(2) == b"\x1b[10D\x1b[JAT event handler:\r\n+CEREG: 2\r\n" + prompt + b"at"


def test_an_answer_that_does_not_fit():
    bench = boot()
    for tag in range(40):
        say(bench, f"at 'AT%CMNG=0,{tag},4,\"x\"'")
    assert say(bench, "at AT%CMNG=1") == b"Sending AT command failed with error code -7\r\n" + PROMPT


def test_a_line_that_does_not_fit_is_cut():
    bench = boot()
    heard = bench.type(b"x" * (BUFFER_SIZE + 10) + b"\r")
    assert heard == b"x" * BUFFER_SIZE + b"\r\n" + b"x" * BUFFER_SIZE + b": command not found\r\n" + PROMPT


@pytest.mark.parametrize("how", ["warm", "cold"])
def test_a_reboot_by_the_kernel_starts_anew(how):
    bench = boot()
    say(bench, "at events_enable")
    say(bench, "at AT+CFUN=1")
    heard = bench.type(f"kernel reboot {how}\rat AT\r".encode())
    assert heard == b"kernel reboot %s\r\n" % how.encode() + bench.banner  # what was typed behind it is lost
    assert bench.advance(60) == b""  # nobody asked the new modem for anything
    assert say(bench, "at AT+CFUN?") == b"+CFUN: 0\r\nOK\r\n" + PROMPT


def test_the_shell_says_what_it_knows():
    bench = boot()
    text = say(bench, "help")
    assert all(f"  {name} ".encode() in text for name in ("at", "help", "kernel"))
    assert b"reboot" in say(bench, "kernel")
    assert b"reboot" in say(bench, "kernel reboot")
    assert b"Booting" not in say(bench, "kernel reboot now")


def test_a_power_cycle_starts_anew():
    bench = boot()
    bench.type(b"at events_enable\rat AT+CMEE=1\rat A")
    assert bench._collect(bench.core.power_on()) == bench.banner
    assert say(bench, "at AT+CMEE?") == b"+CMEE: 0\r\nOK\r\n" + PROMPT


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  at   AT ", ["at", "AT"]),
        ("at 'AT+X=\"a b\"'", ["at", 'AT+X="a b"']),
        ('at "it\'s"', ["at", "it's"]),
        ("a'b c'd", ["ab cd"]),
        ("''", [""]),
        (r"a\ b \'", ["a b", "'"]),
        (r"'a\'b\n\\'", [r"a'b\n\\"]),
        ("a\\", ["a"]),
    ],
)
def test_words(line, words):
    assert split_words(line) == words


@pytest.mark.parametrize(("line", "quote"), [("'", "'"), ("a \"b'", '"'), ("'a\\'", "'")])
def test_open_quotes(line, quote):
    with pytest.raises(OpenQuote, match=quote):
        split_words(line)


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(data):
    bench = boot()
    bench.type(data)
    bench.advance(10)
    assert bench.type(b"\x03at AT\r").endswith(b"at AT\r\nOK\r\n" + PROMPT)
