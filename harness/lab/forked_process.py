"""A copy of this process that runs one function, with pipes for standard input and output.

It has imported what this process has, which is most of what a start costs. It is to be made while this process has one
thread: a copy of a process with several waits forever for what another one held in that moment.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Sequence
from typing import IO, Any, Final, NoReturn, TextIO

from harness.hang_up import ending_signals

_SHARED: Final = 2  # the highest descriptor that a copy keeps: standard error
_TOOLS: Final = 6  # as many as sys.monitoring has room for
_of_parent: list[object] = []  # what a copy keeps, because its end would undo what is the parent's


def can_fork() -> bool:
    """Tell whether this process has one thread, and no debugger, profiler or coverage, which would go on in a copy.

    False also on a Linux older than 5.3, where nobody can wait for the end of a process for a limited time.
    """
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    monitoring: Any = getattr(sys, "monitoring", None)  # where there is one, coverage may use it in place of a trace
    watched = monitoring is not None and any(monitoring.get_tool(number) for number in range(_TOOLS))
    watched |= sys.gettrace() is not None or sys.getprofile() is not None
    return len(os.listdir("/proc/self/task")) == 1 and not watched


class ForkedProcess:
    """The copy, with what is used of ``subprocess.Popen``. ``run``: the function; SystemExit gives the exit code.

    The copy begins with each signal's own action, without this process's files and locks, and without what is
    registered here with ``atexit``. ``args``: the command that does the same, for messages. ``bufsize``: of the pipes.
    Raises OSError if the system has no process or descriptor left.

    Where this process ignores SIGCHLD, an ended copy's exit code is 0: the system keeps none.
    """

    def __init__(self, run: Callable[[], object], args: Sequence[str] = (), *, bufsize: int = -1) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # else the copy has the rest too
        self.args = list(args)
        self.returncode: int | Any = None
        self._asking = threading.Lock()
        with contextlib.ExitStack() as unless_made:
            theirs, ours = _pipe(unless_made), _pipe(unless_made)
            former = signal.pthread_sigmask(signal.SIG_BLOCK, ending_signals())  # the copy has our handlers at first
            try:
                self.pid = os.fork()
                if self.pid == 0:
                    _live(run, theirs[0], ours[1], former)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, former)
            unless_made.pop_all()
        os.close(theirs[0])
        os.close(ours[1])
        self.stdin: IO[bytes] = os.fdopen(theirs[1], "wb", bufsize)
        self.stdout: IO[bytes] = os.fdopen(ours[0], "rb", bufsize)

    def poll(self) -> int | None:
        """Return the exit code, -n for signal n; None while it runs."""
        with self._asking:
            return self._poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code. Raises subprocess.TimeoutExpired after ``timeout`` seconds."""
        with self._asking:  # nobody takes its exit code meanwhile, and so nobody else gets its number
            end = self._end() if self._poll() is None else None
        if end is not None:
            try:
                ended = select.poll()
                ended.register(end, select.POLLIN)
                ended.poll(None if timeout is None else timeout * 1000)
            finally:
                os.close(end)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        with self._asking, contextlib.suppress(ProcessLookupError):
            if self._poll() is None:
                os.kill(self.pid, number)

    def _poll(self) -> int | None:
        if self.returncode is None:
            try:
                ended, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # this process ignores SIGCHLD
                ended, status = self.pid, 0
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def _end(self) -> int | None:
        """Return a descriptor that can be read when the copy has ended; None: it has."""
        try:
            return os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def _live(run: Callable[[], object], reads: int, writes: int, mask: set[signal.Signals | int]) -> NoReturn:
    code: object = 1
    try:
        _let_go_of_finalizers()
        gc.freeze()  # what is shared with the parent is looked through by nobody, and stays shared
        _let_go_of_files({reads, writes})
        os.dup2(reads, 0)
        os.dup2(writes, 1)
        sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), _writer(1), _writer(2)  # noqa: SIM115 - for good
        _let_go_of_signals()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        run()
        code = 0
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:  # Ctrl-C goes to all processes of a terminal; this one's user is told by another
        code = 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined] # as Python ends
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else code is not None)


def _pipe(unless_made: contextlib.ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        unless_made.callback(os.close, end)
    return ends


def _let_go_of_finalizers() -> None:
    atexit._clear()
    finalize: Any = weakref.finalize
    _of_parent.append(finalize._registry)
    finalize._registry = {}
    finalize._registered_with_atexit = False  # else the copy's own, TemporaryDirectory's too, would never be called
    processes: Any = sys.modules.get("multiprocessing.process")
    if processes is not None:
        _of_parent.append(processes._children)
        processes._children = set()
    if "multiprocessing.util" in sys.modules:  # what it starts in the copy ends with the copy
        atexit.register(sys.modules["multiprocessing.util"]._exit_function)


def _writer(descriptor: int) -> TextIO:
    return open(descriptor, "w", buffering=1, errors="backslashreplace", closefd=False)


def _let_go_of_files(kept: set[int]) -> None:
    """Lead the parent's descriptors to nowhere: with them go its locks, and the ends of other copies' pipes.

    They are not closed, because whatever has one here may still close it: by then it could be another file's.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > _SHARED and descriptor not in kept | {nowhere}:
            with contextlib.suppress(OSError):  # the list's own, which is closed
                os.dup2(nowhere, descriptor, inheritable=os.get_inheritable(descriptor))


def _let_go_of_signals() -> None:
    for number in ending_signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
