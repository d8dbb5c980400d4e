"""Packets worth trying for a resource of a policy: connects, messages, subscriptions, deliveries."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from harness.policy.derivation.case import Verb
from harness.policy.derivation.probes import Text, identities, inside, outside, strangers
from harness.policy.derivation.shape import Shape, shape_of
from harness.policy.documents.arn import resource_part
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.statement import Statement
from harness.policy.evaluation.explain import name_of
from harness.policy.evaluation.membership import DEVICE, OTHER_DEVICE
from harness.policy.evaluation.principal import Context

_ANY = Text(f"test/{DEVICE}", "any text")


class Candidate(NamedTuple):
    """A packet that may be worth trying. ``template``: client id, topic or filter; with ``will``, the will's topic."""

    verb: Verb
    template: str
    words: str
    retain: bool = False
    will: bool = False
    persistent: bool = False


def candidates(documents: Iterable[PolicyDocument], context: Context) -> Iterator[Candidate]:
    """Yield packets inside the resources of ``documents``, which show what is allowed, then packets just outside."""
    documents = tuple(documents)
    yield Candidate(Verb.CONNECT, DEVICE, "the device connects under its own client id")
    yield Candidate(Verb.CONNECT, OTHER_DEVICE, "the device connects under another device's client id")
    resources = list(_resources(documents, context))
    for resource in resources:
        yield from resource.witnesses()
    for resource in resources:
        yield from resource.boundary()
    for resource in resources:
        yield from resource.flags()
    if any("connectattributes" in c.key.lower() for d in documents for s in d.statements for c in s.conditions):
        yield Candidate(Verb.CONNECT, DEVICE, "the device connects with a persistent session", persistent=True)


def candidates_of_absent(document: PolicyDocument, context: Context) -> Iterator[Candidate]:
    """Yield one packet for each resource of a document that is not in force: a packet that only it would allow."""
    for resource in _resources([document], context):
        for candidate in list(resource.witnesses())[:1]:
            yield candidate._replace(words=f"{candidate.words}; this document is not in force here")


def _resources(documents: Iterable[PolicyDocument], context: Context) -> Iterator["_Resource"]:
    for document in documents:
        for statement in document.statements:
            for written in statement.resources:
                shape = shape_of(written, variables=statement.variables, context=context)
                if shape is not None:
                    yield _Resource(statement, written, shape)


class _Resource(NamedTuple):
    statement: Statement
    written: str
    shape: Shape

    def witnesses(self) -> Iterator[Candidate]:
        """Requests that the resource matches."""
        match self.shape.type:
            case "topicfilter":
                texts = list(inside(self.shape, subscribing=True))
                yield from (self._candidate(Verb.SUBSCRIBE, text) for text in texts)
                yield from (self._candidate(Verb.RECEIVE, text) for text in texts[:1])
            case "topic":
                texts = list(inside(self.shape, subscribing=False))
                yield from (self._candidate(Verb.PUBLISH, text) for text in texts if self._takes("Publish"))
                yield from (self._candidate(Verb.RECEIVE, text) for text in texts if self._takes("Receive"))
            case None:
                for verb in (Verb.PUBLISH, Verb.SUBSCRIBE, Verb.RECEIVE):
                    if self._takes(verb):
                        yield self._candidate(verb, _ANY)
                        yield self._candidate(verb, Text("test", "any text"))
                if self._takes(Verb.SUBSCRIBE):
                    yield self._candidate(Verb.SUBSCRIBE, Text("#", "any text"))

    def boundary(self) -> Iterator[Candidate]:
        """Requests one change away from those that it matches: another text, another device or team, another action."""
        match self.shape.type:
            case "topicfilter":
                for text in outside(self.shape, subscribing=True):
                    yield self._candidate(Verb.SUBSCRIBE, text)
                yield from self._strange(Verb.SUBSCRIBE)
                yield from self._swapped(Verb.PUBLISH, "published instead of subscribed")
            case "topic":
                verbs = [Verb.PUBLISH] * self._takes("Publish") + [Verb.RECEIVE] * self._takes("Receive")
                for verb in verbs:
                    yield from (self._candidate(verb, text) for text in outside(self.shape, subscribing=False))
                    yield from self._strange(verb)
                yield from self._swapped(Verb.SUBSCRIBE, "subscribed instead of published")
            case "client":
                yield from (self._candidate(Verb.CONNECT, text) for text in identities(self.shape))

    def flags(self) -> Iterator[Candidate]:
        """The same topics, tried as a retained message and as a will."""
        if self.shape.type not in ("topic", None) or not (self._takes("Publish") or self._takes("RetainPublish")):
            return
        texts = inside(self.shape, subscribing=False) if self.shape.type else [_ANY]
        for text in list(texts)[:1]:
            yield self._candidate(Verb.PUBLISH, text._replace(words=f"{text.words}, retained"))._replace(retain=True)
            will = self._candidate(Verb.CONNECT, text._replace(words=f"{text.words}, as will"))._replace(will=True)
            yield will
            yield will._replace(retain=True, words=f"{will.words}, retained")
            for strange in strangers(text.template):
                words = f"{strange.words} topic as will"
                yield self._candidate(Verb.CONNECT, strange._replace(words=words))._replace(will=True)

    def _strange(self, verb: Verb) -> Iterator[Candidate]:
        for text in list(inside(self.shape, subscribing=verb is Verb.SUBSCRIBE))[:1]:
            for strange in strangers(text.template):
                yield self._candidate(verb, strange._replace(words=f"{strange.words} topic"))

    def _swapped(self, verb: Verb, words: str) -> Iterator[Candidate]:
        subscribing = verb is not Verb.SUBSCRIBE
        texts = [*list(inside(self.shape, subscribing=subscribing))[:1], Text(self.shape.head.rstrip("/"), "")]
        yield from (self._candidate(verb, Text(text.template, words)) for text in texts)

    def _takes(self, action: str) -> bool:
        return self.statement.takes(f"iot:{action}")

    def _candidate(self, verb: Verb, text: Text) -> Candidate:
        where = f"{name_of(self.statement)} ({resource_part(self.written)})"
        return Candidate(verb, text.template, f"{where}: {text.words}")
