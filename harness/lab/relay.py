"""Passes commands for a stand-in on, from processes that did not start it, through the one that did.

A stand-in takes commands on its standard input, which only the process that started it has. The workers of the run
reach that process by a socket in a private folder. Each command has a connection of its own, with one line of JSON each
way.
"""

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from harness.errors import HarnessError, LabError, Misuse

TIMEOUT: Final = 30.0
_NAME: Final = "relay"
_WAITING: Final = 1024  # workers that ask in the same moment; the one above that would hear "try again" at once

_LOOKS: Final = 0.1  # seconds between two looks whether it is to end, for which a run waits


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = _WAITING


class Relay:
    """Passes commands on until :meth:`close`. ``folder``: private to this user.

    ``commands``: by the stand-in's name, the function that passes a command with its fields on.
    """

    def __init__(self, folder: Path, commands: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request = json.loads(self.rfile.readline())
                self.wfile.write(json.dumps(_pass_on(commands, request)).encode() + b"\n")

        self._path = folder / _NAME
        with _short(self._path) as address:
            self._server = _Server(address, Handler)
        serve = partial(self._server.serve_forever, poll_interval=_LOOKS)
        self._thread = threading.Thread(target=serve, name="relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Pass no more commands on."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._path.unlink(missing_ok=True)


def send(
    folder: Path, stand_in: str, name: str, fields: Mapping[str, Any], *, timeout: float = TIMEOUT
) -> dict[str, Any]:
    """Send a command through the relay in ``folder``; return its answer. Raises Misuse, LabError.

    ``stand_in``: whose process. ``name``, ``fields``: the command. ``timeout``: seconds for its answer.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection, _short(folder / _NAME) as address:
            connection.settimeout(timeout)
            connection.connect(address)
            connection.sendall(json.dumps({"to": stand_in, "name": name, "fields": dict(fields)}).encode() + b"\n")
            answer = json.loads(connection.makefile("rb").readline())
    except TimeoutError:
        raise LabError(f"{stand_in} did not answer {name} within {timeout:g} s, though its run is there") from None
    except (OSError, ValueError) as error:
        raise LabError(f"{stand_in} takes no command {name}: the run that started it is gone ({error})") from error
    if "misuse" in answer:
        raise Misuse(answer["misuse"])
    if "lab" in answer:
        raise LabError(answer["lab"])
    found: dict[str, Any] = answer["answer"]
    return found


def _pass_on(commands: Mapping[str, Callable[..., dict[str, Any]]], request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": commands[request["to"]](request["name"], **request["fields"])}
    except Misuse as error:
        return {"misuse": str(error)}
    except HarnessError as error:
        return {"lab": str(error)}


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Yield a short name of ``path``, because the name of a socket has at most 107 characters."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
