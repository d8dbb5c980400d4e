"""What the lab has: boards.yaml, the ports behind it, leases on them, and the stand-ins of a lab without boards."""

from harness.lab.attached_stand_in import AttachedStandIn
from harness.lab.boards_file import BoardsFileError, load_boards_file
from harness.lab.built_in import BOARDS_FILE, BUILT_IN_LAB, choose_boards_file
from harness.lab.config import BoardConfig, CloudConfig, LabFile, LocalCloud, NrfCloudAccount, select
from harness.lab.discovery import Kit, find_port, list_kits
from harness.lab.lab import Lab, MissingApiKey
from harness.lab.lease import Lease
from harness.lab.profiles import expected_documents
from harness.lab.stand_in import StandIn

__all__ = [
    "BOARDS_FILE",
    "BUILT_IN_LAB",
    "AttachedStandIn",
    "BoardConfig",
    "BoardsFileError",
    "CloudConfig",
    "Kit",
    "Lab",
    "LabFile",
    "Lease",
    "LocalCloud",
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
