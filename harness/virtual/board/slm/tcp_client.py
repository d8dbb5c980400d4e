"""#XTCPCLI and #XTCPSEND: one TCP or TLS connection whose data are written to the host as they come.

Source: nRF Connect SDK 3.1, Serial LTE Modem documentation, "TCP and UDP AT commands"; slm_at_tcp_proxy.c: what has
arrived is written first, then the poll bits are looked at: POLLERR is cause -5, POLLNVAL -115, POLLHUP -104, which
stands for FIN, RST and TLS alerts alike. In data mode its status alone tells the cause. After its connection has ended
the client refuses to connect until it has been closed; data mode is entered all the same, and its bytes go nowhere.
UNCONFIRMED: -111 for every connection that fails.
"""

from typing import Final

from harness.device_errno import ECONNREFUSED, ECONNRESET, EIO, ENETDOWN
from harness.virtual.board.commands import Args, Commands, Forms, Later, Refused, Reply
from harness.virtual.board.slm.socket_commands import SelectedSocketCommands
from harness.virtual.board.sockets.host import SocketHost
from harness.virtual.board.sockets.modem_socket import ModemSocket

CLOSE, IPV4, IPV6 = 0, 1, 2
LONGEST_HOST: Final = 128
PIECE: Final = 2048  # bytes that are received at once
NO_FAMILY: Final = 0
STREAM, CLIENT = 1, 0


class TcpClient:
    """``sockets``: its socket is one of theirs, and none of their commands sees it."""

    def __init__(self, host: SocketHost, sockets: SelectedSocketCommands) -> None:
        self._host = host
        self._table = sockets.table
        self._socket: ModemSocket | None = None
        self._family = NO_FAMILY
        self._running = False  # until it is closed, whatever became of its connection
        self._in_data_mode = False
        sockets.owners.append(self)

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        test = "#XTCPCLI: (0,1,2),<url>,<port>,<sec_tag>,<peer_verify>,<hostname_verify>,<cid>"
        return {
            "#XTCPCLI": Forms(set=self._client, read=self._read, test=test),
            "#XTCPSEND": Forms(run=self._send_data, set=self._send),
        }

    def _client(self, args: Args) -> Reply:
        operation = args.choice(0, (CLOSE, IPV4, IPV6))
        if operation == CLOSE:
            self._close(0)
            self._running = False
            return None
        host, port = args.string(1, longest=LONGEST_HOST), args.number(2)
        sec_tag = args.number(3) if args.given(3) else None
        verify, named = args.choice(4, (0, 1, 2), 2), args.choice(5, (0, 1), 1)
        if self._running or not self._host.attached or operation == IPV6 or not 0 < port <= 0xFFFF:
            raise Refused
        socket = self._table.open(operation, STREAM, CLIENT, cid=args.number(6, 0), sec_tag=sec_tag, peer_verify=verify)
        socket.hostname = host if sec_tag is not None and named else None
        self._socket, self._family = socket, operation
        self._table.connect(socket, host, port, self._opened)
        return Later.LATER

    def _opened(self, ok: bool) -> None:
        socket = self._socket
        if ok and socket is not None:
            self._running = True
            self._host.write(b'\r\n#XTCPCLI: %d,"connected"\r\n' % socket.handle)
        elif socket is not None:
            self._socket = None
            self._table.close(socket)
            self._host.write(b'\r\n#XTCPCLI: %d,"not connected"\r\n' % -ECONNREFUSED)
        self._host.finish(ok)

    def _read(self) -> Reply:
        return f"#XTCPCLI: {-1 if self._socket is None else self._socket.handle},{self._family}"

    def _send(self, args: Args) -> Reply:
        data = args.exactly(1).string(0).encode("latin-1")
        if self._socket is None or not data or not self._table.send(self._socket, data):
            raise Refused
        return f"#XTCPSEND: {len(data)}"

    def _send_data(self) -> Reply:
        self._in_data_mode = True
        self._host.enter_data_mode(self._send_on, stream=True)
        return None

    def _send_on(self, data: bytes) -> None:
        """Send what data mode got; without a connection it is dropped, and nothing says so."""
        if self._socket is not None:
            self._table.send(self._socket, data)

    def owns(self, socket: ModemSocket) -> bool:
        """Tell whether a socket is this client's."""
        return socket is self._socket

    def changed(self) -> None:
        """Take what happened on the client's socket."""
        socket = self._socket
        if socket is None:
            return
        while socket.arrived:
            data = bytes(socket.arrived[:PIECE])
            del socket.arrived[:PIECE]
            if self._in_data_mode:
                self._host.write(data)
            else:
                self._host.urc(b"\r\n#XTCPDATA: %d\r\n%s" % (len(data), data))
        if socket.broken:
            self._close(-EIO)
        elif socket.peer_closed:
            self._close(-ECONNRESET)

    def left_data_mode(self) -> None:
        """Data mode has ended."""
        self._in_data_mode = False

    def invalid(self) -> None:
        """The modem has restarted below the socket: its descriptor is none any more."""
        self._close(-ENETDOWN)

    def _close(self, cause: int) -> None:
        socket, self._socket = self._socket, None
        if socket is None:
            return
        self._table.close(socket)
        if self._in_data_mode:
            self._host.break_data_mode(cause)
        else:
            self._host.urc(b'\r\n#XTCPCLI: %d,"disconnected"\r\n' % cause)
