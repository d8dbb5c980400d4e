"""Who makes a request, and the policy variables and condition keys that follow from that.

Names and presence from "AWS IoT Core Developer Guide": basic policy variables, thing policy variables, X.509
certificate policy variables, connect policy examples.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.policy.documents.arn import topic_arn
from harness.policy.documents.variables import key as normal_key

# X.509 certificate policy variable limitations
_MAX_VALUES = 5
_MAX_LENGTH = 1024
_UNFIT = frozenset("*$+?#")
_ESCAPED = str.maketrans({character: "\\" + character for character in ',"\\+=<>;'})


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity of a connection: its certificate, the client id of its CONNECT, and the thing behind both.

    ``thing_name``: the thing whose name is the client id, None if there is none. ``attached``: whether the certificate
    is attached to that thing. ``client_id`` None: no MQTT connection (HTTPS has no client id).
    ``connect_attributes``: ``PersistentConnect``, ``LastWill``. ``last_will_topic``: topic of the will, or its ARN.
    ``certificate``: values by name without ``iot:Certificate.``, e.g. ``{"Subject.CommonName": ("x",)}``.
    """

    client_id: str | None
    thing_name: str | None
    attached: bool
    attributes: Mapping[str, str] = field(default_factory=dict)
    thing_type: str | None = None
    source_ip: str | None = None
    domain_name: str | None = None
    certificate_id: str | None = None
    connect_attributes: tuple[str, ...] = ()
    last_will_topic: str | None = None
    certificate: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Context:
    """Values of variables and condition keys for one principal.

    ``connecting``: the request is the CONNECT itself. The keys that describe that packet exist only then.
    Variables have one spelling; condition keys may have any case (:mod:`harness.policy.documents.variables`). The name
    of an attribute, inside ``[...]``, is case-sensitive in both. UNCONFIRMED: elsewhere AWS distinguishes the case of
    attribute names.
    """

    __slots__ = ("_lists", "_single", "_variables")

    def __init__(self, principal: Principal, *, connecting: bool) -> None:
        # AWS IoT deletes an attribute by making it empty, so an empty attribute counts as absent everywhere.
        self._variables = {name: value for name, value in _single_values(principal) if value}
        self._lists: dict[str, tuple[str, ...]] = {}
        for name, values in principal.certificate.items():
            self._add_certificate(name, values)
        if self._lists:
            names = (f"iot:Certificate.{name}" for name in principal.certificate)
            available = tuple(name for name in names if normal_key(f"{name}.List") in self._lists)
            self._lists["iot:certificate.availablekeys"] = available
        if connecting:
            if principal.connect_attributes:
                self._lists["iot:connectattributes"] = principal.connect_attributes
            if principal.last_will_topic:
                self._variables["iot:LastWillTopic"] = _as_arn(principal.last_will_topic)
        self._single = {normal_key(name): value for name, value in self._variables.items()}

    def variable(self, name: str) -> str | None:
        """Return the value of ``${name}``, or None if it has none. Keys with lists are not variables."""
        return self._variables.get(name)

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return the request's values of a condition key, None if the key is absent."""
        name = normal_key(key)
        single = self._single.get(name)
        return (single,) if single is not None else self._lists.get(name)

    def _add_certificate(self, name: str, values: tuple[str, ...]) -> None:
        key = f"iot:Certificate.{name}"
        numbered = enumerate(values[:_MAX_VALUES])
        fit = [(number, _certificate_text(value)) for number, value in numbered if _is_fit(value)]
        for number, text in fit:
            # .1 is the second value. Whether .0 exists is undocumented; it can only mean the first value.
            self._variables[f"{key}.{number}"] = text
            if number == 0:
                self._variables[key] = text
        if fit:
            self._lists[normal_key(f"{key}.List")] = tuple(text for _, text in fit)


def _single_values(principal: Principal) -> Iterator[tuple[str, str | None]]:
    yield "iot:ClientId", principal.client_id
    yield "iot:CertificateId", principal.certificate_id
    yield "iot:DomainName", principal.domain_name
    yield "aws:SourceIp", principal.source_ip
    if principal.client_id is None:
        return
    attached = principal.attached and principal.thing_name is not None
    yield "iot:Connection.Thing.IsAttached", "true" if attached else "false"
    if attached:
        yield "iot:Connection.Thing.ThingName", principal.thing_name
        yield "iot:Connection.Thing.ThingTypeName", principal.thing_type
        for name, value in principal.attributes.items():
            yield f"iot:Connection.Thing.Attributes[{name}]", value


def _is_fit(value: str) -> bool:
    return bool(value) and len(value) <= _MAX_LENGTH and _UNFIT.isdisjoint(value)


def _certificate_text(value: str) -> str:
    # Policies write these characters with a backslash, so the value is compared in that form.
    return value.translate(_ESCAPED)


def _as_arn(topic: str) -> str:
    return topic if topic.startswith("arn:") else topic_arn(topic)
