"""The boards of one command: opens them from the boards file, and closes everything again."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from harness.cli.arguments import Arguments
from harness.cli.cures import with_cure
from harness.cli.progress import Progress
from harness.errors import Misuse
from harness.lab import BoardConfig, Lab, LabFile, load_boards_file
from harness.redact import SECRETS
from harness.report import Transcript
from harness.run import Board, Cloud, lab_ca_folder
from harness.timeline import Event, Kind


@contextmanager
def one_board(given: Arguments, progress: Progress, *, needs_cloud: bool = True) -> Iterator[Board]:
    """Yield the board ``given.board``. What the command puts into the account stays there.

    ``given``: the command line. ``progress``: shows the steps. ``needs_cloud``: the command cannot do without the
    cloud.
    """
    with several_boards(given, [given.board], progress, needs_cloud=needs_cloud) as (board,), with_cure(given.board):
        yield board


@contextmanager
def several_boards(
    given: Arguments, names: Sequence[str], progress: Progress, *, needs_cloud: bool = True
) -> Iterator[list[Board]]:
    """Yield the boards ``names``, in this order.

    ``given``: the command line. ``progress``: shows the steps. ``needs_cloud``: the command cannot do without the
    cloud, so a missing API key and a cloud out of reach are found before any port is opened.
    """
    file = load_boards_file(given.boards)
    with ExitStack() as stack:
        lab = stack.enter_context(Lab(file, cloud_override=given.cloud))
        # Each with the cloud that it will use.
        configs = [_select(lab, name, needs_cloud=needs_cloud) for name in dict.fromkeys(names)]
        if needs_cloud:
            lab.clouds.check_api_keys(configs)
        ca_folder = given.lab_ca or lab_ca_folder(file)
        clouds = {config.cloud: Cloud(lab, config.cloud, ca_folder) for config in configs}
        boards = [
            Board(
                lab,
                config,
                clouds[config.cloud],
                ca_folder=ca_folder,
                key_origin=getattr(given, "key_origin", None),
                renew=getattr(given, "reprovision", False),
                progress=progress if len(configs) == 1 else partial(_named, progress, config.name),
            )
            for config in configs
        ]
        if given.transcript is not None:
            title = ", ".join(config.name for config in configs)
            transcript = stack.enter_context(_transcript(given.transcript, title))
            for board in boards:
                stack.enter_context(board.timeline.sink(transcript))
        for board in boards:
            shown = progress if len(configs) == 1 else partial(_named, progress, board.name)
            stack.enter_context(board.timeline.sink(partial(_show_trouble, shown)))
            board.begin()
        try:
            yield boards
        finally:
            left = [line for board in boards for line in board.close()]
            left += [line for cloud in clouds.values() for line in cloud.close(keep=True)]
            for line in left:
                print(f"nrf91-harness: {SECRETS.scrub(line)}", file=sys.stderr)


def find_board(file: LabFile, name: str) -> BoardConfig:
    """Return the board ``name`` as the file has it. Raises Misuse if there is none."""
    for board in file.boards:
        if board.name == name:
            return board
    names = ", ".join(board.name for board in file.boards)
    raise Misuse(f"no board has the name {name!r}; names in {file.path}: {names}")


def _show_trouble(progress: Progress | partial[None], events: Sequence[Event]) -> None:
    """Show what goes wrong with a board, and how long the command waits for it, which may be most of a minute."""
    for event in events:
        if event.kind is Kind.FAULT or "patience" in event.data:
            progress(event.text)


def _named(progress: Progress, name: str, text: str) -> None:
    progress(f"{name}: {text}")


def _select(lab: Lab, name: str, *, needs_cloud: bool) -> BoardConfig:
    board = find_board(lab.file, name)
    if not needs_cloud and board.outlives_run:
        return board
    return next(board for board in lab.select([name]) if board.name == name)


def _transcript(path: Path, title: str) -> Transcript:
    try:
        return Transcript(path, title=title)
    except OSError as error:
        raise Misuse(f"{path}: {error.strerror}: name another file with --transcript") from error
