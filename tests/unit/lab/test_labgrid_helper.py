"""Whom the process that holds places takes for dead, and what it holds at its end: labgrid is played."""

import asyncio
import os
import select
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.lab.places import helper
from harness.lab.places.origin import origin
from tests.unit.lab.labgrid_double import Coordinator, RpcError, StatusCode, load

SCRIPT = Path(helper.__file__).with_name("labgrid_helper.py")
HERE, ELSEWHERE = "0123456789ab", "ba9876543210"
ME = f"build/nrf91-ci-{HERE}-{os.getpid()}-00000001"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.setenv("LG_HOSTNAME", "build")
    monkeypatch.setenv("LG_USERNAME", ME.partition("/")[2])
    return load(monkeypatch)


@pytest.fixture(scope="module")
def gone():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_run_of_the_same_place_whose_process_is_gone_is_dead(module, gone):
    assert module.dead(f"build/nrf91-some-body-{HERE}-{gone}-00000002", ME)


@pytest.mark.parametrize(
    "holder",
    [
        "build/nrf91-ci-" + ELSEWHERE + "-{gone}-00000002",  # another container, or computer, of the same host name
        "other/nrf91-ci-" + HERE + "-{gone}-00000002",
        "build/nrf91-ci-{gone}",  # nothing says where that number is one
        "build/somebody",
        "build/nrf91-ci-" + HERE + "-1-00000002",  # alive, and perhaps another user's
        "build/nrf91-ci-" + HERE + "-{own}-00000002",
        "build/nrf91-ci-" + HERE + "-99999999999999999999-00000002",
    ],
)
def test_whoever_may_be_alive_is_not_dead(module, gone, holder):
    assert not module.dead(holder.format(gone=gone, own=os.getpid()), ME)


def test_a_process_of_another_user_is_alive(module, monkeypatch):
    def kill(_pid, _signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    assert module.runs(4711)


def told(folder, machine="1" * 32, boot="boot-1", namespace="pid:[4026531836]"):
    folder.mkdir(exist_ok=True)
    for name, text in (("machine", machine), ("boot", boot)):
        (folder / name).write_text(f"{text}\n")
    (folder / "namespace").unlink(missing_ok=True)
    (folder / "namespace").symlink_to(namespace)
    return origin(*(folder / name for name in ("machine", "boot", "namespace")))


def test_an_origin_is_a_machine_and_a_pid_namespace(tmp_path):
    here = told(tmp_path)
    assert told(tmp_path) == here
    assert told(tmp_path, boot="boot-2") == here  # a computer that was switched off frees what it left
    assert told(tmp_path, machine="2" * 32) != here
    assert told(tmp_path, namespace="pid:[4026532281]") != here
    assert origin() == origin()


def test_containers_of_one_image_on_two_computers_have_two_origins(tmp_path):
    first, second = (told(tmp_path, boot=boot, namespace="pid:[4026532281]") for boot in ("boot-1", "boot-2"))
    assert first != second
    first, second = (told(tmp_path, machine="", boot=boot) for boot in ("boot-1", "boot-2"))
    assert first != second


def test_an_origin_that_cannot_be_told_is_nobody_elses(tmp_path):
    first, second = (origin(*[tmp_path / "none"] * 3) for _ in range(2))
    assert first != second
    assert len(first) == len(second) == len(HERE)


def joined(module, *names):
    """Return the helper and the coordinator that it is connected with, whose places have these names."""
    coordinator = Coordinator(*names)
    coordinator.me = ME
    helper = module.Helper("lab:1")
    helper.session = coordinator
    return helper, coordinator


async def held(module, holder):
    """Acquire place dk-1, which ``holder`` has; return who has it in the end."""
    helper, coordinator = joined(module, "dk-1")
    coordinator.places["dk-1"].acquired = holder
    await helper.acquire("dk-1")
    return coordinator.places["dk-1"].acquired


def test_ten_places_are_asked_for_at_once(module):
    """labgrid's coordinator then starts one port server after the other; nothing of ours comes in between."""

    async def play():
        names = [f"dk-{number}" for number in range(10)]
        helper, coordinator = joined(module, *names)
        coordinator.go.clear()
        asked = [asyncio.create_task(helper.acquire(name)) for name in names]
        await coordinator.begun.wait()
        assert all(place.acquired == ME for place in coordinator.places.values())
        assert not any(task.done() for task in asked)
        coordinator.go.set()
        assert await asyncio.gather(*asked) == [{"tries": 1}] * 10

    asyncio.run(play())


def test_only_a_place_of_a_dead_run_is_taken_over(module, gone):
    assert asyncio.run(held(module, f"build/nrf91-ci-{HERE}-{gone}-00000002")) == ME
    with pytest.raises(module.PlaceRefused, match="place dk-1 is held by"):
        asyncio.run(held(module, f"build/nrf91-ci-{ELSEWHERE}-{gone}-00000002"))


def test_a_refused_release_is_told_and_tried_again_at_the_end(module):
    async def play():
        helper, coordinator = joined(module, "dk-1", "dk-2")
        await helper.acquire("dk-1")
        await helper.acquire("dk-2")
        coordinator.refusals = [RpcError(StatusCode.UNAVAILABLE, "no way")] * 2
        with pytest.raises(module.PlaceRefused, match=r"^place dk-1 was not released from build/.*: no way$") as caught:
            await helper.release("dk-1")
        assert caught.value.kind == "unreleased"
        assert await helper.release_all() == []
        assert {place.acquired for place in coordinator.places.values()} == {None}

    module.limits.MOMENT = 0.01
    asyncio.run(play())


def test_a_place_that_cannot_be_released_is_not_said_to_be_healed(module):
    async def play():
        helper, coordinator = joined(module, "dk-1")
        await helper.acquire("dk-1")
        coordinator.serve("dk-1", port=1)  # where nothing listens
        coordinator.refusals = [RpcError(StatusCode.UNAVAILABLE, "no way")]
        with pytest.raises(module.PlaceRefused) as caught:
            await helper.heal("dk-1")
        assert caught.value.kind == "unreleased"
        said = "nothing listened at 127.0.0.1:1, and place dk-1 was not released from build/"
        assert str(caught.value).startswith(said)
        assert (await helper.heal("dk-1"))[
            "healed"
        ] == "nothing listened at 127.0.0.1:1, so place dk-1 was acquired anew"

    asyncio.run(play())


def test_what_is_held_in_the_end_is_told_with_the_command_that_frees_it(module):
    async def play():
        helper, coordinator = joined(module, "dk-1")
        await helper.acquire("dk-1")
        coordinator.refusals = [RpcError(StatusCode.UNAVAILABLE, "no way")] * 1000
        assert await helper.release_all() == [f"place dk-1: labgrid-client -p dk-1 release-from {ME}"]

    module.limits.MOMENT, module.limits.RELEASE = 0.01, 0.03
    asyncio.run(play())


@pytest.mark.parametrize(("refusals", "tries"), [(1, 2), (30, None)])
def test_the_time_with_another_holder_does_not_count_as_stuck(module, monkeypatch, refusals, tries):
    seconds = [0.0]
    monkeypatch.setattr(sys.modules[module.Helper.__module__], "time", SimpleNamespace(monotonic=lambda: seconds[0]))

    async def play():
        helper, coordinator = joined(module, "dk-1")
        coordinator.places["dk-1"].acquired = "elsewhere/somebody"

        async def pass_time(most):
            seconds[0] += most
            if seconds[0] > 2 * module.limits.STUCK:
                coordinator.places["dk-1"].acquired = None

        helper.wait_for_change = pass_time
        coordinator.acquire_refusals = [RpcError(StatusCode.FAILED_PRECONDITION, "still busy")] * refusals
        return await helper.acquire("dk-1", wait=100.0)

    if tries:
        assert asyncio.run(play()) == {"tries": tries}
        return
    with pytest.raises(module.PlaceRefused, match="place dk-1 cannot be acquired: still busy"):
        asyncio.run(play())
    assert seconds[0] > 3 * module.limits.STUCK


def test_an_acquire_that_the_end_cuts_off_leaves_nothing_held(module):
    async def play():
        helper, coordinator = joined(module, "dk-1")
        server = module.Server(helper)
        coordinator.go.clear()
        reader = asyncio.StreamReader()
        reader.feed_data(b'{"id": 1, "command": "acquire", "place": "dk-1"}\n')
        reader.feed_eof()
        await server.read(reader)
        await coordinator.begun.wait()
        assert await server.end() == []
        assert server.running == set()
        assert coordinator.places["dk-1"].acquired is None

    module.limits.MOMENT = 0.01
    asyncio.run(play())


def test_the_script_finds_what_is_beside_it_and_asks_for_nothing_else_of_the_harness(tmp_path):
    (tmp_path / "grpc.py").write_text("raise SystemExit('this is where labgrid would be imported')\n")
    here = {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-S", str(SCRIPT)], env=here, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "this is where labgrid would be imported\n")


def client(folder, monkeypatch, script):
    """Let labgrid-client be a shell script."""
    path = folder / "labgrid-client"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))


def test_a_labgrid_client_that_never_ends_is_killed_with_what_it_started(module, monkeypatch, tmp_path):
    os.mkfifo(tmp_path / "alive")
    client(tmp_path, monkeypatch, f"sleep 60 > {tmp_path}/alive")
    reading = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    try:
        complaint = asyncio.run(module.Helper("lab:1").power("dk-1", "cycle", 0.1, 0.2))["complaint"]
        assert complaint == "it did not end in 0.3 s and was killed"
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        poll.poll(20_000)
        assert os.read(reading, 1) == b""  # the end: nobody has it open for writing any more
    finally:
        os.close(reading)


def test_what_labgrid_client_complains_of_is_told(module, monkeypatch, tmp_path):
    client(tmp_path, monkeypatch, "echo no power here; exit 1")
    assert asyncio.run(module.Helper("lab:1").power("dk-1", "on", 0.1, 20.0)) == {"complaint": "no power here"}
    client(tmp_path, monkeypatch, "exit 0")
    assert asyncio.run(module.Helper("lab:1").power("dk-1", "on", 0.1, 20.0)) == {"complaint": None}
