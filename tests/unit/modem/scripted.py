"""A port that answers by script: the modem layer's tests need no bytes, only commands and answers."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from harness.at import Answer, AtPort, Urc
from harness.at.answer import answer_of
from harness.at.syntax import parse_command, parse_final
from harness.errors import NoAnswer
from harness.timeline import Timeline

Reply = str | list[str] | Exception | Callable[[str], "str | list[str]"]


class ScriptedListener:
    def __init__(self, port: "ScriptedPort", names: tuple[str, ...]) -> None:
        self._port = port
        self._names = names

    def next(self, timeout: float, *, match: Callable[[Urc], bool] = lambda _: True, what: str = "") -> Urc:
        self._port.waits.append(timeout)
        while self._port.heard:
            name, args = self._port.heard.popleft().split(": ", 1)
            urc = Urc(name=name, args=args, text=f"{name}: {args}", blobs=(), t=0.0)
            if name in self._names and match(urc):
                return urc
        raise NoAnswer(f"no {what} within {timeout:.0f} s; last heard: {self._port.last_line}")


class ScriptedPort:
    """``answers``: for each command its reply: the final result alone, or lines with the final result last, or an
    exception, or a function of the command; several replies in a deque are given one after the other.
    ``urcs``: lines that are heard right after a command. A command that is not in the script fails the test.
    """

    def __init__(
        self,
        answers: Mapping[str, "Reply | deque[Reply]"] | None = None,
        *,
        urcs: Mapping[str, Iterable[str]] | None = None,
        default: Reply | None = None,
    ) -> None:
        self.answers = dict(answers or {})
        self.urcs = dict(urcs or {})
        self.default = default
        self.sent: list[str] = []
        self.timeouts: dict[str, float | None] = {}
        self.heard: deque[str] = deque()
        self.waits: list[float] = []
        self.listening = False
        self.name = "board-1"
        self.timeline = Timeline()
        self.last_line = "nothing"

    def as_port(self) -> AtPort:
        return cast(AtPort, self)

    def sync(self) -> None:
        """It is in step always."""

    def command(self, command: str, timeout: float | None = None) -> Answer:
        parsed = parse_command(command)
        self.sent.append(command)
        self.timeouts[command] = timeout
        reply = self.answers.get(command, self.default)
        if isinstance(reply, deque):
            reply = reply.popleft()
        assert reply is not None, f"{command} is not in the script; sent so far: {self.sent}"
        if callable(reply):
            reply = reply(command)
        if isinstance(reply, Exception):
            raise reply
        *lines, last = [reply] if isinstance(reply, str) else reply
        final = parse_final(last.encode())
        assert final is not None, f"{command}: the script's reply ends without a final result"
        if self.listening:
            self.heard.extend(self.urcs.get(command, ()))
        self.last_line = last
        return answer_of(parsed, final, [line.encode() for line in lines], [], 0.0)

    def listen(self, *names: str) -> ScriptedListener:
        self.listening = True
        return ScriptedListener(self, names)
