"""Reads API keys from files."""

import stat
from pathlib import Path

from harness.errors import Misuse


class MissingApiKey(Misuse):
    """The environment variable or file that boards.yaml names holds no API key."""


def read_api_key(path: Path, cloud_name: str) -> str:
    """Return the API key in a file that other users cannot read. Raises MissingApiKey."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise MissingApiKey(f"{path}: other users can open this file with an API key: run chmod 600 on it")
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise MissingApiKey(
            f"{path}: cannot read the API key for cloud {cloud_name!r}: {reason}; correct it"
        ) from error
    if not key:
        raise MissingApiKey(f"{path} is empty; put the API key for cloud {cloud_name!r} into it")
    return key
