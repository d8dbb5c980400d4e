"""The bridge as a command: what ends it, and how it names its board."""

import signal

import pytest

from harness.cli.bridge import _until_told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_it_as_it_should_end(number):
    with _until_told() as told:
        assert not told.is_set()
        signal.raise_signal(number)
        assert told.is_set()


def test_a_second_signal_does_not_wait():
    with _until_told():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
