"""What faults make of bytes: the pure core, without sockets."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import Misuse
from harness.faults import Deed, Direction, Fault, FaultPlan, FaultScript, Framing
from harness.faults.delay_line import DelayLine
from harness.faults.framing import Framer
from harness.faults.script import Close, Pass

OUT, IN = Direction.OUT, Direction.IN


def record(kind, body=b"body"):
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


HELLO, DATA = record(0x16, b"hello"), record(0x17)


def script(*faults, seed=1, number=1, framing=Framing.AUTO):
    plan = FaultPlan(faults, seed)
    return FaultScript(plan, number, 0.0, framing), plan


def passed(acts, direction=OUT):
    return b"".join(
        act.data for act in acts if isinstance(act, Pass) and act.direction is direction and act.at < math.inf
    )


def closes(acts):
    return [act.how for act in acts if isinstance(act, Close)]


PIECES = st.lists(st.binary(max_size=40), max_size=10)


@given(PIECES, st.sampled_from(Framing))
def test_without_faults_bytes_pass_as_they_came(pieces, framing):
    core, _ = script(framing=framing)
    acts = [act for number, piece in enumerate(pieces) for act in core.data(OUT, piece, float(number))]
    held = b"".join(unit.data for unit in core._ways[OUT].framer.flush())
    assert passed(acts) + held == b"".join(pieces)
    assert closes(acts) == []


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=6), st.data())
def test_packets_are_the_same_in_whatever_pieces_they_come(bodies, data):
    wire = HELLO + b"".join(record(0x17, body) for body in bodies)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(wire)), max_size=8)) | {0, len(wire)})
    framer = Framer(Framing.AUTO)
    units = [unit for begin, end in itertools.pairwise(cuts) for unit in framer.feed(wire[begin:end])]
    assert [unit.counts for unit in units] == [False] + [True] * len(bodies)
    assert b"".join(unit.data for unit in units) == wire


def test_mqtt_packets_with_long_lengths_are_counted():
    connect = b"\x10\x02ab"
    long = b"\x30" + b"\xc8\x01" + b"x" * 200
    framer = Framer(Framing.AUTO)
    units = framer.feed(connect + long[:50]) + framer.feed(long[50:] + b"\xc0\x00")
    assert [unit.data for unit in units] == [connect, long, b"\xc0\x00"]


def test_garbage_is_never_held_for_ever():
    framer = Framer(Framing.MQTT)
    assert b"".join(unit.data for unit in framer.feed(b"\x30\xff\xff\xff\xff\x01" + b"x" * 70_000))
    framer = Framer(Framing.TLS)
    assert sum(len(unit.data) for unit in framer.feed(b"\x17\x03\x03\xff\xff" + b"x" * 200_000)) > 130_000


@pytest.mark.parametrize(
    ("deed", "expected"),
    [(Deed.DROP, HELLO + DATA + DATA), (Deed.DOUBLE, HELLO + DATA * 4)],
)
def test_the_second_packet_is_dropped_or_doubled_and_handshakes_do_not_count(deed, expected):
    core, plan = script(Fault(deed, packet=2))
    assert passed(core.data(OUT, HELLO + DATA * 3, 1.0)) == expected
    (struck,) = plan.struck
    assert (struck.packets, struck.connection, struck.age) == (2, 1, 1.0)


@pytest.mark.parametrize("deed", [Deed.FIN, Deed.RST, Deed.FIN_NEAR, Deed.FIN_FAR])
def test_a_cut_at_a_packet_comes_in_its_place_and_nothing_passes_afterwards(deed):
    core, _ = script(Fault(deed, packet=2))
    acts = core.data(OUT, HELLO + DATA * 3, 1.0)
    assert passed(acts) == HELLO + DATA
    assert closes(acts) == [deed]
    assert core.data(IN, DATA, 2.0) == []
    assert core.wake_at() == math.inf


def test_a_cut_at_a_byte_lets_the_bytes_before_it_pass():
    core, _ = script(Fault(Deed.RST, IN, byte=4), framing=Framing.BYTES)
    acts = core.data(IN, b"abcdef", 0.0)
    assert passed(acts, IN) == b"abc"
    assert closes(acts) == [Deed.RST]
    core, _ = script(Fault(Deed.RST, byte=8))
    assert passed(core.data(OUT, HELLO + DATA, 0.0)) == HELLO[:7]


@given(st.integers(1, 30), st.sampled_from([Deed.DROP, Deed.DOUBLE, Deed.GARBLE]), PIECES, st.sampled_from(Framing))
def test_a_fault_at_a_byte_touches_that_byte_alone(number, deed, pieces, framing):
    core, plan = script(Fault(deed, byte=number), framing=framing)
    whole = b"".join(pieces)
    acts = [act for piece in pieces for act in core.data(OUT, piece, 0.0)]
    held = core._ways[OUT].framer.flush()
    got = passed(acts) + b"".join(unit.data for unit in held)
    if not plan.struck:
        assert got == whole
        return
    before, byte, after = whole[: number - 1], whole[number - 1 : number], whole[number:]
    assert got.startswith(before)
    assert got.endswith(after)
    middle = got[len(before) : len(got) - len(after)]
    assert len(middle) == {Deed.DROP: 0, Deed.DOUBLE: 2, Deed.GARBLE: 1}[deed]
    assert (bin(middle[0] ^ byte[0]).count("1") == 1) if deed is Deed.GARBLE else (middle == byte * len(middle))


def test_an_age_strikes_by_itself():
    core, plan = script(Fault(Deed.FIN, age=2.0))
    assert core.wake_at() == 2.0
    assert closes(core.tick(1.9)) == []
    assert closes(core.tick(2.0)) == [Deed.FIN]
    assert plan.struck[0].age == 2.0


def test_an_age_of_a_packet_waits_for_the_next_one():
    core, _ = script(Fault(Deed.DROP, age=2.0))
    assert core.wake_at() == math.inf
    assert passed(core.data(OUT, HELLO + DATA, 1.0)) == HELLO + DATA
    assert passed(core.data(OUT, DATA, 3.0)) == b""
    assert passed(core.data(OUT, DATA, 4.0)) == DATA


def test_ages_without_memory_differ_by_connection_and_come_again_with_the_seed():
    def wake(number, seed):
        return script(Fault(Deed.RST, mean_age=10.0), number=number, seed=seed)[0].wake_at()

    assert wake(1, 5) == wake(1, 5)
    assert len({wake(number, seed) for number in (1, 2, 3) for seed in (5, 6)}) == 6
    mean = sum(wake(number, 1) for number in range(2000)) / 2000
    assert 9.0 < mean < 11.0


def test_a_phase_cuts_at_once_and_drops_the_next_packet():
    core, plan = script(Fault(Deed.DROP, phase="action"), Fault(Deed.RST, phase="hold"))
    assert passed(core.data(OUT, HELLO + DATA, 0.0)) == HELLO + DATA
    assert core.phase("action", 1.0) == []
    assert passed(core.data(OUT, DATA, 1.1)) == b""
    assert passed(core.data(OUT, DATA, 1.2)) == DATA
    assert closes(core.phase("hold", 2.0)) == [Deed.RST]
    assert [struck.phase for struck in plan.struck] == ["action", "hold"]


def test_a_delay_lets_nothing_overtake():
    core, _ = script(Fault(Deed.DELAY, packet=1, seconds=5.0))
    outbox = DelayLine()
    for act in core.data(OUT, HELLO + DATA, 1.0) + core.data(OUT, DATA, 2.0):
        outbox.put(act)
    assert [act.data for act in outbox.due(2.0)] == [HELLO]
    assert outbox.next_at() == 6.0
    assert core.end(OUT, 2.0) == 6.0
    assert [act.data for act in outbox.due(6.0)] == [DATA, DATA]


def test_a_stall_holds_one_direction_for_its_seconds_or_for_ever():
    core, _ = script(Fault(Deed.STALL, IN, age=1.0, seconds=3.0))
    assert core.tick(1.0) == []
    (act,) = core.data(IN, DATA, 2.0)
    assert act.at == 4.0
    assert passed(core.data(OUT, HELLO, 2.0)) == HELLO
    core, _ = script(Fault(Deed.STALL, packet=1))
    assert passed(core.data(OUT, HELLO + DATA, 0.0)) == HELLO
    assert core.end(OUT, 100.0) == math.inf


def test_chance_strikes_about_so_often_and_the_same_with_the_same_seed():
    def survivors(seed):
        core, plan = script(Fault(Deed.DROP, chance=0.2), seed=seed)
        core.data(OUT, HELLO, 0.0)
        return [bool(passed(core.data(OUT, DATA, 0.0))) for _ in range(500)], len(plan.struck)

    kept, struck = survivors(3)
    assert survivors(3) == (kept, struck)
    assert 60 < struck < 140
    assert kept.count(False) == struck


def test_limits_by_connection_and_by_times():
    plan = FaultPlan([Fault(Deed.DROP, packet=1, times=2), Fault(Deed.RST, packet=2, connection=3)])
    results = []
    for number in range(1, 5):
        core = FaultScript(plan, number, 0.0)
        acts = core.data(OUT, HELLO + DATA * 2, 0.0)
        results.append((len(passed(acts)), closes(acts)))
    whole = len(HELLO + DATA * 2)
    less = whole - len(DATA)
    assert results == [(less, []), (less, []), (less, [Deed.RST]), (whole, [])]


def test_a_line_without_an_end_is_let_through_after_a_moment():
    core, _ = script(Fault(Deed.DROP, IN, packet=2), framing=Framing.LINES)
    assert passed(core.data(IN, b"OK\r\n> ", 1.0), IN) == b"OK\r\n"
    assert core.wake_at() == 1.05
    assert passed(core.tick(1.06), IN) == b"> "
    assert core.wake_at() == math.inf
    assert passed(core.data(IN, b"lost\r\nOK\r\n", 2.0), IN) == b"OK\r\n"


def test_no_line_is_held_back_on_a_way_without_a_fault():
    """Each command to a board ends with CR alone, and was held back for 50 ms: five times as long as it takes."""
    core, _ = script(Fault(Deed.DROP, IN, packet=2), Fault(Deed.FIN, OUT, age=5.0), framing=Framing.LINES)
    assert passed(core.data(OUT, b"AT+CFUN?\r", 1.0)) == b"AT+CFUN?\r"
    assert core.wake_at() == 5.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "none given"),
        ({"byte": 1, "age": 2.0}, "byte, age given"),
        ({"packet": 0}, "packet of a fault counts from 1, got 0"),
        ({"chance": 1.5}, "chance of a fault must be above 0 and at most 1, got 1.5"),
        ({"chance": 0.0}, "at most 1, got 0"),
        ({"mean_age": -1.0}, "mean_age of a fault must be above 0"),
        ({"age": -1.0}, "must not be negative"),
        ({"age": 1.0, "times": 0}, "times of a fault counts from 1"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_in_one_line(arguments, words):
    with pytest.raises(Misuse, match=words) as caught:
        Fault(Deed.DROP, **arguments)
    assert "\n" not in str(caught.value)


def test_a_delay_needs_its_seconds():
    with pytest.raises(Misuse, match="delay needs its seconds"):
        Fault(Deed.DELAY, packet=1)
    assert str(Fault(Deed.DELAY, packet=3, seconds=1.0)) == "delay at packet 3 (out)"
