"""What somebody who mistyped a word probably meant."""

import difflib


def nearest(what: str, word: str, known: list[str]) -> str:
    """Return "nearest known … is …; …", or all known ones when none is near."""
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"nearest known {what} is {near[0]!r}; correct it"
    return f"known {what}s: {', '.join(known)}; use one of them or remove the line"
