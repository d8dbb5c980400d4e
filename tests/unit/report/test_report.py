"""The files of a run: transcript, names, table."""

from harness.redact import SECRETS
from harness.report import CaseRecord, RunFolder, RunJournal, Transcript, short_name, table
from harness.timeline import Kind, Timeline


def test_transcript_shows_direction_source_and_every_line(tmp_path):
    path = tmp_path / "t" / "one.log"
    timeline = Timeline()
    with Transcript(path, title="tests/x.py::test_one[dk1]") as transcript, timeline.sink(transcript):
        timeline.add(Kind.TX, "dk1", "AT+CGSN")
        timeline.add(Kind.RX, "dk1", "-----BEGIN\r\nMIIB\r\n-----END")
        timeline.add(Kind.FAULT, "dk1", "unplugged")
    lines = path.read_text().splitlines()
    assert lines[0] == "tests/x.py::test_one[dk1]"
    body = lines[4:]
    assert body[0].split()[1:] == ["dk1", ">", "AT+CGSN"]
    assert body[1].endswith("< -----BEGIN")
    assert [line.strip() for line in body[2:4]] == ["MIIB", "-----END"]
    assert body[4].split()[1:] == ["dk1", "!", "unplugged"]


def test_transcript_is_on_disk_before_it_is_closed(tmp_path):
    timeline = Timeline()
    with Transcript(tmp_path / "a.log", title="t") as transcript, timeline.sink(transcript):
        timeline.add(Kind.TX, "dk1", "AT")
        assert (tmp_path / "a.log").read_text().endswith("> AT\n")


def test_registered_secrets_reach_neither_transcript_nor_journal(tmp_path):
    secret = "0123456789abcdef0123456789abcdef01234567"
    SECRETS.add(secret)
    timeline = Timeline()
    with Transcript(tmp_path / "a.log", title="t") as transcript, timeline.sink(transcript):
        timeline.add(Kind.CLOUD, "rest", f"Authorization: Bearer {secret}")
    RunJournal(tmp_path / "journal.jsonl").write("phase", message=f"key {secret} refused")
    for path in (tmp_path / "a.log", tmp_path / "journal.jsonl"):
        assert secret not in path.read_text()
        assert "<redacted>" in path.read_text()


def test_transcript_names_are_safe_and_distinct(tmp_path):
    folder = RunFolder(tmp_path)
    one = folder.transcript("tests/scenarios/test_a.py::TestX::test_y[dk1]")
    two = folder.transcript("tests/scenarios/test_a.py::TestX::test_y[dk2]")
    assert one != two
    assert one.parent == folder.path / "transcripts"
    assert "/" not in one.name.replace("::", "")
    assert ":" not in one.name


def test_parameters_with_slashes_and_long_names_keep_transcripts_apart(tmp_path):
    folder = RunFolder(tmp_path)
    tests = [f"tests/scenarios/test_policy.py::test_derived[{'prod/' * 40}{end}]" for end in ("a/x", "b/x")]
    tests += [
        "t.py::test_derived[a/x]",
        "t.py::test_derived[b/x]",
        "t.py::test_derived[+/x]",
        "t.py::test_derived[#/x]",
    ]
    paths = {folder.transcript(test) for test in tests}
    assert len(paths) == len(tests)
    assert folder.transcript("tests/t.py::TestX::test_y[dk1]").name == "t.py.TestX.test_y-dk1.log"
    assert all(path.parent == folder.path / "transcripts" and len(path.name) < 200 for path in paths)
    assert short_name(tests[0]).startswith("test_policy.py::test_derived[prod/prod/")


def test_table_lines_up_and_names_what_failed():
    good = CaseRecord("dk1", "test_publish.py::test_a", seconds=1.234)
    good.add_verdict("tolerated", "because")
    bad = CaseRecord("board-2", "test_violations.py::test_b", result="failed", seconds=12.0)
    bad.add_verdict("tolerated", "because")
    lost = CaseRecord("dk1", "test_c", result="error")
    lines = table([good, bad, lost])
    assert lines[0].split() == ["board", "scenario", "verdict", "seconds"]
    assert lines[2].split() == ["dk1", "test_publish.py::test_a", "tolerated", "1.23"]
    assert lines[3].split() == ["board-2", "test_violations.py::test_b", "FAILED:", "tolerated", "12.00"]
    assert lines[4].split() == ["dk1", "test_c", "ERROR", "0.00"]
    assert len({len(line) for line in lines}) == 1


def test_table_counts_many_verdicts():
    case = CaseRecord("dk1", "t")
    for verdict in ["tolerated"] * 3 + ["policy disconnect"]:
        case.add_verdict(verdict, "because")
    assert "  tolerated, tolerated, tolerated, policy disconnect  " in table([case])[2]
    case.add_verdict("tolerated", "because")
    assert "  4 x tolerated, 1 x policy disconnect  " in table([case])[2]


def test_several_verdicts_are_all_kept():
    case = CaseRecord("dk1", "t")
    case.add_verdict("tolerated", "one")
    case.add_verdict("policy disconnect", "two", attempts=2)
    wanted = {"verdict": "tolerated, policy disconnect", "evidence": "one | two", "attempts": "1, 2"}
    assert case.properties == wanted
