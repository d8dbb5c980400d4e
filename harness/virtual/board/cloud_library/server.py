"""The application together with what leads to the modem on its UART: the AT host library, or a shell.

Sources: sdk-nrf, samples' prj.conf (CONFIG_AT_HOST_LIBRARY: AT commands and log share the UART); Asset Tracker Template
(shell with ``at`` and ``att_cloud_publish_mqtt``).
"""

from collections.abc import Callable

from harness.settings import Sample
from harness.settings.board_faults import CoreFault
from harness.virtual.board.at_host import AtHost
from harness.virtual.board.cloud_library.application import Application
from harness.virtual.board.cloud_library.samples import AssetTrackerTemplate
from harness.virtual.board.outputs import LinkEvent, Output
from harness.virtual.board.pass_through import PassThrough
from harness.virtual.board.shell.server import Shell

_OLD_BANNER = "*** Booting Zephyr OS build v2.6.99-ncs1  ***"


class _SampleBoard(PassThrough):
    """A board that runs a sample: whatever happens to the board, the application is poked afterwards."""

    def _start(self, write: Callable[[str], None]) -> None:
        """Boot the application. ``write``: takes a line of its log."""
        self._booted = self._now()
        self._application = Application(
            self._said.runs_sample, self._modem, self._nvm, self._outbox, write=write, uptime=self._uptime
        )
        self._application.boot()

    def receive(self, data: bytes) -> list[Output]:
        """Take bytes from the host."""
        return super().receive(data) + self._poked()

    def timer(self, token: int) -> list[Output]:
        """A timer has run out: the network may have come."""
        return super().timer(token) + self._poked()

    def link(self, event: LinkEvent) -> list[Output]:
        """The application's connection."""
        self._application.link(event)
        return self._outbox.take()

    def strike(self, fault: CoreFault) -> list[Output]:
        """Something happens to the board: the network may have gone."""
        return super().strike(fault) + self._poked()

    def press(self) -> list[Output]:
        """The button."""
        self._application.sample.press()
        return self._outbox.take()

    def _uptime(self) -> float:
        return (self._now() - self._booted).total_seconds()

    def _poked(self) -> list[Output]:
        self._application.poke()
        return self._outbox.take()


class CloudOnAtHost(_SampleBoard, AtHost):
    """A sample whose log and AT commands share the UART."""

    def banner(self) -> tuple[str, ...]:
        """The Cloud API's samples are of another age."""
        if self._said.runs_sample in (Sample.CLOUD_CLIENT, Sample.ASSET_TRACKER):
            return (_OLD_BANNER,)
        return (f"*** Booting nRF Connect SDK v{self.personality.sdk} ***", "*** Using Zephyr OS v4.2.99 ***")

    def boot(self) -> None:
        """Boot as the AT host does; then the application starts."""
        super().boot()
        self._start(self.unsolicited)


class CloudOnShell(_SampleBoard, Shell):
    """A sample with a shell, whose log erases and draws the prompt again."""

    prompt = "uart:~$ "

    def boot(self) -> None:
        """Boot as the shell does; then the application starts."""
        super().boot()
        self._start(self.notice)

    def own_command(self, words: list[str]) -> bool:
        """``att_cloud_publish_mqtt``."""
        sample = self._application.sample
        match words:
            case ["att_cloud_publish_mqtt", payload] if isinstance(sample, AssetTrackerTemplate):
                self._print(sample.publish(payload))
                return True
        return False
