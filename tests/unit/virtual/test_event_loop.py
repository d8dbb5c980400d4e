"""The event loop of the stand-ins' process."""

import asyncio
import time

from harness.virtual.event_loop import EventLoop


def test_its_clock_is_that_of_the_journal_and_its_timers_keep_to_it():
    async def wait():
        loop = asyncio.get_running_loop()
        before = time.monotonic()
        assert before <= loop.time() <= time.monotonic()
        due = loop.time() + 0.02
        rung = loop.create_future()
        loop.call_at(due, rung.set_result, None)
        await asyncio.wait_for(rung, 10)
        return due

    with asyncio.Runner(loop_factory=EventLoop) as runner:
        due = runner.run(wait())
    assert time.monotonic() >= due - 0.001
