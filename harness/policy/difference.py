"""The shortest topic that a changed policy decides differently, or the proof that no such topic exists.

What a policy allows is what some of its patterns match and others do not, so two policies differ exactly if some text
leads their patterns, read side by side, to a place where the decisions differ. That is searched for, breadth first,
through all texts that MQTT and AWS IoT take (:mod:`harness.policy.mqtt_rules`; of reserved topics only those where
somebody answers: elsewhere an allowed message ends like a refused one).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from harness.policy.arn import client_arn, resource_part, topic_arn, topicfilter_arn
from harness.policy.automaton import Automaton, Level, Reading, Unit
from harness.policy.case import Verb
from harness.policy.document import PolicyDocument
from harness.policy.mqtt_rules import beyond_trials, is_request, possible_filter, possible_topic
from harness.policy.mutants import Mutant
from harness.policy.packets import Candidate
from harness.policy.pattern import Wild
from harness.policy.principal import Context
from harness.policy.statement import Effect, Statement
from harness.policy.subject import DEVICE, TENANT, Kind, Names, in_force, principal_of

_MOST_PLACES: Final = 40_000  # after so many different places a search is given up: about a second
_MOST_SLASHES: Final = 7
_NOT_COUNTED: Final = 3  # slashes of $aws/rules/NAME/, which do not count
_MOST_CHARACTERS: Final = 256
_OF_A_CONNECT: Final = ("iot:connectattributes", "iot:lastwilltopic")
_SPECIAL: Final = frozenset("/+#$\0")
_FILLERS: Final = "xyztesanoiruklm0123456789"

_LEVEL: Final = (Level.FIRST, Level.REST)
_REQUESTS: Final[tuple[tuple[Unit, ...], ...]] = (
    *(("$aws/things/", *_LEVEL, f"/shadow/{request}") for request in ("get", "update", "delete")),
    *(("$aws/things/", *_LEVEL, "/shadow/name/", *_LEVEL, f"/{request}") for request in ("get", "update", "delete")),
    *(("$aws/things/", *_LEVEL, f"/jobs/{request}") for request in ("get", "start-next")),
    *(("$aws/things/", *_LEVEL, "/jobs/", *_LEVEL, f"/{request}") for request in ("get", "update")),
    ("$aws/rules/", *_LEVEL, "/", Wild.ONE, Wild.ANY),
)
_RESERVED_DELIVERIES: Final[tuple[tuple[Unit, ...], ...]] = (
    *(("$aws/things/", *_LEVEL, f"/{service}/", Wild.ONE, Wild.ANY) for service in ("shadow", "jobs")),
    _REQUESTS[-1],
)
_RESERVED_FILTERS: Final[tuple[tuple[Unit, ...], ...]] = (("$aws/", Wild.ANY),)
# Where no trials are made (see beyond_trials): found there, a difference is none to try, but the proof is none either.
_UNTRIED: Final[tuple[tuple[Unit, ...], ...]] = (
    *((f"$aws/{service}/", Wild.ANY) for service in ("certificates", "provisioning-templates", "events")),
    *(("$aws/things/", *_LEVEL, f"/{service}/", Wild.ANY) for service in ("defender", "streams", "tunnels")),
    ("$share/", Wild.ANY),
)


class Difference(NamedTuple):
    """``candidate``: a packet that is decided differently, None if none was found. ``complete``: then there is none."""

    candidate: Candidate | None
    complete: bool


class _Packet(NamedTuple):
    """A kind of packet: the permissions that it takes, with their resources up to the topic or filter."""

    verb: Verb
    retain: bool
    actions: tuple[str, ...]


# What a subscription to more than the topic itself would deliver: no trial is made of it, but it may tell.
_DELIVERY: Final = _Packet(Verb.RECEIVE, False, ("iot:Receive",))
_PACKETS: Final = (
    _Packet(Verb.PUBLISH, False, ("iot:Publish",)),
    _Packet(Verb.SUBSCRIBE, False, ("iot:Subscribe",)),
    _Packet(Verb.RECEIVE, False, ("iot:Subscribe", "iot:Receive")),
    _Packet(Verb.PUBLISH, True, ("iot:Publish", "iot:RetainPublish")),
    _DELIVERY,
)


def difference(documents: Mapping[str, PolicyDocument], mutant: Mutant, kind: Kind, names: Names) -> Difference:
    """Look for a packet of a connected device that ``documents`` and those of ``mutant`` decide differently."""
    if mutant.document not in in_force(documents.values(), kind):
        return Difference(None, True)
    context = Context(principal_of(kind, names), connecting=False)
    changed = [statement for statement in (mutant.before, mutant.after) if statement is not None]
    complete = not any(_about_connecting(statement, context) for statement in changed)
    for packet in _PACKETS:
        if not any(statement.takes(action) for statement in changed for action in packet.actions):
            continue
        search = _Search(packet, context, names)
        text = search.run(_statements(documents, kind), _statements(mutant.documents, kind), changed)
        complete = complete and not search.incomplete
        if packet is _DELIVERY:
            complete = complete and text is None
        elif text is not None:
            words = f"the shortest text on which one change would tell ({mutant})"
            return Difference(Candidate(packet.verb, _template(text, names), words, packet.retain), False)
    return Difference(None, complete)


def _about_connecting(statement: Statement, context: Context) -> bool:
    """Tell whether a statement may say something of a CONNECT, which is no topic, or of what came with it."""
    if any(condition.key.lower() in _OF_A_CONNECT for condition in statement.conditions):
        return True
    if not statement.takes("iot:Connect"):
        return False
    parts = statement.parts(context, client_arn(""))
    return statement.not_resource or Automaton(Reading(part.tokens, "client/") for part in parts).start != 0


def _statements(documents: Mapping[str, PolicyDocument], kind: Kind) -> list[Statement]:
    names = in_force(documents.values(), kind)
    return [statement for name in names for statement in documents[name].statements]


def _template(text: str, names: Names) -> str:
    return text.replace(names.device_id, DEVICE).replace(names.tenant_id, TENANT)


class _Place(NamedTuple):
    """Where a search is; texts that lead to the same place can be continued alike.

    ``slashes``: so many were read. ``after``: what of the last level matters: empty at its begin, ``x`` inside it,
    ``+`` or ``#`` behind these. ``reserved``: the text began with ``$``.
    """

    places: int
    slashes: int = 0
    after: str = ""
    reserved: bool = False


class _Rules(NamedTuple):
    """What statements say of one action: numbers of patterns, and for each NotResource the numbers it has."""

    resources: list[int]
    others_than: list[list[int]]


class _Search:
    """One kind of packet, and two versions of the policies."""

    def __init__(self, packet: _Packet, context: Context, names: Names) -> None:
        self.incomplete = False
        self._packet, self._context, self._names = packet, context, names
        self._patterns: dict[Reading, int] = {}
        reserved = {Verb.SUBSCRIBE: _RESERVED_FILTERS, Verb.RECEIVE: _RESERVED_DELIVERIES}.get(packet.verb, _REQUESTS)
        units = () if packet.retain else (*reserved, *_UNTRIED)
        self._reserved = [self._number(Reading(one)) for one in units]
        self._automaton = Automaton(())
        self._in_question: int | None = None  # places that matter; None: all of them, and texts that lead to none

    def run(self, before: list[Statement], after: list[Statement], changed: list[Statement]) -> str | None:
        """Return the shortest text that is decided differently; one without empty levels if there is one.

        ``changed``: the statements that only one of the versions has. Where none of them matches nothing differs.
        """
        versions = [[self._rules(action, one) for action in self._packet.actions] for one in (before, after)]
        in_question = [rules for action in self._packet.actions for rules in self._rules(action, changed)]
        self._automaton = Automaton(self._patterns)
        if not any(rules.others_than for rules in in_question):
            self._in_question = self._spans(number for rules in in_question for number in rules.resources)
        first, second = ([self._decision(*rules) for rules in version] for version in versions)

        def differs(places: int) -> bool:
            if self._packet.verb is Verb.RECEIVE and not all(allows(places) for allows in first[:-1]):
                return False  # the subscription is a packet of its own
            return all(allows(places) for allows in first) != all(allows(places) for allows in second)

        return self._shortest(differs, tidy=True) or self._shortest(differs, tidy=False)

    def _rules(self, action: str, statements: list[Statement]) -> tuple[_Rules, _Rules]:
        """Return what is allowed and what is denied."""
        arn = (topicfilter_arn if action == "iot:Subscribe" else topic_arn)(
            "", region=self._names.region, account=self._names.account
        )
        rules = {Effect.ALLOW: _Rules([], []), Effect.DENY: _Rules([], [])}
        for statement in statements:
            if not statement.takes(action) or statement.failed_condition(self._context):
                continue
            parts = statement.parts(self._context, arn)
            numbers = [self._number(Reading(part.tokens, resource_part(arn))) for part in parts]
            if statement.not_resource:
                rules[statement.effect].others_than.append(numbers)
            else:
                rules[statement.effect].resources.extend(numbers)
        return rules[Effect.ALLOW], rules[Effect.DENY]

    def _number(self, reading: Reading) -> int:
        return self._patterns.setdefault(reading, len(self._patterns))

    def _decision(self, allow: _Rules, deny: _Rules) -> Callable[[int], bool]:
        """Return whether a text that ends at some places is allowed."""
        allowing, denying = self._applying(allow), self._applying(deny)
        return lambda places: allowing(places) and not denying(places)

    def _applying(self, rules: _Rules) -> Callable[[int], bool]:
        resources = self._ends(rules.resources)
        others_than = [self._ends(numbers) for numbers in rules.others_than]
        return lambda places: places & resources != 0 or any(not places & ends for ends in others_than)

    def _ends(self, numbers: Iterable[int]) -> int:
        return sum({self._automaton.ends[number] for number in numbers})

    def _spans(self, numbers: Iterable[int]) -> int:
        return sum({self._automaton.spans[number] for number in numbers})

    def _shortest(self, wanted: Callable[[int], bool], *, tidy: bool) -> str | None:
        ends, alive = self._ends(self._reserved), self._spans(self._reserved)
        start = _Place(self._automaton.start)
        came_from: dict[_Place, tuple[_Place, str] | None] = {start: None}
        ways = deque([(start, 0)])
        while ways:
            place, length = ways.popleft()
            for character, following in self._following(place, tidy=tidy):
                if following in came_from:
                    continue
                if self._in_question is not None and not following.places & self._in_question:
                    continue
                if following.reserved and not following.places & alive:
                    continue
                came_from[following] = place, character
                ended = (following.after or not tidy) and (not following.reserved or following.places & ends)
                if ended and wanted(following.places):
                    text = _read(came_from, following)
                    if self._worth_trying(text):
                        return text
                if length + 1 < _MOST_CHARACTERS:
                    ways.append((following, length + 1))
            if len(came_from) > _MOST_PLACES:
                self.incomplete = True
                return None
        return None

    def _following(self, place: _Place, *, tidy: bool) -> Iterator[tuple[str, _Place]]:
        """Yield each character that may follow, and where it leads; of those that are all alike, one."""
        if place.after == "#":
            return
        automaton, places = self._automaton, place.places
        if place.after != "+":
            begin = not place.after and not place.slashes
            letters = [letter for letter in automaton.letters if automaton.expects(places, letter)]
            filler = next((letter for letter in _FILLERS if letter not in letters), "~")
            for letter in [filler, *sorted({*letters} - _SPECIAL)]:
                yield letter, _Place(automaton.step(places, letter), place.slashes, "x", place.reserved)
            if begin and self._reserved:
                yield "$", _Place(automaton.step(places, "$"), 0, "x", True)
            elif "$" in letters and not begin:
                yield "$", _Place(automaton.step(places, "$"), place.slashes, "x", place.reserved)
            if self._packet.verb is Verb.SUBSCRIBE and not place.after:
                for wildcard in "+#":
                    after = _Place(automaton.step(places, wildcard), place.slashes, wildcard, place.reserved)
                    yield wildcard, after
        if place.slashes < _MOST_SLASHES + _NOT_COUNTED * place.reserved and (place.after or not tidy):
            yield "/", _Place(automaton.step(places, "/"), place.slashes + 1, "", place.reserved)

    def _worth_trying(self, text: str) -> bool:
        """Tell whether a packet with ``text`` is taken, and can be tried; if only the former, nothing is proved."""
        possible = possible_filter(text) if self._packet.verb is Verb.SUBSCRIBE else possible_topic(text)
        if possible and beyond_trials(text):
            self.incomplete = True
            return False
        return possible and (self._packet.verb is not Verb.PUBLISH or is_request(text))


def _read(came_from: Mapping[_Place, tuple[_Place, str] | None], place: _Place) -> str:
    characters = []
    step = came_from[place]
    while step is not None:
        place, character = step
        characters.append(character)
        step = came_from[place]
    return "".join(reversed(characters))
