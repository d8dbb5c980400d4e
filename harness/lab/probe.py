"""Asks kits by AT who they are: the only part of discovery that writes to a port, and only when told to.

Only kits of SEGGER and Nordic are asked, and of those only what nobody holds: what is typed into another device's port
may do anything there.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from harness.at import AtPort
from harness.errors import HarnessError, LabError
from harness.firmware import FIRMWARES, port_settings
from harness.firmware.kind import FirmwareKind
from harness.lab.discovery import PortInfo
from harness.lab.inventory import Attached, Inventory
from harness.lab.lease import Lease, lease_folder, port_key
from harness.modem.identity import read_identity
from harness.settings import FirmwareName
from harness.timeline import Kind, Timeline

BAUDS: Final = (115200, 1000000)
_AT_ONCE: Final = 16


def probe(
    inventory: Inventory,
    *,
    comports: Callable[[], Iterable[PortInfo]] | None = None,
    leases: Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Ask every kit that no board of the file names and nobody holds; return by AT port what :func:`suggest` takes.

    All at once. A kit without an answer is ``refused``, and so is one that somebody has.

    ``inventory``: what is attached. ``comports``: the computer's serial ports. ``leases``: who has which board.
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
    """Return what the board says. Raises LabError where none answers at any speed."""
    last: LabError | None = None
    for baud in BAUDS:
        timeline = Timeline()
        for at_shell in (False, True):
            try:
                return _firmware_at(device, baud, timeline, flow_control=flow_control, at_shell=at_shell)
            except LabError as error:
                last = error
            if not any(event.kind is Kind.RX for event in timeline.since(0)):
                break  # a shell would have echoed at least
    raise last or LabError(f"{device}: not asked")


def _firmware_at(device: str, baud: int, timeline: Timeline, *, flow_control: bool, at_shell: bool) -> dict[str, Any]:
    # The one that answers without a command of its own comes last: it is whatever none of the others is.
    kinds = sorted((kind for kind in FIRMWARES.values() if kind.at_shell is at_shell), key=lambda kind: kind.anonymous)
    settings = port_settings(kinds[-1].name, baudrate=baud, rtscts=flow_control)
    with AtPort.open(device, name=device, timeline=timeline, settings=settings) as port:
        port.sync()
        found = next((kind for kind in kinds if kind.recognise(port) is not None), None)
        return _said(port, found, baud)


def _said(port: AtPort, kind: FirmwareKind | None, baud: int) -> dict[str, Any]:
    identity = read_identity(port)
    keys: Mapping[str, Any] = {
        **({} if kind is None or kind.name is FirmwareName.SERIAL_MODEM else {"firmware": str(kind.name)}),
        **({} if baud == BAUDS[0] else {"baud": baud}),
    }
    product = "unknown firmware" if kind is None else kind.product
    comment = f"{product}, {identity.model}, {identity.firmware}, IMEI …{identity.imei[-4:]}"
    return {"keys": keys, "comment": comment}
