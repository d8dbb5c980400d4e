"""The evidence in sentences: what was done how often, what happened, and how likely a coincidence is."""

from harness.trial.experiment.context import ExperimentContext
from harness.trial.experiment.outcome import Conclusion, ExperimentResult, Suspect, Tally
from harness.trial.experiment.rule import IGNORED_SHARE, LATE_SHARE, PLACES, PROMPT_SHARE
from harness.trial.experiment.wealth import one_in
from harness.trial.judgement import Sentence


def policy_disconnect(context: ExperimentContext) -> ExperimentResult:
    """The broker hung up exactly at the action, wherever it stood."""
    tally, night = context.tally, context.night
    chance = one_in(tally.wealth, PROMPT_SHARE)
    arms = tally.hits + tally.misses
    places = ", ".join(map(str, tally.places))
    sentences = [
        Sentence("refused", f"{context.subject.action} was refused: policy disconnect."),
        Sentence(
            "hits",
            f"On {tally.hits} of {arms} fresh connections the other side hung up exactly at it, before answering it "
            f"({_seconds(tally.delays)} after it; a round trip takes {_seconds([night.round_trip])}).",
        ),
        Sentence(
            "places",
            f"Its place among up to {_counts(tally)} was drawn at random each time ({places}); "
            f"{tally.shams_answered} allowed actions in the places before it ({context.subject.sham}) were answered"
            + (f", and {_times(tally.lost)} the connection ended before it was sent" if tally.lost else "")
            + (f", and {_times(tally.stays)} it was answered." if tally.stays else "."),
        ),
        Sentence(
            "chance",
            f"Chance of a coincidence below 1 in {chance:,}: what else may end connections (a cut, an age limit, a "
            "packet limit, a duplicate client) cannot know the place.",
        ),
        *_idled(tally),
        Sentence("registered", "The modem stayed registered and nothing restarted."),
        *_voided(context),
        *_reached_nobody(context),
        Sentence("after", f"Each time the same credentials connected again, and {_baseline(context)} worked."),
        *_common(context),
    ]
    return ExperimentResult(Conclusion.POLICY_DISCONNECT, tuple(sentences), tally, one_in=chance)


def tolerated(context: ExperimentContext) -> ExperimentResult:
    """It was answered, and nothing came of it."""
    tally = context.tally
    sentences = [
        Sentence("baseline", f"Just before, on the same connection, {_baseline(context)} worked."),
        Sentence(
            "stayed",
            f"It was answered, an allowed action after it too, and the connection stayed for {context.rule.hold:g} s.",
        ),
    ]
    if tally.effect:
        sentences.append(Sentence("effect", f"Effect: {tally.effect}."))
    if tally.hits:
        arms = tally.hits + tally.misses
        sentences.append(Sentence("once", f"Hung up on at it {_times(tally.hits)} in {arms}: that was something else."))
    if tally.lost:
        sentences.append(Sentence("lost", f"The connection ended before it was sent {_times(tally.lost)}."))
    return ExperimentResult(Conclusion.TOLERATED, (*sentences, *_common(context)), tally)


def late(context: ExperimentContext, *, answered: bool) -> ExperimentResult:
    """The board was hung up on, each time as long after the action."""
    tally = context.tally
    chance = one_in(tally.late_wealth, LATE_SHARE)
    conclusion = Conclusion.ACKNOWLEDGED_THEN_CLOSED if answered else Conclusion.LATE_DISCONNECT
    since = "its answer" if answered else "it, without an answer"
    sentences = [
        Sentence("late", f"{context.subject.action}: {conclusion}."),
        Sentence(
            "delays",
            f"The board was hung up on {_times(len(tally.late_delays))}, {_seconds(tally.late_delays)} after {since}, "
            "although it was sent after an idle time that was drawn at random.",
        ),
        Sentence("chance", f"Chance of a coincidence below 1 in {chance:,}: a clock cannot know the idle time."),
        *_common(context),
    ]
    return ExperimentResult(conclusion, tuple(sentences), tally, one_in=chance)


def ignored(context: ExperimentContext) -> ExperimentResult:
    """Its message alone is missing, again and again."""
    tally = context.tally
    chance = one_in(tally.round_wealth, IGNORED_SHARE)
    sentences = [
        Sentence("ignored", f"{context.subject.action} was ignored: the connection stayed, and it had no effect."),
        Sentence(
            "rounds",
            f"It stood at a random place among {PLACES} messages in {tally.rounds} rounds, and was missing each time"
            f"{f' ({tally.effect})' if tally.effect else ''}.",
        ),
        Sentence("chance", f"Chance of a coincidence below 1 in {chance:,}."),
        *_common(context),
    ]
    return ExperimentResult(Conclusion.IGNORED, tuple(sentences), tally, one_in=chance)


def refused_in_suback(context: ExperimentContext) -> ExperimentResult:
    """The broker answered SUBSCRIBE with 0x80, twice at least, and granted what is allowed."""
    text = (
        f"{context.subject.action} was refused in SUBACK (0x80) on {context.tally.said_no} fresh connections; a cut "
        f"cannot forge that. {context.tally.shams_answered} allowed actions ({context.subject.sham}) were answered."
    )
    return ExperimentResult(Conclusion.REFUSED_IN_SUBACK, (Sentence("suback", text), *_common(context)), context.tally)


def accepted(context: ExperimentContext) -> ExperimentResult:
    """The login in question works."""
    text = f"{context.subject.action} was accepted."
    return ExperimentResult(Conclusion.TOLERATED, (Sentence("accepted", text),), context.tally)


def refused(context: ExperimentContext) -> ExperimentResult:
    """The login in question fails and the right one works, as the coin fell."""
    tally = context.tally
    chance = one_in(tally.wealth, 1.0)
    right = tally.attempts - tally.wrong_refused
    sentences = (
        Sentence("refused", f"{context.subject.action} was refused."),
        Sentence(
            "coin",
            f"A coin chose the login before each of {tally.attempts} attempts: it was refused {tally.wrong_refused} of "
            f"{tally.wrong_refused} times, the right one {tally.right_refused} of {right} times.",
        ),
        Sentence("chance", f"Chance of a coincidence below 1 in {chance:,}: a bad link cannot know the coin."),
    )
    return ExperimentResult(Conclusion.REFUSED, sentences, tally, one_in=chance)


def refused_in_words(context: ExperimentContext) -> ExperimentResult:
    """The other side said no, between attempts with the right login that worked."""
    text = (
        f"{context.subject.action} was refused {_times(context.tally.wrong_refused)}, in words no cut can forge; "
        "the right one worked before, between and after."
    )
    return ExperimentResult(Conclusion.REFUSED, (Sentence("refused", text),), context.tally)


def inconclusive(context: ExperimentContext, suspect: Suspect, text: str) -> ExperimentResult:
    """Nothing was proved; say what was seen in ``context``, why (``text``), and what is the ``suspect``."""
    tally = context.tally
    arms = tally.hits + tally.misses
    sentences = [Sentence("inconclusive", f"{context.subject.action}: nothing is proved.")]
    if arms:
        parts = [f"the other side hung up exactly at it on {tally.hits}"]
        parts += [f"the connection was gone before it was sent on {tally.lost}"] * bool(tally.lost)
        parts += [f"it was answered on {tally.stays}"] * bool(tally.stays)
        sentences.append(Sentence("arms", f"Of {arms} connections: {', '.join(parts)}; wealth {tally.wealth:.2g}."))
    if tally.reasons:
        sentences.append(Sentence("no hit", f"A hang-up at it did not count: {tally.reasons[-1]}."))
    if tally.error:
        sentences.append(Sentence("no connection", f"The last connection that did not come up: {tally.error}."))
    sentences.append(Sentence("suspect", f"Suspected: {suspect}. {text[:1].upper()}{text[1:]}."))
    return ExperimentResult(Conclusion.INCONCLUSIVE, (*sentences, *_common(context)), tally, suspect)


def _baseline(context: ExperimentContext) -> str:
    """Return the allowed action that worked, in words; a sentence goes on behind it."""
    return context.tally.baseline or "the allowed action"


def _reached_nobody(context: ExperimentContext) -> list[Sentence]:
    return [Sentence("reached nobody", "The message reached nobody.")] if context.tally.unreached else []


def _counts(tally: Tally) -> str:
    """Return how many places there were: fewer, once connections had ended at a limit."""
    return ", then ".join(str(count) for count in dict.fromkeys(arm.places for arm in tally.arms))


def _idled(tally: Tally) -> list[Sentence]:
    if not tally.idled:
        return []
    because = f"The other side took up to {_seconds([max(tally.delays)])} to hang up"
    if tally.one_age:
        because = f"The connections were about as old each time ({_seconds(tally.ages)})"
    text = f"{because}, so an idle one was watched: it stayed for {_seconds([tally.idled])}."
    return [Sentence("idled", text)]


def _voided(context: ExperimentContext) -> list[Sentence]:
    if not context.tally.voided:
        return []
    what = "A line of the board was lost" if context.line == context.tally.void else "The radio network went away"
    text = f"{what} once ({context.tally.void!r}): what was staked then counts as lost."
    return [Sentence("voided", text)]


def _common(context: ExperimentContext) -> list[Sentence]:
    night = context.night
    minutes = night.seconds / 60
    return [
        Sentence("differs", f"The sham differs from the action in: {context.subject.differs}."),
        Sentence(
            "night",
            f"On this board so far: {night.lost} unexplained hang-ups in {night.shams:,} allowed actions "
            f"and {minutes:.3g} min.",
        ),
    ]


def _seconds(values: list[float]) -> str:
    unit, scale = ("s", 1.0) if max(values) >= 1 else ("ms", 1000.0)
    return ", ".join(f"{value * scale:.3g}" for value in values) + f" {unit}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
