"""What is written is read back: equal events, test by test, whatever happened to the file meanwhile."""

import hashlib
import importlib
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.errors import Misuse
from harness.redact import SECRETS
from harness.timeline import (
    Event,
    Kind,
    Timeline,
    TimelineFile,
    TimelineFileError,
    pack,
    read_timeline,
    timeline_files,
    unpacked,
)
from harness.timeline.lines import event_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
STAMPS = st.integers(0, 10**13).map(lambda micros: round(micros / 10**6, 6))
CHECKED = {"name", "on", "sort", "kind"}  # in phases and reports of MQTT these are texts only
DRAFTS = st.lists(
    st.tuples(
        STAMPS,
        st.sampled_from([kind for kind in Kind if kind is not Kind.TEST]),
        st.text(max_size=5),
        st.text(st.characters(), max_size=20),
        st.dictionaries(st.text(max_size=4).filter(lambda name: name not in CHECKED), JSON, max_size=3),
    )
    | st.tuples(
        STAMPS, st.just(Kind.TEST), st.just("harness"), st.text(max_size=9), st.fixed_dictionaries({"mono": STAMPS})
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("timeline")


def written(path, *batches):
    path.unlink(missing_ok=True)  # a file that is there would stay
    timeline, file = Timeline(), TimelineFile(path, {"run": "r", "board": "dk-1"})
    with timeline.sink(file):
        for batch in batches:
            timeline.extend(batch)
    file.close()
    assert file.failure is None
    return timeline


def step(text, kind=Kind.STEP, **data):
    return (1.5, kind, "harness", text, data)


@given(drafts=DRAFTS, cut=st.integers(0, 8))
def test_equal_events_come_back(folder, drafts, cut):
    path = folder / "equal.jsonl"
    timeline = written(path, [step("the first")], drafts[:cut], drafts[cut:])
    recording = read_timeline(path)
    assert recording.events == timeline.since(0)
    assert all(type(event) is Event for event in recording.events)
    assert (recording.unknown, recording.cut) == ({}, "")


@given(drafts=DRAFTS, share=st.floats(0.0, 1.0))
def test_a_file_cut_anywhere_loses_its_last_line_only(folder, drafts, share):
    path = folder / "cut.jsonl"
    timeline = written(path, [step("the first")], drafts)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    kept = first + int((len(whole) - first) * share)
    path.write_bytes(whole[:kept])
    recording = read_timeline(path)
    lines = whole[:kept].count(b"\n") - 1
    assert recording.events == timeline.since(0)[:lines]
    assert bool(recording.cut) == (whole[kept - 1 : kept] != b"\n")


def test_the_form_of_the_lines(tmp_path):
    path = tmp_path / "timeline" / "dk-1.jsonl"
    phase = {"trial": 1, "attempt": 1, "name": "fence", "on": "begin"}
    written(
        path,
        [(2.0, Kind.RX, "dk-1", 'up "now"', {})],
        [(3.0, Kind.TEST, "harness", "t.py::test_x[dk-1]", {"key": "t.py::test_x", "mono": 3.0, "names": {}})],
        [(3.25, Kind.PHASE, "trial", "fence begins", phase), (3.5, Kind.MQTT, "dk-1", "puback", {"kind": "puback"})],
        [(4.0, Kind.END, "harness", "passed", {"result": "passed"})],
        [(4.0, Kind.STEP, "harness", "clash", {"d": 1})],
    )
    header, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert (header["k"], header["v"], header["run"], header["board"]) == ("file", 1, "r", "dk-1")
    assert header["began"].endswith("+00:00")
    mono = header["mono"]
    assert lines == [
        {"i": 0, "n": 0, "t": round(2 - mono, 6), "k": "rx", "s": "dk-1", "x": 'up "now"'},
        {"i": 1, "n": 1, "t": 0, "k": "test", "s": "harness", "x": "t.py::test_x[dk-1]"}
        | {"key": "t.py::test_x", "mono": 3.0, "names": {}},
        {"i": 1, "n": 2, "t": 0.25, "k": "phase", "s": "trial", "x": "fence begins"} | phase,
        {"i": 1, "n": 3, "t": 0.5, "k": "mqtt", "s": "dk-1", "x": "puback", "d": {"kind": "puback"}},
        {"i": 1, "n": 4, "t": 1.0, "k": "end", "s": "harness", "x": "passed", "result": "passed"},
        {"i": 0, "n": 5, "t": round(4 - mono, 6), "k": "step", "s": "harness", "x": "clash", "d": {"d": 1}},
    ]
    test = read_timeline(path).tests[1]
    assert test.id == "t.py::test_x[dk-1]"
    assert [event.kind for event in test.events] == [Kind.TEST, Kind.PHASE, Kind.MQTT, Kind.END]


def test_no_secret_is_written_and_the_lines_stay_json(tmp_path):
    SECRETS.add("a-key-of-an-account")
    key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n"
    path = tmp_path / "t.jsonl"
    written(
        path,
        [
            step("says a-key-of-an-account", inner=[{"payload": f'{{"key":"{key}"}}'}]),
            step(key),
            step("harmless"),
        ],
    )
    text = path.read_text()
    assert "a-key-of-an-account" not in text
    assert "MIGH" not in text
    recording = read_timeline(path)
    assert [event.text for event in recording.events] == ["says <redacted>", "<redacted key>", "harmless"]
    assert recording.events[0].data == {"inner": [{"payload": '{"key":"<redacted key>'}]}


def test_a_killed_writer_leaves_everything_but_the_last_line(tmp_path):
    path = tmp_path / "t.jsonl"
    script = (
        "import sys, pathlib\nfrom harness.timeline import *\nt = Timeline()\n"
        "with t.sink(TimelineFile(pathlib.Path(sys.argv[1]), {})):\n"
        "    while True:\n        t.add(Kind.RX, 'b', 'x' * 50)\n        print(t.mark(), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 200:
                break
        os.kill(process.pid, signal.SIGKILL)
    recording = read_timeline(path)
    assert [event.seq for event in recording.events] == list(range(len(recording.events)))
    assert len(recording.events) >= 200


def test_a_disk_that_is_full_stops_the_record_and_not_the_run(tmp_path):
    file = TimelineFile(tmp_path / "a file" / "t.jsonl", {})
    (tmp_path / "a file").write_text("")
    timeline = Timeline()
    with timeline.sink(file):
        timeline.add(Kind.STEP, "harness", "first")
        timeline.add(Kind.STEP, "harness", "second")
    assert file.failure is not None
    assert "t.jsonl" in file.failure
    assert "not recorded from here on" in file.failure
    assert timeline.mark() == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_disk_that_becomes_full(tmp_path, monkeypatch):
    file = TimelineFile(tmp_path / "t.jsonl", {})
    monkeypatch.setattr(file, "_create", lambda: os.open("/dev/full", os.O_WRONLY))
    file([Event(0, 1.0, Kind.RX, "b", "x", {})])
    assert file.failure is not None
    assert "No space left" in file.failure


@pytest.mark.parametrize("at", ["before", "behind"])
@pytest.mark.parametrize(
    "part",
    ["harness.timeline.file_writer.event_line", "os.write", "os.lseek", "harness.timeline.file_writer.header_line"],
)
@pytest.mark.parametrize("number", [1, 2])
def test_who_interrupts_the_writer_takes_nothing_away(tmp_path, monkeypatch, part, at, number):
    """Ctrl-C, SIGTERM and a test's time limit strike anywhere; the teardown's events follow, or none do."""
    names, calls = part.rpartition("."), []
    made = getattr(importlib.import_module(names[0]), names[2])

    def interrupted(*given):
        calls.append(given)
        if len(calls) != number:
            return made(*given)
        if at == "behind":
            made(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(part, interrupted)
    path, timeline = tmp_path / "t.jsonl", Timeline()
    file = TimelineFile(path, {})
    with timeline.sink(file):
        for text in ("a", "b", "c"):
            with suppress(KeyboardInterrupt):
                timeline.extend([step(text), step(f"{text} too")])
    file.close()
    assert read_timeline(path).events == timeline.since(0)


@given(
    command=st.text(max_size=20) | st.none(),
    seconds=st.floats() | st.integers(),
    ok=st.booleans() | st.integers(0, 1),
    more=st.dictionaries(st.text(max_size=3), JSON, max_size=1),
)
@example("AT", float("nan"), True, {})
@example("AT", float("inf"), True, {})
@example("AT", 0.5, True, {})
@example(None, 0.5, True, {})
def test_what_a_command_cost_is_written_as_json_writes_it(command, seconds, ok, more):
    cost = {"command": command, "seconds": seconds, "ok": ok}
    for data in (cost | more, dict(reversed(cost.items()))):
        line = event_line(Event(7, 1.5, Kind.RESULT, "dk-1", "OK", data), 3, 0.5)
        form = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        assert line == f'{{"i":3,"n":7,"t":1.000000,"k":"result","s":"dk-1","x":"OK","d":{form}}}'


def test_an_event_of_which_no_line_can_be_made_is_left_out(tmp_path, monkeypatch):
    def line(event, *more):
        if event.text == "odd":
            raise TypeError
        return event_line(event, *more)

    monkeypatch.setattr("harness.timeline.file_writer.event_line", line)
    path, timeline = tmp_path / "t.jsonl", Timeline()
    file = TimelineFile(path, {})
    with timeline.sink(file):
        with pytest.raises(TypeError):
            timeline.add(Kind.STEP, "b", "odd")
        timeline.add(Kind.STEP, "b", "plain")
    file.close()
    assert [event.text for event in read_timeline(path).events] == ["plain"]


GOOD = '{"i":0,"n":0,"t":0,"k":"rx","s":"b","x":"x"}'
HEAD = '{"k":"file","v":1,"mono":5.0}'


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"t.jsonl: no whole line"),
        (["rubbish"], r"t.jsonl:1: not JSON"),
        (["[1]"], r"t.jsonl:1: not a JSON object"),
        ([GOOD], r"t.jsonl:1: not the first line"),
        (['{"k":"file","v":"1"}'], r"t.jsonl:1: not the first line"),
        (['{"k":"file","v":2,"mono":5.0}'], r"t.jsonl:1: schema 2 is newer .*\(up to 1\)"),
        (['{"k":"file","v":1}'], r"t.jsonl:1: mono, .* is missing"),
        ([HEAD, GOOD, GOOD[:20], GOOD], r"t.jsonl:3: not JSON .*edited by hand"),
        ([HEAD, "3"], r"t.jsonl:2: not a JSON object"),
        ([HEAD, GOOD.replace('"n":0,', "")], r"t.jsonl:2: not an event \(n is missing\)"),
        ([HEAD, GOOD.replace('"t":0', '"t":"soon"')], r"t.jsonl:2: not an event"),
        ([HEAD, GOOD.replace('"t":0', f'"t":1{"0" * 400}')], r"t.jsonl:2: not an event \(t is not a number that makes"),
        ([HEAD, GOOD.replace('"t":0', '"t":NaN')], r"t.jsonl:2: not an event \(t is not a number that makes sense\)"),
        ([HEAD, GOOD.replace('"n":0', '"n":Infinity')], r"t.jsonl:2: not an event \(n is not a number that makes"),
        ([HEAD, GOOD.replace('"i":0', '"i":1e999')], r"t.jsonl:2: not an event \(i is not a number that makes sense\)"),
        ([HEAD, GOOD.replace('"n":0', f'"n":1{"0" * 6000}')], r"t.jsonl:2: not JSON \(a number of too many digits\);"),
        ([HEAD, "[" * 100_000], r"t.jsonl:2: not JSON \(nested too deeply\);"),
        ([HEAD, GOOD.replace('"n":0', '"n":"0"')], r"t.jsonl:2: not an event \(n is not a number\)"),
        ([HEAD, GOOD.replace('"i":0', '"i":true')], r"t.jsonl:2: not an event \(i is not a number\)"),
        ([HEAD, GOOD.replace('"n":0', '"n":0.5')], r"t.jsonl:2: not an event \(n is not a whole number\)"),
        ([HEAD, '{"k":["rx"]}'], r"t.jsonl:2: not an event \(k must be text\)"),
        ([HEAD, '{"i":0}'], r"t.jsonl:2: not an event \(k is missing\)"),
        (
            [HEAD, GOOD.replace("rx", "new").replace('"n":0', '"n":[]')],
            r"t.jsonl:2: not an event \(n is not a number\)",
        ),
        (
            [HEAD, GOOD.replace("rx", "new").replace('"t":0', '"t":{}')],
            r"t.jsonl:2: not an event \(t is not a number\)",
        ),
        (
            [HEAD, GOOD.replace("rx", "new").replace('"s":"b"', '"s":null')],
            r"t.jsonl:2: not an event \(s and x must be",
        ),
        (
            [HEAD, GOOD.replace("rx", "mqtt").replace("}", ',"d":{"result":"x"}}')],
            r"t.jsonl:2: not an event \(result is not a whole number\)",
        ),
        (
            [HEAD, GOOD.replace("rx", "phase").replace("}", ',"name":[]}')],
            r"t.jsonl:2: not an event \(name must be text",
        ),
        ([HEAD.replace("5.0", "-Infinity"), GOOD], r"t.jsonl:1: mono, .* is missing"),
        ([HEAD, GOOD.replace('"x":"x"', '"x":3')], r"t.jsonl:2: not an event \(s and x must be text\)"),
        ([HEAD, GOOD.replace("}", ',"d":3}')], r"t.jsonl:2: not an event \(d is not an object\)"),
        ([HEAD, GOOD.replace('"i":0', '"i":7')], r"t.jsonl:2: not an event \(test 7 has no test line before it\)"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path, lines, message):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    with pytest.raises(TimelineFileError, match=message) as caught:
        read_timeline(path)
    assert isinstance(caught.value, Misuse)
    assert "\n" not in str(caught.value)


NUMBERS = st.integers() | st.floats() | st.integers(300, 4000).map(lambda digits: 10**digits) | st.text(max_size=3)


@given(
    st.fixed_dictionaries({"i": NUMBERS | st.just(0), "n": NUMBERS, "t": NUMBERS, "mono": NUMBERS}),
    NUMBERS | st.just(5.0),
    st.sampled_from(["rx", "test"]),
)
def test_any_number_is_read_or_named(folder, fields, mono, kind):
    path = folder / "numbers.jsonl"
    header = {"k": "file", "v": 1, "mono": mono}
    path.write_text(f"{json.dumps(header)}\n{json.dumps({**fields, 'k': kind, 's': 'b', 'x': 'x'})}\n")
    with suppress(TimelineFileError):
        recording = read_timeline(path)
        assert all(abs(event.t) <= 2 * 10**12 for event in recording.events)


def test_a_number_of_any_size_that_a_board_said_is_read(tmp_path):
    path = tmp_path / "t.jsonl"
    line = GOOD.replace("rx", "mqtt").replace("}", f',"d":{{"result":{"9" * 30}}}}}')
    path.write_text(f"{HEAD}\n{line}\n")
    assert read_timeline(path).events[0].data == {"result": int("9" * 30)}


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TimelineFileError, match=r"none.jsonl: No such file"):
        read_timeline(tmp_path / "none.jsonl")


def test_unknown_kinds_fields_and_empty_lines_are_kept_or_passed_over(tmp_path):
    path = tmp_path / "t.jsonl"
    strange = {"k": "power", "i": 0, "watts": 3}
    path.write_text("\n".join([HEAD, json.dumps(strange), "", GOOD.replace("}", ',"new":1}'), "{"]))
    recording = read_timeline(path)
    assert recording.unknown == {2: strange}
    assert recording.events == [Event(0, 5.0, Kind.RX, "b", "x", {})]
    assert recording.cut == "{"


def test_a_second_worker_of_a_board_leaves_the_first_ones_file(tmp_path):
    path = tmp_path / "dk-1.jsonl"
    for text in ("before the worker died", "after it", "after the next one"):
        timeline, file = Timeline(), TimelineFile(path, {"board": "dk-1"})
        with timeline.sink(file):
            timeline.add(Kind.STEP, "a", text)
            timeline.flush()
        file.close()
    names = ("dk-1.jsonl", "dk-1.2.jsonl", "dk-1.3.jsonl")
    found = [json.loads((tmp_path / name).read_text().splitlines()[1])["x"] for name in names]
    assert found == ["before the worker died", "after it", "after the next one"]


class _Odd:
    def __str__(self):
        return "odd 0123456789abcdef"


def test_secrets_in_names_and_in_odd_values_are_cut(tmp_path):
    SECRETS.add("0123456789abcdef")
    timeline, file = Timeline(), TimelineFile(tmp_path / "dk-1.jsonl", {"board": "dk-1"})
    with timeline.sink(file):
        timeline.add(Kind.STEP, "a", "text", x0123456789abcdef=1, odd=_Odd())
        timeline.flush()
    file.close()
    assert "0123456789abcdef" not in file.path.read_text()


# -- how much is written


def test_an_event_that_is_too_long_keeps_its_beginning_and_what_a_trial_looks_for(tmp_path):
    nonce = "nfedcba9876543210"
    long = "x" * 20_000
    control = "\x01" * 4000 + f" {nonce}"  # each character takes six in JSON
    path = tmp_path / "t.jsonl"
    written(
        path,
        [
            step(long, Kind.RX),
            step("a message", Kind.MQTT, topic="t", payload=control),
            step("counted", Kind.URC, blobs=[{"payload": "topic"}, {"payload": control}]),
            step("many", values=["y" * 1000] * 20),
            step("fits", values=["y" * 1000] * 15),
        ],
    )
    assert max(map(len, path.read_text().splitlines())) <= 16 * 1024
    text, message, counted, many, fits = read_timeline(path).events
    assert text.text.startswith("x" * 1024 + "… (20000 characters, sha256 ")
    assert text.text.endswith(f"{hashlib.sha256(long.encode()).hexdigest()})")
    size = {"size": len(control), "sha256": hashlib.sha256(control.encode()).hexdigest(), "nonces": [nonce]}
    assert message.data == {"topic": "t"} | size
    assert counted.data == {"blobs": [{"payload": "topic"}, size]}
    assert unpacked(message.data) == nonce.encode()
    assert (many.text, many.data.keys()) == ("many", {"size", "sha256"})
    assert fits.data == {"values": ["y" * 1000] * 15}


def test_no_part_of_a_secret_is_left_where_a_text_is_cut(tmp_path):
    SECRETS.add("secret-at-the-cut")
    path = tmp_path / "t.jsonl"
    written(path, [step("x" * 1020 + "secret-at-the-cut" + "x" * 20_000)])
    assert "secr" not in path.read_text()


def test_of_a_test_that_says_too_much_the_harness_own_work_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.timeline.caps.TEST_LIMIT", 1000)
    path = tmp_path / "t.jsonl"

    def test(name, number):
        lines = [step(f"{name} {line}", Kind.RX) for line in range(number)]
        return [
            step(name, Kind.TEST, mono=1.5),
            *lines,
            step("decided", Kind.FACTS, facts={}),
            step("passed", Kind.END),
        ]

    written(path, [step("before", Kind.RX)] * 2, test("flood", 500), [step("between", Kind.RX)], test("quiet", 3))
    recording = read_timeline(path)
    flood, quiet = recording.tests.values()
    kinds = [event.kind for event in flood.events]
    kept = kinds.count(Kind.RX)
    assert 10 < kept < 20
    assert kinds == [Kind.TEST, *[Kind.RX] * kept, Kind.CUT, Kind.FACTS, Kind.END]
    cut = flood.events[kept + 1]
    assert cut.text == "left out from here on: more than 0.001 MB of this test"
    assert cut.seq == flood.events[kept].seq + 1
    assert (flood.whole, quiet.whole) == (False, True)
    assert [event.text for event in recording.events if event.text == "between"] == ["between"]
    assert len(quiet.events) == 6


def test_a_file_that_grew_large_goes_on_in_another_with_the_next_test(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.timeline.caps.PART_LIMIT", 500)
    path = tmp_path / "dk-1.jsonl"
    batch = []
    for number in range(3):
        lines = [step(f"{number}.{line}", Kind.RX) for line in range(20)]
        batch += [step(f"test {number}", Kind.TEST, mono=1.5), *lines, step("passed", Kind.END)]
    timeline = written(path, batch)
    names = ["dk-1.jsonl", "dk-1.2.jsonl", "dk-1.3.jsonl"]
    parts = [read_timeline(tmp_path / name) for name in names]
    assert [[test.id for test in part.tests.values()] for part in parts] == [["test 0"], ["test 1"], ["test 2"]]
    assert [event for part in parts for event in part.events] == timeline.since(0)
    assert [part.header["board"] for part in parts] == ["dk-1"] * 3


# -- packed


def test_what_is_packed_is_read_by_either_name(tmp_path):
    path = tmp_path / "dk-1.jsonl"
    timeline = written(path, [step(f"line {number}", Kind.RX) for number in range(200)])
    size = path.stat().st_size
    pack(tmp_path)
    (packed,) = timeline_files(tmp_path)
    assert (packed.name, [one.name for one in tmp_path.iterdir()]) == ("dk-1.jsonl.gz", ["dk-1.jsonl.gz"])
    assert packed.stat().st_size < size / 5
    for name in (path, packed):
        assert read_timeline(name).events == timeline.since(0)


def test_of_a_file_that_was_being_packed_the_whole_one_is_read(tmp_path):
    path = tmp_path / "dk-1.jsonl"
    written(path, [step("whole")])
    (tmp_path / "dk-1.jsonl.gz").write_bytes(b"torn")
    assert timeline_files(tmp_path) == [path]
    assert read_timeline(path).events[0].text == "whole"
    pack(tmp_path)
    assert read_timeline(path).events[0].text == "whole"


@pytest.mark.parametrize(
    "change", [lambda data: data[:-9], lambda data: b"no gzip", lambda data: data[:20] + b"~~~~~~"]
)
def test_a_packed_file_that_is_torn_is_one_line(tmp_path, change):
    written(tmp_path / "t.jsonl", [step(f"text {number}") for number in range(50)])
    pack(tmp_path)
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(TimelineFileError, match=r"t.jsonl.gz: .*(gzip|compressed)") as caught:
        read_timeline(path)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_packed_stays(tmp_path, monkeypatch):
    path = tmp_path / "t.jsonl"
    written(path, [step("kept")])

    def full(old, new):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.timeline.packing.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        pack(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["t.jsonl"]
