"""What a lab keeps of its boards, a JSON object for each."""

import pytest

from harness.credentials.json_files import JsonFiles
from harness.errors import LabError


def test_an_object_is_read_as_it_was_written_by_nobody_else(tmp_path):
    files = JsonFiles(tmp_path / "modes")
    assert files.read("1") == {}
    files.write("1", {"mode": 4})
    assert (files.read("1"), files.read("2")) == ({"mode": 4}, {})
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "modes", files.path("1"))] == [0o700, 0o600]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_what_makes_no_sense_is_as_if_it_were_not_there(tmp_path, content):
    (tmp_path / "1.json").write_bytes(content)
    assert JsonFiles(tmp_path).read("1") == {}


def test_a_folder_that_cannot_be_written_is_the_labs_trouble_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LabError) as caught:
        JsonFiles(tmp_path / "file" / "modes").write("1", {})
    where = tmp_path / "file" / "modes" / "1.json"
    assert str(caught.value) == f"{where}: Not a directory; name a folder that can be written with --lab-ca DIR"
