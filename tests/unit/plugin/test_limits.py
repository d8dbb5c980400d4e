"""What a run of several boards says where the system lets it have too little."""

import resource
import threading

import pytest

from harness.plugin.limits import lacking


def test_nothing_is_lacking_here():
    before = threading.active_count()
    assert lacking(2) == ""
    assert threading.active_count() == before


@pytest.mark.parametrize(("files", "expected"), [(63, "only 63 files may be open"), (64, ""), (-1, "")])
def test_too_few_open_files(monkeypatch, files, expected):
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (files, files))
    assert lacking(2).startswith(expected)
    assert bool(lacking(2)) is bool(expected)


@pytest.mark.parametrize(("most", "expected"), [(15, True), (16, False)])
def test_too_few_threads_and_processes(monkeypatch, most, expected):
    """pytest ended in INTERNALERROR: RuntimeError: can't start new thread."""
    before, start = threading.active_count(), threading.Thread.start

    def limited(thread):
        if threading.active_count() >= before + most:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    assert ("raise ulimit -u" in lacking(2)) is expected
    assert threading.active_count() == before
