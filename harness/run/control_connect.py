"""A CONNECT of MQTT 5 from the board, its end held back: a refused login of the board is compared with it.

The board opens a TLS session with the device's credentials and sends all of the CONNECT but its last bytes. It sends
those when the session is older than any attempt of the login has become, and waits for a CONNACK, whatever that says.
So a packet as long as the login's is on its way at an age at least as high, and then an answer as long as the login's.
Whatever cuts connections by age, by chance, by what the board sends or by what the cloud answers cuts both alike.

A broker answers it without a look at the login, or in words. One that does not speak MQTT 5 must answer CONNACK 1 [MQTT
3.1.1, MQTT-3.1.2-2]. AWS IoT speaks it: it lets a right login in, and answers another by CONNACK 135 (UNCONFIRMED by
AWS's own pages; shamblett/mqtt5_client #131). One that closes without a CONNACK tells nothing, and nothing is proved.
Source: MQTT 5.0 §3.1, §3.2.
"""

import socket
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from harness.firmware import AtSocket, Login, NoSession, Through, carry
from harness.trial.facts import Attempt, Stage

_HELD_BACK: Final = 2  # bytes of the client id
_SHORTEST: Final = 0.1
_CONNACK: Final = 0x20
_MOST: Final = 256  # bytes of an answer; of MQTT 5, with properties


def mqtt5_connect(login: Login) -> bytes:
    """Return the CONNECT of MQTT 5 for ``login``, without its will."""
    client = login.client_id.encode()
    flags = 0x02 if login.clean_session else 0x00
    no_properties = b"\x00"
    head = b"\x00\x04MQTT\x05" + bytes([flags]) + login.keepalive.to_bytes(2, "big") + no_properties
    body = head + len(client).to_bytes(2, "big") + client
    return b"\x10" + _length(len(body)) + body


def send_control_connect(new_socket: Callable[[], AtSocket], login: Login, held: float, patience: float) -> Attempt:
    """Open a session and send the CONNECT, its end ``held`` seconds later. ACCEPTED: it was answered by a CONNACK.

    ``new_socket``: of the board, not connected. ``login``: what CONNECT says. ``patience``: seconds for the answer.
    Raises LabError: the board is gone, or silent.
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
            stage, said = exchange(ours, mqtt5_connect(login), max(held, _SHORTEST), patience)
            taken = time.monotonic() - began
            how = said or str(pump.end or "")
        finally:
            pump.stop()
    if pump.failure is not None:
        raise pump.failure
    return Attempt(stage, how, taken)


def exchange(ours: socket.socket, connect: bytes, held: float, patience: float) -> tuple[Stage, str]:
    """Send ``connect``, its end ``held`` seconds later, and return how it was answered within ``patience``.

    ``ours``: the local end of the connection. An answer before the end is none: it came sooner than the one that it is
    compared with.
    """
    try:
        ours.sendall(connect[:-_HELD_BACK])
        if (early := _received(ours, held)) is not None:
            return Stage.NO_CONNACK, "answered before its end" if early else ""
        ours.sendall(connect[-_HELD_BACK:])
        answer = _received(ours, patience)
    except OSError:  # it ended before it was sent
        return Stage.NO_CONNACK, ""
    if answer is None:
        return Stage.SILENT, f"within {patience:g} s"
    if answer[:1] != bytes([_CONNACK]):
        return Stage.NO_CONNACK, f"answered by {answer[:8].hex()}" if answer else ""
    return Stage.ACCEPTED, f"CONNACK {answer[3]}" if len(answer) > 3 else "CONNACK"


def _received(ours: socket.socket, seconds: float) -> bytes | None:
    """Return what comes within some seconds, b"" for an end; None: nothing does. Raises OSError."""
    ours.settimeout(seconds)
    try:
        return ours.recv(_MOST)
    except TimeoutError:
        return None


def _length(number: int) -> bytes:
    """Return a remaining length (MQTT 3.1.1 §2.2.3)."""
    found = bytearray()
    while True:
        number, low = divmod(number, 128)
        found.append(low | (0x80 if number else 0))
        if not number:
            return bytes(found)
