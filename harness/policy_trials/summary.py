"""Sums up the derived trials of a run: one line for each cloud."""

from harness.policy import Selection
from harness.policy_trials.own_names import NOTHING_MORE


class PolicySummary:
    """Keeps the derived trials that were run, whatever their outcome."""

    def __init__(self) -> None:
        self._tried: dict[str, dict[str, set[str]]] = {}  # ids of cases, by cloud and board
        self._own_names: dict[str, str] = {}  # by board

    @property
    def clouds(self) -> tuple[str, ...]:
        """The clouds of the trials that were run."""
        return tuple(self._tried)

    def note_trial(self, cloud: str, board: str, case: str) -> None:
        """Note that a case was tried. ``cloud``: the board's. ``board``: its name. ``case``: the id, for any names."""
        self._tried.setdefault(cloud, {}).setdefault(board, set()).add(case)

    def note_own_names(self, board: str, found: str) -> None:
        """Note that the additional trials for the names of this board's device were run: the text of OwnNames."""
        self._own_names[board] = found

    def line(self, cloud: str, selection: Selection) -> str | None:
        """Return the line for a cloud whose smallest set is ``selection``, or None if none of the set was run.

        The line says how many of the set were run if it was not all, what the names of a board's device added, and
        for which boards the own names were not compared.
        """
        boards = self._tried[cloud]
        wanted = {case.id for case in selection.cases}
        done = {board: len(wanted & tried) for board, tried in boards.items()}
        if not any(done.values()):
            return None
        parts = [str(selection)]
        for board, number in done.items():
            if number < len(wanted):
                parts.append(f"{number} of the trials were run" + (f" on {board}" if len(boards) > 1 else ""))
        compared = {board: self._own_names[board] for board in boards if board in self._own_names}
        parts += [f"{board}: {found}" for board, found in compared.items() if found != NOTHING_MORE]
        rest = [board for board in boards if board not in compared]
        if rest:
            parts.append(f"not compared with the own names of {', '.join(rest)}")
        return "; ".join(parts)
