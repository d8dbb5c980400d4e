"""Lines out of bytes: line ends, what a shell adds, and how much may stand without a line end.

A line ends with CR, LF or both. Each byte is searched once: what is left of a line waits in a buffer, and only what
comes after it is searched. However the bytes are cut into chunks, the lines are the same.

Why a CR and its LF may come in two chunks: the CR ends the line, and the LF alone is an empty line, which
:func:`plain` makes nothing of. Example, three chunks of one answer::

    feed(b"+CFUN: 1\\r")    -> b"+CFUN: 1\\r"
    feed(b"\\nO")           -> b"\\n" (empty); b"O" waits
    feed(b"K\\r\\n")        -> b"OK\\r\\n"

``bytes.splitlines`` does the splitting: unlike ``str.splitlines`` it knows no line ends but CR, LF and CR LF.
"""

import re
from functools import partial
from typing import Final, NamedTuple

LINE_LIMIT: Final = 64 * 1024
"""Most bytes without a line end, or in one open quote. Real answers have some hundred bytes, a certificate 2 kB."""

SHELL_PROMPT: Final = r"[A-Za-z][A-Za-z0-9_-]{0,19}:~\$"
"""A pattern of the prompt of Zephyr's shell, whatever its name, without colours and the blank behind it."""

_ANSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_PROMPTS: Final = re.compile(rf"(?:{SHELL_PROMPT} *)+".encode())
_SHELL_EVENT: Final = b"AT event handler:"  # stands before a URC, in Modem Shell on its line, in the AT shell above it
_LINE_ENDS: Final = b"\r\n"


class Piece(NamedTuple):
    """One physical line with its line end, or a part of one that is too long. ``cut``: it is such a part."""

    raw: bytes
    cut: bool


_piece: Final = partial(tuple.__new__, Piece)  # NamedTuple's own constructor costs four times as much


class LineBuffer:
    """Splits bytes into physical lines and keeps the unfinished one, at most ``limit`` bytes of it."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._partial = bytearray()
        self._cutting = False

    def feed(self, data: bytes) -> list[Piece]:
        """Return the lines that ``data`` completes."""
        lines = data.splitlines(keepends=True)
        if not lines:
            return []
        fits = not self._cutting and len(self._partial) + len(data) <= self._limit
        if self._partial:
            self._partial += lines[0]
            lines[0] = bytes(self._partial)
            self._partial.clear()
        if lines[-1][-1] not in _LINE_ENDS:
            self._partial += lines.pop()
        if fits:
            return [_piece((line, False)) for line in lines]
        pieces: list[Piece] = []
        for line in lines:
            self._cut(line, pieces)
        if len(self._partial) > self._limit:
            self._cut_partial(pieces)
        return pieces

    def feed_plain(self, data: bytes, special: frozenset[bytes]) -> list[bytes] | None:
        """Return, quickly, what :func:`plain` makes of the lines that ``data`` completes, without empty ones.

        Returns None and takes nothing if a line begins with a byte in ``special`` or needs more than blanks removed.
        """
        if self._cutting or len(self._partial) + len(data) > self._limit:
            return None
        if self._partial:
            data = bytes(self._partial) + data
        if b"\0" in data or b"\x1b" in data or b"$" in data:  # NUL bytes, colour codes, prompts
            return None
        if _SHELL_EVENT in data:
            return None
        lines = data.splitlines()
        rest = lines.pop() if lines and data[-1] not in _LINE_ENDS else b""
        if not special.isdisjoint([line[:1] for line in lines]):
            return None
        self._partial[:] = rest
        return [stripped for line in lines if (stripped := line.rstrip())]

    def take_rest(self) -> bytes:
        """Return the unfinished line and forget it."""
        rest = bytes(self._partial)
        self._partial.clear()
        self._cutting = False
        return rest

    def _cut(self, line: bytes, pieces: list[Piece]) -> None:
        content = line.rstrip(_LINE_ENDS)
        end = line[len(content) :]
        while len(content) > self._limit:
            pieces.append(Piece(content[: self._limit], True))
            content = content[self._limit :]
            self._cutting = True
        # The rest of a cut line is not a line of its own: it could read "OK".
        pieces.append(Piece(content + end, self._cutting))
        self._cutting = False

    def _cut_partial(self, pieces: list[Piece]) -> None:
        whole = bytes(self._partial)
        limit = self._limit
        keep = len(whole) % limit or limit
        pieces.extend(Piece(whole[at : at + limit], True) for at in range(0, len(whole) - keep, limit))
        self._partial[:] = whole[-keep:]
        self._cutting = True


def plain(raw: bytes) -> bytes:
    """Return a physical line without its line end, trailing blanks, NUL bytes, colour codes and what a shell adds."""
    line = raw.rstrip()
    if line.isalnum() or not (b"\x1b" in line or b"\0" in line or b":~$" in line or line.startswith(_SHELL_EVENT)):
        return line
    if b"\x1b" in line:
        line = _ANSI.sub(b"", line)
    if b"\0" in line:
        line = line.strip(b"\0")
    if b":~$" in line and (prompts := _PROMPTS.match(line)):
        line = line[prompts.end() :]
    if line.startswith(_SHELL_EVENT):
        line = line[len(_SHELL_EVENT) :].lstrip()
    return line.rstrip()
