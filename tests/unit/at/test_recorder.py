import base64

from harness.at.dialogue import Dialogue, Heard, Role
from harness.at.recorder import LineRecorder, shown_bytes
from harness.at.syntax import parse_command
from harness.timeline import Kind

KEY = "-----BEGIN PRIVATE KEY-----\r\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIB\r\n-----END PRIVATE KEY-----\r\n"
WRITE = f'AT%CMNG=0,1,2,"{KEY}"'


def drafts(lines, *, secret=False):
    return LineRecorder("board-1").drafts(lines, 12.5, seconds=0.25, secret=secret)


def test_kinds_and_stamp():
    dialogue = Dialogue()
    command = parse_command("AT+CFUN?")
    dialogue.begin(command)
    heard = dialogue.receive(b"<inf> up\r\n+CEREG: 1\r\n+CFUN: 1\r\nOK\r\n")
    assert drafts(heard) == [
        (12.5, Kind.RX, "board-1", "<inf> up", {}),
        (12.5, Kind.URC, "board-1", "+CEREG: 1", {}),
        (12.5, Kind.RX, "board-1", "+CFUN: 1", {"role": "answer"}),
        (12.5, Kind.RESULT, "board-1", "OK", {"command": "AT+CFUN?", "seconds": 0.25, "ok": True}),
    ]


def test_undecodable_bytes():
    fine, garbled = drafts([Heard(Role.LOG, b"fine"), Heard(Role.LOG, b"caf\xc3 \xff!")])
    assert (fine[3:], garbled[3]) == (("fine", {}), "caf\ufffd \ufffd!")
    assert base64.b64decode(garbled[4]["bytes"]) == b"caf\xc3 \xff!"
    urc = drafts([Heard(Role.URC, b"+X: \xff", b"+X", b"\xff")])[0]
    assert (urc[3], urc[4]) == ("+X: \ufffd", {"bytes": "K1g6IP8="})


def test_tokens_do_not_enter():
    line = b'%ATTESTTOKEN: "2dn3hQFQUDYxVDkxRPCAIhIbZAFifQNQ.0oRDoQEmoQRBIfZYQ"'
    assert drafts([Heard(Role.ANSWER, line)])[0][3] == "%ATTESTTOKEN: <redacted 52 bytes>"


def test_a_key_that_the_board_prints_over_several_lines():
    lines = [Heard(Role.LOG, line.encode()) for line in KEY.split("\r\n") if line]
    texts = [draft[3] for draft in drafts([*lines, Heard(Role.LOG, b"after")])]
    assert "MIGH" not in "".join(texts)
    assert texts[-1] == "after"


def test_no_echo_of_a_key_enters_not_even_a_damaged_one():
    command = parse_command(WRITE)
    dialogue = Dialogue()
    dialogue.begin(command)
    echo = WRITE.encode().replace(b"MIGH", b"MI\x00H")
    heard = dialogue.receive(WRITE.encode() + b"\r\n" + echo[30:] + b"\r\nOK\r\n")
    texts = [draft[3] for draft in drafts(heard, secret=command.secret)]
    assert not [text for text in texts if "AgEAMBMG" in text]
    assert texts[-1] == "OK"


def test_a_late_echo_of_a_key_does_not_enter():
    dialogue = Dialogue()
    dialogue.begin(parse_command(WRITE))
    dialogue.give_up()
    texts = [draft[3] for draft in drafts(dialogue.receive(WRITE.encode() + b"\r\n"), secret=dialogue.secret)]
    assert texts
    assert not [text for text in texts if "MIGH" in text]


def test_blobs_are_kept_whole_and_shown_redacted_and_cut():
    data = drafts([Heard(Role.URC, b"#XMQTTMSG: 1,2", b"#XMQTTMSG", b"1,2", (b"t", b"\xff{}"))])[0][4]
    assert data == {"blobs": [{"payload": "t"}, {"payload": "/3t9", "encoding": "base64"}]}
    assert shown_bytes(b"x" * 3000) == "x" * 2048 + "… (3000 bytes)"
    assert "eyJ" not in shown_bytes(b"jwt eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlc2lnbmF0dXJl")


def test_the_longest_payload_is_shown_whole():
    assert shown_bytes(b"x" * 2048) == "x" * 2048
    assert shown_bytes(b"x" * 2049) == "x" * 2048 + "… (2049 bytes)"


def test_what_arrives_while_a_secret_is_sent_is_shown_by_its_length():
    lines = [Heard(Role.LOG, b"MIGHAg"), Heard(Role.CUT, b"EAMBMGByq"), Heard(Role.ANSWER, b"+CFUN: 1")]
    assert [draft[3] for draft in drafts(lines, secret=True)] == [
        "<6 bytes that arrived while a secret was being sent>",
        "<9 bytes that arrived while a secret was being sent>",
        "+CFUN: 1",
    ]


def test_seconds_are_told_to_the_microsecond():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT"))
    (draft,) = LineRecorder("board-1").drafts(dialogue.receive(b"OK\r\n"), 0.0, seconds=0.12345678, secret=False)
    assert draft[4]["seconds"] == 0.123457


def test_a_final_result_inside_a_key_that_never_ended_is_hidden_like_its_lines():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT%CMNG=2,1,2"))
    heard = dialogue.receive(b"-----BEGIN PRIVATE KEY-----\r\nMIGH\r\nOK\r\n")
    kinds, texts = zip(*((draft[1], draft[3]) for draft in drafts(heard)), strict=True)
    assert (kinds[-1], texts[1:]) == (Kind.RESULT, ("<redacted 4 bytes>", "<redacted 2 bytes>"))


def test_behind_the_result_of_a_secret_command_lines_are_shown_again_unless_another_is_owed_its_echo():
    dialogue = Dialogue()
    dialogue.begin(parse_command("AT+CFUN?"))
    heard = dialogue.receive(b"one\r\nbefore\r\nOK\r\nbehind\r\nlast\r\n")
    shown = {}
    for afterwards in (False, True, None):
        made = LineRecorder("board-1").drafts(heard, 1.0, seconds=0.1, secret=True, afterwards=afterwards)
        shown[afterwards] = [draft[3] for draft in made]
    hidden = "<{} bytes that arrived while a secret was being sent>"
    assert shown[False] == [hidden.format(3), hidden.format(6), "OK", "behind", "last"]
    assert shown[True] == shown[None] == [hidden.format(3), hidden.format(6), "OK", hidden.format(6), hidden.format(4)]
