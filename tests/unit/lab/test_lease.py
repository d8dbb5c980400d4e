"""Leases within one process; tests/integration/test_lab_leases.py has two."""

import json
import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from harness.errors import LabError, PortBusy
from harness.lab import Lease, shared_lock
from harness.lab import lease as lease_module
from harness.lab.lease import LEASES_VARIABLE, act_for, lease_folder, owners, private_folder
from harness.lab.shared_lock import shared_folder


def test_a_lease_is_exclusive_and_names_its_owner(tmp_path):
    with Lease("dk-1", "usb-1", folder=tmp_path) as first:
        with pytest.raises(PortBusy) as caught:
            Lease("dk-1", "usb-1", folder=tmp_path)
        text = str(caught.value)
        assert text.startswith(f"board 'dk-1' is in use by pid {os.getpid()} ({first.owner['user']}, ")
        assert text.endswith(f") since {first.owner['since']}; wait (pytest --wait SECONDS) or end that process")
    Lease("dk-1", "usb-1", folder=tmp_path).release()


@pytest.mark.parametrize(("port", "where"), [("/dev/pts/6", "/dev/pts/6"), ("", "usb-1")])
def test_who_uses_which_board_is_said_with_its_name_and_port(tmp_path, port, where):
    with Lease("dk-1", "usb-1", folder=tmp_path, port=port):
        (owner,) = owners(tmp_path)
        assert owner.hardware == f"dk-1 at {where}"
        (tmp_path / f"usb-1.{os.getuid()}.json").unlink()
        (unknown,) = owners(tmp_path)
        assert unknown.hardware == "usb-1"


def test_other_boards_are_free(tmp_path):
    with Lease("dk-1", "usb-1", folder=tmp_path), Lease("dk-2", "usb-2", folder=tmp_path) as second:
        assert second.path == tmp_path / "usb-2.lock"


def test_the_owner_file_is_for_all_to_read_complete_and_goes_with_the_lease(tmp_path):
    lease = Lease("dk-1", "usb-1", folder=tmp_path)
    path = tmp_path / f"usb-1.{os.getuid()}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(lease.path.stat().st_mode) == 0o644
    owner = json.loads(path.read_text())
    assert set(owner) == {"board", "pid", "user", "since", "command", "host"}
    lease.release()
    lease.release()
    assert not path.exists()


def test_a_worker_names_the_command_of_its_run(tmp_path, monkeypatch):
    """It said "-c", which is all that a worker's own command line says."""
    monkeypatch.setattr(lease_module, "_acting_for", [])
    act_for(["/usr/bin/pytest", "--boards", "lab.yaml"])
    with Lease("dk-1", "usb-1", folder=tmp_path), pytest.raises(PortBusy, match=r", pytest --boards lab\.yaml\) since"):
        Lease("dk-1", "usb-1", folder=tmp_path)


def test_a_lease_without_a_readable_owner_is_still_busy(tmp_path):
    with Lease("dk-1", "usb-1", folder=tmp_path):
        (tmp_path / f"usb-1.{os.getuid()}.json").write_text("{")
        with pytest.raises(PortBusy, match=r"in use by another process \(see: fuser .*usb-1\.lock\)"):
            Lease("dk-1", "usb-1", folder=tmp_path)


def test_what_a_dead_owner_left_is_overwritten(tmp_path):
    (tmp_path / "usb-1.lock").touch()
    (tmp_path / f"usb-1.{os.getuid()}.json").write_text(
        json.dumps({"pid": 1, "user": "x", "since": "y", "command": "z", "host": "h"})
    )
    with Lease("dk-1", "usb-1", folder=tmp_path):
        assert json.loads((tmp_path / f"usb-1.{os.getuid()}.json").read_text())["pid"] == os.getpid()


def test_private_folder(tmp_path):
    folder = private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert private_folder(folder) == folder
    folder.chmod(0o755)
    with pytest.raises(LabError, match="is not private to this user"):
        private_folder(folder)
    link = tmp_path / "link"
    link.symlink_to(private_folder(tmp_path / "c"))
    with pytest.raises(LabError, match="is not private"):
        private_folder(link)


def test_every_session_of_a_user_looks_in_the_same_folder(monkeypatch):
    monkeypatch.delenv(LEASES_VARIABLE)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    in_a_login = lease_folder()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert lease_folder() == in_a_login


@pytest.fixture
def shared():
    """A folder that every user may use; pytest's own are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


def test_another_user_of_the_computer_sees_who_has_a_board_and_waits_in_vain(shared):
    if os.getuid() != 0:
        pytest.skip("needs the right to be another user")
    folder = shared
    with Lease("dk-1", "usb-1", folder=folder):
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                Lease("dk-1", "usb-1", folder=folder, timeout=0.1)
            except PortBusy as busy:
                os._exit(0 if f"pid {os.getppid()} (" in str(busy) and "waited 0.1 s" in str(busy) else 3)
            os._exit(4)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        Lease("dk-1", "usb-1", folder=folder)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_folder_that_is_not_for_sharing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_lock, "_PLACES", (tmp_path,))
    folder = shared_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    assert shared_folder() == folder
    folder.chmod(0o755)
    with pytest.raises(LabError, match="share safely"):
        shared_folder()


def test_tests_have_leases_of_their_own(tmp_path, monkeypatch):
    assert lease_folder() == Path(os.environ[LEASES_VARIABLE])
    monkeypatch.setenv(LEASES_VARIABLE, str(tmp_path / "mine"))
    assert lease_folder() == tmp_path / "mine"
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o700
