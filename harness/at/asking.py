"""Asking once more what could not be read: bytes get lost on lines without flow control, and questions cost nothing."""

from collections.abc import Callable
from typing import TypeVar

from harness.at.answer import Answer, AtFormatError
from harness.at.port import AtPort
from harness.timeline import Kind

Read = TypeVar("Read")


def ask(port: AtPort, text: str, read: Callable[[Answer], Read], *, timeout: float | None = None) -> Read:
    """Send ``text`` to ``port``, twice if need be, and return what ``read`` makes of its answer.

    An answer that cannot be read is asked for once more, and the timeline says so. ``timeout``: see AtPort.command.
    Raises AtFormatError the second time, and as AtPort.command does.
    """
    try:
        return read(port.command(text, timeout))
    except AtFormatError as garbled:
        port.timeline.add(Kind.FAULT, port.name, f"asked once more: {garbled}", garbled=True)
        port.sync()  # what could not be read may have been somebody else's, and the answer still to come
        return read(port.command(text, timeout))
