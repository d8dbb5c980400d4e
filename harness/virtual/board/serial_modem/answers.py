"""How the answer to a command is framed. Source: Serial Modem documentation, and observed bytes."""

from typing import Final

from harness.virtual.board.commands import Lines

ANSWER_BUFFER: Final = 4094


def answer_text(reply: Lines, *, own: bool) -> str | None:
    """Return the information lines of an answer; None: they do not fit into the buffer that the command has.

    ``own``: the application's, of which each line is framed by itself; the modem's share one frame.
    """
    lines = [] if reply is None else [reply] if isinstance(reply, str) else reply
    if own:
        return "".join(f"\r\n{line}\r\n" for line in lines)
    text = "\r\n".join(["", *lines, ""]) if lines else ""
    return None if len(text) > ANSWER_BUFFER else text
