"""What the lab has: boards.yaml, the ports behind it, leases on them, and the stand-ins of a lab without boards.

Names are imported when they are first used. A list of what is attached needs neither clouds nor certificates, and
importing those takes longer than making the list.
"""

from typing import TYPE_CHECKING, Final

from harness.lazily import names_of

if TYPE_CHECKING:
    from harness.lab.api_keys import MissingApiKey
    from harness.lab.attached_stand_in import AttachedStandIn
    from harness.lab.boards_file import BoardsFileError, load_boards_file
    from harness.lab.built_in import BUILT_IN_LAB, choose_boards_file
    from harness.lab.config import BoardConfig, CloudConfig, LabFile, LocalCloudConfig, NrfCloudAccount, select
    from harness.lab.discovery import find_port, list_kits
    from harness.lab.lab import Lab
    from harness.lab.lease import Lease
    from harness.lab.profiles import expected_documents
    from harness.lab.stand_in import StandIn

_HOMES: Final = {
    "api_keys": "MissingApiKey",
    "attached_stand_in": "AttachedStandIn",
    "boards_file": "BoardsFileError load_boards_file",
    "built_in": "BUILT_IN_LAB choose_boards_file",
    "config": "BoardConfig CloudConfig LabFile LocalCloudConfig NrfCloudAccount select",
    "discovery": "find_port list_kits",
    "lab": "Lab",
    "lease": "Lease",
    "profiles": "expected_documents",
    "stand_in": "StandIn",
}


__getattr__ = names_of(__name__, _HOMES)

__all__ = [
    "BUILT_IN_LAB",
    "AttachedStandIn",
    "BoardConfig",
    "BoardsFileError",
    "CloudConfig",
    "Lab",
    "LabFile",
    "Lease",
    "LocalCloudConfig",
    "MissingApiKey",
    "NrfCloudAccount",
    "StandIn",
    "choose_boards_file",
    "expected_documents",
    "find_port",
    "list_kits",
    "load_boards_file",
    "select",
]
