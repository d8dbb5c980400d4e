"""What carries bytes through a board: the best that the firmware has, whatever the boards file calls it."""

import pytest

from harness.firmware import Capability, Firmware, kind_of, open_firmware
from harness.firmware.bridge import HandleSocket, SelectedSocket, TcpClientSocket
from harness.firmware.http import SlmHttp, SocketHttp
from harness.virtual.board.slm import OlderSerialLteModem, SerialLteModem
from tests.unit.firmware.bridge.slm_stream import SlmStream


@pytest.mark.parametrize(
    ("stand_in", "name", "carrier"),
    [
        (SerialLteModem, "slm", SelectedSocket),
        (SerialLteModem, "slm-sockets", SelectedSocket),
        (SerialLteModem, "slm-tcp-client", TcpClientSocket),
        (OlderSerialLteModem, "slm", TcpClientSocket),
        (OlderSerialLteModem, "slm-sockets", TcpClientSocket),
        (OlderSerialLteModem, "slm-tcp-client", TcpClientSocket),
    ],
)
def test_a_serial_lte_modem_is_asked_what_its_sockets_tell(stand_in, name, carrier):
    with SlmStream(firmware=stand_in).port() as port:
        found = open_firmware(port, name).firmware
        assert kind_of(name).socket(found) is carrier
        assert found.lacks(Capability.SOCKETS, Capability.TCP_CLIENT) is None
        assert (found.lacks(Capability.POLLED_SOCKETS) is None) is (carrier is SelectedSocket)


@pytest.mark.parametrize(("stand_in", "http"), [(SerialLteModem, SocketHttp), (OlderSerialLteModem, SlmHttp)])
def test_rest_needs_sockets_that_tell(stand_in, http):
    make = kind_of("slm-sockets").http
    with SlmStream(firmware=stand_in).port() as port:
        assert make is not None
        assert isinstance(make(port), http)


def test_others_have_one_carrier_or_none():
    for name in ("serial-modem", "raw-sockets"):
        kind = kind_of(name)
        assert list(kind.sockets.values()) == [HandleSocket]
    none = kind_of("at-client")
    assert not none.sockets
    assert none.socket(Firmware("an AT client", capabilities=frozenset(Capability))) is None
