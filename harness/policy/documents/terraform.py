"""Policy documents in Terraform's own language: ``jsonencode({...})``, and JSON in a heredoc.

"Terraform Language, Strings and Templates" and "Expressions": ``$${`` is a plain ``${``, and ``${`` begins an
expression, whose value the file alone does not tell. An expression that is a whole part of an ARN before the resource
is the cloud's own partition, region or account. It is read as ``*``.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_HEREDOC = re.compile(r"<<[-~]?\s*\"?(\w+)\"?[ \t]*\r?\n(.*?)\r?\n[ \t]*\1\b", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<skip>\s+|#[^\n]*|//[^\n]*|/\*.*?\*/)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<mark>[{}\[\]=:,()])"
    r"|(?P<word>[^\s{}\[\]=:,()\"]+)",
    re.DOTALL,
)
_LITERAL = re.compile(r"true|false|null|-?[0-9]+(\.[0-9]+)?")
_TEMPLATE = re.compile(r"(\$?)\$\{([^{}]*)\}")
_CURE = "give the document as JSON, as terraform show -json prints it"


def is_terraform(text: str) -> bool:
    """Tell whether a text is written in Terraform's language, and holds a policy."""
    return re.search(r"\bjsonencode\s*\(|^\s*(resource|data)\s+\"|=\s*<<", text, re.MULTILINE) is not None


def json_in(text: str) -> str:
    """Return the one policy document in a Terraform text, as JSON. Raises ValueError with one line if it has none."""
    found = [_of_heredoc(one[2]) for one in _HEREDOC.finditer(text) if '"Statement"' in one[2]]
    found += [_encoded(text[one.end() :]) for one in re.finditer(r"\bjsonencode\s*\(", text)]
    found = [one for one in found if '"Statement"' in one]
    if not found and "aws_iam_policy_document" in text:
        raise ValueError(f"Terraform makes this document from an aws_iam_policy_document; {_CURE}")
    if len(found) != 1:
        raise ValueError(f"{len(found) or 'no'} policy documents in this Terraform text; {_CURE}, one in a file")
    return found[0]


def _of_heredoc(text: str) -> str:
    def filled(found: re.Match[str]) -> str:
        return _filled(found[0])

    return re.sub(r'"(?:[^"\\]|\\.)*"', filled, text)


def _encoded(text: str) -> str:
    return json.dumps(_value(_Tokens(text)))


class _Tokens:
    """Tokens of an expression, one after the other."""

    def __init__(self, text: str) -> None:
        self._tokens = self._cut(text)
        self.next = next(self._tokens, "")

    def take(self, *wanted: str) -> str:
        """Return the next token, which must be one of ``wanted`` if any is given."""
        word = self.next
        if not word or (wanted and word not in wanted):
            raise ValueError(
                f"{word or 'the end'} in jsonencode(...) where {wanted[0] if wanted else 'a value'} "
                f"must follow; {_CURE}"
            )
        self.next = next(self._tokens, "")
        return word

    def _cut(self, text: str) -> Iterator[str]:
        for found in _TOKEN.finditer(text):
            if found["skip"] is None:
                yield found[0]


def _value(tokens: _Tokens) -> Any:
    word = tokens.take()
    if word == "{":
        return dict(_entries(tokens))
    if word == "[":
        return list(_items(tokens))
    if word.startswith('"'):
        return json.loads(_filled(word))
    if _LITERAL.fullmatch(word):
        return json.loads(word)
    raise ValueError(f"the value of the expression {word} is not in this file; {_CURE}")


def _entries(tokens: _Tokens) -> Iterator[tuple[str, Any]]:
    while tokens.next != "}":
        key = tokens.take()
        tokens.take("=", ":")
        yield (json.loads(_filled(key)) if key.startswith('"') else key), _value(tokens)
        if tokens.next == ",":
            tokens.take()
    tokens.take("}")


def _items(tokens: _Tokens) -> Iterator[Any]:
    while tokens.next != "]":
        yield _value(tokens)
        if tokens.next != "]":
            tokens.take(",")
    tokens.take("]")


def _filled(written: str) -> str:
    """Return a quoted string, still quoted, with the value of each template in it filled in."""
    parts = written.split(":", 5) if written.startswith('"arn:') else [written]
    # An expression behind the fifth colon, or one that is the whole string, is not the cloud's own part.
    for place in range(1, len(parts) - 1):
        if re.fullmatch(r"\$\{[^{}]*\}", parts[place]):
            parts[place] = "*"
    return _TEMPLATE.sub(_plain, ":".join(parts))


def _plain(found: re.Match[str]) -> str:
    if found[1]:
        return f"${{{found[2]}}}"
    if re.fullmatch(r"[A-Za-z_]\w*", found[2]):
        return found[0]  # a placeholder, filled later
    if ":" in found[2]:
        raise ValueError(f"Terraform reads {found[0]} as an expression of its own; write ${found[0]}")
    raise ValueError(f"the value of the expression {found[0]} is not in this file; {_CURE}")
