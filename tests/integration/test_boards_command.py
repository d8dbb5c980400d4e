"""``nrf91-harness boards`` on virtual boards that pyserial lists as kits: found, asked, written down, and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.test_cli import COMMAND, DEADLINE, ROOT, Lab, started_lab

NIGHT = 240.0  # seconds; a busy computer takes 40 s, and `make` a minute more where the environment is missing or old
LISTED = ROOT / "tests" / "interop" / "listed_port"


class Rack:
    """Virtual boards that look like kits to pyserial. ``file``: a boards file that names their cloud and no board.

    ``names``: those that are listed, in this order.
    """

    def __init__(self, up: Lab, folder: Path, names: str) -> None:
        self.lab = up
        ports = {board["name"]: board["port"] for board in up.ready["boards"]}
        self.ports = [ports[name] for name in names]
        self.file = folder / "lab.yaml"
        clouds = {"clouds": yaml.safe_load(up.boards_file.read_text())["clouds"]}
        self.file.write_text("# my lab\n" + yaml.safe_dump(clouds))

    def __call__(self, *arguments, listed=None):
        environment = {
            **os.environ,
            "PYTHONPATH": f"{LISTED}:{ROOT}",
            "LISTED_PORTS": ":".join(self.ports if listed is None else listed),
            "NRF91_HARNESS_LEASES": str(self.file.parent / "leases"),
        }
        return subprocess.run(
            [*COMMAND, *arguments],
            env=environment,
            cwd=self.file.parent,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )


BOARDS = ("a", "b,firmware=at-client,model=nrf9160", "c,firmware=shell", "d,model=mute", "e")


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """The stand-ins of all tests; what one provisions, no other one does."""
    options = (part for board in BOARDS for part in ("--board", board))
    with started_lab(tmp_path_factory.mktemp("up"), "--boards", "0", *options) as found:
        yield found


@pytest.fixture
def rack(up, tmp_path):
    return Rack(up, tmp_path, "ab")


def test_kits_are_asked_written_down_and_provisioned_without_editing(up, tmp_path):
    rack = Rack(up, tmp_path, "abcd")
    done = rack("boards", "suggest", "--probe", "--write", "--boards", str(rack.file), "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    boards = said["boards"]
    assert [board.get("firmware", "serial-modem") for board in boards] == ["serial-modem", "at-client", "shell"]
    assert {board["cloud"] for board in boards} == {"virtual"}
    (refused,) = said["refused"]
    assert "no answer to AT" in refused
    assert rack.file.read_text().startswith("# my lab\n")
    assert "IMEI …" in rack.file.read_text()
    assert rack("boards", "check", str(rack.file)).returncode == 0
    provisioned = rack("provision", boards[0]["name"], "--boards", str(rack.file), "--json")
    assert json.loads(provisioned.stdout)["ok"], provisioned.stderr
    again = rack("boards", "suggest", "--boards", str(rack.file), listed=rack.ports[:3])
    assert again.stdout.startswith("# nothing to add")


def test_what_suggest_writes_is_a_night_without_editing(up, tmp_path):
    rack = Rack(up, tmp_path, "e")
    done = rack("boards", "suggest", "--boards", str(rack.file))
    clouds = rack.file.read_text()
    (tmp_path / "night.yaml").write_text(clouds + done.stdout)
    options = f"-k 'test_publish and test_shadow_get' --reports {tmp_path}/reports --lab-ca {tmp_path}/ca"
    night = subprocess.run(
        ["make", "-C", str(ROOT), "nightly", f"BOARDS={tmp_path}/night.yaml"],
        env={
            **os.environ,
            "PYTHONPATH": str(LISTED),
            "LISTED_PORTS": ":".join(rack.ports),
            "NRF91_HARNESS_LEASES": str(tmp_path / "leases"),
            "PYTEST_ADDOPTS": f"{options} -p no:cacheprovider",
        },
        capture_output=True,
        text=True,
        timeout=NIGHT,
        check=False,
    )
    assert night.returncode == 0, night.stdout + night.stderr
    assert "GREEN" in night.stdout
    (name,) = [board["name"] for board in yaml.safe_load(done.stdout)["boards"]]
    assert f"{name}  1 passed" in night.stdout


def test_without_probe_nothing_is_written_to_a_port(rack):
    journal = Path(rack.lab.ready["journal"])
    before = len(journal.read_bytes())
    for command in ("list", "suggest"):
        assert rack("boards", command, "--boards", str(rack.file)).returncode in (0, 2)
    assert b"AT" not in journal.read_bytes()[before:]
    done = rack("boards", "list", "--boards", "nowhere.yaml", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["mistakes"][0].startswith("nowhere.yaml: cannot read the boards file: No such file")
    (kit, *_) = json.loads(done.stdout)["kits"]
    assert (kit["what"], kit["said"]) == ("nRF9151 DK", None)


def test_a_port_that_somebody_holds_is_not_asked(rack):
    with open(rack.ports[0], "rb"):
        done = rack("boards", "list", "--probe", "--boards", str(rack.file), "--json")
    kits = json.loads(done.stdout)["kits"]
    (holder,) = kits[0]["ports"][0]["holders"]
    assert holder["pid"] == os.getpid()
    assert kits[0]["said"].startswith(f"not asked: held by {holder['name']} (pid {os.getpid()})")
    assert "nRF9160" in kits[1]["said"]


def test_a_boards_file_with_mistakes_is_listed_beside_what_is_attached(rack):
    rack.file.write_text("boards: [{name: a, serial: 7}]\n")
    done = rack("boards", "list", "--boards", str(rack.file))
    assert done.returncode == 2
    assert "nRF9151 DK" in done.stdout
    assert f"{rack.file}:1:28: 'serial' cannot be 7: it must be text; write \"7\" (boards file" in done.stdout
    checked = rack("boards", "check", str(rack.file), "--json")
    assert checked.returncode == 2
    assert json.loads(checked.stdout)["mistakes"]


def test_suggest_prints_a_file_that_can_be_used(rack, tmp_path):
    done = rack("boards", "suggest", listed=rack.ports[:1])
    assert done.returncode == 0
    assert yaml.safe_load(done.stdout)["boards"][0]["serial"] == "001051200000"
    (tmp_path / "new.yaml").write_text(done.stdout)
    assert rack("boards", "check", "new.yaml").returncode == 0


def test_a_lease_is_shown_with_its_owner(rack):
    script = (
        "from harness.lab.lease import Lease, lease_folder; import sys\n"
        "with Lease('dk', 'usb-1051200000', folder=lease_folder()): print('ready', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NRF91_HARNESS_LEASES": str(rack.file.parent / "leases")}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdin is not None
        owner.stdout.readline()
        (lease,) = json.loads(rack("boards", "lease", "--json").stdout)["leases"]
        assert (lease["hardware"], lease["pid"]) == ("usb-1051200000", owner.pid)
        asked = json.loads(rack("boards", "list", "--probe", "--json").stdout)["kits"][0]["said"]
        assert asked.startswith(f"not asked: in use by pid {owner.pid} ")
        owner.stdin.close()
    assert rack("boards", "lease").stdout == "no board is in use\n"
