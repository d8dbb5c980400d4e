"""A board for provisioning: a credential store that behaves as a modem's, made to fail where a test wants it."""

import hashlib
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from harness.modem import Modem
from tests.unit.modem.keygen_maker import DEVICE_UUID, make_csr, make_keygen
from tests.unit.modem.scripted import Reply, ScriptedPort

IMEI = "004999010640000"
ACTIVE = "+CME ERROR: 518"
NOT_FOUND = "+CME ERROR: 513"
EXISTS = "+CME ERROR: 519"

Where = Callable[[str], bool]


class FakeBoard:
    """``items``: content by sec_tag and kind. ``made``: places of keys that the device made. ``readable``: kinds.

    ``fail(when, reply)``: every command for which ``when`` holds gets ``reply`` instead, an exception too.
    """

    def __init__(
        self, *, sec_tags: tuple[int, ...] = (42,), mode: int = 1, firmware: str = "mfw_nrf91x1_2.0.2"
    ) -> None:
        self.items: dict[tuple[int, int], str] = {}
        self.made: set[tuple[int, int]] = set()
        self.readable = {0, 1, 4}
        self.mode = mode
        self.keys: list[ec.EllipticCurvePrivateKey] = []
        self._faults: list[tuple[Where, Reply, int]] = []
        self.port = ScriptedPort(
            {
                "AT+CGSN=1": [f'+CGSN: "{IMEI}"', "OK"],
                "AT+CGMR": [firmware, "OK"],
                "AT%DEVICEUUID": [f"%DEVICEUUID: {DEVICE_UUID}", "OK"],
                "AT+CFUN?": lambda _: [f"+CFUN: {self.mode}", "OK"],
            },
            default=self._answer,
        )
        self.modem = Modem(self.port.as_port(), sec_tags=sec_tags)

    def fail(self, when: str | Where, reply: Reply, *, times: int = 1000) -> None:
        where: Where = (lambda command: command.startswith(when)) if isinstance(when, str) else when
        self._faults.append((where, reply, times))

    def mend(self) -> None:
        self._faults.clear()

    def digest(self, sec_tag: int, kind: int) -> str:
        return _digest(self.items[sec_tag, kind])

    @property
    def writes(self) -> list[str]:
        """Commands that change something, cut to what they change."""
        changing = ("AT%CMNG=0", "AT%CMNG=3", "AT%KEYGEN")
        return [",".join(sent.split(",", 3)[:3]) for sent in self.port.sent if sent.startswith(changing)]

    def _answer(self, command: str) -> str | list[str]:
        for index, (where, reply, times) in enumerate(self._faults):
            if times and where(command):
                self._faults[index] = (where, reply, times - 1)
                if isinstance(reply, Exception):
                    raise reply
                return reply(command) if callable(reply) else reply
        return self.answer(command)

    def answer(self, command: str) -> str | list[str]:
        """What a sound board answers."""
        name, _, arguments = command.partition("=")
        if name == "AT+CFUN":
            self.mode = int(arguments)
            return "OK"
        if name == "AT%KEYGEN":
            return self._keygen(int(arguments.split(",")[0]))
        opcode, sec_tag, *rest = arguments.split(",", 3)
        if opcode == "1":
            return self._list(int(sec_tag), int(rest[0]) if rest else None)
        place = (int(sec_tag), int(rest[0]))
        if opcode == "2":
            return self._read(place)
        if self.mode == 1:
            return ACTIVE
        if opcode == "3":
            self.made.discard(place)
            return NOT_FOUND if self.items.pop(place, None) is None else "OK"
        if place in self.made:
            return EXISTS
        self.items[place] = rest[1].strip('"')
        return "OK"

    def _keygen(self, sec_tag: int) -> str | list[str]:
        if self.mode == 1:
            return ACTIVE
        if (sec_tag, 2) in self.items:
            return EXISTS
        key = ec.generate_private_key(ec.SECP256R1())
        self.keys.append(key)
        self.items[sec_tag, 2] = f"key {len(self.keys)} of the device"
        self.made.add((sec_tag, 2))
        return [f"%KEYGEN: {make_keygen(sec_tag, body=make_csr(key))}", "OK"]

    def _list(self, sec_tag: int, kind: int | None) -> list[str]:
        found = [(tag, k) for tag, k in sorted(self.items) if tag == sec_tag and kind in (None, k)]
        return [*(f'%CMNG: {tag},{k},"{self.digest(tag, k)}"' for tag, k in found), "OK"]

    def _read(self, place: tuple[int, int]) -> str | list[str]:
        if place not in self.items:
            return NOT_FOUND
        if place[1] not in self.readable:
            return "+CME ERROR: 514"
        return [f'%CMNG: {place[0]},{place[1]},"{self.digest(*place)}","{self.items[place]}"', "OK"]


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest().upper()
