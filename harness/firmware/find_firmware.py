"""Finds out what a board runs: product, version, what ends a command, framing, speed. On an open port."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Final

from harness.at import AtPort, FramedUrc
from harness.errors import LabError, NoAnswer
from harness.firmware.detection import BAUDS, DEADLINE, Answering, NotAnswering, PortState, Question, answered, find
from harness.firmware.interface import Firmware
from harness.firmware.kind import FirmwareKind
from harness.firmware.registry import FIRMWARES
from harness.settings import FirmwareName, Sample
from harness.timeline import Kind

_LIBRARY: Final = ("nrf_cloud", "nrf_cloud_transport", "cloud_connection", "cloud_module", "mqtt_helper")


class NothingKnown(NoAnswer):
    """Nothing on the port answers AT commands. The message says what it does instead, and ``state`` too."""

    def __init__(self, board: str, answering: NotAnswering) -> None:
        super().__init__(f"{board}: expected firmware that answers AT commands; the board {answering}")
        self.state = answering.state


@dataclass(frozen=True, slots=True)
class FoundFirmware:
    """``kind``: by its name in boards files. ``firmware``: product and version. ``answering``: how it is talked to."""

    kind: FirmwareName
    firmware: Firmware
    answering: Answering

    def __str__(self) -> str:
        return f"{self.firmware} (firmware: {self.kind}), {self.answering}"


def find_firmware(port: AtPort, *, bauds: Sequence[int] | None = None, patience: float = 0.0) -> FoundFirmware:
    """Ask what answers, within 3 s, and set ``port`` to it. Raises NothingKnown; BoardLost.

    ``bauds``: speeds to try; None: the port's own, then the others. ``patience``: seconds more for a board that says
    nothing, because it is busy with an earlier user's command; connecting takes long.
    """
    settings = port.settings
    tried = bauds or (settings.baudrate, *(baud for baud in BAUDS if baud != settings.baudrate))
    answering = look(port, tried)
    if patience and isinstance(answering, NotAnswering) and answering.state is PortState.SILENT:
        port.adapt(settings)
        with suppress(NoAnswer):
            port.sync(patience=patience)
            answering = look(port, tried)
    if isinstance(answering, NotAnswering):
        port.adapt(settings)
        raise NothingKnown(port.name, answering)
    port.adapt(
        replace(
            settings,
            baudrate=answering.baud,
            terminator=answering.terminator,
            at_shell=answering.at_shell,
            framed=_every_frame(at_shell=answering.at_shell),
        )
    )
    port.sync()
    kind, firmware = _recognised(port, at_shell=answering.at_shell)
    port.adapt(replace(port.settings, framed=kind.framed, queues=kind.queues))
    found = FoundFirmware(kind.name, firmware, answering)
    port.timeline.add(Kind.STEP, port.name, f"found {found}")
    return found


def look(port: AtPort, bauds: Sequence[int]) -> Answering | NotAnswering:
    """Ask the questions of :func:`harness.firmware.detection.find` on the port; nothing else is changed there."""
    deadline = time.monotonic() + DEADLINE
    search = find(bauds)
    with port.overhear() as heard:
        try:
            question = next(search)
            while True:
                question = search.send(_asked(port, heard, question, deadline))
        except StopIteration as end:
            found: Answering | NotAnswering = end.value
            return found


def _asked(port: AtPort, heard: "SimpleQueue[bytes | None]", question: Question, deadline: float) -> bytes:
    """Ask one question; return what was heard until it was answered, or its time or all time was over."""
    until = min(time.monotonic() + question.seconds, deadline)
    if time.monotonic() >= deadline:
        return b""
    if question.baud != port.settings.baudrate:
        port.adapt(replace(port.settings, baudrate=question.baud))
    if question.data:
        port.type_bytes(question.data)
    answer = bytearray()
    while (left := until - time.monotonic()) > 0:
        try:
            data = heard.get(timeout=left)
        except Empty:
            break
        if data is None:
            raise port.failure or LabError(f"{port.name}: the port failed")
        answer += data
        if len(answer) < 1 << 20 and answered(bytes(answer[-4096:])):
            break
    return bytes(answer)


def _every_frame(*, at_shell: bool) -> dict[str, FramedUrc]:
    frames: dict[str, FramedUrc] = {}
    for kind in FIRMWARES.values():
        if kind.at_shell is at_shell:
            frames |= kind.framed
    return frames


def _recognised(port: AtPort, *, at_shell: bool) -> tuple[FirmwareKind, Firmware]:
    """Return what knows its own command; else what answers as this does."""
    for kind in FIRMWARES.values():
        if not kind.anonymous and kind.at_shell is at_shell and (found := kind.recognise(port)) is not None:
            return kind, found
    name = FirmwareName.SHELL if at_shell else FirmwareName.AT_CLIENT
    kind = FIRMWARES[name]
    firmware = kind.recognise(port) or Firmware(kind.product, capabilities=kind.capabilities)
    if sample := seen_sample(port):
        port.timeline.add(
            Kind.STEP,
            port.name,
            f"its log is a cloud library's: say firmware: {{kind: cloud-library, sample: {sample}}} in the boards file,"
            " and its own connection is tested too",
        )
    return kind, firmware


def seen_sample(port: AtPort) -> str | None:
    """Return the sample that the log so far is of; "..." where it could be several; None: no cloud library's."""
    said = [event.text for event in port.timeline.since(0) if event.source == port.name and event.kind is Kind.RX]
    names = {sample for sample in Sample if any(f"> {sample}: " in line for line in said)}
    if len(names) == 1:
        return str(names.pop())
    library = any(f"> {module}: " in line for line in said for module in _LIBRARY)
    return "..." if library or names or any("CLOUD_EVT_" in line for line in said) else None
