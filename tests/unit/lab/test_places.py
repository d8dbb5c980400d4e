"""labgrid's places without labgrid: what its answers mean, and a helper that ends or answers nothing."""

import sys
import threading
from pathlib import Path

import pytest

from harness.errors import LabError, PortBusy, PortMissing
from harness.lab.boards_file import BoardsFileError, load_boards_file
from harness.lab.lab import Lab
from harness.lab.lease import Lease
from harness.lab.places import helper
from harness.lab.places.config import LabgridConfig
from harness.lab.places.helper import LabgridHelper
from harness.lab.places.holding import Holding, PlaceHolder
from harness.lab.places.places import ANSWER, Places
from harness.lab.relay import Relay, send

FILE = "boards: [{name: a, place: dk-1, cloud: nrfcloud}]\n"


def refusing(kind):
    return Places(lambda *_, **__: {"ok": False, "kind": kind, "error": "place dk-1: it is so"})


@pytest.mark.parametrize(
    ("kind", "error", "cure"),
    [
        ("held", PortBusy, "labgrid-client -p dk-1 release-from HOST/USER"),
        ("gone", PortMissing, "start labgrid-exporter"),
        ("unknown", PortMissing, "labgrid-client -p dk-1 create"),
        ("unreachable", PortMissing, "start labgrid-coordinator"),
        ("stuck", LabError, "restart its exporter"),
        ("broken", LabError, "make labgrid-env"),
    ],
)
def test_each_refusal_is_one_line_with_its_cure(kind, error, cure):
    with pytest.raises(error, match=r"^place dk-1: it is so; ") as caught:
        refusing(kind).acquire("dk-1")
    assert cure in str(caught.value)
    assert type(caught.value) is error


def test_a_place_that_is_not_taken_back_is_told_and_the_lease_ends(tmp_path):
    def request(command, **_fields):
        return {"ok": command == "acquire", "kind": "unreleased", "error": "place dk-1 was not released"}

    holding = Holding(Lease("a", "place-dk-1", folder=tmp_path), Places(request), "dk-1", wait=0.0)
    with pytest.raises(LabError, match=r"^place dk-1 was not released; the end of the run tries again"):
        holding.release()
    Lease("a", "place-dk-1", folder=tmp_path).release()


def test_a_long_wait_is_made_of_short_ones():
    waits = []

    def request(command, **fields):
        waits.append(fields["wait"])
        return {"ok": len(waits) == 3, "kind": "held", "error": "held"}

    Places(request).acquire("dk-1", 50.0)
    assert waits == [20.0, 20.0, 10.0]


def test_a_place_that_cannot_be_held_gives_its_lease_back(tmp_path):
    lease = Lease("a", "place-dk-1", folder=tmp_path)
    with pytest.raises(PortBusy):
        Holding(lease, refusing("held"), "dk-1", wait=0.0)
    Lease("a", "place-dk-1", folder=tmp_path).release()


def made(tmp_path, script, monkeypatch):
    path = tmp_path / "helper.py"
    path.write_text(script)
    monkeypatch.setattr(helper, "_SCRIPT", path)
    return LabgridHelper(Path(sys.executable), "127.0.0.1:1", tmp_path / "log")


def test_answers_come_in_any_order(tmp_path, monkeypatch):
    script = """
import json, sys
lines = [json.loads(sys.stdin.readline()) for _ in range(2)]
print("noise", flush=True)
for line in reversed(lines):
    print(json.dumps({"id": line["id"], "ok": True, "said": line["command"]}), flush=True)
sys.stdin.read()
"""
    process = made(tmp_path, script, monkeypatch)
    first, second = process.send("one"), process.send("two")
    assert (first.result(20)["said"], second.result(20)["said"]) == ("one", "two")
    assert process.close() is None


def test_a_helper_that_ends_says_why_to_whoever_waits_and_to_whoever_comes(tmp_path, monkeypatch):
    process = made(tmp_path, "import sys; sys.stdin.readline(); sys.exit('no module named labgrid')", monkeypatch)
    text = "labgrid's process ended; its last words: no module named labgrid; run again"
    assert process.send("one").result(20) == {"ok": False, "kind": "ended", "error": text}
    assert process.send("two").result(20)["error"] == text
    assert process.close() == "labgrid's process ended with code 1; its last words: no module named labgrid"


def test_a_helper_that_does_not_end_is_killed_and_that_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(helper, "_END", 0.2)
    process = made(tmp_path, "import time; time.sleep(60)", monkeypatch)
    assert "did not end in 0.2 s and was killed; labgrid-client who" in str(process.close())


def test_a_helper_that_answers_nothing_is_an_error_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.lab.places.holding.ANSWER", 0.1)
    holder = PlaceHolder(lambda: made(tmp_path, "import sys; sys.stdin.read()", monkeypatch))
    with pytest.raises(LabError, match=r"^labgrid did not answer url within 0.1 s"):
        holder.places.url("dk-1")
    assert holder.close() is None


def test_switching_may_take_as_long_as_delay_and_time_out_say(tmp_path, monkeypatch):
    asked = []

    def request(command, **fields):
        asked.append((command, fields))
        return {"ok": True, "complaint": None}

    Places(request).power("dk-1", "cycle", delay=50.0, timeout=120.0)
    Places(request).power("dk-1", "off", delay=1.0, timeout=5.0)
    (command, long), (_, short) = asked
    assert (command, long["delay"], long["seconds"]) == ("power", 50.0, 120.0)
    assert long["answer_within"] > 170.0
    assert short["answer_within"] == ANSWER
    leader = PlaceHolder(lambda: made(tmp_path, "import sys; sys.stdin.read()", monkeypatch))
    leader.lead(tmp_path, [])
    worker = PlaceHolder(lambda: pytest.fail("a worker starts none"), tmp_path)
    with pytest.raises(LabError, match=r"^labgrid did not answer power within 0\.1 s"):
        worker._request("power", answer_within=0.1)
    assert leader.close() is None


def test_a_worker_hears_from_its_leader_that_labgrid_did_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.lab.places.holding.ANSWER", 0.1)
    leader = PlaceHolder(lambda: made(tmp_path, "import sys; sys.stdin.read()", monkeypatch))
    leader.lead(tmp_path, [])
    worker = PlaceHolder(lambda: pytest.fail("a worker starts none"), tmp_path)
    with pytest.raises(LabError, match=r"^labgrid did not answer url within 0.1 s"):
        worker.places.url("dk-1")
    assert leader.close() is None


def test_a_leader_that_does_not_answer_in_time_is_not_said_to_be_gone(tmp_path):
    answer = threading.Event()
    relay = Relay(tmp_path, {"labgrid": lambda *_, **__: {"ok": answer.wait(20)}})
    with pytest.raises(LabError, match=r"^labgrid did not answer url within 0.1 s, though its run is there$"):
        send(tmp_path, "labgrid", "url", {}, timeout=0.1)
    answer.set()
    relay.close()


def test_workers_use_the_places_of_the_process_that_leads_them(tmp_path, monkeypatch):
    script = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps({"id": request["id"], "ok": True, "url": f"socket://{request.get('place')}:1"}), flush=True)
"""
    leader = PlaceHolder(lambda: made(tmp_path, script, monkeypatch))
    leader.lead(tmp_path, ["dk-1"])
    worker = PlaceHolder(lambda: pytest.fail("a worker starts none"), tmp_path)
    found = []
    threads = [threading.Thread(target=lambda n=n: found.append(worker.places.url(f"dk-{n}"))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"socket://dk-{n}:1" for n in range(4)]
    assert worker.close() is None
    assert leader.close() is None
    with pytest.raises(LabError, match="is gone"):
        worker.places.url("dk-1")


def lab_of(tmp_path, text):
    (tmp_path / "lab.yaml").write_text(text)
    return Lab(load_boards_file(tmp_path / "lab.yaml"), leases=tmp_path)


def test_labgrid_that_is_not_installed_is_one_line(tmp_path):
    with (
        lab_of(tmp_path, FILE) as lab,
        pytest.raises(LabError, match=r"^labgrid is not installed at .*/\.labgrid; make"),
    ):
        lab.lease(lab.file.boards[0])


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("boards: [{name: a, place: dk-1, port: /dev/null, cloud: nrfcloud}]", "has 'port' and 'place'|'place'"),
        ("boards: [{name: a, place: a/b, cloud: nrfcloud}]", "must be the name of a labgrid place"),
        ("boards: [{name: a, place: dk-1}, {name: b, place: dk-1}]", "board 'a' is at this place already"),
        ("boards: [{name: a, virtual: {}, power: {kind: labgrid}}]", "kind labgrid is the power of the board's place"),
        ("boards: [{name: a, port: /dev/ttyS9, cloud: nrfcloud, power: {kind: labgrid}}]", "the board has no 'place'"),
        ("boards: [{name: a, place: dk-1, cloud: local}]", "a real board cannot reach 'local'"),
        ("labgrid: {coordinator: nonsense}\nboards: [{name: a, virtual: {}}]", "must be HOST:PORT"),
    ],
)
def test_mistakes_of_the_boards_file(tmp_path, text, mistake):
    (tmp_path / "lab.yaml").write_text(text)
    with pytest.raises(BoardsFileError, match=mistake):
        load_boards_file(tmp_path / "lab.yaml")


def test_the_coordinator_comes_from_the_file_the_environment_or_is_here(monkeypatch):
    monkeypatch.delenv("LG_COORDINATOR", raising=False)
    assert LabgridConfig().address() == "127.0.0.1:20408"
    monkeypatch.setenv("LG_COORDINATOR", "rack.lan")
    assert LabgridConfig().address() == "rack.lan:20408"
    assert LabgridConfig(coordinator="other.lan:1").address() == "other.lan:1"
