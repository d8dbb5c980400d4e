"""The proxies that ``faults:`` of the boards file puts in front of ports and brokers, while the lab is open."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal

from harness.errors import Misuse
from harness.faults import Fault, Framing, PtyProxy, Struck, TcpProxy
from harness.lab.config import BoardConfig, LocalCloudConfig
from harness.lab.fault_names import of_wire

Side = Literal["device", "observer"]
Address = tuple[str, int]
_LINE: Final = "fault-line"


class FaultWiring:
    """Starts each proxy when it is first needed. ``folder``: private, for the ports that they make."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._lines: dict[str, PtyProxy] = {}
        self._brokers: dict[tuple[str, Side], TcpProxy] = {}
        self._counting = threading.Lock()
        self._told: dict[str, int] = {}
        self._past: set[str] = set()  # what struck on lines that are gone

    def close(self) -> None:
        """End all proxies."""
        self._stack.close()

    def port(self, board: BoardConfig, port: str) -> str:
        """Return the port to open in place of the board's ``port``, the same one if there are no faults on the line.

        Raises Misuse for a port that is not on this computer; PortMissing, LabError.
        """
        if not board.faults.line:
            return port
        if "://" in port:
            raise Misuse(
                f"board {board.name!r}: faults on the line need a port of this computer, not {port}; remove line:"
            )
        line = self._lines.get(board.name)
        if line is None or not line.alive:
            if line is not None:
                line.close()
                self._past |= {of_wire("line", board.name, one.fault) for one in line.struck}
                self._told.pop(_key(board.name), None)  # the new line counts its own
            line = PtyProxy(
                port,
                self._folder / f"{board.name}-{_LINE}",
                board.faults.on_line,
                seed=board.faults.seed,
                framing=_framing(board.faults.on_line),
                baudrate=board.baud,
                rtscts=board.flow_control,
            )
            self._lines[board.name] = line.open()
            self._stack.callback(line.close)
        return str(line.link)

    def broker(self, name: str, cloud: LocalCloudConfig, side: Side, address: Address) -> Address:
        """Return the address to connect to in place of the broker's ``address``; the same one if there are no faults.

        ``name``: the board's, or the observer's. ``cloud``: its name. ``side``: who connects.
        """
        faults = cloud.faults.on_device if side == "device" else cloud.faults.on_observer
        if not faults:
            return address
        proxy = self._brokers.get((name, side))
        if proxy is None:
            proxy = self._stack.enter_context(TcpProxy(address, faults, seed=cloud.faults.seed))
            self._brokers[name, side] = proxy
        return proxy.address

    def announce(self, board: str, cloud: str, phase: str) -> None:
        """Tell the proxies of a board and its cloud that a trial has reached ``phase``.

        ``board``, ``cloud``: their names.
        """
        if board in self._lines:
            self._lines[board].phase(phase)
        for (name, _), proxy in self._brokers.items():
            if name == cloud:
                proxy.phase(phase)

    def all_struck(self) -> set[str]:
        """Return the names of all faults that have struck."""
        lines = {of_wire("line", board, one.fault) for board, line in self._lines.items() for one in line.struck}
        proxies = self._brokers.items()
        brokers = {of_wire(side, cloud, one.fault) for (cloud, side), proxy in proxies for one in proxy.struck}
        return self._past | lines | brokers

    def struck(self, board: str, cloud: str) -> list[Struck]:
        """Return what the proxies of a board and its cloud have done since the last call."""
        fresh: list[Struck] = []
        lines = [(_key(board), self._lines[board].struck)] if board in self._lines else []
        brokers = [(f"{board} {side}", proxy.struck) for (name, side), proxy in self._brokers.items() if name == cloud]
        with self._counting:
            for key, struck in (*lines, *brokers):
                fresh += struck[self._told.get(key, 0) :]
                self._told[key] = len(struck)
        return fresh


def _key(board: str) -> str:
    return f"line {board}"


def _framing(faults: Sequence[Fault]) -> Framing:
    """Return lines as the unit if a fault counts packets, else bytes, because holding back a line delays it."""
    counted = any(fault.packet is not None or fault.chance is not None for fault in faults)
    return Framing.LINES if counted else Framing.BYTES
