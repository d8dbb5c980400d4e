"""One run: the selected boards and their clouds, opened when needed, closed together, and the cases it went through."""

import tempfile
from pathlib import Path

from harness.bench.board import BoardBench
from harness.bench.cloud import CloudBench
from harness.bench.own_names import OwnNames, own_names
from harness.bench.policy_summary import PolicySummary
from harness.bench.policy_trials import can_run, cases_for, selection_for
from harness.credentials import Way
from harness.lab import BoardConfig, Lab, load_boards_file
from harness.policy.case import Case as PolicyCase
from harness.report import Case, RunFolder

LAB_CA = Path(".lab") / "ca"
"""The folder of the lab's CA where neither the command line nor the boards file names one."""


class Run:
    """What the plug-in keeps for a session. Raises Misuse for mistakes in the boards file or in the selection."""

    def __init__(
        self,
        boards_file: Path,
        names: list[str],
        *,
        cloud: str | None,
        folder: RunFolder,
        ca_folder: Path | None,
        root: Path,
        way: Way | None = None,
        renew: bool = False,
    ) -> None:
        """``ca_folder`` None: as the boards file says, else ``.lab/ca`` in ``root``. ``way``, ``renew``: BoardBench."""
        self.folder = folder
        self.cases: list[Case] = []
        file = load_boards_file(boards_file)
        self._ca_folder = ca_folder or file.lab_ca or root / LAB_CA
        self._way = way
        self._renew = renew
        # Not in the run's folder: what stand-ins keep there (an API key) must not be near a report.
        self._scratch = tempfile.TemporaryDirectory(prefix="nrf91-harness-")
        self._lab = Lab(file, folder=Path(self._scratch.name), cloud_override=cloud)
        self.selected: list[BoardConfig] = self._lab.select(names)
        self._boards: dict[str, BoardBench] = {}
        self._clouds: dict[str, CloudBench] = {}
        self._tried = PolicySummary()

    def bench(self, name: str) -> BoardBench:
        """Return the bench of the board ``name``; nothing is opened yet."""
        if name not in self._boards:
            config = next(board for board in self.selected if board.name == name)
            cloud = self._clouds.setdefault(config.cloud, CloudBench(self._lab, config.cloud))
            self._boards[name] = BoardBench(
                self._lab, config, cloud, ca_folder=self._ca_folder, way=self._way, renew=self._renew
            )
        return self._boards[name]

    def policy_cases(self, *, full: bool) -> list[tuple[PolicyCase, str]]:
        """Return, board by board, the policy cases that its cloud's documents yield, each with the board's name."""
        clouds = dict.fromkeys(board.cloud for board in self.selected)
        cases = {cloud: cases_for(self._lab.documents(cloud), full=full) for cloud in clouds}
        return [(case, board.name) for board in self.selected for case in cases[board.cloud]]

    def note_trial(self, board: str, case: PolicyCase) -> None:
        """Take note that this policy case was tried on this board, whatever came out."""
        cloud = next(config.cloud for config in self.selected if config.name == board)
        self._tried.note_trial(cloud, board, case)

    def own_names(self, board: str, *, full: bool) -> OwnNames:
        """Return what the names of this board's device, which is provisioned for that, add to its policy cases."""
        bench = self.bench(board)
        documents = bench.cloud.documents
        found = own_names(documents, bench.names, cases_for(documents, full=full), full=full)
        return found.only(lambda case: can_run(case, bench) is None)

    def note_own_names(self, board: str, found: OwnNames) -> None:
        """Take note that everything was tried that the names of this board's device add."""
        self._tried.note_own_names(board, found)

    def policy_summary(self) -> dict[str, str]:
        """Return one line for each cloud whose smallest set of trials was run, by the cloud's name."""
        lines: dict[str, str] = {}
        for cloud in self._tried.clouds:
            line = self._tried.line(cloud, selection_for(self._lab.documents(cloud)))
            if line is not None:
                lines[cloud] = f"{self._lab.file.cloud(cloud).expected} of cloud {cloud}: {line}"
        return lines

    def close(self) -> list[str]:
        """Close boards, clouds and stand-ins. Returns a line for each thing that is not as it should be."""
        left: list[str] = []
        for board in self._boards.values():
            left += board.close()
        for cloud in self._clouds.values():
            left += cloud.close()
        self._lab.close()
        self._scratch.cleanup()
        return left + self._lab.faults
