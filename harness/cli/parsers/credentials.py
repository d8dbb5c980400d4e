"""Arguments of ``provision`` and ``credentials``."""

import argparse
from typing import TYPE_CHECKING, Final, get_args

from harness.cli.parsers.base import Group, ParentParsers, command, sec_tag, subcommands
from harness.lab.config import BoardConfig

if TYPE_CHECKING:
    from harness.credentials.key_origin import KeyOrigin

_ORIGINS: Final = get_args(BoardConfig.model_fields["provision"].annotation)


def add(commands: Group, shared: ParentParsers) -> None:
    """Add the commands."""
    provision = command(commands, "provision", "make boards devices of the cloud", shared.several)
    provision.add_argument(
        "--key-origin",
        type=_key_origin,
        metavar="WHERE",
        help=f"{', '.join(_ORIGINS)} (default: as in the boards file)",
    )
    provision.add_argument(
        "--reprovision", action="store_true", help="make new credentials even if valid ones are there"
    )
    group = subcommands(commands, "credentials", "list, check and delete what is in a board's credential store")
    command(group, "credentials list", "list everything that the board holds", shared.board)
    command(group, "credentials verify", "compare the board with what the harness wrote to it", shared.board)
    delete = command(group, "credentials delete", "delete root CA, certificate and key of a board", shared.board)
    delete.add_argument("--sec-tag", type=_any_sec_tag, metavar="N", help="only this sec_tag")
    delete.add_argument(
        "--foreign", action="store_true", help="delete everything in --sec-tag (up to 4294967295), whoever wrote it"
    )


def _key_origin(text: str) -> "KeyOrigin":
    if text not in _ORIGINS:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(_ORIGINS)}")
    from harness.credentials.key_origin import KeyOrigin  # imports its package, which most commands do not need

    return KeyOrigin(text)


def _any_sec_tag(text: str) -> int:
    """Return the number of a sec_tag that a modem may list, one that Nordic reserves too."""
    return sec_tag(text, 2**32 - 1)
