"""The witnesses of one board and its device, kept for the run: what they learned of the cloud serves the next trial."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from harness.at import AtPort
from harness.cloud import NrfCloud, Observer
from harness.run.witnesses.cloud_word import CloudWord
from harness.run.witnesses.delivery import ObserverAlive
from harness.run.witnesses.radio import RadioWitness

AskWitness = Callable[[], Mapping[str, Any]]

_WORD_LOCAL: Final = (
    0.3,
    0.02,
)  # the local cloud writes at once; what it did not do itself it sees a bit later
_WORD_PUBLIC: Final = (20.0, 1.5)  # UNCONFIRMED how long nRF Cloud takes; it is learned from the first hang-ups
_PATIENCE: Final = 10.0


class BoardWitnesses:
    """What else saw a trial of one board: its radio, the cloud's own word, the observer.

    ``port``: the board's. ``cloud``: asked by REST. ``observer``: returns the team's MQTT device, connected.
    ``device_id``: of the board's device. ``public``: whether the cloud is used by others too; words and messages then
    take their time. ``settle``: seconds that a message may come later than the observer's own.
    """

    def __init__(
        self,
        port: AtPort,
        cloud: NrfCloud,
        observer: Callable[[], Observer],
        device_id: str,
        *,
        public: bool,
        settle: float,
    ) -> None:
        patience, gap = _WORD_PUBLIC if public else _WORD_LOCAL
        self.word = CloudWord(lambda: cloud.device(device_id), port.timeline, patience=patience, gap=gap)
        self.radio = RadioWitness(port)
        self._alive = ObserverAlive(observer, settle=settle if public else 0.0, patience=_PATIENCE)
        self.settled: AskWitness | None = self._alive.settled if public else None
        """Asked once behind the last hang-up of a trial; None: the cloud keeps the order, so nothing comes later."""

    def begin(self) -> None:
        """A trial begins."""
        self.word.forget()
        self._alive.begin()
        self.radio.begin()

    def asked(self) -> dict[str, AskWitness]:
        """Return who is asked after a hang-up, in this order: the cloud first, whose word a reconnect erases."""
        return {"cloud": self.word, "radio": self.radio, "observer": self._alive}
