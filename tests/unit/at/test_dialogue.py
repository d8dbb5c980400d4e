import pytest

from harness.at.dialogue import ANSWER_LIMIT, Dialogue, Role
from harness.at.syntax import parse_command
from harness.errors import Misuse
from tests.unit.at.scripted_modem import ScriptedModem


def heard(dialogue, data):
    return [(item.role, item.line) for item in dialogue.receive(data)]


def outcome(dialogue, data):
    """The outcome in ``data``; None when the command is still pending."""
    found = [item.outcome for item in dialogue.receive(data) if item.outcome]
    return found[0] if found else None


def ask(text, data, **options):
    dialogue = Dialogue(**options)
    dialogue.begin(parse_command(text))
    return outcome(dialogue, data)


def test_answer_lines_and_final():
    dialogue = Dialogue()
    assert dialogue.begin(parse_command("AT+CFUN?")) == b"AT+CFUN?\r"
    assert heard(dialogue, b"+CFUN: 1\r\nOK\r\n") == [(Role.ANSWER, b"+CFUN: 1"), (Role.FINAL, b"OK")]
    assert dialogue.pending is None


@pytest.mark.parametrize(
    "wire",
    [
        b"+CFUN: 0\r\nOK\r\n",  # AT Host
        b"\r\n+CFUN: 0\r\n\r\nOK\r\n",  # Serial Modem
        b"\n+CFUN: 0\r\nOK\r\n",  # the host's stray LF
        b"AT+CFUN?\r\r\n+CFUN: 0\r\n\r\nOK\r\n",  # echo
        b"AT+CFUN?\r+CFUN: 0\r\nOK\r\n",  # echo of the bare command
        b"AT+CFUN?\r\n+CFUN: 0\r\nOK\r\nmosh:~$ ",  # shell
        b"+CFUN: 0\nOK\n",
        b"+CFUN: 0\rOK\r",
    ],
)
def test_framings(wire):
    assert ask("AT+CFUN?", wire).lines == [b"+CFUN: 0"]


def test_blanks_before_a_line_are_not_its_content():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN?"))
    found = dialogue.receive(b" +CFUN: 1\r\n\t+CSCON: 0\r\n OK\r\n")
    assert [(item.role, item.name, item.args) for item in found] == [
        (Role.ANSWER, b"+CFUN", b"1"),
        (Role.URC, b"+CSCON", b"0"),
        (Role.FINAL, b"", b""),
    ]
    assert found[-1].outcome.lines == [b"+CFUN: 1"]


def test_a_line_without_a_name_is_all_content():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CGSN"))
    assert dialogue.receive(b"352656100000000\r\n") == [(Role.ANSWER, b"352656100000000", b"", b"", (), None)]


def test_shell_echo():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN?", at_shell=True))
    data = b"mosh:~$ at 'AT+CFUN?'\r\n+CFUN: 1\r\nOK\r\nmosh:~$ "
    assert heard(dialogue, data) == [
        (Role.ECHO, b"at 'AT+CFUN?'"),
        (Role.ANSWER, b"+CFUN: 1"),
        (Role.FINAL, b"OK"),
    ]


@pytest.mark.parametrize("data", [b"AT event handler: +CEREG: 1\r\n", b"AT event handler:\r\n+CEREG: 1\r\n\r\n"])
def test_shell_notification(data):
    assert heard(Dialogue(), data) == [(Role.URC, b"+CEREG: 1")]


def test_clac_lists_itself():
    assert ask("AT+CLAC", b"AT+CFUN\r\nAT+CLAC\r\nAT%CMNG\r\nOK\r\n").lines == [b"AT+CFUN", b"AT+CLAC", b"AT%CMNG"]


@pytest.mark.parametrize(
    ("wire", "final"),
    [(b"ERROR\r\n", "ERROR"), (b"+CME ERROR: 518\r\n", "+CME ERROR: 518"), (b"+CMS ERROR: 514\r\n", "+CMS ERROR: 514")],
)
def test_refusals(wire, final):
    assert str(ask("AT+X", wire).final) == final


@pytest.mark.parametrize("line", [b"it is OK", b"OK then", b"ERROR: disk", b"<inf> OK", b"+CME ERROR: none", b"NOOK"])
def test_only_a_whole_line_ends_a_command(line):
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN=4"))
    assert outcome(dialogue, line + b"\r\n") is None
    assert outcome(dialogue, b"OK\r\n").lines == []


def test_urcs_during_a_command_are_not_its_answer():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN=4"))
    assert heard(dialogue, b"+CSCON: 1\r\n+CEREG: 0\r\n+CSCON: 0\r\nOK\r\n") == [
        (Role.URC, b"+CSCON: 1"),
        (Role.URC, b"+CEREG: 0"),
        (Role.URC, b"+CSCON: 0"),
        (Role.FINAL, b"OK"),
    ]


def test_cereg_urc_while_cereg_is_read():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CEREG?"))
    assert heard(dialogue, b'+CEREG: 2,"0901","02024720",7\r\n+CEREG: 5,2,"0901","02024720",7\r\nOK\r\n') == [
        (Role.URC, b'+CEREG: 2,"0901","02024720",7'),
        (Role.ANSWER, b'+CEREG: 5,2,"0901","02024720",7'),
        (Role.FINAL, b"OK"),
    ]


def test_multi_line_content_is_verbatim():
    content = b"-----BEGIN CERTIFICATE-----\r\nMIIB  \r\n\r\nOK\r\n-----END CERTIFICATE-----\n"
    wire = b'%CMNG: 42,0,"2C43","' + content + b'"\r\nOK\r\n'
    assert ask("AT%CMNG=2,42,0", wire).lines == [b'%CMNG: 42,0,"2C43","' + content + b'"']


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
@pytest.mark.parametrize("content", [b'a\r\nb","c\r\nd', b'a\r\nb","c', b'a\r\nb","c","d\r\ne'])
def test_an_open_quote_ends_with_the_line_that_closes_it(content, end):
    """Two quotes in a line close one and open the next; three close one behind that."""
    assert ask("AT%CMNG=1", b'%CMNG: 1,0,"' + content + b'"' + end + b"OK\r\n").lines == [
        b'%CMNG: 1,0,"' + content + b'"'
    ]


def test_an_open_quote_may_hold_the_answers_own_name():
    line = b'%CMNG: 42,0,"%CMNG: 1\r\nmore"'
    assert ask("AT%CMNG=1", line + b"\r\nOK\r\n").lines == [line]


@pytest.mark.parametrize(("limit", "role"), [(26, Role.ANSWER), (25, Role.CUT)])
def test_an_answer_over_line_ends_may_fill_the_limit(limit, role):
    dialogue = Dialogue(limit=limit)
    dialogue.begin(parse_command("AT%CMNG=2,1,0"))
    assert heard(dialogue, b'%CMNG: 1,0,"\r\nABCDEFGHI"\r\n')[0][0] is role


def test_an_odd_quote_in_a_log_line_swallows_nothing():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN?"))
    assert outcome(dialogue, b'<inf> app: said "hello\r\n#XODD: "\r\n+CFUN: 1\r\nOK\r\n').lines == [b"+CFUN: 1"]


def test_an_open_quote_is_cut_at_the_limit():
    dialogue = Dialogue(limit=20)
    dialogue.begin(parse_command("AT%CMNG=2,1,0"))
    found = dialogue.receive(b'%CMNG: 1,0,"\r\nABCDEFGH\r\nrest of it\r\nOK\r\n')
    assert [(item.role, item.line) for item in found] == [
        (Role.CUT, b'%CMNG: 1,0,"\r\nABCDEFGH\r\n'),
        (Role.LOG, b"rest of it"),
        (Role.FINAL, b"OK"),
    ]
    assert found[-1].outcome.lines == []


def test_a_cut_line_ends_no_command():
    dialogue = Dialogue(limit=8)
    dialogue.begin(parse_command("AT"))
    assert heard(dialogue, b"xxxxxxxxOK\r\n") == [(Role.CUT, b"xxxxxxxx"), (Role.CUT, b"OK")]
    assert dialogue.pending


def test_an_endless_answer_is_bounded():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+X"))
    line = b"+X: " + b"y" * 1000 + b"\r\n"
    for _ in range(ANSWER_LIMIT // 1000 + 10):
        dialogue.receive(line)
    done = outcome(dialogue, b"OK\r\n")
    assert done.overflow
    assert sum(map(len, done.lines)) <= ANSWER_LIMIT


def test_one_command_at_a_time():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN?"))
    with pytest.raises(Misuse, match=r"AT while AT\+CFUN\? is pending"):
        dialogue.begin(parse_command("AT"))


def test_a_urc_may_begin_like_a_final_result():
    assert heard(Dialogue(), b"+CMT: 1\r\n+CME ERROR: 3\r\n") == [
        (Role.URC, b"+CMT: 1"),
        (Role.STRAY, b"+CME ERROR: 3"),
    ]


def test_final_without_command_is_nobodys():
    assert heard(Dialogue(), b"OK\r\n+CME ERROR: 3\r\n") == [(Role.STRAY, b"OK"), (Role.STRAY, b"+CME ERROR: 3")]


def test_boot_lines_and_banner():
    assert heard(Dialogue(), b"*** Booting nRF Connect SDK ***\r\nReady\r\n") == [
        (Role.LOG, b"*** Booting nRF Connect SDK ***"),
        (Role.LOG, b"Ready"),
    ]


def test_blanks_and_colour_codes_alone_are_no_line():
    assert heard(Dialogue(), b" \x1b[0m\r\n\x1b[0m \r\n \0\r\n") == []


def test_secrets_stay_in_flight_until_the_dialogue_is_in_step():
    dialogue = Dialogue()
    dialogue.begin(parse_command('AT%CMNG=0,1,2,"key"'))
    assert dialogue.secret
    dialogue.give_up()
    dialogue.begin(parse_command("AT+CMEE?"))
    assert dialogue.secret
    dialogue.in_step()
    assert not dialogue.secret


# -- data mode


def test_data_mode():
    dialogue = Dialogue()
    command = parse_command('AT#XMQTTPUB="t"')
    modem = ScriptedModem({"AT#XSEND": b""}, leading=b"\r\n")
    send = parse_command("AT#XSEND")
    assert str(outcome(dialogue, modem.feed(dialogue.begin(send))).final) == "OK"
    wire = dialogue.begin_payload(send, b'{"a":1}\r\nAT\r\n')
    assert wire == b'{"a":1}\r\nAT\r\n+++'
    done = outcome(dialogue, modem.feed(wire))
    assert (done.final.code, modem.payloads) == (0, [b'{"a":1}\r\nAT\r\n'])
    for payload in (b"a+++b", b"ends with +", b"+", b"++"):
        with pytest.raises(Misuse, match="data mode"):
            dialogue.begin_payload(command, payload)


def test_the_board_leaves_data_mode_by_itself():
    dialogue = Dialogue()
    dialogue.begin_payload(parse_command("AT#XSEND"), b"x")
    found = dialogue.receive(b"+++OK\r\n\r\n#XDATAMODE: -1\r\n")
    assert [item.role for item in found] == [Role.LOG, Role.FINAL]
    assert found[-1].outcome.final.code == -1


# -- late answers


def test_a_late_answer_is_not_the_probes():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+COPS?"))
    dialogue.give_up()
    assert dialogue.abandoned == {"+COPS"}
    dialogue.begin(parse_command("AT+CMEE?"), needs_line=True)
    assert heard(dialogue, b"+COPS: 0\r\nOK\r\nERROR\r\n") == [
        (Role.LATE, b"+COPS: 0"),
        (Role.STRAY, b"OK"),
        (Role.STRAY, b"ERROR"),
    ]
    assert dialogue.pending.name == "+CMEE"
    assert outcome(dialogue, b"+CMEE: 1\r\nOK\r\n").lines == [b"+CMEE: 1"]
    dialogue.in_step()
    assert heard(dialogue, b"+COPS: 0\r\n") == [(Role.URC, b"+COPS: 0")]


def test_a_late_cereg_answer_is_no_urc_but_a_urc_still_is():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CEREG?"))
    dialogue.give_up()
    assert heard(dialogue, b'+CEREG: 5,1,"0901"\r\n+CEREG: 1,"0901"\r\n') == [
        (Role.LATE, b'+CEREG: 5,1,"0901"'),
        (Role.URC, b'+CEREG: 1,"0901"'),
    ]


def test_giving_up_releases_an_open_quote():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT%CMNG=2,1,0"))
    assert dialogue.receive(b'%CMNG: 1,0,"lost quote\r\n+CEREG: 1\r\nOK\r\nhalf') == []
    assert [(item.role, item.line) for item in dialogue.give_up()] == [
        (Role.LATE, b'%CMNG: 1,0,"lost quote'),
        (Role.URC, b"+CEREG: 1"),
        (Role.STRAY, b"OK"),
    ]
    assert heard(dialogue, b" line\r\n") == [(Role.LOG, b"half line")]


def test_abandoned_commands_are_bounded():
    dialogue = Dialogue()
    for number in range(50):
        dialogue.begin(parse_command(f"AT+N{chr(65 + number % 26)}"))
        dialogue.give_up()
    assert len(dialogue._abandoned) == 8


# -- against the scripted modem


@pytest.mark.parametrize("terminator", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("leading", [b"", b"\r\n"])
@pytest.mark.parametrize("echo", [False, True])
def test_conversation(terminator, leading, echo):
    pem = "-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----\r\n"
    modem = ScriptedModem(
        {
            "AT+CGSN": b"352656100000000\r\n",
            "AT%CMNG": lambda text: (
                b'%CMNG: 1,0,"2C","' + pem.encode() + b'"\r\n' if text.startswith("AT%CMNG=2") else b""
            ),
            "AT+FAIL": b"+CME ERROR: 518\r\n",
        },
        terminator=terminator.encode(),
        leading=leading,
        echo=echo,
    )
    dialogue = Dialogue()

    def say(text):
        return outcome(dialogue, modem.feed(dialogue.begin(parse_command(text, terminator=terminator))))

    assert say("AT+CGSN").lines == [b"352656100000000"]
    assert say(f'AT%CMNG=0,1,0,"{pem}"').lines == []
    assert say("AT%CMNG=2,1,0").lines == [b'%CMNG: 1,0,"2C","' + pem.encode() + b'"']
    assert str(say("AT+FAIL").final) == "+CME ERROR: 518"
    assert modem.commands == ["AT+CGSN", f'AT%CMNG=0,1,0,"{pem}"', "AT%CMNG=2,1,0", "AT+FAIL"]


def test_what_a_socket_tells_while_polling_is_being_started_is_no_answer():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT#XAPOLL=1,1"))
    told, final = dialogue.receive(b"\r\n#XAPOLL: 0,17\r\n\r\nOK\r\n")
    assert (told.role, told.name, final.outcome.lines) == (Role.URC, b"#XAPOLL", [])
    dialogue.begin(parse_command("AT#XAPOLL?"))
    assert dialogue.receive(b"\r\n#XAPOLL: 1,1,0\r\n\r\nOK\r\n")[1].outcome.lines == [b"#XAPOLL: 1,1,0"]
