"""Asks kits by AT who they are. It is the only part of discovery that writes to a port, and only on request.

It asks only kits of SEGGER and Nordic that nobody uses, because AT commands may do anything to another device.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from harness.at import AtPort, PortSettings
from harness.errors import HarnessError
from harness.firmware import FoundFirmware, find_firmware
from harness.firmware.detection import BAUDS
from harness.lab.discovery import PortInfo
from harness.lab.inventory import Attached, Inventory
from harness.lab.lease import Lease, lease_folder, port_key
from harness.modem.identity import Identity, read_identity
from harness.settings import DEFAULT_FIRMWARE
from harness.timeline import Timeline

_AT_ONCE: Final = 16


def probe(
    inventory: Inventory,
    *,
    comports: Callable[[], Iterable[PortInfo]] | None = None,
    leases: Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Ask all kits, side by side, that the boards file does not name; return by AT port what :func:`suggest` takes.

    ``inventory``: what is attached. ``comports``: the computer's serial ports. ``leases``: the folder of leases.

    A kit that does not answer, or that somebody uses, is ``refused``.
    """
    wanted = [each for each in inventory.attached if each.is_kit and not each.boards]
    if not wanted:
        return {}
    with ThreadPoolExecutor(min(_AT_ONCE, len(wanted)), thread_name_prefix="probe") as pool:
        answers = pool.map(lambda each: _ask(each, comports, leases), wanted)
        return {each.kit.ports[0]: answer for each, answer in zip(wanted, answers, strict=True)}


def _ask(each: Attached, comports: Callable[[], Iterable[PortInfo]] | None, leases: Path | None) -> dict[str, Any]:
    device = each.kit.ports[0]
    if each.owner is not None:
        return {"refused": f"not asked: in use by {each.owner}"}
    if held := [str(holder) for port in each.ports for holder in port.holders]:
        return {"refused": f"not asked: held by {', '.join(held)}"}
    key = port_key(device) if comports is None else port_key(device, comports=comports)
    try:
        with Lease(device, key, folder=leases or lease_folder()):
            return _answer(device, flow_control=each.kind.flow_control)
    except HarnessError as error:
        return {"refused": f"no answer to AT: {error}"}


def _answer(device: str, *, flow_control: bool) -> dict[str, Any]:
    """Return what the board tells. Raises LabError if no board answers at any speed."""
    settings = PortSettings(rtscts=flow_control)
    with AtPort.open(device, name=device, timeline=Timeline(), settings=settings) as port:
        found = find_firmware(port)
        return _said(found, read_identity(port))


def _said(found: FoundFirmware, identity: Identity) -> dict[str, Any]:
    baud = found.answering.baud
    keys: Mapping[str, Any] = {
        **({} if found.kind is DEFAULT_FIRMWARE else {"firmware": str(found.kind)}),
        **({} if baud == BAUDS[0] else {"baud": baud}),
    }
    comment = f"{found.firmware.product}, {identity.model}, {identity.firmware}, IMEI …{identity.imei[-4:]}"
    return {"keys": keys, "comment": comment}
