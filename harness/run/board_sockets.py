"""What a board's modem carries for programs on this computer: sockets, a bridge to the cloud's broker, REST calls."""

from collections.abc import Callable, Mapping

from harness.cloud import BoardTransport, DeviceApi
from harness.errors import Misuse
from harness.firmware import AtSocket, BridgeListener, Capability, Through, kind_of
from harness.firmware.http import HttpRequest, HttpServer
from harness.run.cloud import Cloud
from harness.run.cloud_device import CloudDevice
from harness.run.leased_board import LeasedBoard
from harness.timeline import Timeline


class BoardSockets:
    """The sockets of one board. ``leased``: the board. ``device``: what it is in ``cloud``."""

    def __init__(self, leased: LeasedBoard, device: CloudDevice, cloud: Cloud) -> None:
        self._leased = leased
        self._device = device
        self._cloud = cloud

    @property
    def missing(self) -> str | None:
        """Why the board's firmware has no sockets, or None if it has."""
        opened = self._leased.opened
        if kind_of(opened.kind).socket(opened.firmware) is None:
            return f"{opened.firmware} has no {Capability.SOCKETS}"
        return opened.firmware.lacks(Capability.SOCKETS) or None

    def new(self) -> AtSocket:
        """Return a socket of the board's modem, not connected yet. Raises Misuse where the firmware has none."""
        opened = self._leased.opened
        make, missing = kind_of(opened.kind).socket(opened.firmware), self.missing
        if make is None or missing is not None:
            raise Misuse(f"{self._name}: nothing can be carried through the board: {missing}")
        return make(opened.port)

    def to(self, *, host: str = "", port: int = 0, sec_tag: int | None = None) -> Through:
        """Return where a socket of the board leads: to its cloud's broker, unless ``host`` and ``port`` are given.

        ``sec_tag``: of the credentials, None: the device's. The device is provisioned and registered afterwards.
        """
        _ = self._device.onboarded
        self._leased.opened.modem.register()
        login = self._device.login(sec_tag=sec_tag)
        return Through(host or login.host, port or login.port, login.sec_tag)

    def bridge(
        self, to: Through, *, listen: int = 0, told: Callable[[str], None] = lambda _text: None
    ) -> BridgeListener:
        """Listen on loopback, and carry each connection there through the board. Close it. Raises Misuse.

        ``to``: where. ``listen``: the port, 0: any. ``told``: takes a line for people on each connection.
        """
        self.new()  # before anybody connects
        return BridgeListener(self.new, to, port=listen, told=told)

    def device_api(self, timeline: Timeline) -> DeviceApi:
        """Return REST calls that leave through the board, whose modem does TLS. Raises Misuse where it has no way to.

        The device is provisioned and registered afterwards: the root CA for MQTT is that for REST.
        """
        opened = self._leased.opened
        make = kind_of(opened.kind).http
        if make is None:
            raise Misuse(f"{self._name}: no HTTP through the board: {opened.firmware} has no {Capability.SOCKETS}")
        to, endpoints = self.to(), self._cloud.endpoints
        server = HttpServer(*endpoints.device_rest, self._device.sec_tag if to.sec_tag is None else to.sec_tag)
        http = make(opened.port)

        def exchange(method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
            reply = http.exchange(server, HttpRequest(method, target, headers, body))
            return reply.status, reply.body

        return DeviceApi(endpoints, timeline, adapter=BoardTransport(exchange))

    @property
    def _name(self) -> str:
        return self._leased.config.name
