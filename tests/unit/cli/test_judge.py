"""``judge``: verdicts of a run's files, and files that no verdict can be found in."""

import json
import os
import shutil

import pytest

from harness.cli.judge import _from_difference
from harness.cli.main import main
from harness.report.journal import RunJournal
from harness.timeline import Kind, Timeline, TimelineFile, pack
from harness.trial.judge import VERSION
from tests.unit.trial.fakes import Stage

TESTS = {"test_a.py::test_forbidden[one]": "other", "test_a.py::test_allowed[one]": "fine"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    stage = Stage({"other"})
    file = TimelineFile(folder / "timeline" / "one.jsonl", {"run": "r", "board": "one"})
    with stage.timeline.sink(file):
        for test, topic in TESTS.items():
            stage.timeline.add(Kind.TEST, "pytest", test, key=test.partition("[")[0], mono=stage.clock())
            verdict = stage.trials.publish(topic, witness=stage.delivered)
            verdict.expect(verdict.outcome)
            stage.timeline.add(Kind.END, "pytest", "passed")
        stage.timeline.add(Kind.TEST, "pytest", "test_a.py::test_without_trials[one]", mono=stage.clock())
        stage.timeline.add(Kind.END, "pytest", "passed")
    file.close()
    journal = RunJournal(folder / "journal.jsonl")
    journal.begin("r", dict.fromkeys(TESTS, "one"), {})
    journal.write("end", interrupted="", ended={}, not_run=0)
    return folder


@pytest.fixture
def run(recorded, tmp_path):
    """The folder of a run of two tests on one board."""
    return shutil.copytree(recorded, tmp_path, dirs_exist_ok=True)


def edit(run, kind, change, **which):
    """Change the data of the first line of this kind whose fields are ``which``, as a hand or newer rules would."""
    path = run / "timeline" / "one.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found = next(line for line in lines if line["k"] == kind and which.items() <= line.items())
    change(found)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_verdicts_are_found_again(run, capsys):
    assert main(["judge", str(run)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "same    test_a.py::test_forbidden[one]: policy disconnect",
        "same    test_a.py::test_allowed[one]: tolerated",
        "2 verdicts of 2 tests: all as they were recorded",
    ]


@pytest.mark.parametrize("ended", [False, True])
def test_a_killed_run_is_named_with_the_test_that_it_was_in(run, capsys, ended):
    first, second = TESTS
    (run / "journal.jsonl").unlink()
    journal = RunJournal(run / "journal.jsonl")
    journal.begin("r", dict.fromkeys(TESTS, "one"), {})
    for test in TESTS:
        journal.write("begin", test=test, board="one")
        journal.write("phase", test=test, board="one", phase="teardown" if test == first else "setup", result="passed")
    if ended:
        journal.write("end", interrupted="", ended={}, not_run=0)
    assert main(["judge", str(run)]) == 0
    said = f"{run / 'journal.jsonl'}: the run was killed, for it has no end; in progress: {second}"
    assert (said in capsys.readouterr().err) is not ended


def test_a_difference_is_listed_and_is_no_success(run, capsys):
    edit(run, "facts", lambda line: line.update(outcome="tolerated"))
    assert main(["judge", str(run)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "differs test_a.py::test_forbidden[one]: policy disconnect"
    assert lines[1].startswith("        recorded  publish on other (QoS 1): tolerated. Policy: ")
    assert lines[2].startswith("        now       publish on other (QoS 1): policy disconnect. Policy: ")
    assert lines[-1] == "2 verdicts of 2 tests: 1 differs from what was recorded"


def test_of_two_evidences_only_what_differs_is_shown():
    same = "Policy: none. Baseline: 3 of 3. "
    found = _from_difference(f"{same}It ended at once.", f"{same}It went on.")
    assert found == ("… It ended at once.", "… It went on.")
    assert _from_difference("A. B.", "C. B.") == ("A. B.", "C. B.")
    assert _from_difference("A. B.", "A. B.") == ("A. B.", "A. B.")


def test_help_says_what_its_exit_code_1_means(capsys):
    with pytest.raises(SystemExit):
        main(["judge", "--help"])
    assert "1 another verdict than was recorded" in " ".join(capsys.readouterr().out.split())


def test_what_an_older_judge_found_by_other_plans_is_kept_and_that_is_said(run, capsys):
    edit(run, "facts", lambda line: line.update(judge=4, outcome="tolerated"))
    said = {"x": "expected tolerated, got tolerated", "wanted": ["tolerated"], "got": "tolerated"}
    edit(run, "expect", lambda line: line.update(said))
    assert main(["judge", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "kept    test_a.py::test_forbidden[one]: tolerated"
    assert lines[1] == "same    test_a.py::test_allowed[one]: tolerated"
    assert lines[2] == (
        "2 verdicts of 2 tests: all as they were recorded; "
        "1 are of judge 4, whose experiments had other plans: they were not judged again"
    )


def test_what_a_newer_judge_found_is_kept_and_that_is_said(run, capsys):
    edit(run, "facts", lambda line: line.update(judge=VERSION + 1))
    assert main(["judge", str(run)]) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert (first[:5], second[:5]) == ("kept ", "same ")
    assert last == (
        f"2 verdicts of 2 tests: all as they were recorded; 1 are of judge {VERSION + 1}, newer than this harness's"
        f" judge {VERSION}: they were not judged again; use the harness that recorded them"
    )
    assert main(["judge", str(run), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["older"], found["newer"]) == (0, 1)
    (verdict,) = found["tests"][0]["verdicts"]
    assert (verdict["older"], verdict["newer"]) == (0, VERSION + 1)


def without(run, *kinds):
    """Take lines of these kinds out, as a full disk or a hand would."""
    path = run / "timeline" / "one.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if json.loads(line)["k"] not in kinds))


def cut_out(run, kind):
    """Take the first line of this kind out; return its path with its number, and its ``n``."""
    path = run / "timeline" / "one.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if json.loads(line)["k"] == kind)
    path.write_text("".join([*lines[:first], *lines[first + 1 :]]))
    return f"{path}:{first + 1}", json.loads(lines[first])["n"]


def renumber(run):
    """Number the events anew, as if those that were taken out had never been."""
    path = run / "timeline" / "one.jsonl"
    header, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [line | {"n": number} for number, line in enumerate(lines)]
    path.write_text("".join(json.dumps(line) + "\n" for line in (header, *lines)))


def test_verdicts_that_are_missing_are_counted_and_are_no_success(run, capsys):
    place, number = cut_out(run, "facts")
    assert main(["judge", str(run)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "missing test_a.py::test_forbidden[one]: no verdict",
        "        missing   publish on other (QoS 1): its verdict is not in the timeline",
        "same    test_a.py::test_allowed[one]: tolerated",
        f"edited  {place}: events missing before n={number + 1}: 1; was the file edited by hand?",
        f"edited  {place}: 'expected policy disconnect, got policy disconnect', and no verdict of the test before it is"
        " 'policy disconnect'; was the file edited by hand?",
        "1 verdict of 2 tests: all as they were recorded; 1 missing: was the file edited by hand, or the disk full?",
    ]


def test_a_run_whose_verdicts_are_all_missing_is_no_success(run, capsys):
    without(run, "facts")
    assert main(["judge", str(run), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["missing"], found["differing"]) == (False, 2, 0)
    assert [test["missing"] for test in found["tests"]] == [["publish on other (QoS 1)"], ["publish on fine (QoS 1)"]]


def test_a_test_that_failed_in_the_middle_of_a_trial_misses_nothing(run, capsys):
    edit(run, "end", lambda line: line.update(x="failed", result="failed"), i=1)
    cut_out(run, "facts")
    cut_out(run, "expect")
    renumber(run)
    assert main(["judge", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 verdict of 1 test: all as they were recorded"


def journal_of(run, **expected):
    """Write the journal of the run; ``expected``: of each test's trials, by a part of its name."""
    (run / "journal.jsonl").unlink()
    journal = RunJournal(run / "journal.jsonl")
    journal.begin("r", dict.fromkeys(TESTS, "one"), {})
    for test in TESTS:
        said = next(wanted for part, wanted in expected.items() if part in test)
        journal.write("begin", test=test, board="one")
        journal.write("phase", test=test, board="one", phase="call", result="passed", expected=[said])
        journal.write("phase", test=test, board="one", phase="teardown", key="k", result="passed")
    journal.write("end", interrupted="", ended={}, not_run=0)


def edited(run, capsys):
    """Judge, and return what is said of edited lines."""
    code = main(["judge", str(run)])
    out = capsys.readouterr().out.splitlines()
    found = [line.removeprefix("edited  ") for line in out if line.startswith("edited")]
    assert out[-1] == "2 verdicts of 2 tests: all as they were recorded"
    assert code == bool(found)
    return found


def line_of(run, kind):
    lines = (run / "timeline" / "one.jsonl").read_text().splitlines()
    return f"{run}/timeline/one.jsonl:{next(n for n, line in enumerate(lines, 1) if json.loads(line)['k'] == kind)}"


def test_an_untouched_run_fits_its_journal(run, capsys):
    journal_of(run, forbidden=["policy disconnect"], allowed=["tolerated"])
    assert edited(run, capsys) == []


@pytest.mark.parametrize("chosen", [[], ["--test", "allowed"]])
def test_tests_of_the_journal_that_are_not_in_the_timeline_are_no_success(run, capsys, chosen):
    journal_of(run, forbidden=["policy disconnect"], allowed=["tolerated"])
    path = run / "timeline" / "one.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: next(n for n, line in enumerate(lines) if '"k":"end"' in line) + 1]))
    assert main(["judge", str(run), *chosen]) == 1
    *_, lost, last = capsys.readouterr().out.splitlines()
    assert lost == "lost    test_a.py::test_allowed[one]: in the journal, and not in the timeline"
    assert "; 1 test of the journal is not in the timeline: was the file edited" in last
    assert main(["judge", str(run), "--test", "forbidden"]) == 0, "that one is there"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: edit(run, "file", lambda line: line.update(run="q")), "of run q, and the journal beside it is of"),
        (lambda run: edit(run, "file", lambda line: line.update(board="two")), "a file of board two, under another"),
        (
            lambda run: (run / "timeline" / "two.jsonl").write_bytes((run / "timeline" / "one.jsonl").read_bytes()),
            "two.jsonl:1: a file of board one, under another name",
        ),
        (
            lambda run: (run / "timeline" / "one.2.jsonl").write_bytes((run / "timeline" / "one.jsonl").read_bytes()),
            " of the same time as one.2.jsonl: one is a copy of the other; were the files edited by hand?",
        ),
        (lambda run: (run / "journal.jsonl").unlink(), "journal.jsonl: no journal of a run, so tests may be gone"),
        (lambda run: (run / "journal.jsonl").write_text(""), "journal.jsonl: no journal of a run, so tests may be"),
    ],
)
def test_files_that_do_not_belong_together_are_no_success(run, capsys, spoil, said):
    spoil(run)
    assert main(["judge", str(run)]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("edited")]
    assert said in line


def test_a_result_or_verdict_that_the_journal_has_otherwise_is_no_success(run, capsys):
    journal_of(run, forbidden=["policy disconnect"], allowed=["tolerated"])
    path = run / "journal.jsonl"
    path.write_text(path.read_text().replace('"call",', '"call", "properties": {"verdict": "tolerated"},'))
    (said,) = edited(run, capsys)
    assert said.startswith(
        f"{line_of(run, 'test')}: the verdicts of test_a.py::test_forbidden[one] are: policy disconnect;"
        " and in the journal: tolerated"
    )


def test_the_second_file_of_a_board_belongs_to_its_run(run, capsys):
    file, timeline = TimelineFile(run / "timeline" / "one.jsonl", {"run": "r", "board": "one"}), Timeline()
    with timeline.sink(file):
        timeline.add(Kind.STEP, "x", "the worker died, and another one goes on")
    file.close()
    assert file.path.name == "one.2.jsonl"
    pack(run / "timeline")
    assert main(["judge", str(run)]) == 0
    assert "edited" not in capsys.readouterr().out


def test_what_the_harness_left_out_between_two_tests_was_not_edited(run, capsys):
    path = run / "timeline" / "one.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    second = next(number for number, line in enumerate(lines) if line.get("i") == 2)
    at = lines[second]["n"]
    cut, own = ({"i": 0, "n": at + n, "t": 1.0, "s": "x", "k": k, "x": "x"} for n, k in ((0, "cut"), (20, "step")))
    behind = [line | {"n": line["n"] + 50} for line in lines[second:]]
    path.write_text("".join(json.dumps(line) + "\n" for line in (*lines[:second], cut, own, *behind)))
    assert edited(run, capsys) == []
    path.write_text("".join(json.dumps(line) + "\n" for line in (*lines[:second], own, *behind)))
    assert len(edited(run, capsys)) == 2, "nobody said so"


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan")], ids=["huge", "infinite", "none"])
@pytest.mark.parametrize(("kind", "key"), [("phase", "t"), ("facts", "trial"), ("test", "mono")])
def test_a_number_that_no_computer_has_is_one_line(run, capsys, kind, key, number):
    edit(run, kind, lambda line: line.update({key: number}))
    assert main(["judge", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"not an event ({key} is not a number that makes sense)" in line


def test_a_trial_without_a_number_is_one_line_with_its_place(run, capsys):
    edit(run, "phase", lambda line: line.update(trial="x"))
    lines = (run / "timeline" / "one.jsonl").read_text().splitlines()
    place = next(number for number, line in enumerate(lines, 1) if json.loads(line).get("trial") == "x")
    assert main(["judge", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"one.jsonl:{place}: not an event (trial is not a number); was the file edited by hand?" in line


def test_a_damaged_journal_is_one_line_with_its_place(run, capsys):
    path = run / "journal.jsonl"
    begin, end = map(json.loads, path.read_text().splitlines())
    path.write_text(f"{json.dumps(begin | {'tests': 7})}\n{json.dumps(end)}\n")
    assert main(["judge", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path}:1: tests is not an object: the file was changed; restore it" in line


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["timeline/one.jsonl", "timeline/one.jsonl.gz", "journal.jsonl"])
def test_a_pipe_in_place_of_a_file_is_one_line_and_not_waited_for(run, capsys, name):
    if name.endswith(".gz"):
        pack(run / "timeline")
    (run / name).unlink()
    os.mkfifo(run / name)
    assert main(["judge", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{run / name}: " in line
    assert "it is a pipe, not a file" in line


def test_a_line_of_no_kind_is_named_and_not_taken_for_one_of_a_newer_harness(run, capsys):
    path = run / "timeline" / "one.jsonl"
    head, *rest = path.read_text().splitlines(keepends=True)
    path.write_text("".join([head, '{"i":"a","n":[],"t":{},"k":7,"s":null,"x":[1]}\n', *rest]))
    assert main(["judge", str(run)]) == 2
    assert "one.jsonl:2: not an event (k must be text)" in capsys.readouterr().err


def test_an_expectation_that_was_taken_out_is_one_line(run, capsys):
    place, number = cut_out(run, "expect")
    assert edited(run, capsys) == [f"{place}: events missing before n={number + 1}: 1; was the file edited by hand?"]


def test_an_expectation_that_was_taken_out_with_care_is_missed_by_the_journal(run, capsys):
    journal_of(run, forbidden=["policy disconnect"], allowed=["tolerated"])
    cut_out(run, "expect")
    renumber(run)
    assert edited(run, capsys) == [
        f"{line_of(run, 'end')}: test_a.py::test_forbidden[one] has 0 expect lines and the journal 1;"
        " was the file edited by hand?"
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"wanted": ["tolerated"]},
            "'expected policy disconnect, got policy disconnect' is said of wanted=['tolerated'] and"
            " got='policy disconnect'",
        ),
        (
            {"x": "expected policy disconnect, got tolerated", "got": "tolerated"},
            "'expected policy disconnect, got tolerated', and no verdict of the test before it is 'tolerated'",
        ),
        (
            {"x": "expected tolerated, got policy disconnect", "wanted": ["tolerated"]},
            "'expected tolerated, got policy disconnect', and the journal has other expectations of"
            " test_a.py::test_forbidden[one]",
        ),
        ({"wanted": 3}, "'expected policy disconnect, got policy disconnect' is said of wanted=[] and"),
    ],
)
def test_an_expectation_that_was_changed_is_named(run, capsys, change, said):
    journal_of(run, forbidden=["policy disconnect"], allowed=["tolerated"])
    edit(run, "expect", lambda line: line.update(change))
    assert edited(run, capsys)[0].startswith(f"{line_of(run, 'expect')}: {said}")


def test_another_evidence_is_a_difference_too(run, capsys):
    path = run / "timeline" / "one.jsonl"
    lines = path.read_text().splitlines()
    changed = [
        line.replace("a QoS 1 publish on allowed", "something else") if '"connect"' in line else line for line in lines
    ]
    path.write_text("\n".join(changed) + "\n")
    assert main(["judge", str(run)]) == 1
    assert "Each time the same credentials connected again, and something else worked." in capsys.readouterr().out


@pytest.mark.parametrize("wanted", ["test_a.py::test_allowed[one]", "allowed"])
def test_one_test(run, capsys, wanted):
    assert main(["judge", str(run), "--test", wanted, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (test,) = found["tests"]
    assert (found["ok"], test["board"], test["test"]) == (True, "one", "test_a.py::test_allowed[one]")
    (verdict,) = test["verdicts"]
    assert verdict["recorded"] == {"outcome": verdict["outcome"], "evidence": verdict["evidence"]}
    assert [one["code"] for one in verdict["sentences"]] == [
        *("policy", "baseline", "stayed", "effect", "differs", "night")
    ]


def torn(path):
    path.write_text(path.read_text()[:-9])


def test_a_line_that_was_never_finished_is_said_and_the_rest_is_judged(run, capsys):
    torn(run / "timeline" / "one.jsonl")
    assert main(["judge", str(run)]) == 0
    said = capsys.readouterr()
    assert "one.jsonl: the last line was never finished; everything before it is judged" in said.err
    assert said.out.splitlines()[-1] == "2 verdicts of 2 tests: all as they were recorded"


def test_what_is_packed_is_judged_too(run, capsys):
    pack(run / "timeline")
    assert main(["judge", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 verdicts of 2 tests: all as they were recorded"


def test_a_test_that_was_not_recorded_to_its_end_is_said(run, capsys):
    path = run / "timeline" / "one.jsonl"
    first, *lines = path.read_text().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if '"k":"end"' in line)
    cut = json.dumps({"i": 1, "k": "cut", "n": 10_000, "t": 1.0, "s": "timeline", "x": "left out from here on"})
    path.write_text("".join([first, *lines[:at], cut + "\n", *lines[at:]]))
    assert main(["judge", str(run)]) == 0
    assert (
        "test_a.py::test_forbidden[one]: a part of its events was left out; what is judged may lack something"
        in capsys.readouterr().err
    )


def test_a_trial_that_was_cut_off_has_no_verdict(run, capsys):
    path = run / "timeline" / "one.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if '"k":"facts"' in line)
    path.write_text("".join(lines[:last]))
    assert main(["judge", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 verdict of 1 test: all as they were recorded"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run: (run / "timeline" / "one.jsonl").unlink(), "no timeline/*.jsonl in it; name the folder of a run"),
        (lambda run: edit(run, "file", lambda line: line.update(v=99)), "schema 99 is newer"),
        (lambda run: edit(run, "phase", lambda line: line.pop("sort")), "'sort' is missing); was the file edited"),
        (lambda run: edit(run, "phase", lambda line: line.update(sort="x")), "'x' is not a valid Sort); was the file"),
        (lambda run: edit(run, "facts", lambda line: line.update(trial=-7)), "cannot be judged"),
        (lambda run: edit(run, "facts", lambda line: line.update(outcome="fine")), "'fine' is not a valid Outcome"),
        (lambda run: edit(run, "facts", lambda line: line.update(judge=-7)), "-7 is not a valid version of the judge"),
        (lambda run: edit(run, "phase", lambda line: line.pop("on")), "'on' is missing"),
        (lambda run: edit(run, "mqtt", lambda line: line.pop("d")), "all as they were recorded"),
    ],
)
def test_files_that_cannot_be_judged_are_one_clear_line(run, capsys, spoil, words):
    spoil(run)
    code = main(["judge", str(run)])
    said = capsys.readouterr()
    assert words in said.err + said.out
    assert (code == 2) is not ("recorded" in words)
    assert code == 0 or len(said.err.splitlines()) == 1


def test_a_test_that_is_not_there(run, capsys):
    assert main(["judge", str(run), "--test", "nothing"]) == 2
    assert "no test has the id 'nothing', or has that in its id" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "what"), [("none", "no such folder"), ("empty", "no timeline/*.jsonl in it")])
def test_what_is_no_folder_of_a_run_is_one_line_with_what_to_name(tmp_path, name, what, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["judge", str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"nrf91-harness: {tmp_path / name}: {what}; name the folder of a run: reports/<time>-<number>"


def test_tests_without_trials_have_no_verdicts(run, capsys):
    assert main(["judge", str(run), "--test", "test_without_trials"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no test with 'test_without_trials' in its id has a trial, so there is nothing to judge" in line
