"""Standard input of a process of stand-ins: its settings, if they come there, and then one command a line."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final

Respond = Callable[[bytes], Coroutine[Any, Any, bytes]]
LONGEST: Final = 1 << 20  # bytes of a line; the rest of a longer one is dropped
_CHUNK: Final = 65_536
_STDOUT: Final = 1


class InputReader:
    """Reads lines of a file descriptor, and never more of them than it hands out."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = bytearray()
        self._dropping = False
        self._ended = False

    def read(self) -> bytes | None:
        """Return the next line without its line feed, None at the end. Waits. A broken input has ended too.

        What stands after the last line feed is a line. Of one longer than LONGEST the beginning is returned, which is
        one byte too long.
        """
        while True:
            line, feed, rest = self._buffer.partition(b"\n")
            if feed:
                self._buffer = bytearray(rest)
                if not self._dropping:
                    return bytes(line[: LONGEST + 1])
                self._dropping = False
                continue
            if len(self._buffer) > LONGEST:
                self._buffer.clear()
                if not self._dropping:
                    self._dropping = True
                    return bytes(line[: LONGEST + 1])
            if self._ended:
                self._buffer.clear()
                return bytes(line) if line and not self._dropping else None
            self._fill()

    def _fill(self) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except OSError:  # closed, or a terminal that belongs to another job
            data = b""
        self._buffer += data
        self._ended = not data


def listen(lines: InputReader, respond: Respond, ended: Callable[[], None]) -> None:
    """Answer each of ``lines`` on standard output, in a thread of its own; call ``ended`` in the event loop at the end.

    ``respond``: takes a line and returns its answer, in the event loop.

    A thread, because standard input may be a file or a terminal, which the event loop cannot watch; and because an
    answer that nobody reads must not stop the stand-ins.
    """
    # A process in the background that reads from its terminal would be stopped; so reading fails instead.
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    loop = asyncio.get_running_loop()
    threading.Thread(target=_answer_all, args=(lines, respond, ended, loop), name="stdin", daemon=True).start()


def _answer_all(
    lines: InputReader,
    respond: Respond,
    ended: Callable[[], None],
    loop: asyncio.AbstractEventLoop,
) -> None:
    with contextlib.suppress(RuntimeError, asyncio.CancelledError):  # the loop was closed by something else
        while (line := lines.read()) is not None:
            text = asyncio.run_coroutine_threadsafe(respond(line), loop).result()
            with contextlib.suppress(OSError):  # nobody reads the answers
                while text:
                    text = text[os.write(_STDOUT, text) :]
        loop.call_soon_threadsafe(ended)
