"""Files that are not as they should be: one line about each, and the rest of the page is right."""

import errno
import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from harness.errors import Misuse
from harness.report.page import write_index, write_run_pages
from harness.report.stored_runs import stored_runs
from harness.timeline import Kind
from tests.made_up_experiments import experiment
from tests.made_up_nights import OWN, Told, publish, write_night
from tests.unit.report.page.test_run_page import HOSTILE, Page, page_of

CAUSE = "The cloud refuses what associated statement 2 allows"


def refused(night=1, board="dk", test=0):
    return publish(board, OWN, "associated statement 2", refused=True)


def tried(night=1, board="dk", test=0):
    return experiment(board, OWN, "associated statement 2", refused=True)


def with_facts(**tally):
    """A test whose experiment has left other facts."""

    def tell(*_):
        told = tried()
        for place, event in enumerate(told.events):
            if event.kind is Kind.FACTS:
                told.events[place] = event._replace(data=event.data | {"tally": event.data["tally"] | tally})
        return told

    return tell


@pytest.mark.parametrize(
    "tally",
    [
        {"arms": [{"place": "seven", "meaning": "hit"}]},
        {"arms": [{"place": None, "wealth": None}]},
        {"arms": "four"},
        {"arms": 4},
        {"arms": [{"place": 10**30, "wealth": float("inf")}]},
        {"rounds": "many", "attempts": [], "hits": {}},
        {"attempts": 5},
    ],
    ids=["words", "nothing", "a text", "a number", "too many", "other types", "half of it"],
)
def test_an_experiment_whose_record_makes_no_sense_is_not_drawn_and_the_page_is_right(tmp_path, tally):
    folder = write_night(tmp_path, 1, with_facts(**tally), boards=("dk",), tests=1)
    assert not write_run_pages(folder).notes
    assert CAUSE in page_of(folder).said


def test_what_an_experiment_tells_of_a_cloud_is_only_text(tmp_path):
    def tell(*_):
        told = with_facts(arms=[{"place": 3, "meaning": HOSTILE, "delay": 0.1, "wealth": 5.0}])()
        for place, event in enumerate(told.events):
            if event.data.get("name") == "attempt" and event.data.get("on") == "begin":
                spoiled = {"subject": {"sham": HOSTILE, "differs": HOSTILE}, "rule": {"confidence": HOSTILE}}
                told.events[place] = event._replace(data=event.data | {"experiment": spoiled})
            if event.kind is Kind.FACTS:
                told.events[place] = event._replace(data=event.data | {"suspect": HOSTILE})
        return told

    folder = write_night(tmp_path, 1, tell, boards=("dk",), tests=1)
    write_run_pages(folder)
    text = (folder / "report.html").read_text("utf-8")
    assert text.count("<script>") == 1
    assert "<img" not in text
    assert not set("\x1b\u202e\u2066\x00") & set(text)


@pytest.mark.parametrize("schema", ['"one"', "null"])
def test_a_timeline_of_another_schema_is_one_line(tmp_path, schema):
    folder = write_night(tmp_path, 1, refused, boards=("dk", "dj"), tests=1)
    file = folder / "timeline" / "dk.jsonl"
    file.write_text(file.read_text().replace('"v":1', f'"v":{schema}', 1))
    (note,) = write_run_pages(folder).notes
    assert str(file) in note
    assert "\n" not in note
    said = page_of(folder).said
    assert note in said
    assert "hung up: ENOTCONN (128)" in said  # the other board's


def test_an_older_timeline_is_drawn(tmp_path):
    folder = write_night(tmp_path, 1, refused, boards=("dk",), tests=1)
    file = folder / "timeline" / "dk.jsonl"
    file.write_text(file.read_text().replace('"v":1', '"v":0', 1))
    assert not write_run_pages(folder).notes
    assert "hung up: ENOTCONN (128)" in page_of(folder).said


def test_a_summary_of_a_newer_harness_is_left_out_of_history(tmp_path):
    old = write_night(tmp_path, 1, refused, boards=("dk",), tests=1)
    write_run_pages(old)
    document = json.loads((old / "run.json").read_text())
    (old / "run.json").write_text(json.dumps(document | {"schema": 99}))
    folder = write_night(tmp_path, 2, refused, boards=("dk",), tests=1)
    (note,) = write_run_pages(folder).notes
    assert "schema 99 is newer" in note
    assert "There is no earlier run to compare with." in page_of(folder).said


def test_fields_that_are_not_known_are_ignored(tmp_path):
    folder = write_night(tmp_path, 1, refused, boards=("dk",), tests=1)
    write_run_pages(folder)
    document = json.loads((folder / "run.json").read_text())
    document["tests"][0]["colour"] = "red"
    (folder / "run.json").write_text(json.dumps(document | {"weather": {"rain": True}}))
    stored = stored_runs([tmp_path])
    assert stored.notes == []
    assert [run.counts["failed"] for run in stored.runs] == [1]


def test_clocks_that_jump_keep_the_page_whole(tmp_path):
    folder = write_night(tmp_path, 1, refused, boards=("dk",), tests=2)
    journal = folder / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for number, line in enumerate(lines):  # set back by a year, forward by ten, and no clock at all
        line["at"] = line["at"].replace("2026", ("2025", "2036", "2026")[number % 3]) if number % 5 else "no clock"
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    timeline = folder / "timeline" / "dk.jsonl"
    events = [json.loads(line) for line in timeline.read_text().splitlines()]
    for event in events[5:9]:
        event["t"] = -7.5
    timeline.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    assert not write_run_pages(folder).notes
    said = page_of(folder).said
    assert CAUSE in said
    assert not re.search(r"\bnan\b|-\d+ (?:µs|ms|s|h)\b", said)


def test_two_runs_that_end_in_the_same_second_are_both_there(tmp_path):
    first = write_night(tmp_path, 1, lambda *_: Told(), boards=("dk",), tests=1)
    twin = tmp_path / f"{first.name}-7"
    shutil.copytree(first, twin)
    for folder in (twin, first):
        write_run_pages(folder)
    assert [run.run for run in stored_runs([tmp_path]).runs] == sorted([first.name, twin.name])
    assert "2 runs" in Page((tmp_path / "index.html").read_text()).said


def test_a_full_disk_leaves_no_half_page(tmp_path, monkeypatch):
    folder = write_night(tmp_path, 1, refused, boards=("dk",), tests=1)
    write_run_pages(folder)
    before = {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()}
    real = Path.write_bytes

    def full(path, data):
        real(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_run_pages(folder)
    assert {path: path.read_bytes() for path in folder.parent.rglob("*") if path.is_file()} == before


def test_a_folder_from_another_computer_has_the_same_page(tmp_path):
    here, there = tmp_path / "here", tmp_path / "far" / "away" / "reports"
    folder = write_night(here, 1, tried, boards=("dk",), tests=1)
    write_run_pages(folder)
    shutil.copytree(here, there)
    shutil.rmtree(here)
    copied = there / folder.name
    page = (copied / "report.html").read_bytes()
    (copied / "run.json").unlink()
    write_run_pages(copied)
    assert (copied / "report.html").read_bytes() == page
    assert str(tmp_path).encode() not in page


def test_packed_timelines_are_drawn_as_others_are(tmp_path):
    folder = write_night(tmp_path, 1, tried, boards=("dk",), tests=1)
    write_run_pages(folder)
    page = (folder / "report.html").read_bytes()
    file = folder / "timeline" / "dk.jsonl"
    (folder / "timeline" / "dk.jsonl.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    assert not write_run_pages(folder).notes
    assert (folder / "report.html").read_bytes() == page


def test_a_packed_timeline_that_is_torn_is_one_line(tmp_path):
    folder = write_night(tmp_path, 1, tried, boards=("dk",), tests=1)
    file = folder / "timeline" / "dk.jsonl"
    (folder / "timeline" / "dk.jsonl.gz").write_bytes(gzip.compress(file.read_bytes())[:-40])
    file.unlink()
    (note,) = write_run_pages(folder).notes
    assert "dk.jsonl.gz" in note
    assert CAUSE in page_of(folder).said


def test_a_journal_that_was_changed_by_hand_is_one_line_of_the_index(tmp_path):
    bad = write_night(tmp_path, 1, refused, boards=("dk",), tests=1)
    lines = (bad / "journal.jsonl").read_text().splitlines()
    (bad / "journal.jsonl").write_text("\n".join([*lines[:2], "not JSON", *lines[2:]]) + "\n")
    write_night(tmp_path, 2, refused, boards=("dk",), tests=1)
    (note,) = write_index([tmp_path]).notes
    assert "journal.jsonl:3: not JSON" in note
    assert "1 run" in Page((tmp_path / "index.html").read_text()).said
    with pytest.raises(Misuse, match="not JSON"):
        write_run_pages(bad)
