"""Options of sockets: which there are, and which can be set or read. Values are kept, and most have no effect here.

Source: Serial Modem documentation, "#XSOCKETOPT" and "#XSSOCKETOPT" (the numbers are those of its sm_sockopt.h).
"""

from typing import Final

from harness.virtual.board.commands import Args, Refused
from harness.virtual.board.sockets.modem_socket import ModemSocket

GET, SET = 0, 1
TLS_HOSTNAME: Final = 2
_CIPHER_USED: Final = 4
_PEER_VERIFY: Final = 5
_PLAIN: Final = {2: 0, 20: 0, 21: 30, 30: 0, 31: 1, 32: 1, 40: 0, 61: 0, 62: 0}  # with their defaults
_PLAIN_SET_ONLY: Final = frozenset({2, 40, 61})
_TLS: Final = {12: 0, 13: 0, 14: 0, 15: 0, 18: 123, 22: 0}
_TLS_SET_ONLY: Final = frozenset({13, 14})
_TLS_READ_ONLY: Final = frozenset({_CIPHER_USED, 15})
_ECDHE_ECDSA_AES128_GCM: Final = 0xC02B
_LONGEST_NAME: Final = 128


def plain_option(socket: ModemSocket, args: Args, at: int) -> str | None:
    """Carry out ``<0|1>,<name>[,<value>]`` for ``socket``; return the value that was asked for, None: it was set.

    ``args``: the command's parameters, of which these begin at ``at``, counted from 0. Raises Refused.
    """
    operation, name = args.choice(at, (GET, SET)), args.choice(at + 1, tuple(_PLAIN))
    if operation == SET:
        socket.options[name] = args.number(at + 2)
        return None
    if name in _PLAIN_SET_ONLY:
        raise Refused
    return str(socket.options.get(name, _PLAIN[name]))


def tls_option(socket: ModemSocket, args: Args, at: int) -> str | None:
    """Do the same for a TLS ``socket``'s own options. Raises Refused for one that is none.

    ``args``, ``at``: see :func:`plain_option`.
    """
    operation, name = args.choice(at, (GET, SET)), args.number(at + 1)
    if socket.sec_tag is None or (operation == SET and name in _TLS_READ_ONLY):
        raise Refused
    if operation == SET:
        _set(socket, args, at + 2, name)
        return None
    if name == TLS_HOSTNAME:
        return socket.hostname or ""
    if name == _CIPHER_USED and socket.connected:
        return f"0x{_ECDHE_ECDSA_AES128_GCM:x}"
    if name == _PEER_VERIFY:
        return str(socket.peer_verify)
    if name not in _TLS or name in _TLS_SET_ONLY:
        raise Refused
    return str(socket.tls_options.get(name, _TLS[name]))


def _set(socket: ModemSocket, args: Args, at: int, name: int) -> None:
    if name == TLS_HOSTNAME:
        text = args.text(at)
        if len(text) > _LONGEST_NAME:
            raise Refused
        socket.hostname = None if text.upper() == "NULL" else text
    elif name == _PEER_VERIFY:
        socket.peer_verify = args.choice(at, (0, 1, 2))
    elif name in _TLS:
        socket.tls_options[name] = args.number(at)
    else:
        raise Refused
