"""AT command syntax as the board reads it, and what a command handler gives back.

Sources: 3GPP TS 27.007 (run, set, read and test forms), "nRF91x1 AT Commands" reference (parameters), Serial Modem
(the grammar a line must pass before the modem sees it).

Text here holds one character per byte (Latin-1), so that quoted content passes through unchanged.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Form(Enum):
    """The four forms of an AT command."""

    RUN = "run"  # AT+X
    SET = "set"  # AT+X=1,"a"
    READ = "read"  # AT+X?
    TEST = "test"  # AT+X=?


class Refused(Exception):
    """The command fails. ``code``: the +CME ERROR number, None for a command that only knows ERROR."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Arg:
    """One parameter: its text without quotes, and whether it had quotes. An omitted one is empty and unquoted."""

    text: str
    quoted: bool

    @property
    def omitted(self) -> bool:
        return not self.text and not self.quoted


class Args:
    """The parameters of a set command. Each getter raises :class:`Refused` when a parameter is not what it must be."""

    def __init__(self, items: Sequence[Arg] = ()) -> None:
        self._items = tuple(items)

    def __len__(self) -> int:
        return len(self._items)

    def given(self, index: int) -> bool:
        """Tell whether parameter ``index`` is given and not empty."""
        return index < len(self._items) and not self._items[index].omitted

    def at_most(self, count: int) -> "Args":
        """Refuse more than ``count`` parameters."""
        if len(self._items) > count:
            raise Refused
        return self

    def exactly(self, count: int) -> "Args":
        """Refuse any other number of parameters."""
        if len(self._items) != count:
            raise Refused
        return self

    def number(self, index: int, default: int | None = None) -> int:
        """Return an unquoted decimal number; ``default`` when omitted (None: it must be given)."""
        if not self.given(index):
            if default is None:
                raise Refused
            return default
        item = self._items[index]
        if item.quoted or not re.fullmatch(r"-?[0-9]{1,10}", item.text):
            raise Refused
        return int(item.text)

    def choice(self, index: int, allowed: Sequence[int], default: int | None = None) -> int:
        """Return parameter ``index``, a number that is one of ``allowed``; ``default`` as :meth:`number` has it."""
        value = self.number(index, default)
        if value not in allowed:
            raise Refused
        return value

    def string(self, index: int, default: str | None = None, *, longest: int | None = None) -> str:
        """Return parameter ``index``, a quoted string (``""`` is one) of at most ``longest`` bytes (None: any number).

        ``default``: returned when it is omitted; None: it must be given.
        """
        if not self.given(index):
            if default is None:
                raise Refused
            return default
        item = self._items[index]
        if not item.quoted or (longest is not None and len(item.text) > longest):
            raise Refused
        return item.text

    def text(self, index: int) -> str:
        """Return a parameter with or without quotes."""
        if not self.given(index):
            raise Refused
        return self._items[index].text


@dataclass(frozen=True)
class Command:
    """One command line: ``name`` upper-case with its sign (``+CFUN``, ``%CMNG``, ``#XMQTTCON``; empty for bare AT)."""

    name: str
    form: Form
    body: str = ""
    """What follows ``=`` in a set command."""

    def args(self) -> Args:
        """Split the body at commas outside quotes. Refuses a quote in the wrong place."""
        return Args(_split(self.body)) if self.body else Args()


@dataclass(frozen=True)
class Wait:
    """The answer comes after ``seconds`` of the modem's time; ``then`` makes it at that moment."""

    seconds: float
    then: "Callable[[], Reply]"


class Later(Enum):
    """The answer comes when something outside has finished; whoever started it also answers."""

    LATER = "later"


Lines = str | Sequence[str] | None
"""None: just OK. A text: one information line, then OK. Several: that many lines, then OK."""
Reply = Lines | Wait | Later

Handler = Callable[[Args], Reply]


@dataclass(frozen=True)
class Forms:
    """The handlers of one command, by form. A form without handler is refused with ERROR."""

    run: Callable[[], Reply] | None = None
    set: Handler | None = None
    read: Callable[[], Reply] | None = None
    test: str | Callable[[], Reply] | None = None

    def call(self, command: Command) -> Reply:
        """Run the handler of the command's form; raises :class:`Refused`."""
        if command.form is Form.TEST and isinstance(self.test, str):
            return self.test
        if command.form is Form.SET and self.set is not None:
            return self.set(command.args())
        plain = {Form.RUN: self.run, Form.READ: self.read, Form.TEST: self.test}.get(command.form)
        if plain is None or isinstance(plain, str):
            raise Refused
        return plain()


Commands = Mapping[str, Forms]

_LINE = re.compile(r"AT(?:(E[01])|([+%#][A-Z0-9_]+)(?:(\?)|(=\?)|=(?!\?)(.*))?)?", re.IGNORECASE | re.DOTALL | re.ASCII)


def parse(line: str) -> Command | None:
    """Return the command of a line that begins with AT, or None when it fails Serial Modem's grammar check."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    echo, name, read, test, body = found.groups()
    if echo:
        return Command(echo.upper(), Form.RUN)
    if not name:
        return Command("", Form.RUN)
    form = Form.READ if read else Form.TEST if test else Form.RUN if body is None else Form.SET
    return Command(name.upper(), form, body or "")


# A quoted text has no escape: it ends at the next quote. Spaces around a parameter are tolerated, as the modem does.
_ARG = re.compile(r' *(?:"([^"]*)"|([^", ]*(?: +[^", ]+)*)) *(,|\Z)', re.DOTALL)


def _split(body: str) -> list[Arg]:
    items: list[Arg] = []
    position = 0
    while True:
        found = _ARG.match(body, position)
        if found is None:
            raise Refused
        quoted = found[1] is not None
        items.append(Arg(found[1] if quoted else found[2], quoted))
        position = found.end()
        if not found[3]:
            return items
