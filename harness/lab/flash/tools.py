"""The tools that write firmware. Erasing, verifying and resetting are asked for explicitly if a tool has options.

Sources: Nordic's nrfutil documentation ("Programming options": by default nothing is verified and nothing reset);
Zephyr's west flash; pyOCD 0.46's help. pyOCD erases a whole chip if it takes it for locked (its issue 1766), so that is
switched off.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from harness.errors import LabError, Misuse
from harness.lab.flash.decision import ImageKind
from harness.lab.flash.nrfutil import NrfutilOutput
from harness.lab.flash.process import run_tool
from harness.lab.flash_config import FlashConfig

_ERASE: Final = {"all": "ERASE_ALL", "touched": "ERASE_RANGES_TOUCHED_BY_FIRMWARE"}
_ASKING: Final = 30.0  # seconds to find out which chip a debugger leads to
_CURES: Final = {
    "nrfutil": "install nRF Util and its command device (docs.nordicsemi.com, nRF Util), and put it into PATH",
    "west": "install west and a workspace of nRF Connect SDK, and start there",
    "pyocd": "pip install pyocd",
    "command": "correct flash: {command: ...} in the boards file",
}
Note = Callable[[str], None]


def write(config: FlashConfig, kind: ImageKind, file: Path, serial: str, note: Note) -> None:
    """Write one file to the board behind a debugger.

    ``config``: how the board is flashed. ``kind``: modem or application. ``file``: to write. ``serial``: the
    debugger's. ``note``: called with the progress.
    Raises LabError if the tool is missing, failed, or took too long; Misuse if it cannot write such a file.
    """
    timeout = config.modem_timeout if kind is ImageKind.MODEM else config.application_timeout
    output = NrfutilOutput()
    began = time.monotonic()

    def line(text: str) -> None:
        if (shown := output.line(text)) and output.percent:
            left = (time.monotonic() - began) / output.percent * (100 - output.percent)
            note(f"{kind} firmware: {shown}, {left:.0f} s left")

    words = _words(config, kind, file, serial)
    ended = run_tool(words, timeout, line, cure=_CURES[config.tool])
    if ended.code is None:
        how_far = "" if output.percent is None else f", at {output.percent} %"
        raise LabError(
            f"{words[0]} did not end within {timeout:g} s and {ended.fate}{how_far}: {ended.last or 'silent'}"
        )
    if output.failed:
        raise LabError(f"{words[0]}: {'; '.join(output.failed)}")
    if ended.code:
        raise LabError(f"{words[0]} ended with code {ended.code}: {ended.last or 'it said nothing'}")
    if config.tool == "nrfutil" and not output.ended:
        raise LabError(f"{words[0]} ended without reporting success: {ended.last or 'it said nothing'}")


def check_target(config: FlashConfig, serial: str) -> None:
    """Raise LabError unless the debugger leads to an nRF91, because an erase would delete another chip's firmware.

    On a Thingy:91 X a switch below the cover connects the debug port to the nRF5340 or to the nRF9151.
    """
    if config.tool != "nrfutil":
        return
    output = NrfutilOutput()
    words = ("nrfutil", "--json", "device", "device-info", "--serial-number", serial)
    ended = run_tool(words, _ASKING, output.line, cure=_CURES["nrfutil"])
    if ended.code is None:
        text = f"nrfutil did not say within {_ASKING:g} s which chip is behind debugger {serial}, and {ended.fate}"
        raise LabError(f"{text}; is it plugged in?")
    if output.failed or ended.code:
        reason = "; ".join(output.failed) or ended.last or f"exit code {ended.code}"
        raise LabError(f"nrfutil cannot reach debugger {serial}: {reason}; plug it in: nrfutil device list")
    family = output.find("deviceFamily")
    if not isinstance(family, str) or not family:
        raise LabError(
            f"nrfutil does not say which chip is behind debugger {serial}, so nothing is written; "
            f"look: nrfutil device device-info --serial-number {serial}"
        )
    if "NRF91" not in family.upper():
        raise LabError(
            f"debugger {serial} leads to {family}, not to an nRF91, so nothing is written; on a Thingy:91 X move the "
            "switch below its cover, else correct serial: of flash: in the boards file"
        )


def _words(config: FlashConfig, kind: ImageKind, file: Path, serial: str) -> list[str]:
    match config.tool:
        case "nrfutil":
            erasing = [f"chip_erase_mode={_ERASE[config.erase]}"] if kind is ImageKind.APPLICATION else []
            options = ",".join([*erasing, "verify=VERIFY_READ", "reset=RESET_SYSTEM"])
            program = ["--json", "device", "program", "--firmware", str(file), "--serial-number", serial]
            return ["nrfutil", *program, "--options", options]
        case "west" if kind is ImageKind.APPLICATION:
            erased = ["--erase"] if config.erase == "all" else []
            return ["west", "flash", "--skip-rebuild", "--build-dir", str(file), "--dev-id", serial, *erased]
        case "pyocd" if kind is ImageKind.APPLICATION:
            how = "chip" if config.erase == "all" else "sector"
            target = ["--target", "nrf91", "--uid", serial, "--no-wait", "-O", "auto_unlock=false"]
            return ["pyocd", "flash", *target, "--erase", how, str(file)]
        case "command" if config.command is not None:
            values = {"{file}": str(file), "{serial}": serial, "{kind}": kind.value}
            return [_filled(word, values) for word in config.command]
    raise Misuse(
        f"flash: tool {config.tool} cannot write {kind} firmware; use nrfutil, or tool: command with a command"
    )


def _filled(word: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word
