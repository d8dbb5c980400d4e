"""Arguments of ``completion``."""

from harness.cli.parsers.base import Group, ParentParsers, Parser, command

SHELLS = ("bash", "zsh", "fish")


def add(commands: Group, _shared: ParentParsers) -> None:
    """Add the command."""
    about = "print a script by which a shell completes commands and options"
    parser = command(commands, "completion", about, Parser(add_help=False))
    parser.add_argument("shell", choices=SHELLS, help='for instance: eval "$(nrf91-harness completion bash)"')
    parser.set_defaults(json=False)
