"""Finds the shortest text that two versions of the policies decide differently, for one kind of packet.

The search covers all texts that MQTT and AWS IoT accept (:mod:`harness.policy.evaluation.mqtt_rules`). Of reserved
topics it covers only those where somebody answers, because elsewhere an allowed message looks like a refused one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from harness.policy.derivation.case import Verb
from harness.policy.derivation.packets import Candidate
from harness.policy.documents.arn import resource_part, topic_arn, topicfilter_arn
from harness.policy.documents.pattern import Wild
from harness.policy.documents.statement import Effect, Statement
from harness.policy.evaluation.membership import DEVICE, TENANT, Names
from harness.policy.evaluation.mqtt_rules import beyond_trials, is_request, possible_filter, possible_topic
from harness.policy.evaluation.principal import Context
from harness.policy.proof.automaton import Automaton, Level, Reading, Unit
from harness.policy.proof.mutants import Mutant
from harness.policy.proof.search import Effort, TextSearch

_MOST_REFUSED: Final = 100  # how many unsuitable texts end a search

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
# Topics on which others publish to the device: the shadow service, and clients of its team.
_MESSAGES_COME: Final[tuple[tuple[str | Wild, ...], ...]] = (
    *((f"$aws/things/{DEVICE}/shadow/{end}",) for end in ("get/accepted", "update/accepted", "update/delta")),
    (f"{DEVICE}/shadow/update/delta",),
    (f"prod/{TENANT}/", Wild.ANY),
)
# Topics without trials (see beyond_trials). A difference there cannot be tried, but it disproves equivalence.
_UNTRIED: Final[tuple[tuple[Unit, ...], ...]] = (
    *((f"$aws/{service}/", Wild.ANY) for service in ("certificates", "provisioning-templates", "events")),
    *(("$aws/things/", *_LEVEL, f"/{service}/", Wild.ANY) for service in ("defender", "streams", "tunnels")),
    ("$share/", Wild.ANY),
)


class Packet(NamedTuple):
    """A kind of packet: the permissions that it needs, with their resources up to the topic or filter."""

    verb: Verb
    retain: bool
    actions: tuple[str, ...]


# A delivery on a wider subscription. No trial is made of it, but two versions may decide it differently.
DELIVERY: Final = Packet(Verb.RECEIVE, False, ("iot:Receive",))
PACKETS: Final = (
    Packet(Verb.PUBLISH, False, ("iot:Publish",)),
    Packet(Verb.SUBSCRIBE, False, ("iot:Subscribe",)),
    Packet(Verb.RECEIVE, False, ("iot:Subscribe", "iot:Receive")),
    Packet(Verb.PUBLISH, True, ("iot:Publish", "iot:RetainPublish")),
    DELIVERY,
)


class _Rules(NamedTuple):
    """What statements say about one action: the numbers of patterns, and for each NotResource the numbers in it."""

    resources: list[int]
    others_than: list[list[int]]


class _Sayings(NamedTuple):
    """What the Allows and the Denies say about one action."""

    allowing: _Rules
    denying: _Rules


class Comparison:
    """One kind of packet, and two versions of the policies: the documents, and those of ``mutant``.

    ``packet``: the kind. ``context``, ``names``: of the device. ``effort``: how much searching is left.
    """

    def __init__(self, packet: Packet, mutant: Mutant, context: Context, names: Names, effort: Effort) -> None:
        self.incomplete = self.cut_off = False
        self._packet, self._mutant, self._context, self._names = packet, mutant, context, names
        self._effort = effort
        self._patterns: dict[Reading, int] = {}
        reserved = {Verb.SUBSCRIBE: _RESERVED_FILTERS, Verb.RECEIVE: _RESERVED_DELIVERIES}.get(packet.verb, _REQUESTS)
        units = () if packet.retain else (*reserved, *_UNTRIED)
        self._reserved = frozenset(self._number(Reading(one)) for one in units)
        self._automaton = Automaton(())
        self._refused = 0

    def shortest(
        self, before: list[Statement], after: list[Statement], accepted: Callable[[Candidate], bool]
    ) -> Candidate | None:
        """Return the packet with the shortest text that is decided differently; one without empty levels comes first.

        ``before``, ``after``: the statements of the two versions. ``accepted``: whether a packet is suitable. If it is
        not, the search goes on, for a delivery only among topics on which others publish.
        """
        versions = [[self._says(action, one) for action in self._packet.actions] for one in (before, after)]
        through = self._in_question()
        found = self._search(versions, through, accepted)
        if found is None and self._refused and self._packet.verb is Verb.RECEIVE:
            known = [self._number(Reading(self._filled(units))) for units in _MESSAGES_COME]
            found = self._search(versions, through, accepted, (known, self._says("iot:Publish", before)))
        return found

    def _in_question(self) -> frozenset[int] | None:
        """Return the patterns that only one version of the changed statement has.

        A text that none of them matches is decided alike. None: a text may be decided differently although no pattern
        matches it.
        """
        found: set[int] = set()
        versions = [[one] if one is not None else [] for one in (self._mutant.before, self._mutant.after)]
        for action in self._packet.actions:
            for before, after in zip(*(self._says(action, statements) for statements in versions), strict=True):
                if before.others_than != after.others_than:
                    return None
                found |= set(before.resources) ^ set(after.resources)
        return frozenset(found)

    def _search(
        self,
        versions: list[list[_Sayings]],
        through: frozenset[int] | None,
        accepted: Callable[[Candidate], bool],
        come: tuple[list[int], _Sayings] | None = None,
    ) -> Candidate | None:
        """Search once. ``come``: only topics with messages from others: patterns, and what the device may publish."""
        self._automaton = Automaton(self._patterns)
        wildcards = self._packet.verb is Verb.SUBSCRIBE
        search = TextSearch(
            self._automaton, self._effort, wildcards=wildcards, through=through, reserved=self._reserved
        )
        first, second = ([self._decision(says) for says in version] for version in versions)
        known, sends = (self._ends(come[0]), self._decision(come[1])) if come else (0, None)

        def differs(places: int) -> bool:
            if self._packet.verb is Verb.RECEIVE and not all(allows(places) for allows in first[:-1]):
                return False  # the subscription is a packet of its own
            if all(allows(places) for allows in first) == all(allows(places) for allows in second):
                return False
            return sends is None or sends(places) or places & known != 0

        found = self._first(search.texts(differs, tidy=False), accepted)
        if found is not None and "" in found.template.split("/"):
            found = self._first(search.texts(differs, tidy=True), accepted) or found
        self.cut_off = self.cut_off or search.cut_off
        self.incomplete = self.incomplete or self.cut_off or self._refused > 0
        return found

    def _first(self, texts: Iterator[str], accepted: Callable[[Candidate], bool]) -> Candidate | None:
        refused = 0
        for text in texts:
            if not self._worth_trying(text):
                continue
            words = f"the shortest text on which one change would tell ({self._mutant})"
            found = Candidate(self._packet.verb, _template(text, self._names), words, self._packet.retain)
            if self._packet is DELIVERY or accepted(found):
                return found
            refused += 1
            self._refused += 1
            if refused == _MOST_REFUSED:
                break
        return None

    def _filled(self, units: Sequence[str | Wild]) -> tuple[Unit, ...]:
        return tuple(self._names.resolve(unit) if isinstance(unit, str) else unit for unit in units)

    def _says(self, action: str, statements: list[Statement]) -> _Sayings:
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
        return _Sayings(rules[Effect.ALLOW], rules[Effect.DENY])

    def _number(self, reading: Reading) -> int:
        return self._patterns.setdefault(reading, len(self._patterns))

    def _decision(self, says: _Sayings) -> Callable[[int], bool]:
        """Tell whether a text is allowed that ends at these places."""
        allowing, denying = self._applying(says.allowing), self._applying(says.denying)
        return lambda places: allowing(places) and not denying(places)

    def _applying(self, rules: _Rules) -> Callable[[int], bool]:
        resources = self._ends(rules.resources)
        others_than = [self._ends(numbers) for numbers in rules.others_than]
        return lambda places: places & resources != 0 or any(not places & ends for ends in others_than)

    def _ends(self, numbers: Iterable[int]) -> int:
        return sum({self._automaton.ends[number] for number in numbers})

    def _worth_trying(self, text: str) -> bool:
        """Tell whether the service takes a packet with ``text`` and a trial can be made of it.

        If the service takes it but no trial can be made, the two versions are not proved equal.
        """
        possible = possible_filter(text) if self._packet.verb is Verb.SUBSCRIBE else possible_topic(text)
        if possible and beyond_trials(text):
            self.incomplete = True
            return False
        return possible and (self._packet.verb is not Verb.PUBLISH or is_request(text))


def _template(text: str, names: Names) -> str:
    return text.replace(names.device_id, DEVICE).replace(names.tenant_id, TENANT)
