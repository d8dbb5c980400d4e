"""``nrf91-harness report html|index|diff|prune`` on prepared nights."""

import gzip
import json
import re

import pytest

from harness.cli import main
from harness.report.run_lock import GoingOn
from tests.made_up_nights import Told, publish, write_night

OWN = "prod/team/m/d/dk/d2c"


def told(_night, board, test):
    return publish(board, OWN, "associated statement 2", refused=_night == 3 and test == 0)


@pytest.fixture
def nights(tmp_path):
    return [write_night(tmp_path, night, told, boards=("dk",), tests=2) for night in (1, 2, 3)]


def test_html_makes_the_pages_of_runs(nights, capsys):
    assert main(["report", "html", *map(str, nights[1:])]) == 0
    written = capsys.readouterr().out.splitlines()
    assert [line.rpartition("/")[2] for line in written] == [
        *("run.json", "report.html", "summary.md", "index.html"),
        *("run.json", "report.html", "summary.md"),
    ]
    assert "1 new failure points at the cloud." in (nights[2] / "report.html").read_text()


def test_html_says_what_cannot_be_read(nights, capsys):
    file = nights[2] / "timeline" / "dk.jsonl"
    file.write_text("odd\n")
    assert main(["report", "html", str(nights[2])]) == 0
    assert f"{file}:1: not JSON" in capsys.readouterr().err


def edit(file, change, packed):
    """Change a timeline file, packed or not, as a hand, a disk or a kill does."""
    new = change(file.read_bytes())
    if packed:
        packed_file = file.with_name(file.name + ".gz")
        packed_file.write_bytes(gzip.compress(new))
        file.unlink()
        return packed_file
    file.write_bytes(new)
    return file


def without(number):
    """A change that takes the line of this number out."""
    return lambda data: b"".join(line for at, line in enumerate(data.splitlines(True), 1) if at != number)


DAMAGES = {
    "header": (lambda data: b"odd\n" + data, ":1: not JSON ("),
    "schema": (lambda data: data.replace(b'"v":1', b'"v":99', 1), ":1: schema 99 is newer than this harness reads"),
    "middle": (lambda data: data.replace(b'{"i":1,"n":9,', b'{"i":1,"n":9', 1), ":10: not JSON ("),
    "event": (lambda data: data.replace(b'"n":9,', b"", 1), ":10: not an event (n is missing); was the file edited"),
    "number": (lambda data: re.sub(rb'("n":9,"t":)[^,]*', rb"\g<1>" + b"1" * 400, data), ":10: not an event (t is not"),
    "end": (lambda data: data[:-20], ": the last line was never finished; "),
    "line": (without(10), ":10: events missing before n=10: 1; was the file edited by hand?"),
    "expectation": (lambda data: data.replace(b'"got":"', b'"got":"not ', 1), "; was the file edited by hand?"),
    "board": (lambda data: data.replace(b'"board":"dk"', b'"board":"dj"', 1), ":1: a file of board dj, under another"),
    "type": (lambda data: data.replace(b'"outcome":"tolerated"', b'"outcome":["tolerated"]', 1), "edited by hand?"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_timeline_of_a_night_without_failures_is_told_too(tmp_path, damage, capsys):
    change, said = DAMAGES[damage]
    night = write_night(tmp_path, 1, told, boards=("dk",), tests=2)
    file = edit(night / "timeline" / "dk.jsonl", change, packed=damage == "middle")
    for command in ("html", "rebuild"):
        assert main(["report", command, str(night)]) == 0
        err = capsys.readouterr().err.splitlines()
        assert [line for line in err if str(file) in line and said in line], err
    assert "All 2 tests passed." in (night / "report.html").read_text()
    assert (night / "junit.xml").read_text().count("<testcase ") == 2


def test_what_became_of_a_damaged_file_is_said_once(nights, capsys):
    file = nights[2] / "timeline" / "dk.jsonl"  # also asked for the evidence of what failed
    file.write_bytes(file.read_bytes().replace(b'"n":9,', b"", 1))
    assert main(["report", "html", str(nights[2])]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert f"  not drawn: {file}:10: not an event (n is missing)" in line
    assert main(["report", "rebuild", str(nights[2])]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert f"  not needed for the report: {file}:10: not an event (n is missing)" in line


def test_a_packed_timeline_that_ends_too_early_is_told(nights, capsys):
    file = edit(nights[0] / "timeline" / "dk.jsonl", bytes, packed=True)
    file.write_bytes(file.read_bytes()[:-30])
    assert main(["report", "html", str(nights[0])]) == 0
    assert f"not drawn: {file}: not a whole gzip file" in capsys.readouterr().err


def test_tests_that_are_gone_from_a_timeline_are_counted(nights, capsys):
    file = nights[0] / "timeline" / "dk.jsonl"
    file.write_bytes(b"".join(line for line in file.read_bytes().splitlines(True) if b'"i":2' not in line))
    assert main(["report", "html", str(nights[0])]) == 0
    said = "1 test of the journal is not in the timeline: was the file edited by hand, or the disk full?"
    assert f"{nights[0] / 'timeline'}: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["html", "rebuild"])
def test_of_a_run_as_the_harness_left_it_nothing_is_said(nights, command, capsys):
    assert main(["report", command, str(nights[2])]) == 0
    assert not capsys.readouterr().err


def test_index_is_made_from_journals_where_there_is_nothing_else(nights):
    assert main(["report", "index", str(nights[0].parent)]) == 0
    assert "3 runs" in (nights[0].parent / "index.html").read_text()


def test_a_run_that_goes_on_is_left_out_of_the_index_and_named(nights, capsys):
    (nights[2] / "run.json").unlink(missing_ok=True)
    going = GoingOn(nights[2])
    assert main(["report", "index", str(nights[0].parent)]) == 0
    assert f"left out: {nights[2]}: this run goes on" in capsys.readouterr().err
    going.end()
    assert main(["report", "index", str(nights[0].parent)]) == 0
    assert "goes on" not in capsys.readouterr().err


def test_an_unreadable_run_is_left_out_of_the_index_in_one_line(nights, capsys):
    (nights[0] / "run.json").write_text('{"schema": 99}')
    (nights[1] / "run.json").write_text("{}")
    (nights[0].parent / "20261101T000000Z-1").mkdir()
    (nights[0].parent / "20261101T000000Z-1" / "run.json").write_text("no JSON")
    (nights[0].parent / "history").mkdir()
    (nights[0].parent / "history" / "20261001T000000Z-1.json.gz").write_text("not packed")
    assert main(["report", "index", str(nights[0].parent)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(f"left out: {nights[0].parent}/")[2] for line in lines] == [
        "20261101T000000Z-1/run.json: no summary of a run (Expecting value: line 1 column 1 (char 0)); restore it, or"
        " delete the folder: its journal is gone too",
        f"{nights[0].name}/run.json: schema 99 is newer than this harness reads (up to 1);"
        " use the harness that wrote it",
        f"{nights[1].name}/run.json: no summary of a run (schema is missing);"
        f" nrf91-harness report html {nights[1]} makes it anew",
        "history/20261001T000000Z-1.json.gz: Not a gzipped file (b'no'); restore it, or delete it",
    ]
    assert "1 run" in (nights[0].parent / "index.html").read_text()


def test_diff_says_what_fails_now(nights, capsys):
    assert main(["report", "diff", *map(str, nights[1:])]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "passed -> failed  dk  tests/scenarios/test_x.py::test_0: The cloud refuses what associated statement 2 allows"
    ]
    assert main(["report", "diff", *map(str, nights[:2]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differing"] == []


def test_prune_says_what_would_go_and_does_it(nights, capsys):
    base = str(nights[0].parent)
    assert main(["report", "prune", base, "--keep-runs", "1", "--dry-run"]) == 0
    assert capsys.readouterr().out == f"{nights[0].name}: would go\n"
    assert nights[0].exists()
    assert main(["report", "prune", base, "--keep-runs", "1"]) == 0
    assert not nights[0].exists()  # the second is the last green one of its board, the third the newest
    assert nights[1].exists()
    assert main(["report", "html", str(nights[2])]) == 0
    text = (nights[2] / "report.html").read_text()
    assert "failed in 0 of 2 runs" in text


@pytest.mark.parametrize("command", [["html"], ["index"], ["prune"], ["diff", "x"]])
def test_a_folder_that_is_not_there_is_one_line(command, tmp_path, capsys):
    assert main(["report", *command, str(tmp_path / "no")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nrf91-harness: ")


@pytest.mark.parametrize("command", ["html", "rebuild"])
def test_of_a_run_that_goes_on_nothing_is_made(nights, command, capsys):
    writer = GoingOn(nights[2])
    assert main(["report", command, str(nights[2])]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "this run goes on, and makes its reports at its end" in line
    assert not (nights[2] / "report.html").exists()
    writer.end()
    assert main(["report", command, str(nights[2])]) == 0


def test_an_index_in_a_run_is_misuse(tmp_path, capsys):
    folder = write_night(tmp_path, 1, lambda *_: Told(), boards=("dk",), tests=1)
    before = sorted(folder.iterdir())
    assert main(["report", "index", str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"is one run: name the folder that holds it ({tmp_path})")
    assert sorted(folder.iterdir()) == before


def test_a_run_of_passes_has_a_green_page(tmp_path):
    folder = write_night(tmp_path, 1, lambda *_: Told(), boards=("dk",), tests=2)
    assert main(["report", "html", str(folder)]) == 0
    assert "All 2 tests passed." in (folder / "report.html").read_text()
