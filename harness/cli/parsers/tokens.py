"""Arguments of ``attest`` and ``jwt``."""

import argparse

from harness.cli.parsers.base import Group, ParentParsers, Parser, command, sec_tag, whole_seconds


def add(commands: Group, shared: ParentParsers) -> None:
    """Add the commands."""
    _add_attest(command(commands, "attest", "ask the modem for its attestation token", shared.board))
    _add_jwt(command(commands, "jwt", "ask the modem for a JWT and verify its signature", shared.board))


def _add_attest(parser: Parser) -> None:
    parser.add_argument("--challenge", type=_challenge, metavar="HEX", help="16 bytes that the token must contain")
    parser.add_argument("--show", action="store_true", help="print the token; whoever has it can claim the board")


def _add_jwt(parser: Parser) -> None:
    add = parser.add_argument
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--sec-tag", type=sec_tag, metavar="N", help="key to sign with (default: the board's own)")
    key.add_argument("--identity", action="store_true", help="sign with the device identity key")
    add("--key-type", type=int, choices=(2, 8), default=2, help="2 client key, 8 endorsement key (default 2)")
    add(
        "--expires-in",
        type=whole_seconds,
        default=600,
        metavar="SECONDS",
        help="until the token expires; 0: never (default 600)",
    )
    add("--subject", default="", metavar="TEXT", help="sub claim (default: as the modem chooses)")
    add("--audience", default="", metavar="TEXT", help="aud claim (default: none)")
    add("--show", action="store_true", help="print the token; whoever has it can act as the device")


def _challenge(text: str) -> bytes:
    try:
        challenge = bytes.fromhex(text)
    except ValueError:
        challenge = b""
    if len(challenge) != 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not 32 hex digits")
    return challenge
