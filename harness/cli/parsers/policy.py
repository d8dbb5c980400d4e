"""Arguments of ``policy``."""

import argparse
from pathlib import Path
from typing import Any, Final

from harness.cli.braces import check_braces
from harness.cli.parsers.base import Group, ParentParsers, Parser, command, subcommands, text_name
from harness.policy import Membership, Verb

_MEMBERSHIP_HELP: Final = "the device's membership: provisioned (in no team), associated or gateway"


def add(commands: Group, shared: ParentParsers) -> None:
    """Add the commands."""
    about = "what the cloud's policies allow devices, and whether the cloud agrees"
    group = subcommands(commands, "policy", about)
    _add_check(command(group, "policy check", "look for mistakes in policy documents", shared.output))
    _add_explain(command(group, "policy explain", "say whether the documents allow something, and why", shared.board))
    _add_trials(command(group, "policy trials", "list the trials that the documents call for", shared.board))
    about = "compare the deployed policies with the documents, by trials"
    _add_memberships(command(group, "policy probe", about, shared.board), "associated")


class _Collect(argparse.Action):
    """Append a value to the list, unless it is there already."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        given = getattr(namespace, self.dest)
        setattr(namespace, self.dest, given if values in given else [*given, values])


def _add_check(parser: Parser) -> None:
    parser.add_argument(
        "files", nargs="+", type=_document_file, metavar="FILE", help="policy document, or a template that holds one"
    )


def _add_explain(parser: Parser) -> None:
    verbs = (Verb.CONNECT, Verb.PUBLISH, Verb.SUBSCRIBE)
    about = "topic, topic filter or client id; {device}, {tenant}, {other_device}, {other_tenant} are filled in"
    about_it = f"{_MEMBERSHIP_HELP} (default: associated)"
    add = parser.add_argument
    add("verb", choices=[str(verb) for verb in verbs], help="what the device does")
    add("topic", metavar="TOPIC", type=_template, help=about)
    add("--retain", action="store_true", help="publish as a retained message")
    add(
        "--membership",
        dest="membership",
        type=_membership,
        default=Membership.ASSOCIATED,
        metavar="MEMBERSHIP",
        help=about_it,
    )
    _add_names(parser)


def _add_trials(parser: Parser) -> None:
    parser.add_argument("--full", action="store_true", help="all derived trials, not only the smallest set")
    parser.add_argument("--mutants", action="store_true", help="list the mutants too, and what notices them")
    _add_memberships(parser, "all three")
    _add_names(parser)


def _add_memberships(parser: Parser, default: str) -> None:
    text = f"{_MEMBERSHIP_HELP} (default: {default}); repeatable"
    add = parser.add_argument
    add(
        "--membership",
        dest="memberships",
        type=_membership,
        action=_Collect,
        default=[],
        metavar="MEMBERSHIP",
        help=text,
    )


def _add_names(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "--device-id", metavar="ID", type=text_name, help="device id (default: the boards file's, or the text {device})"
    )
    add("--tenant", metavar="ID", type=text_name, help="team (tenant) id (default: the text {tenant})")
    add("--live", action="store_true", help="read both ids from the board and its cloud")


def _template(text: str) -> str:
    try:
        check_braces(text_name(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _document_file(text: str) -> Path:
    """Return a path, also from the form that AWS CLI takes: ``file://policy.json``, ``file:///home/me/policy.json``."""
    return Path(text.removeprefix("file://"))


def _membership(text: str) -> Membership:
    states = (Membership.PROVISIONED, Membership.ASSOCIATED, Membership.GATEWAY)
    if text not in states:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(states)}")
    return Membership(text)
