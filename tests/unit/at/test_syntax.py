import pytest

from harness.at.codes import default_timeout
from harness.at.syntax import FinalResult, Form, one_line, parse_command, parse_data_mode, parse_final, split_urc
from harness.errors import Misuse


@pytest.mark.parametrize(
    ("text", "name", "form"),
    [
        ("AT", "", Form.RUN),
        ("ATE1", "E", Form.RUN),
        ("AT+CFUN?", "+CFUN", Form.READ),
        ("at+cfun?", "+CFUN", Form.READ),
        ("AT+CEREG=5", "+CEREG", Form.SET),
        ("AT+COPS=?", "+COPS", Form.TEST),
        ("AT%XSIM?", "%XSIM", Form.READ),
        ('AT%CMNG=0,1,0,"a=?"', "%CMNG", Form.SET),
        ("AT#XSMVER", "#XSMVER", Form.RUN),
        ("AT%KEYGEN=1,2,0", "%KEYGEN", Form.SET),
    ],
)
def test_name_and_form(text, name, form):
    command = parse_command(text)
    assert (command.name, command.form, command.wire) == (name, form, text.encode() + b"\r")


@pytest.mark.parametrize(("terminator", "end"), [("\r", b"\r"), ("\n", b"\n"), ("\r\n", b"\r\n"), ("\0", b"\0")])
def test_terminators(terminator, end):
    assert parse_command("AT", terminator=terminator).wire == b"AT" + end


def test_quoted_line_ends_are_content():
    text = 'AT%CMNG=0,42,0,"-----BEGIN CERTIFICATE-----\r\nMIIB\n-----END CERTIFICATE-----\r\n"'
    assert parse_command(text).wire == text.encode() + b"\r"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CFUN?",
        "+CFUN?",
        "AT\r",
        "AT+CFUN?\nAT",
        "AT\r\n",
        'AT%CMNG=0,1,0,"open',
        'AT"a\0b"',
        'AT"a\bb"',
        "AT\x7f",
        "AT\tX",
    ],
)
def test_what_cannot_be_sent(text):
    with pytest.raises(Misuse) as caught:
        parse_command(text)
    assert "\n" not in str(caught.value)


def test_length_limit_counts_the_terminator():
    assert len(parse_command("AT" + "X" * 4093).wire) == 4096
    with pytest.raises(Misuse, match="4097 bytes"):
        parse_command("AT" + "X" * 4094)
    with pytest.raises(Misuse, match="4097 bytes"):
        parse_command("AT" + "X" * 4093, terminator="\r\n")


def test_length_counts_bytes_not_characters():
    with pytest.raises(Misuse, match="bytes"):
        parse_command('AT"' + "é" * 2047 + '"')


def test_shell_wraps_and_escapes():
    command = parse_command('AT%CMNG=0,1,0,"a\r\nb"', at_shell=True)
    assert command.wire == b"at 'AT%CMNG=0,1,0,\"a\\nb\"'\r"
    for text in ("AT+X='1'", "AT+X=1\\2"):
        with pytest.raises(Misuse, match="no single quote or backslash"):
            parse_command(text, at_shell=True)


def test_a_misuse_message_keeps_the_key_secret():
    with pytest.raises(Misuse) as caught:
        parse_command('AT%CMNG=0,1,2,"topsecretkey')
    assert "topsecretkey" not in str(caught.value)
    assert "AT%CMNG=0,1,2," in str(caught.value)


@pytest.mark.parametrize(
    ("command", "line", "claimed"),
    [
        ("AT+CFUN?", b"+CFUN: 1", True),
        ("AT+CFUN?", b"+CFUNX: 1", False),
        ("AT+CFUN?", b"+CFUN 1", False),
        ("AT+CFUN?", b"+CEREG: 1", False),
        ("AT", b"+CFUN: 1", False),
        ("AT", b": 1", False),
        ("AT+CGSN", b"352656100000000", True),
        ("AT+CGSN", b"12:34:56 modem: up", False),
        ("AT+CGSN=1", b'+CGSN: "352656100000000"', True),
        ("AT+CGMI", b"Nordic Semiconductor ASA", True),
        ("AT+CGMM", b"nRF9151-LACA", True),
        ("AT+CGMR", b"mfw_nrf91x1_2.0.0-77.beta", True),
        ("AT+CGMR", b"[00:00:01.5] <inf> app: up", False),
        ("AT+CGMR", b"*** Booting nRF Connect SDK v2.9.99 ***", False),
        ("AT+CIMI", b"204080000000000", True),
        ("AT+CLAC", b"AT%XSYSTEMMODE", True),
        ("AT#XCLAC", b"AT#XMQTTCON", True),
        ("AT+CLAC", b"hello", False),
        ("AT#XDATACTRL=?", b"#XDATACTRL=<time_limit>", True),
        # The URC that lands while its own read command is pending.
        ("AT+CEREG?", b'+CEREG: 5,2,"0901","02024720",7', True),
        ("AT+CEREG?", b"+CEREG: 5,4", True),
        ("AT+CEREG?", b"+CEREG:5,4", True),
        ("AT+CEREG?", b'+CEREG: 2,"0901","02024720",7', False),
        ("AT+CEREG?", b"+CEREG: 0", False),
        ("AT+CEREG?", b'+CEREG: 5,"0901","02024720",7,,,"11100000","11100000"', False),
        ("AT+CEREG?", b'+CEREG: 3,"002F","0012BEEF",7,0,13', False),
        ("AT+CEREG=5", b"+CEREG: 5,4", False),
        ("AT+CEREG=?", b"+CEREG: (0-5)", True),
        ("AT+CSCON?", b"+CSCON: 0,0", True),
        ("AT+CSCON?", b"+CSCON: 1,7", False),
        ("AT+CSCON?", b"+CSCON: 1", False),
        ("AT%CESQ=1", b"%CESQ: 56,2,17,2", False),
        ("AT%XTEMP?", b"%XTEMP: 50", True),
        ("AT%XTEMP?", b"%XTEMP: 2,56", False),
        ("AT#XNRFCLOUD?", b'#XNRFCLOUD: 1,0,16842753,"50503041"', True),
        ("AT#XNRFCLOUD?", b"#XNRFCLOUD: 1,0", False),
        ("AT#XNRFCLOUD=1", b"#XNRFCLOUD: 1,0", False),
    ],
)
def test_claims(command, line, claimed):
    assert parse_command(command).claims(line) is claimed


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"OK", "OK"),
        (b"ERROR", "ERROR"),
        (b"+CME ERROR: 518", "+CME ERROR: 518"),
        (b"+CMS ERROR: 300", "+CMS ERROR: 300"),
        (b"OKAY", None),
        (b"it is OK", None),
        (b"OK 1", None),
        (b"+CME ERROR: x", None),
        (b"+CME ERROR: 1 2", None),
        (b"ok", None),
        (b"", None),
    ],
)
def test_final_results_are_whole_lines(line, text):
    final = parse_final(line)
    assert (str(final) if final else None) == text


@pytest.mark.parametrize(
    ("line", "status"), [(b"#XDATAMODE: 0", 0), (b"#XDATAMODE: -104", -104), (b"+++#XDATAMODE: -1", -1), (b"OK", None)]
)
def test_end_of_data_mode(line, status):
    final = parse_data_mode(line)
    assert final == (None if status is None else FinalResult("DATAMODE", status))


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"+CEREG: 1", (b"+CEREG", b"1")),
        (b"#XHTTPCRSP:12,1", (b"#XHTTPCRSP", b"12,1")),
        (b"%XPOFWARN", (b"%XPOFWARN", b"")),
        (b"+CGEV: ME PDN ACT 0,0", (b"+CGEV", b"ME PDN ACT 0,0")),
        (b"+++", None),
        (b"Ready", None),
        (b"100% done", None),
        (b"% done: 5", None),
    ],
)
def test_split_urc(line, parts):
    assert split_urc(line) == parts


def test_one_line():
    assert one_line('AT%CMNG=0,1,0,"a\r\nb"') == 'AT%CMNG=0,1,0,"<4 bytes>"'
    assert one_line('AT+X="short"') == 'AT+X="short"'
    assert one_line("a\nb") == "a b"
    assert one_line("x" * 500, limit=10) == "xxxxxxxxx…"
    assert (one_line("x" * 160), one_line("x" * 161)) == ("x" * 160, "x" * 159 + "…")


def test_quoted_content_is_shown_on_one_line_up_to_64_bytes():
    longest = f'"{"x" * 64}"'
    assert one_line(longest) == longest
    assert one_line(f'"{"x" * 65}"') == '"<65 bytes>"'
    assert one_line('"a\nb" "a\rb" "ab"') == '"<3 bytes>" "<3 bytes>" "ab"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CFUN?\nx", "not an AT command: 'CFUN? x'; it begins with AT"),
        (
            "AT+CFUN?\nAT",
            "AT+CFUN? AT: a line end or control character outside quotes; send one command at a time",
        ),
        (
            'AT"a\x7fb"',
            'AT"a\x7fb": holds NUL, backspace or DEL, which the board\'s input line does not pass on',
        ),
        ('AT"', 'AT": a quote is left open, and the board would wait for its end; close it'),
    ],
)
def test_what_is_wrong_with_a_command_is_one_line(text, message):
    with pytest.raises(Misuse) as caught:
        parse_command(text)
    assert str(caught.value) == message


def test_a_blank_outside_quotes_is_no_control_character():
    assert parse_command("AT+COPS=1, 2").wire == b"AT+COPS=1, 2\r"


def test_a_command_knows_how_long_it_may_take():
    assert parse_command("AT+COPS=?").timeout == default_timeout("+COPS", test_form=True)
    assert parse_command("AT+COPS?").timeout == default_timeout("+COPS")
    assert parse_command("AT+CFUN=1").timeout == default_timeout("+CFUN")
    assert len({default_timeout("+COPS"), default_timeout("+COPS", test_form=True), default_timeout("")}) > 1


@pytest.mark.parametrize(
    ("text", "prefix"),
    [("AT", b""), ("ATE1", b""), ("AT&F", b""), ("ATX", b""), ("AT+CFUN?", b"+CFUN"), ("AT%X", b"%X")],
)
def test_only_a_name_with_a_sign_begins_answers(text, prefix):
    assert parse_command(text).prefix == prefix


@pytest.mark.parametrize("terminator", ["\r", "\r\n", "\0"])
def test_an_echo_is_the_command_or_one_of_its_lines_or_what_the_shell_got(terminator):
    command = parse_command('AT%CMNG=0,1,0,"a\r\n b \n"', terminator=terminator)
    assert command.echoes == {b'AT%CMNG=0,1,0,"a', b"b", b'"', b'AT%CMNG=0,1,0,"a\r\n b \n"'}
    shell = parse_command("AT+CGSN", terminator=terminator, at_shell=True)
    assert shell.echoes == {b"AT+CGSN", b"at 'AT+CGSN'"}
    assert parse_command("AT#XX").echoes == {b"AT#XX"}


def test_the_end_of_data_mode_reads_as_it_came():
    assert str(FinalResult("DATAMODE", -104)) == "#XDATAMODE: -104"
    assert str(FinalResult("CME", 50)) == "+CME ERROR: 50"
    assert str(FinalResult("OK")) == "OK"


def test_a_command_is_shown_on_one_line():
    assert parse_command('AT%CMNG=0,1,0,"a\r\nb"').shown == 'AT%CMNG=0,1,0,"<4 bytes>"'
    assert "key" not in parse_command('AT%CMNG=0,1,2,"key"').shown


def test_text_stays_text_where_a_secret_is_taken_out():
    command = parse_command('AT#XMQTTCON=1,"größe","schlüssel","höst"')
    assert command.redacted == 'AT#XMQTTCON=1,"größe",<redacted 12 bytes>,"höst"'
