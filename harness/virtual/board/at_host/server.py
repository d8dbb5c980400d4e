"""The AT server of the at_client sample: the modem's answers as they are.

Sources: sdk-nrf, AT host library and at_client sample; bytes recorded from a board (banner, leading line feed).
"""

from typing import Final

from harness.virtual.board.at_host.host_input import HostInput
from harness.virtual.board.pass_through import PassThrough

ANSWER_BUFFER: Final = 4095
_BLANKS: Final = "".join(map(chr, range(0x21)))


class AtHost(PassThrough):
    """No echo, no CRLF before an answer, no empty line in it; unsolicited results whenever they come."""

    def boot(self) -> None:
        """Send the lines of the boot, the sample and the modem library."""
        self._line = HostInput(self._said.terminator)
        self._lead = ""
        self.send("".join(f"{line}\r\n" for line in self.banner()).encode())

    def banner(self) -> tuple[str, ...]:
        """The lines of the boot."""
        return (
            f"*** Booting nRF Connect SDK v{self.personality.sdk} ***",
            "*** Using Zephyr OS v4.2.99 ***",
            "The AT host sample started",
            "Ready",
        )

    def take(self, data: bytes) -> int:
        """Collect a line; the first visible character begins the command."""
        taken, line = self._line.feed(data)
        if line is not None:
            text = line.decode("latin-1")
            # A host that ends lines with CRLF leaves its LF to the next command; boards answer that with an LF first.
            self._lead = "\n" if text.startswith("\n") else ""
            self.execute(text.strip(_BLANKS))
        return taken

    def answer(self, text: str) -> None:
        """Send the answer. It shares the command's buffer: an answer that does not fit is an error."""
        fits = len(text) <= ANSWER_BUFFER
        self.send((self._lead + (text if fits else "ERROR\r\n")).encode("latin-1"))

    def unsolicited(self, text: str) -> None:
        """Send it at once, between a command and its answer too."""
        self.send(f"{text}\r\n".encode("latin-1"))
