"""The journal of a run, written and read back: whatever a board or a person has put into a message."""

import json

import pytest

from harness.errors import Misuse
from harness.report.journal import RunJournal, read_journal


def written(path, **fields):
    journal = RunJournal(path)
    journal.begin("run-1", {}, {})
    journal.write("phase", **{"test": "a", "phase": "call", "result": "passed", **fields})
    journal.write("end")
    return read_journal(path)


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029", "\x1c", "\x0b", "\x0c", "\r", "\n", "\ud800"])
def test_a_character_that_ends_a_line_elsewhere_ends_none_of_the_journal(tmp_path, odd):
    begun, phase, ended = written(tmp_path / "journal.jsonl", message=f"a{odd}b")
    assert (begun["k"], phase["message"], ended["k"]) == ("run", f"a{odd}b", "end")


def test_a_key_cut_off_before_its_end_takes_nothing_but_itself(tmp_path):
    key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG"
    path = tmp_path / "journal.jsonl"
    _, phase, ended = written(path, message=f"said {key}", trials={"t": [key]}, result="failed")
    assert "MIGHAgEAMBMG" not in path.read_text()
    assert phase["message"] == "said <redacted key>"
    assert phase["trials"] == {"t": ["<redacted key>"]}
    assert (phase["result"], ended["k"]) == ("failed", "end")


def test_a_torn_last_line_is_left_out_and_a_torn_one_before_it_is_refused(tmp_path):
    path = tmp_path / "journal.jsonl"
    RunJournal(path).begin("run-1", {}, {})
    with path.open("a") as file:
        file.write('{"k": "pha')
    assert [line["k"] for line in read_journal(path)] == ["run"]
    with path.open("a") as file:
        file.write('\n{"k": "end"}\n')
    with pytest.raises(Misuse, match=r"journal\.jsonl:2: not JSON"):
        read_journal(path)


@pytest.mark.parametrize("seconds", ["1" + "0" * 400, "NaN", "-Infinity", '"soon"', "null", "[]"])
def test_seconds_that_make_no_sense_are_one_line(tmp_path, seconds):
    path = tmp_path / "journal.jsonl"
    written(path, test="a", phase="call", result="passed", seconds=1.5)
    path.write_text(path.read_text().replace("1.5", seconds))
    with pytest.raises(Misuse, match=r"journal\.jsonl:2: seconds is not a number that makes sense: .*; restore it$"):
        read_journal(path)


@pytest.mark.parametrize(
    ("number", "change", "said"),
    [
        (1, {"tests": 7}, "tests is not an object"),
        (1, {"tests": {"a": 7}}, "tests has something that is no board's name"),
        (1, {"planned": []}, "planned is not an object"),
        (1, {"boards_file": "boards.yaml"}, "boards_file is not an object"),
        (1, {"ci": None}, "ci is not an object"),
        (1, {"v": "1"}, "v, the version of the journal, is not a whole number"),
        (2, {"properties": 7}, "properties is not an object"),
        (2, {"decisive": "none"}, "decisive is not an object"),
        (2, {"test": 7}, "test is not a text"),
        (2, {"result": ["passed"]}, "result is not a text"),
        (2, {"k": 7}, "k, which says what a line is, is missing or no text"),
        (2, {"k": "overturned", "message": None}, "message is not a text"),
        (2, {"k": "note"}, "text is missing"),
    ],
)
def test_a_field_of_another_type_is_one_line(tmp_path, number, change, said):
    path = tmp_path / "journal.jsonl"
    written(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[number - 1] |= change
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(Misuse) as caught:
        read_journal(path)
    assert str(caught.value) == f"{path}:{number}: {said}: the file was changed; restore it"


@pytest.mark.parametrize("name", ["k", "test", "phase", "result"])
def test_a_phase_without_what_every_phase_has_is_one_line(tmp_path, name):
    path = tmp_path / "journal.jsonl"
    written(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    del lines[1][name]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(Misuse, match=rf"journal\.jsonl:2: {name}.* missing.*; restore it$"):
        read_journal(path)


def test_a_line_that_is_no_object_is_refused(tmp_path):
    path = tmp_path / "journal.jsonl"
    written(path)
    path.write_text(path.read_text() + "7\n")
    with pytest.raises(Misuse, match=r"journal\.jsonl:4: not a JSON object"):
        read_journal(path)


def test_a_journal_of_a_newer_harness_is_refused(tmp_path):
    path = tmp_path / "journal.jsonl"
    written(path)
    path.write_text(path.read_text().replace('"v": 1', '"v": 2', 1))
    with pytest.raises(Misuse) as caught:
        read_journal(path)
    assert str(caught.value) == (
        f"{path}:1: version 2 is newer than this harness reads (up to 1): use the harness that wrote it"
    )


def test_a_line_of_a_newer_harness_is_kept(tmp_path):
    path = tmp_path / "journal.jsonl"
    written(path)
    RunJournal(path).write("weather", degrees=3)
    assert read_journal(path)[-1]["degrees"] == 3


def test_a_line_that_is_nested_too_deeply_is_not_json(tmp_path):
    path = tmp_path / "journal.jsonl"
    written(path, message="deep")
    path.write_text(path.read_text().replace('"deep"', "[" * 100_000))
    with pytest.raises(Misuse, match=r"journal\.jsonl:2: not JSON"):
        read_journal(path)
