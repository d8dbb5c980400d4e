"""Which boards get which policy cases."""

import pytest

from harness.policy_trials.derived_trials import DerivedTrials
from harness.policy_trials.trials import cases_for
from harness.report import RunFolder
from harness.run import Run
from tests.unit.policy_trials.small_policies import BOARDS, write_documents


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "boards.yaml").write_text(BOARDS)
    write_documents(folder)
    run = Run(folder / "boards.yaml", [], cloud=None, folder=RunFolder(folder), ca_folder=None, root=folder)
    yield run
    run.close()


@pytest.fixture(scope="module")
def derived(made):
    return DerivedTrials(made)


def test_each_board_gets_the_cases_of_its_own_clouds_documents(made, derived):
    pairs = derived.cases(full=False)
    names = [name for _, name in pairs]
    assert list(dict.fromkeys(names)) == ["a-1", "a-2", "b"]
    mine = {name: [case for case, of in pairs if of == name] for name in names}
    assert mine["a-1"] == mine["a-2"] == cases_for(made.board("a-1").cloud.documents, full=False)
    assert mine["b"] == cases_for(made.board("b").cloud.documents, full=False)
    assert {case.id for case in mine["b"]} != {case.id for case in mine["a-1"]}


def test_the_summary_names_each_cloud_whose_trials_were_run(derived):
    assert derived.summary() == {}
    for case, name in derived.cases(full=False):
        if name == "b":
            derived.note_trial(name, case.id)
    (line,) = derived.summary().values()
    assert " of cloud two: " in line
    assert line.endswith(" equivalent; not compared with the own names of b")
