"""The harness's own commands in remedies, with the options that they need to mean this boards file and this lab."""

from pathlib import Path
from shlex import quote
from typing import Final

from harness.lab.built_in import choose_boards_file

_OURS: Final = "nrf91-harness "


class OwnCommands:
    """Completes commands for whoever pastes them in the current folder.

    ``boards_file``: that of the boards. ``lab_ca``: the lab CA's folder, where one was given.
    """

    def __init__(self, boards_file: Path, lab_ca: Path | None) -> None:
        usual = boards_file.resolve() == choose_boards_file(None, Path()).resolve()
        self._boards = "" if usual else f" --boards {quote(str(boards_file))}"
        self._lab_ca = "" if lab_ca is None else f" --lab-ca {quote(str(lab_ca))}"

    def complete(self, remedy: str) -> str:
        """Return the remedy with the options that its command has, before a remark."""
        command, mark, remark = remedy.partition("  # ")
        if not command.startswith(_OURS) or command.startswith(f"{_OURS}boards check"):
            return remedy
        lab_ca = "" if command.startswith(f"{_OURS}boards ") else self._lab_ca
        return f"{command}{self._boards}{lab_ca}{mark}{remark}"
