"""A shell between host and modem: prompt, echo, ``at '<command>'``.

Sources: sdk-nrf, AT shell library (the command ``at``, line feeds written as ``\\n``, notifications only after
``at events_enable``, length of an answer); Zephyr documentation, Shell and Kernel shell (``help``, ``kernel reboot``);
bytes recorded from Modem Shell.
"""

from typing import Final

from harness.virtual.board.pass_through import PassThrough
from harness.virtual.board.shell.line_editor import LineEditor
from harness.virtual.board.shell.words import OpenQuote, split_words

PROMPT: Final = "mosh:~$ "
ANSWER_BUFFER: Final = 2700
E2BIG: Final = 7
_WRITE_CREDENTIAL: Final = "AT%CMNG=0"
_USAGE: Final = (
    "Usage: at <subcommand>",
    "Subcommands: events_enable, events_disable; anything else goes to the modem",
)
_KERNEL_USAGE: Final = ("kernel - Kernel commands", "Subcommands:", "  reboot  : Reboot: warm or cold.")
_HELP: Final = (
    "Available commands:",
    "  at      : Execute an AT command.",
    "  help    : Prints the help message.",
    "  kernel  : Kernel commands",
)


class Shell(PassThrough):
    """A shell as far as AT commands go. With ``colour`` prompt and errors are coloured, the cursor moves."""

    prompt = PROMPT

    def boot(self) -> None:
        """Send the banner and the first prompt."""
        self._editor = LineEditor()
        self._events = False
        self._print(f"*** Booting nRF Connect SDK v{self.personality.sdk} ***", "")
        self._show_prompt()

    def take(self, data: bytes) -> int:
        """Echo; at the end of a line do what it says."""
        taken, echo, line = self._editor.feed(data)
        self.send(echo)
        if line is not None:
            self._run(line)
        return taken

    def answer(self, text: str) -> None:
        """The modem's answer, and the prompt."""
        if len(text) > ANSWER_BUFFER:
            self._print(f"Sending AT command failed with error code -{E2BIG}")
        else:
            self.send(text.encode("latin-1"))
        self._show_prompt()

    def unsolicited(self, text: str) -> None:
        """Notifications only show when they were asked for; the line that is being typed is drawn again after them."""
        if not self._events:
            return
        self.notice("AT event handler:", text)

    def notice(self, *lines: str, prompt: bool = True) -> None:
        """Print lines that nobody asked for; where a prompt stands, it and what has been typed are drawn again."""
        idle = prompt and not self.busy
        if idle and self._said.colour:
            self.send(b"\x1b[%dD\x1b[J" % (len(self.prompt) + len(self._editor.line)))
        self._print(*lines)
        if idle:
            self._show_prompt()
            self.send(self._editor.line)

    def own_command(self, words: list[str]) -> bool:
        """Run a command that firmware built on this has besides; False when it is none."""
        return False

    def _run(self, line: str) -> None:
        try:
            words = split_words(line)
        except OpenQuote as error:
            self._complain(f"not terminated: {error}")
            words = []
        match words:
            case ["at", "events_enable" | "events_disable" as what, *_]:
                self._events = what == "events_enable"
                self._print(f"AT command event handler {'enabled' if self._events else 'disabled'}")
            case ["at", command, *_]:
                if command.startswith(_WRITE_CREDENTIAL):
                    command = command.replace("\\n", "\r\n")
                self.execute(command)
                return
            case ["at"]:
                self._print(*_USAGE)
            case ["help"]:
                self._print(*_HELP)
            case ["kernel", "reboot", "warm" | "cold"]:
                self.restart()  # the whole chip, the modem included: nothing is said before
                return
            case ["kernel", *_]:
                self._print(*_KERNEL_USAGE)
            case [name, *_] if not self.own_command(words):
                self._complain(f"{name}: command not found")
        self._show_prompt()

    def _complain(self, text: str) -> None:
        self._print(f"\x1b[1;31m{text}\x1b[m" if self._said.colour else text)

    def _print(self, *lines: str) -> None:
        self.send("".join(f"{line}\r\n" for line in lines).encode("latin-1"))

    def _show_prompt(self) -> None:
        self.send((f"\x1b[1;32m{self.prompt}\x1b[m" if self._said.colour else self.prompt).encode())
