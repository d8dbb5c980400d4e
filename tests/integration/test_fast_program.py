"""A program that sends faster than the UART takes: held back, every byte in order, and the board can still be asked."""

import asyncio
import socket
import threading
from functools import partial

import pytest

from harness.at import AtPort
from harness.firmware import BridgeListener, Through, kind_of, open_firmware, port_settings, synchronise
from harness.settings import NamedBoard
from harness.timeline import Timeline
from harness.virtual.board import Network, VirtualBoard

DEADLINE = 20.0
BAUD = 1_000_000
MOST = 10_000  # commands; a second has time for some hundred
SENT = bytes(range(256)) * 400  # a second of the line


class Server:
    """Takes one connection and keeps what comes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.got = bytearray()
        self.done = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        connection, _ = self.listener.accept()
        with connection:
            while data := connection.recv(65536):
                self.got += data
                if len(self.got) >= len(SENT):
                    break
        self.done.set()


@pytest.mark.parametrize("firmware", ["raw-sockets", "slm-tcp-client"])
def test_a_program_that_is_faster_than_the_uart(tmp_path, firmware):
    server = Server()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(DEADLINE)

    network = Network({("far", 7): server.listener.getsockname()})
    said = NamedBoard(name="fast", time_scale=0.0, firmware=firmware, baud=BAUD)
    board = VirtualBoard(said, link=tmp_path / "fast", network=network)
    run(board.start())
    settings = port_settings(firmware, baudrate=BAUD)
    try:
        with AtPort.open(str(board.port), name="fast", timeline=Timeline(), settings=settings) as port:
            synchronise(port, firmware)
            found = open_firmware(port, firmware).firmware
            port.command("AT+CFUN=1")
            make = kind_of(firmware).socket(found)
            assert make is not None
            with (
                BridgeListener(partial(make, port), Through("far", 7, None)) as bridge,
                socket.create_connection(bridge.address, timeout=DEADLINE) as program,
            ):
                program.sendall(SENT)
                asked = 0
                while not server.done.is_set() and asked < MOST:
                    port.command("AT+CFUN?")
                    asked += 1
                assert server.done.wait(DEADLINE)
                assert bytes(server.got) == SENT
                assert asked > 5  # a command has its turn between two pieces
            (pump,) = bridge.pumps
            assert pump.sent == len(SENT)
    finally:
        run(board.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE)
        loop.close()
        server.listener.close()
