"""``nrf91-harness bridge``: opens a local port, by which any program talks to the cloud through a board."""

import json
import sys
import threading
from typing import Final

from harness.cli.arguments import Arguments
from harness.cli.ending import told_to_end
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.cli.session import one_board

_SAYING: Final = threading.Lock()
_LOOK: Final = 1.0  # seconds from one look at board and cloud to the next


def carry(given: Arguments, progress: Progress) -> Result:
    """Provision and register the board, then carry connections until Ctrl-C or SIGTERM."""
    host, port = given.to or ("", 0)
    with one_board(given, progress) as board:
        to = board.sockets.to(host=host, port=port, sec_tag=given.sec_tag)
        bridging = board.sockets.bridge(to, listen=given.listen, told=_say)
        with bridging as bridge, told_to_end(second_interrupts=True) as told:
            progress.close()
            _announce(given, bridge.address, str(to), board.device.id)
            while not told.wait(_LOOK):
                board.check()
                if (failure := board.opened.port.failure) is not None:
                    raise failure
        sent, received = sum(pump.sent for pump in bridge.pumps), sum(pump.received for pump in bridge.pumps)
    _say(f"{given.board}: {len(bridge.pumps)} connections, {sent} bytes sent, {received} received")
    return Result(None, [])


def _announce(given: Arguments, address: tuple[str, int], to: str, device_id: str) -> None:
    if given.json:
        print(json.dumps({"listen": f"{address[0]}:{address[1]}", "to": to, "client_id": device_id}), flush=True)
    else:
        print(f"listening on {address[0]}:{address[1]}; connections there go to {to}", flush=True)
        print(f"an MQTT program connects there without TLS, as client {device_id}; Ctrl-C ends the bridge", flush=True)


def _say(text: str) -> None:
    # Connections end in threads of their own, and print() writes a line and its end apart.
    with _SAYING:
        print(text, file=sys.stderr, flush=True)
