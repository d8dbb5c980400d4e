"""A board that carries out at once what the provisioning service would tell it."""

from collections.abc import Mapping

from harness import credentials
from harness.credentials import CloudKeys, Provisioning, ProvisionRequest
from harness.modem import KeygenResult, Modem


class ToldOverTheAir:
    """The service and the board's client in one. ``told``: what was asked for."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self.told: list[tuple[str, int]] = []

    def make_key(self, sec_tag: int) -> KeygenResult:
        self.told.append(("key", sec_tag))
        with self._modem.offline():
            return self._modem.generate_key(sec_tag)

    def write(self, sec_tag: int, contents: Mapping[int, str]) -> None:
        self.told.append(("write", sec_tag))
        with self._modem.offline():
            for kind, content in contents.items():
                self._modem.credentials.write(sec_tag, kind, content)


def provision(modem: Modem, request: ProvisionRequest, *, cloud_keys: CloudKeys | None = None) -> Provisioning:
    """Provision a board by whichever key origin."""
    return credentials.provision(modem, request, cloud_keys=cloud_keys, over_the_air=ToldOverTheAir(modem))
