"""The outcome for an action that was sometimes hung up on, and sometimes answered: that cannot be its policy.

The cause may be a limit of packets. If one is known, the places end with the slot in which the limit strikes. So the
limit hits an action at the last place. An action at an earlier place is answered, and what follows it may meet the
limit too.
"""

from harness.trial.experiment import evidence
from harness.trial.experiment.context import ExperimentContext, Script
from harness.trial.experiment.controls import find_suspect
from harness.trial.experiment.outcome import ExperimentResult, Suspect


def mixed(context: ExperimentContext, suspect: Suspect, text: str) -> Script[ExperimentResult]:
    """Return that nothing is proved: for what ends connections if a limit is known, otherwise for ``suspect``.

    ``context``: of the experiment. ``text``: why, in words.
    """
    if context.night.limit:
        found, shown = yield from find_suspect(context)
        if found is not Suspect.BURST:
            return evidence.inconclusive(context, found, f"{text}; {shown}")
    return evidence.inconclusive(context, suspect, text)
