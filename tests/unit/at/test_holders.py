"""Who holds a port open, read from a folder in the form of /proc."""

import os

import pytest

from harness.at.holders import Holder, holders


class Proc:
    """A folder in the form of /proc. Called, it makes a process: program, what it holds open, command line."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def __call__(self, pid, name, *files, line=b"program\0"):
        process = self.folder / str(pid)
        (process / "fd").mkdir(parents=True)
        (process / "comm").write_text(f"{name}\n")
        (process / "cmdline").write_bytes(line)
        for number, file in enumerate(files):
            (process / "fd" / str(number)).symlink_to(file)
        return process


@pytest.fixture
def proc(tmp_path):
    return Proc(tmp_path / "proc")


@pytest.fixture
def device(tmp_path):
    path = tmp_path / "ttyACM0"
    path.touch()
    return str(path)


def test_holders_are_named_by_number_and_program(proc, device, tmp_path):
    proc(900, "minicom", "/dev/null", device)
    proc(70, "ModemManager", device)
    proc(80, "bash", "/dev/null")
    (proc.folder / "self").mkdir()
    free = str(tmp_path / "ttyACM1")
    found = holders([device, free], proc=proc.folder)
    assert found == {device: [Holder(70, "ModemManager"), Holder(900, "minicom")], free: []}
    assert str(found[device][0]) == "ModemManager (pid 70)"


def test_a_device_is_found_by_each_of_its_names(proc, device, tmp_path):
    link = tmp_path / "by-id"
    link.symlink_to(device)
    proc(5, "minicom", device)
    assert holders([str(link), device], proc=proc.folder) == {
        str(link): [Holder(5, "minicom")],
        device: [Holder(5, "minicom")],
    }


def test_the_process_of_a_virtual_board_only_has_the_other_end(proc, device):
    proc(5, "python", device, line=b"python\0-m\0harness.virtual\0")
    proc(6, "nrf91-virtual", device, line=b"python\0-m\0pytest\0")
    proc(7, "python", device, line=b"python\0-m\0harness\0")
    assert holders([device], proc=proc.folder) == {device: [Holder(7, "python")]}


def test_a_process_that_has_just_ended_or_is_somebody_elses_is_passed_over(proc, device):
    (proc.folder / "3").mkdir()  # no fd folder
    gone = proc(4, "ended", device)
    (gone / "comm").unlink()
    proc(5, "minicom", device)
    assert holders([device], proc=proc.folder) == {device: [Holder(5, "minicom")]}


def test_a_file_that_was_closed_meanwhile_hides_no_other(proc, device, monkeypatch):
    proc(5, "minicom", "/dev/null", device, "/dev/zero")
    readlink = os.readlink

    def flaky(path, **options):
        if str(path).endswith(("fd/0", "fd/2")):
            raise FileNotFoundError(path)
        return readlink(path, **options)

    monkeypatch.setattr("harness.at.holders.os.readlink", flaky)
    assert holders([device], proc=proc.folder) == {device: [Holder(5, "minicom")]}


def test_nothing_is_asked_about_no_device(tmp_path):
    assert holders([], proc=tmp_path / "missing") == {}


def test_they_are_in_the_order_of_their_numbers(proc, device):
    for pid in (100, 9, 20):
        proc(pid, "minicom", device)
    assert [holder.pid for holder in holders([device], proc=proc.folder)[device]] == [9, 20, 100]


def test_nobody_is_looked_at_for_no_device(monkeypatch, proc):
    proc(5, "minicom")
    monkeypatch.setattr(os, "scandir", lambda *_: pytest.fail("processes were looked at"))
    monkeypatch.setattr(os, "readlink", lambda *_, **__: pytest.fail("processes were looked at"))
    assert holders([], proc=proc.folder) == {}
