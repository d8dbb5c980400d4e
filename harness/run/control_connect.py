"""A CONNECT without its end, sent by the board: a refused login of the board is compared with it.

The board opens a TLS session with the device's credentials and sends all of a CONNECT but its last bytes. No broker can
decide on the login yet, so on a good link the session stays; whatever cuts connections by age, by chance or by what the
board sends ends it as it ends the whole CONNECT. What strikes only the cloud's answers does not: a torn CONNECT has
none, so behind such a fault an accepted login can look refused. Source: MQTT 3.1.1 §3.1.
"""

import socket
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from harness.firmware import AtSocket, Login, NoSession, Through, carry
from harness.trial.facts import Attempt, Stage

_LEFT_OUT: Final = 2  # bytes of the client id
_SHORTEST: Final = 0.1
_PATIENCE: Final = 30.0


def torn(login: Login) -> bytes:
    """Return the CONNECT of ``login``, without its will, less its last bytes."""
    client = login.client_id.encode()
    flags = 0x02 if login.clean_session else 0x00
    head = b"\x00\x04MQTT\x04" + bytes([flags]) + login.keepalive.to_bytes(2, "big")
    body = head + len(client).to_bytes(2, "big") + client
    return b"\x10" + _length(len(body)) + body[:-_LEFT_OUT]


def send_torn_connect(new_socket: Callable[[], AtSocket], login: Login, seconds: float) -> Attempt:
    """Open a session, send the torn CONNECT, and watch the session for ``seconds``. ACCEPTED: it stayed.

    ``new_socket``: of the board, not connected. Raises LabError: the board is gone, or silent.
    """
    began = time.monotonic()
    ours, boards = socket.socketpair()
    with closing(ours):
        try:
            pump = carry(boards, new_socket(), Through(login.host, login.port, login.sec_tag))
        except NoSession as error:
            boards.close()
            return Attempt(Stage.NO_SESSION, str(error), time.monotonic() - began)
        except BaseException:
            boards.close()
            raise
        try:
            try:
                ours.sendall(torn(login))
                ours.settimeout(max(seconds, _SHORTEST))
                ours.recv(1)
                stayed = False
            except TimeoutError:
                stayed = pump.ask(_PATIENCE)
            except OSError:  # it ended before it was sent
                stayed = False
            taken = time.monotonic() - began
            how = str(pump.end or "")
        finally:
            pump.stop()
    if pump.failure is not None:
        raise pump.failure
    return Attempt(Stage.ACCEPTED, "", taken) if stayed else Attempt(Stage.NO_CONNACK, how, taken)


def _length(number: int) -> bytes:
    """Return a remaining length (MQTT 3.1.1 §2.2.3)."""
    found = bytearray()
    while True:
        number, low = divmod(number, 128)
        found.append(low | (0x80 if number else 0))
        if not number:
            return bytes(found)
