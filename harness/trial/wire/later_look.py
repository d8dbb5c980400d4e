"""Reconsiders a proved refusal after the last look for the messages of its hang-ups. Pure.

At each hang-up the observer is asked at once whether it has the message. If messages may come late, the observer is
asked once more after the last hang-up. A cloud that hung up on a message, and then delivered it, did not refuse it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.timeline import Event
from harness.trial.experiment import Conclusion, ExperimentResult, Suspect
from harness.trial.judgement import How, Sentence
from harness.trial.phases import LATE, Phase, spans

_NOBODY = "reached nobody"


def looked_later(result: ExperimentResult, events: Sequence[Event]) -> ExperimentResult:
    """Return ``result`` as the last look leaves it. ``events``: of the attempt."""
    ends = [span.end for span in spans(events).get(Phase.DELIVERY, ()) if LATE in span.found]
    if result.conclusion is not Conclusion.POLICY_DISCONNECT or not ends or ends[-1] is None:
        return result
    found, refs = ends[-1].data, (ends[-1].seq,)
    if found[LATE]:
        text = (
            f"Suspected: {Suspect.DELIVERED}. Of {result.tally.hits} messages that the board was hung up on at, "
            f"{found[LATE]} had come to the observer {found['settled']:g} s after the last."
        )
        kept = [one for one in result.sentences if one.code not in ("refused", "chance", _NOBODY)]
        said = (*kept, Sentence("suspect", text, refs))
        return replace(result, conclusion=Conclusion.INCONCLUSIVE, sentences=said, suspect=Suspect.DELIVERED, one_in=0)
    return replace(result, sentences=tuple(_told(one, found, refs) for one in result.sentences))


def _told(sentence: Sentence, found: Mapping[str, Any], refs: tuple[int, ...]) -> Sentence:
    if sentence.code != _NOBODY:
        return sentence
    if not found["watched"]:
        text = "Whether the message came later is not known: the observer's connection was made anew meanwhile."
        return Sentence("not watched", text, refs, How.ABSENCE)
    text = f"The message reached nobody, looked for until {found['settled']:g} s after the last hang-up."
    return Sentence(_NOBODY, text, refs, How.ABSENCE)
