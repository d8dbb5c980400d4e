"""How long it takes to find out what a board runs, for each firmware; the boards answer on ptys, at once."""

import asyncio
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.common import Row, percentile
from harness.at import AtPort
from harness.errors import NoAnswer
from harness.firmware import find_firmware
from harness.settings import FirmwareName, Model, NamedBoard, Release, Sample, ShellName, TerminatorName
from harness.timeline import Timeline
from harness.virtual.board import Network, VirtualBoard

ROUNDS = 5
BOARDS: dict[str, dict[str, Any]] = {
    "serial-modem": {},
    "serial-modem 2.0": {"release": Release.PREVIEW},
    "slm": {"firmware": FirmwareName.SLM},
    "at-client": {"firmware": FirmwareName.AT_CLIENT},
    "at-client, CR LF": {"firmware": FirmwareName.AT_CLIENT, "terminator": TerminatorName.CRLF},
    "at-client, NUL": {"firmware": FirmwareName.AT_CLIENT, "terminator": TerminatorName.NUL},
    "AT shell": {"firmware": FirmwareName.SHELL, "shell": ShellName.AT_SHELL},
    "Modem Shell": {"firmware": FirmwareName.SHELL},
    "cloud library": {"firmware": FirmwareName.CLOUD_LIBRARY, "sample": Sample.MULTI_SERVICE},
    "nothing": {"model": Model.MUTE},
}


def run() -> list[Row]:
    """Measure; about 30 s."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for number, (name, options) in enumerate(BOARDS.items()):
            said = NamedBoard(name=f"b{number}", time_scale=0.01, **options)
            board = VirtualBoard(said, link=Path(folder) / said.name, network=Network())
            asyncio.run_coroutine_threadsafe(board.start(), loop).result(10)
            times = [_once(board.port) for _ in range(ROUNDS)]
            rows.append(Row(f"detection p50: {name}", percentile(times, 0.5), None, "-", "<= 3", "s"))
            asyncio.run_coroutine_threadsafe(board.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    return rows


def _once(path: Path) -> float:
    with AtPort.open(str(path), name="board", timeline=Timeline()) as port:
        began = time.perf_counter()
        with suppress(NoAnswer):
            find_firmware(port)
        return time.perf_counter() - began
