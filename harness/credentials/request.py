"""What a caller asks of provisioning."""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.credentials.device_id import check_device_id
from harness.credentials.key_origin import KeyOrigin
from harness.credentials.lab_ca import LabCa
from harness.credentials.pem import check_root_ca
from harness.credentials.records import CredentialRecords
from harness.errors import Misuse


def _silent(_: str) -> None:
    return None


@dataclass(frozen=True)
class ProvisionRequest:
    """How a board is to be provisioned.

    ``sec_tags``: the board's own, in order of preference; a second one lets a renewal be undone. ``root_ca_pem``: what
    the board is to trust. ``adopt``: credentials that the harness did not write may be replaced. ``renew``: also valid
    ones are. ``progress``: gets a line for each step that takes time.
    """

    device_id: str
    sec_tags: tuple[int, ...]
    key_origin: KeyOrigin
    ca: LabCa
    root_ca_pem: str = field(repr=False)
    records: CredentialRecords
    adopt: bool = False
    renew: bool = False
    progress: Callable[[str], None] = field(default=_silent, compare=False)

    def check(self) -> None:
        """Raise Misuse for what no board could be provisioned with."""
        check_device_id(self.device_id)
        check_root_ca(self.root_ca_pem)
        if not self.sec_tags or len(set(self.sec_tags)) != len(self.sec_tags):
            raise Misuse(f"{self.device_id}: sec_tags {list(self.sec_tags)}: at least one expected, each once")
