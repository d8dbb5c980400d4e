"""What the system refuses to a process of stand-ins: one line, with what to do about it where that is known."""

import errno
import os

import pytest

from harness.virtual import __main__ as program


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.EADDRINUSE, "; another process has the port: end it, or give another number"),
        (errno.EMFILE, "; raise the limit of open files, e.g. ulimit -n 1024"),
        (errno.ENOSPC, ""),
    ],
)
def test_what_the_system_refuses_is_one_line_with_its_remedy(monkeypatch, capsys, number, cure):
    async def run(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(program, "run", run)
    assert program.main([]) == 1
    said = f"python -m harness.virtual: [Errno {number}] {os.strerror(number)}{cure}\n"
    assert capsys.readouterr().err == said
