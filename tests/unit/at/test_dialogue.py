import pytest

from harness.at.dialogue import ANSWER_LIMIT, Dialogue, Role
from harness.at.syntax import parse_command
from harness.errors import Misuse
from tests.unit.at.scripted_modem import ScriptedModem

MESSAGE = {"#XMQTTMSG": lambda args: tuple(int(part) for part in args.split(","))}


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
def test_an_open_quote_ends_with_the_line_that_closes_it(end):
    """Two quotes in a line close one and open the next."""
    content = b"a\r\nb" + b'","' + b"c\r\nd"
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


# -- counted payloads


def test_payload_with_line_ends_and_a_fake_final():
    dialogue = Dialogue(framed=MESSAGE)
    dialogue.begin(parse_command("AT+CFUN?"))
    topic, payload = b"prod/x/c2d", b'{"a":\r\n1}\r\nOK\r\n'
    wire = b"\r\n#XMQTTMSG: %d,%d\r\n%b\r\n%b\r\n" % (len(topic), len(payload), topic, payload)
    found = dialogue.receive(wire + b"\r\n#XMQTTEVT: 2,0\r\n+CFUN: 1\r\nOK\r\n")
    assert [(item.role, item.line, item.blobs) for item in found[:2]] == [
        (Role.URC, b"#XMQTTMSG: 10,15", (topic, payload)),
        (Role.URC, b"#XMQTTEVT: 2,0", ()),
    ]
    assert found[-1].outcome.lines == [b"+CFUN: 1"]


@pytest.mark.parametrize("args", [b"x,y", b"-1,4", b"70000,1", b"", b"12345678901234567890,1"])
def test_a_length_that_makes_no_sense_takes_nothing(args):
    dialogue = Dialogue(framed=MESSAGE)
    assert heard(dialogue, b"#XMQTTMSG: " + args + b"\r\n+CEREG: 1\r\n") == [
        (Role.GARBLED, (b"#XMQTTMSG: " + args).rstrip()),
        (Role.URC, b"+CEREG: 1"),
    ]


def test_empty_payload():
    found = Dialogue(framed=MESSAGE).receive(b"#XMQTTMSG: 1,0\r\nt\r\n\r\n#XMQTTEVT: 2,0\r\n")
    assert [item.blobs for item in found] == [(b"t", b""), ()]


@pytest.mark.parametrize("size", [5, 128, 300])
@pytest.mark.parametrize("between", [b"+CSCON: 1", b'+CEREG: 1,"0001","00010101",7', b"#XMQTTEVT: 3,0"])
@pytest.mark.parametrize("place", ["topic", "payload", "end of topic", "end of payload", "piece"])
@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_a_line_that_fell_into_a_message_is_set_aside(size, between, place, chunk):
    """Serial Modem before its pull request 324 writes header, topic and pieces of 128 bytes one by one."""
    topic, payload = b"prod/x/c2d", bytes(97 + number % 26 for number in range(size))
    line = b"\r\n" + between + b"\r\n"
    first = {name: line if name == place else b"" for name in ("topic", "payload", "end of topic", "end of payload")}
    split = payload[:128] + (line if place == "piece" and size > 128 else b"") + payload[128:]
    wire = b"\r\n#XMQTTMSG: %d,%d\r\n" % (len(topic), size) + first["topic"] + topic + first["end of topic"] + b"\r\n"
    wire += first["payload"] + split + first["end of payload"] + b"\r\n\r\n#XMQTTEVT: 2,0\r\n"
    dialogue = Dialogue(framed=MESSAGE)
    found = [item for at in range(0, len(wire), chunk) for item in dialogue.receive(wire[at : at + chunk])]
    fell = [b"#XMQTTEVT: 2,0"] if place == "piece" and size <= 128 else [between, b"#XMQTTEVT: 2,0"]
    assert {item.role for item in found} == {Role.URC}
    assert [item.line for item in found if not item.blobs] == fell
    assert [item.blobs for item in found if item.blobs] == [(topic, payload)]


def test_a_payload_that_looks_like_a_line_between_is_a_payload():
    dialogue = Dialogue(framed=MESSAGE)
    payload = b"\r\n+CSCON: 1\r\nx"
    (found,) = dialogue.receive(b"#XMQTTMSG: 1,%d\r\nt\r\n%b\r\n" % (len(payload), payload))
    assert found.blobs == (b"t", payload)


@pytest.mark.parametrize("lost", range(4, 48))
def test_a_message_that_lost_a_byte_is_garbled_and_takes_nothing_with_it(lost):
    """Whichever byte is missing: what comes behind it is heard, and no message is made up."""
    whole = b"\r\n#XMQTTMSG: 10,15\r\nprod/x/c2d\r\n{ a: 12345678 }\r\n"
    dialogue = Dialogue(framed=MESSAGE)
    found = dialogue.receive(
        whole[:lost] + whole[lost + 1 :] + b"\r\n#XMQTTEVT: 2,0\r\n" + b"\r\n#XMQTTEVT: 1,-128\r\n"
    )
    lines = [item.line for item in found]
    assert b"#XMQTTEVT: 1,-128" in lines
    assert b"#XMQTTEVT: 2,0" in lines
    blobs = [item.blobs for item in found if item.blobs]
    # A blank or half a line end of the header is not missed.
    assert blobs == ([(b"prod/x/c2d", b"{ a: 12345678 }")] if lost in (12, 18, 19) else [])


def test_a_header_that_comes_last_is_garbled_at_once():
    dialogue = Dialogue(framed=MESSAGE)
    found = dialogue.receive(b"t\r\nhello\r\n\r\n#XMQTTMSG: 1,5\r\n\r\n#XMQTTEVT: 2,0\r\n")
    assert [(item.role, item.line) for item in found] == [
        (Role.LOG, b"t"),
        (Role.LOG, b"hello"),
        (Role.GARBLED, b"#XMQTTMSG: 1,5"),
        (Role.URC, b"#XMQTTEVT: 2,0"),
    ]


def test_a_framed_name_without_bytes_is_an_ordinary_answer():
    done = ask("AT#XRECVCFG?", b"#XRECVCFG: 1\r\nOK\r\n", framed={"#XRECVCFG": lambda args: ()})
    assert done.lines == [b"#XRECVCFG: 1"]


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


def test_answer_with_counted_bytes():
    dialogue = Dialogue(framed={"#XRECV": lambda args: (int(args.split(",")[-1]),)})
    dialogue.begin(parse_command("AT#XRECV=0,0,0,5"))
    done = outcome(dialogue, b"\r\n#XRECV: 0,0,6\r\nOK\r\nab\r\n\r\nOK\r\n")
    assert (done.lines, done.blobs) == ([b"#XRECV: 0,0,6"], [b"OK\r\nab"])


def test_counted_bytes_may_fill_the_limit():
    for size, role in ((30, Role.URC), (31, Role.GARBLED)):
        dialogue = Dialogue(framed=MESSAGE, limit=30)
        message = b"#XMQTTMSG: 10,%d\r\n%s\r\n%s\r\n" % (size - 10, b"t" * 10, b"p" * (size - 10))
        assert heard(dialogue, message)[0][0] is role


@pytest.mark.parametrize(("more", "overflow"), [(0, False), (1, True)])
def test_an_answer_has_room_for_lines_and_counted_bytes(more, overflow):
    dialogue = Dialogue(framed={"#XRECV": lambda args: (int(args),)})
    dialogue.begin(parse_command("AT#XRECV=0"))
    line = b"#XRECV: 60000"
    left = ANSWER_LIMIT - 4 * (len(line) + 60_000) + more
    for _ in range(4):
        dialogue.receive(line + b"\r\n" + b"x" * 60_000 + b"\r\n")
    last = b"#XRECV: %d" % (left - len(line))
    dialogue.receive(last + b"\r\n" + b"x" * (left - len(last)) + b"\r\n")
    assert outcome(dialogue, b"OK\r\n").overflow is overflow


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


def test_a_late_answer_takes_its_counted_bytes_along():
    dialogue = Dialogue(framed={"#XRECV": lambda args: (int(args.split(",")[-1]),)})
    dialogue.begin(parse_command("AT#XRECV=0,0,0,5"))
    dialogue.give_up()
    (late, final) = dialogue.receive(b"\r\n#XRECV: 0,0,6\r\nOK\r\nab\r\n\r\nERROR\r\n")
    assert (late.role, late.blobs, late.name, late.args) == (Role.LATE, (b"OK\r\nab",), b"#XRECV", b"0,0,6")
    assert (final.role, final.line) == (Role.STRAY, b"ERROR")


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


def test_giving_up_releases_promised_bytes():
    dialogue = Dialogue(framed=MESSAGE)
    dialogue.begin(parse_command("AT"))
    assert dialogue.receive(b"#XMQTTMSG: 500,500\r\n+CEREG: 1\r\nOK\r\n") == []
    assert [(item.role, item.line) for item in dialogue.give_up()] == [
        (Role.GARBLED, b"#XMQTTMSG: 500,500"),
        (Role.URC, b"+CEREG: 1"),
        (Role.STRAY, b"OK"),
    ]


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
