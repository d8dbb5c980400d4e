"""A verdict's outcome with its evidence, sentence by sentence."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from harness.trial.verdict import Outcome


class How(StrEnum):
    """What a sentence rests on."""

    EVENTS = "events"
    DOCUMENTS = "documents"
    ABSENCE = "absence"  # something that would have been recorded, and was not


class Sentence(NamedTuple):
    """One sentence of the evidence. ``refs``: sequence numbers of the events that show it."""

    code: str
    text: str
    refs: tuple[int, ...] = ()
    how: How = How.EVENTS

    def as_data(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"code": self.code, "text": self.text, "refs": list(self.refs), "how": self.how.value}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Sentence":
        """Return it as it was written down. Raises KeyError, ValueError for data of something else."""
        return cls(data["code"], data["text"], tuple(data["refs"]), How(data["how"]))


class Judgement(NamedTuple):
    """What facts prove, and why. ``numbers``: of the experiment, ready for JSON; empty where there was none."""

    outcome: Outcome
    sentences: tuple[Sentence, ...]
    numbers: Mapping[str, Any] = {}

    @property
    def evidence(self) -> str:
        """The sentences in one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)
