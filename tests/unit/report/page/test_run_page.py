"""report.html as a browser without script gets it: parsed, not looked at."""

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.errors import Misuse
from harness.redact import SECRETS
from harness.report.page import write_index, write_run_pages
from harness.report.page.run_page import LARGEST
from tests.made_up_nights import BOARDS, OWN, Told, publish, the_fourteen, write_night

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202eevil\u2066\ud800\x00"


LOOKED_AT = (1, 3, 6, 8, 11, 14)


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of style and script."""

    def __init__(self, text):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._said: list[str] = []
        self._in = ""
        self.feed(text)
        self.said = "".join(self._said)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in = tag

    def handle_endtag(self, tag):
        self._in = ""

    def handle_data(self, data):
        if self._in not in ("style", "script"):
            self._said.append(data)

    def all(self, name):
        return [attrs[name] for _, attrs in self.tags if name in attrs]


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    reports = tmp_path_factory.mktemp("reports")
    folders = [write_night(reports, night, the_fourteen) for night in range(1, 15)]
    for night in LOOKED_AT:
        write_run_pages(folders[night - 1])
    return folders


def page_of(folder: Path) -> Page:
    return Page((folder / "report.html").read_text("utf-8"))


def one_night(tmp_path, tell, **more):
    folder = write_night(tmp_path, 1, tell, boards=("dk",), **({"tests": 3} | more))
    return folder, write_run_pages(folder)


def test_the_headline_is_what_a_person_would_write(nights):
    said = {
        1: "All 148 tests passed",
        3: "2 new failures point at the cloud",
        6: "2 failures that come and go point at the cloud",
    }
    said |= {
        8: "Nothing failed, but 30 tests proved nothing: rack-3 was lost",
        11: "8 new failures point at modem or firmware",
    }
    said[14] = "5 new failures point at the cloud; 8 older failures point at modem or firmware. rack-3 was lost"
    for night, words in said.items():
        page = page_of(nights[night - 1]).said
        assert f"{words}." in page, night


def test_the_causes_of_the_last_night(nights):
    document = json.loads((nights[-1] / "run.json").read_text())
    assert {(cause["party"], cause["title"], cause["tests"]) for cause in document["causes"]} == {
        ("cloud", "The cloud refuses what associated statement 2 allows", 5),
        ("modem/firmware", "AT%JWT=0,600: +CME ERROR: 525 (JWT creation failed)", 8),
        ("lab", "rack-3 was lost", 30),
    }


def test_every_number_of_the_evidence_has_its_line_and_ids_are_unique(nights):
    page = page_of(nights[-1])
    ids = Counter(page.all("id"))
    assert max(ids.values()) == 1
    local = [href[1:] for href in page.all("href") if href.startswith("#")]
    assert [target for target in local if target not in ids] == []
    pins = [
        attrs["href"] for tag, attrs in page.tags if tag == "a" and attrs.get("aria-label", "").startswith("evidence ")
    ]
    assert len(pins) >= 6
    assert {pin[1:] for pin in pins} <= set(ids)


def test_the_hang_up_is_proved_by_the_third_number(nights):
    text = (nights[-1] / "report.html").read_text("utf-8")
    third = re.search(r'<a href="#(t1-\d+)" aria-label="evidence (?:\d+,)*3(?:,\d+)*">', text)
    assert third
    line = text[text.index(f'id="{third[1]}"') :].partition("</li>")[0]
    assert "hung up: ENOTCONN (128)" in line


def test_a_failed_test_stands_beside_its_last_green_run(nights):
    said = page_of(nights[-1]).said
    assert "Against the last green run of this test on dk-9161: 26 Nov 02:00" in said
    assert "Before that it failed in 0 of 13 runs, 0 % (95 %: 0 to 23 %)." in said
    assert "pytest 'tests/scenarios/test_x.py::test_8[dk-9161]' --boards boards.yaml" in said


def test_why_tests_were_skipped_is_said_once_for_each_reason(nights):
    said = page_of(nights[-1]).said
    assert "9 tests for 1 reason" in said
    assert said.count("needs a second sec_tag") == 1


def test_nothing_can_be_loaded_or_sent(nights):
    for path in (nights[-1] / "report.html", nights[-1].parent / "index.html"):
        text = path.read_text("utf-8")
        page = Page(text)
        assert page.all("src") == []
        assert page.all("style") == []
        assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
        assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "img", "form", "base"}
        (policy,) = [
            attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policy.startswith("default-src 'none'; ")
        for tag in ("style", "script"):
            (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy


def test_whatever_a_board_or_a_cloud_writes_is_only_text(tmp_path):
    def tell(night, board, test):
        told = publish(board, OWN, "associated statement 2", refused=True)
        for place, event in enumerate(told.events):
            told.events[place] = event._replace(text=event.text + HOSTILE)
        told.message += HOSTILE
        told.evidence = HOSTILE + "x" * 1_000_000
        told.decisive = {**told.decisive, "action": HOSTILE, "got": HOSTILE}
        return told

    folder = write_night(tmp_path, 1, tell, boards=(f"dk{HOSTILE}",), tests=2)
    written = write_run_pages(folder)
    assert not written.notes
    for path in written.paths:
        text = path.read_bytes().decode("utf-8")
        if path.suffix == ".html":
            assert text.count("<script>") == 1
            assert not {"img"} & {tag for tag, _ in Page(text).tags}
        if path.suffix in (".html", ".md"):
            assert "<img" not in text
            assert not set("\x1b\u202e\u2066\x00") & set(text)
            assert len(text) < 400_000


def test_a_page_with_a_secret_is_not_written(tmp_path):
    SECRETS.add("b0a7-the-key-of-the-labs-account")
    folder, _ = one_night(tmp_path, lambda *_: Told(verdict="verified"))
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace("verified", "the b0a7-the-key-of-the-labs-account"))
    (folder / "report.html").unlink()
    with pytest.raises(Misuse, match=r"report\.html: not written: there is a secret in line"):
        write_run_pages(folder)
    assert not (folder / "report.html").exists()


def test_a_token_that_slipped_into_a_timeline_is_noticed(tmp_path):
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJucmYtMTIzNCJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"

    def tell(*_):
        told = publish("dk", OWN, "associated statement 2", refused=True)
        told.events[0] = told.events[0]._replace(text=f"AT+{token}")
        return told

    with pytest.raises(Misuse, match="there is a secret"):
        one_night(tmp_path, tell)


def test_a_thousand_tests_fit(tmp_path):
    boards = [f"board-{number}" for number in range(5)]

    def tell(night, board, test):
        return publish(board, OWN, "associated statement 2", refused=test % 3 == 0)

    folder = write_night(tmp_path, 1, tell, boards=boards, tests=200)
    write_run_pages(folder)
    page = folder / "report.html"
    assert page.stat().st_size <= LARGEST
    assert page_of(folder).said.count("passed") > 600


def test_a_killed_run_has_a_page(tmp_path):
    folder = write_night(tmp_path, 1, lambda *_: Told(), boards=("dk",), ended=False)
    write_run_pages(folder)
    said = page_of(folder).said
    assert (
        "Nothing failed, but 1 test proved nothing. The run was interrupted (killed, or the computer went down)."
        in said
    )


def test_a_timeline_of_a_newer_harness_is_one_line_and_the_page_is_right(tmp_path):
    folder, _ = one_night(tmp_path, lambda *_: publish("dk", OWN, "associated statement 2", refused=True))
    file = folder / "timeline" / "dk.jsonl"
    file.write_text(file.read_text().replace('"v":1', '"v":99', 1))
    written = write_run_pages(folder)
    (note,) = written.notes
    assert "schema 99 is newer" in note
    said = page_of(folder).said
    assert note in said
    assert "The cloud refuses what associated statement 2 allows" in said


def test_a_torn_timeline_is_drawn_as_far_as_it_goes(tmp_path):
    folder, _ = one_night(tmp_path, lambda *_: publish("dk", OWN, "associated statement 2", refused=True))
    file = folder / "timeline" / "dk.jsonl"
    file.write_text(file.read_text()[:-300])
    assert not write_run_pages(folder).notes


def test_two_runs_that_began_in_the_same_second_are_two(tmp_path):
    folder, _ = one_night(tmp_path, lambda *_: Told())
    twin = folder.with_name(folder.name + "1")
    folder.rename(twin)
    one_night(tmp_path, lambda *_: Told())
    write_run_pages(twin)
    index = Page((tmp_path / "index.html").read_text()).said
    assert "2 runs" in index


def test_labs_merge_by_copying_folders_together(tmp_path):
    for lab in ("oslo", "trondheim"):
        write_night(tmp_path / lab, 1 if lab == "oslo" else 2, lambda *_: Told(), boards=(f"dk-{lab}",), tests=2)
    written = write_index([tmp_path / "oslo", tmp_path / "trondheim"])
    said = Page(written.paths[0].read_text()).said
    assert "2 runs" in said
    assert "dk-oslo" in said
    assert "dk-trondheim" in said


def test_the_index_has_a_cell_for_each_board_and_night(nights):
    page = Page((nights[-1].parent / "index.html").read_text("utf-8"))
    cells = [attrs for _, attrs in page.tags if attrs.get("class", "").startswith("c ")]
    assert len(cells) == 14 * len(BOARDS)
    links = [cell["href"] for cell in cells if "href" in cell]
    assert len(links) == len(LOOKED_AT) * len(BOARDS)
    assert all((nights[-1].parent / link).exists() for link in links)
    assert "comes and goes" in page.said


def test_the_summary_says_the_same_in_markdown(nights):
    text = (nights[-1] / "summary.md").read_text()
    assert text.startswith("## RED: 5 new failures point at the cloud; 8 older failures")
    assert "| 5 | the cloud | The cloud refuses what associated statement 2 allows<br>" in text
    assert len(text) < 50_000


def test_a_run_that_was_stopped_in_its_first_set_up_has_a_page(tmp_path):
    """Then no test has got as far as its properties."""
    folder = write_night(tmp_path, 1, the_fourteen)
    journal = folder / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    begin = next(line for line in lines if line["k"] == "begin")
    stopped = {**begin, "k": "phase", "phase": "setup", "result": "error", "seconds": 0.1, "message": "stopped"}
    journal.write_text("\n".join(json.dumps(line) for line in (lines[0], begin, stopped)) + "\n")
    for file in (folder / "timeline").glob("*.jsonl"):
        file.unlink()
    write_run_pages(folder)
    assert "stopped" in page_of(folder).said
