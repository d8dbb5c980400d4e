"""The dialogue: chunks do not matter, nothing raises, memory is bounded, nothing is lost or misattributed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.at.dialogue import Dialogue, Role
from harness.at.recorder import LineRecorder
from harness.at.syntax import parse_command

LIMIT = 60
FRAMED = dict.fromkeys(("#XMQTTMSG", "#XTCPDATA"), lambda args: tuple(int(part) for part in args.split(",")))
COMMANDS = ["AT", "AT+CFUN?", "AT+CGSN", "AT+CEREG?", "AT%CMNG=2,1,0", "AT#XMQTTMSG?", "AT+CLAC", "AT#XTCPSEND"]
PARTS = [
    b"OK", b"ERROR", b"+CME ERROR: 5", b"\r\n", b"\r", b"\n", b'"', b"+CFUN: 1", b"+CEREG: 1", b"+CEREG: 5,1",
    b"352656100000000", b"#XMQTTMSG: 3,4", b"#XMQTTMSG: 0,2", b"#XMQTTMSG: x", b"abc", b"+++", b"%CMNG: 1,0,\"",
    b"\x1b[1m", b"mosh:~$ ", b"AT event handler: ", b"\xff", b" ", b"\0", b"AT+CFUN?", b"x" * 70,
    b"#XTCPDATA: 3", b"\r\nOK\r\n", b"\r\n#XDATAMODE: 0\r\n", b"+++\r\n#XDATAMODE: -104\r\n", b"Ready\r\n",
]  # fmt: skip
STREAMS = st.lists(st.sampled_from(PARTS) | st.binary(max_size=5), max_size=40).map(b"".join)


def fresh(text):
    dialogue = Dialogue(framed=FRAMED, limit=LIMIT)
    if text:
        dialogue.begin(parse_command(text))
    return dialogue


@settings(max_examples=400)
@given(st.sampled_from([None, *COMMANDS]), STREAMS, st.lists(st.integers(1, 9), max_size=60))
def test_chunks_do_not_matter(text, stream, sizes):
    whole, chunked = fresh(text), fresh(text)
    expected = whole.receive(stream)
    found, at = [], 0
    for size in [*sizes, len(stream)]:
        found += chunked.receive(stream[at : at + size])
        at += size
    assert found == expected
    assert chunked.give_up() == whole.give_up()


@settings(max_examples=300)
@given(st.sampled_from([None, *COMMANDS]), st.lists(STREAMS | st.binary(max_size=300), max_size=6))
def test_any_bytes_raise_nothing_and_stay_bounded(text, chunks):
    dialogue = fresh(text)
    for chunk in chunks:
        dialogue.receive(chunk)
        held = len(dialogue._buffer._partial) + len(dialogue._open)
        if dialogue._awaiting:
            held += len(dialogue._awaiting[1].so_far())
        assert held <= 3 * LIMIT
    dialogue.give_up()
    dialogue.give_up()  # bytes that came unasked outlive one command that is given up, never two
    assert not dialogue._open
    assert dialogue._awaiting is None


URCS = st.sampled_from(
    [b"+CSCON: 1", b'+CEREG: 2,"0901","02024720",7', b"%MDMEV: SEARCH STATUS 2", b"#XMQTTEVT: 1,-128", b"+CEREG: 0"]
)
ANSWERS = st.sampled_from(
    [
        ("AT+CFUN?", [b"+CFUN: 1"], b"OK"),
        ("AT+CEREG?", [b'+CEREG: 5,2,"0901","02024720",7'], b"OK"),
        ("AT+CGSN", [b"352656100000000"], b"OK"),
        ("AT%CMNG=1", [b'%CMNG: 1,0,"2C"', b'%CMNG: 1,1,"B9"'], b"OK"),
        ("AT%CMNG=2,1,0", [b'%CMNG: 1,0,"2C","a\r\nOK\r\n+CSCON: 9\r\n"'], b"OK"),
        ("AT+CFUN=4", [], b"OK"),
        ("AT%KEYGEN=1,2,0", [], b"+CME ERROR: 519"),
    ]
)


@given(st.lists(st.tuples(ANSWERS, st.lists(URCS, max_size=3), st.data()), min_size=1, max_size=5), st.integers(1, 40))
def test_interleavings_lose_no_urc_and_misattribute_no_final(exchanges, size):
    dialogue = Dialogue()
    for (text, lines, final), urcs, data in exchanges:
        wire = [*lines, final]
        # A URC stands anywhere: before the answer, inside it, or after its final result.
        for urc in urcs:
            wire.insert(data.draw(st.integers(0, len(wire))), urc)
        stream = b"".join(line + b"\r\n" for line in wire)
        dialogue.begin(parse_command(text))
        found = [item for at in range(0, len(stream), size) for item in dialogue.receive(stream[at : at + size])]
        assert [item.line for item in found if item.role is Role.URC] == [line for line in wire if line in urcs]
        outcomes = [item.outcome for item in found if item.outcome]
        assert [(done.command.text, done.lines, str(done.final)) for done in outcomes] == [
            (text, lines, final.decode())
        ]


@given(STREAMS)
def test_only_the_probe_brings_the_dialogue_back_in_step(stale):
    """Whatever is still owed, nothing but the probe's own line lets a final result count."""
    dialogue = Dialogue(limit=LIMIT)
    dialogue.begin(parse_command("AT+COPS?"))
    dialogue.give_up()
    dialogue.begin(parse_command("AT+CMEE?"), needs_line=True)
    assert not [item for item in dialogue.receive(stale + b"\r\n") if item.outcome]
    done = [item.outcome for item in dialogue.receive(b"+CMEE: 1\r\nOK\r\n") if item.outcome]
    assert [outcome.lines for outcome in done] == [[b"+CMEE: 1"]]


LOG_PARTS = [
    b"<inf> up",
    b"\r\n",
    b"\r",
    b"\n",
    b"OK",
    b"+CEREG: 1",
    b"\xe2\x82",
    b"\x1b[1m",
    b"uart:~$ ",
    b"\0",
    b"  ",
    b"#X",
    b"E",
]


@given(st.lists(st.sampled_from(LOG_PARTS), max_size=30).map(b"".join), st.lists(st.integers(1, 20), max_size=30))
def test_the_quick_way_for_logs_hears_the_same(stream, sizes):
    quick, thorough = Dialogue(), Dialogue()
    thorough._take_log = lambda data: None
    found, at = [], 0
    for size in [*sizes, len(stream)]:
        found += quick.receive(stream[at : at + size])
        at += size
    assert found == thorough.receive(stream)
    recorder, other = LineRecorder("board-1"), LineRecorder("board-1")
    other._log_texts = lambda lines: None
    both = [each.drafts(found, 1.0, seconds=0.0, secret=False) for each in (recorder, other)]
    assert both[0] == both[1]
