"""The bridge as a command: what ends it, and how it names its board."""

import signal
import sys
import threading

import pytest

from harness.cli.bridge import _say
from harness.cli.ending import told_to_end


@pytest.mark.usefixtures("hang_up_ends")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_as_it_should_end(number):
    with told_to_end() as told:
        assert not told.is_set()
        signal.raise_signal(number)
        assert told.is_set()


def test_a_second_signal_does_not_wait():
    with told_to_end(second_interrupts=True):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_two_connections_that_end_at_once_have_a_line_each(monkeypatch):
    class Slow:
        """Lets the other thread run between a line and its end."""

        def __init__(self):
            self.written = []
            self.other = threading.Barrier(2)

        def write(self, text):
            self.written.append(text)
            if text != "\n":
                try:
                    self.other.wait(0.05)
                except threading.BrokenBarrierError:
                    return

        def flush(self):
            pass

    slow = Slow()
    monkeypatch.setattr(sys, "stderr", slow)
    threads = [threading.Thread(target=_say, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted("".join(slow.written).splitlines()) == ["a", "b"]
