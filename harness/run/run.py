"""One run: the selected boards and their clouds, opened when needed, closed together."""

import os
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.credentials import KeyOrigin
from harness.credentials.private_file import no_folder, unwritable
from harness.errors import HarnessError, Misuse, about
from harness.lab import BUILT_IN_LAB, BoardConfig, Lab, LabFile, load_boards_file
from harness.lab.doctor import OwnCommands, Patient, checks_of, in_one_line, run_checks
from harness.lab.fault_names import declared
from harness.policy import PolicyDocument
from harness.report import RunFolder
from harness.run.board import Board
from harness.run.cloud import Cloud
from harness.run.fault_driver import FaultDriver, has_faults
from harness.timeline import TimelineFile

_LAB_CA = Path(".lab") / "ca"


@cache
def _harness_version() -> str:
    """Return the version, empty for a copy that is not installed."""
    try:
        return version("nrf91-harness")
    except PackageNotFoundError:
        return ""


def lab_ca_folder(file: LabFile) -> Path:
    """Return the folder of a lab's CA and records: the one that its boards file names, else ``.lab/ca`` beside that.

    It belongs to the lab that the file describes, so whoever uses the file finds it, from whatever folder.
    """
    return file.lab_ca or file.path.parent / _LAB_CA


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
        key_origin: KeyOrigin | None = None,
        renew: bool = False,
        clouds: Mapping[str, Mapping[str, Any]] | None = None,
        wait: float = 0.0,
        confidence: float | None = None,
        places: str | None = None,
    ) -> None:
        """``names``: boards or tags to select; empty: all. ``cloud``: for every board, in place of the boards file's.

        ``boards_file``: which boards and clouds there are. ``folder``: what the run leaves behind. ``ca_folder`` None:
        see :func:`lab_ca_folder`; in ``root`` (pytest's) for the built-in lab. ``confidence``: of verdicts, in place of
        the boards file's.

        ``clouds``, ``wait``, ``places``: see Lab. ``key_origin``, ``renew``: see CloudDevice.
        """
        self.folder = folder
        self.boards_file = boards_file
        file = load_boards_file(boards_file)
        self.report_limits = file.reports
        self.lab_name = os.environ.get("NRF91_LAB") or file.lab
        self._given_ca = ca_folder
        self._ca_folder = ca_folder or (root / _LAB_CA if boards_file == BUILT_IN_LAB else lab_ca_folder(file))
        # Many runs need no CA. Whoever named no folder may do without one that can be written.
        why = no_folder(self._ca_folder) if ca_folder is None else unwritable(ca_folder)
        if why is not None:
            raise Misuse(f"{why}: the lab CA needs a folder, readable and writable; name another with --lab-ca DIR")
        self._key_origin = key_origin
        self._renew = renew
        self._confidence = confidence
        file.verdicts.rule(public=False, confidence=confidence)  # a confidence that makes no sense ends the run here
        # Its folder is not the run's: what stand-ins keep there (an API key) must not be near a report.
        self._lab = Lab(file, cloud_override=cloud, clouds=clouds, wait=wait, places=Path(places) if places else None)
        self.selected: list[BoardConfig] = self._lab.select(names)
        self._boards: dict[str, Board] = {}
        self._files: list[TimelineFile] = []
        self._sinks = ExitStack()
        self._clouds: dict[str, Cloud] = {}
        self._drivers: list[FaultDriver] = []
        self.struck: set[str] = set()
        """Names of the boards file's faults that have struck; complete after :meth:`close`."""

    def board(self, name: str) -> Board:
        """Return the board ``name``; nothing is opened yet."""
        if name not in self._boards:
            config = next(board for board in self.selected if board.name == name)
            cloud = self._clouds.setdefault(config.cloud, Cloud(self._lab, config.cloud, self._ca_folder))
            board = self._boards[name] = Board(
                self._lab,
                config,
                cloud,
                ca_folder=self._ca_folder,
                key_origin=self._key_origin,
                renew=self._renew,
                confidence=self._confidence,
            )
            self._record(board)
        return self._boards[name]

    def _record(self, board: Board) -> None:
        """Write the board's timeline to the run's folder, from its first event on."""
        header = {"run": self.folder.path.name, "lab": self.lab_name, "board": board.name, "cloud": board.cloud.name}
        file = TimelineFile(self.folder.timeline(board.name), {**header, "harness": _harness_version()})
        self._files.append(file)
        self._sinks.enter_context(board.timeline.sink(file))
        if has_faults(self._lab, board):
            driver = FaultDriver(self._lab, board)
            self._drivers.append(driver)
            self._sinks.enter_context(board.timeline.sink(driver))

    def start_clouds(self) -> dict[str, dict[str, Any]]:
        """Start the local clouds of the selected boards, for worker processes to attach to. Raises CloudUnreachable."""
        return self._lab.clouds.start(self.selected)

    def lead_places(self) -> str | None:
        """Begin to acquire the labgrid places of the selected boards, for worker processes to use. See Lab."""
        return self._lab.lead_places(self.selected)

    def check_api_keys(self, names: Collection[str]) -> None:
        """Raise Misuse unless the API key of every account that the boards ``names`` use is there. Starts nothing."""
        self._lab.clouds.check_api_keys(board for board in self.selected if board.name in names)

    def trouble(self, names: Collection[str]) -> str:
        """Return in one line what will spoil a run of the boards ``names``, "" for nothing; asks no board or cloud."""
        patient = Patient(
            file=self._lab.file,
            boards=[board for board in self.selected if board.name in names],
            ca_folder=self._ca_folder,
            reports=self.folder.path.parent,
            leftovers=lambda _account: {},
            written=lambda _imei, _sec_tag: set(),
        )
        commands = OwnCommands(self.boards_file, self._given_ca)
        return in_one_line(list(run_checks(checks_of(patient, quick=True))), commands)

    def documents(self, cloud: str) -> tuple[PolicyDocument, ...]:
        """Return the policy documents that a cloud of the boards file is expected to enforce."""
        return self._lab.clouds.documents(cloud)

    def expected(self, cloud: str) -> str:
        """Return the boards file's name for those documents: a profile or a folder."""
        return str(self._lab.file.cloud(cloud).expected)

    @property
    def declared_faults(self) -> list[str]:
        """Names of the boards file's faults that wait for a moment, on the selected boards and their clouds."""
        clouds = dict.fromkeys(board.cloud for board in self.selected)
        return declared(self.selected, [(name, self._lab.file.cloud(name)) for name in clouds])

    def close(self) -> list[str]:
        """Close boards, clouds and stand-ins. Returns a line for each thing that is not as it should be."""
        left: list[str] = []
        everything: list[Board | Cloud] = [*self._boards.values(), *self._clouds.values()]
        for opened in everything:
            try:
                left += opened.close()
            except (HarnessError, OSError) as error:  # the others, the stand-ins and the reports still come
                left.append(f"{opened.name}: not closed: {about(opened.name, error)}")
        self.struck |= self._lab.stand_ins.struck.union(*(driver.struck for driver in self._drivers))
        self._lab.close()
        self._sinks.close()
        for file in self._files:
            file.close()
            left += [file.failure] if file.failure else []
        return left + self._lab.faults
