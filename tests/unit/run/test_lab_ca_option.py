"""``--lab-ca`` is looked at before a run begins, and nothing is made for that."""

import pytest

from harness.errors import Misuse
from harness.report import RunFolder
from harness.run import Run


def made(folder, ca_folder):
    boards = folder / "boards.yaml"
    boards.write_text("boards: [{name: a, virtual: {}}]\n")
    return Run(boards, [], cloud=None, folder=RunFolder(folder / "run"), ca_folder=ca_folder, root=folder)


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_lab_ca_that_is_no_folder_is_misuse_at_the_start(tmp_path, below):
    (tmp_path / "ca").write_text("a plain file")
    with pytest.raises(Misuse, match=rf"^{tmp_path}/ca is not a folder: .*; name another with --lab-ca DIR$"):
        made(tmp_path, tmp_path / "ca" / below)


def test_the_usual_lab_ca_that_is_no_folder_is_misuse_at_the_start(tmp_path):
    (tmp_path / ".lab").write_text("a plain file")
    with pytest.raises(Misuse, match=rf"^{tmp_path}/.lab is not a folder: .*; name another with --lab-ca DIR$"):
        made(tmp_path, None)


def test_a_lab_ca_that_is_not_there_yet_is_made_when_it_is_needed(tmp_path):
    made(tmp_path, tmp_path / "ca").close()
    assert not (tmp_path / "ca").exists()
