"""The derived trials of a run: which board gets which cases, which were run, and what they prove together."""

from harness.policy.derivation.case import Case
from harness.policy_trials.groups import CaseGroups
from harness.policy_trials.own_names import OwnNames, own_names
from harness.policy_trials.summary import PolicySummary
from harness.policy_trials.trials import can_run, cases_for, selection_for
from harness.run import Run


class DerivedTrials:
    """The plug-in's record of the derived trials of ``run``."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tried = PolicySummary()
        self._groups: dict[str, CaseGroups] = {}

    def cases(self, *, full: bool, only: str | None = None) -> list[tuple[Case, str]]:
        """Return, board by board, the policy cases that its cloud's documents yield, each with the board's name.

        ``only``: of this board, None for all.
        """
        boards = [board for board in self._run.selected if only in (None, board.name)]
        clouds = dict.fromkeys(board.cloud for board in boards)
        cases = {cloud: cases_for(self._run.documents(cloud), full=full) for cloud in clouds}
        return [(case, board.name) for board in boards for case in cases[board.cloud]]

    def groups(self, board: str) -> CaseGroups:
        """Return the groups of this board's allowed cases."""
        return self._groups.setdefault(board, CaseGroups())

    def note_trial(self, board: str, case: str) -> None:
        """Note that the policy case with this id was tried on this board, whatever its outcome."""
        cloud = next(config.cloud for config in self._run.selected if config.name == board)
        self._tried.note_trial(cloud, board, case)

    def own_names(self, board: str, *, full: bool) -> OwnNames:
        """Return the cases that the names of this board's device add. Provisions the device first."""
        own = self._run.board(board)
        documents = own.cloud.documents
        found = own_names(documents, own.device.names, cases_for(documents, full=full), full=full)
        return found.only(lambda case: can_run(case, own) is None)

    def note_own_names(self, board: str, found: str) -> None:
        """Note that the added trials for the names of this board's device were run. ``found``: the text of OwnNames."""
        self._tried.note_own_names(board, found)

    def summary(self) -> dict[str, str]:
        """Return one line for each cloud whose smallest set of trials was run, by the cloud's name."""
        lines: dict[str, str] = {}
        for cloud in self._tried.clouds:
            line = self._tried.line(cloud, selection_for(self._run.documents(cloud)))
            if line is not None:
                lines[cloud] = f"{self._run.expected(cloud)} of cloud {cloud}: {line}"
        return lines
