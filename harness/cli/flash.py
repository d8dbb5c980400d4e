"""``nrf91-harness flash``: writes the firmware that the boards file names, if the board has another."""

from functools import partial

from harness.cli.arguments import Arguments
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.cli.session import find_board
from harness.lab import Lab, load_boards_file
from harness.run import lab_ca_folder
from harness.run.flashing import flasher
from harness.timeline import Timeline


def flash(given: Arguments, progress: Progress) -> Result:
    """Write the files that the board does not have, or all of them with --force."""
    file = load_boards_file(given.boards)
    config = find_board(file, given.board)
    state = given.lab_ca or lab_ca_folder(file)
    with Lab(file) as lab:
        work = flasher(config, partial(lab.port_url, config), file.path.parent, state, Timeline(), progress)
        with lab.lease(config):
            done = work.run(force=given.force)
    data = [
        {"kind": str(one.kind), "file": str(one.file), "written": one.reason is not None, "reason": one.reason}
        | {"told": one.told or None, "proved": bool(one.told) and one.proved}
        for one in done
    ]
    lines = [
        f"{config.name}: {one.kind} {one.file.name}: "
        + (f"written, because {one.reason}" if one.reason else "there already")
        + (
            f"; the board reports {one.told}" + ("" if one.proved else ", as with other files, which proves nothing")
            if one.told
            else "; the board does not answer (--force writes it all the same)"
        )
        for one in done
    ]
    return Result({"board": config.name, "firmware": data}, lines)
