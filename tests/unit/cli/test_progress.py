"""Progress on a terminal and elsewhere."""

import io
import re
import threading

from harness.cli.progress import Progress
from harness.redact import SECRETS


class Screen(io.StringIO):
    """Tells when a text was written."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = threading.Event()
        self.awaited = "…"

    def write(self, text: str) -> int:
        count = super().write(text)
        if self.awaited in text:
            self.seen.set()
        return count


def test_elsewhere_each_step_is_a_line_as_it_begins():
    out = io.StringIO()
    progress = Progress(out)
    progress("opening the port")
    progress("reading")
    progress.close()
    progress.close()
    assert re.fullmatch(r" +0\.\d s  opening the port\n +0\.\d s  reading\n", out.getvalue())


def test_on_a_terminal_the_line_lives_and_stays_with_its_seconds():
    out = Screen()
    progress = Progress(out, live=True)
    progress("making a key")
    assert out.seen.wait(10.0)
    progress("writing")
    progress.close()
    live, *rest = out.getvalue().split("\n")
    assert re.match(r"\r +0\.\d s  making a key …\x1b\[K", live)
    assert re.search(r"\r +\d+\.\d s  making a key\x1b\[K$", live)
    assert re.search(r"\r +\d+\.\d s  writing\x1b\[K$", rest[0])
    assert rest[1:] == [""]


def test_no_secret_is_shown():
    SECRETS.add("progress-secret-0123456789")
    out = io.StringIO()
    Progress(out)("key progress-secret-0123456789")
    assert out.getvalue().endswith("key <redacted>\n")
