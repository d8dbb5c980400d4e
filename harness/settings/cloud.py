"""What a local cloud can be told."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from harness.settings.board import Uuid
from harness.settings.model import AS_TUPLE, Option, Seconds, Settings, matching

NRF_CLOUD_MQTT: Final = "mqtt.nrfcloud.com:8883"
NRF_CLOUD_JITP: Final = "mqtt.nrfcloud.com:8443"  # AWS IoT's HTTPS port, for JITP without an MQTT client
PROVISIONING_SERVICE: Final = "https://api.provisioning.nrfcloud.com/v1"
"""nRF Cloud's provisioning service, which boards are claimed with."""

OnViolation = Literal["close", "ack-close", "tolerate", "suback80"]
Throttled = Literal["close", "connack", "drop"]
CloseStyle = Literal["notify", "fin", "rst", "hang"]
PolicyRefresh = Literal["connect", "live"]
CertificateRefusal = Literal["close", "alert"]
TlsVersion = Literal["1.2", "1.3"]
REASONS: Final = (
    "AUTH_ERROR",
    "CLIENT_ERROR",
    "CLIENT_INITIATED_DISCONNECT",
    "CONNECTION_LOST",
    "DUPLICATE_CLIENTID",
    "MQTT_KEEP_ALIVE_TIMEOUT",
    "SERVER_INITIATED_DISCONNECT",
    "THROTTLED",
)
"""Why a local cloud ends a connection, in the words of AWS IoT's lifecycle events. AWS IoT has more of them."""
Size = Annotated[int, Field(ge=0)]


def _reason(value: str) -> str:
    if value not in REASONS:
        raise ValueError(f"must be one of {', '.join(REASONS)}")
    return value


Reason = Annotated[str, AfterValidator(_reason)]
Identity = Annotated[
    str, matching(r"[0-9A-Fa-f-]{32,36}=0(4[0-9A-Fa-f]{128}|[23][0-9A-Fa-f]{64})", "UUID=HEX with a point on P-256")
]


class Limits(Settings):
    """Numbers an MQTT client may not exceed. Sizes are bytes of UTF-8 or payload, times are seconds.

    The defaults are AWS IoT Core's: General Reference, "AWS IoT Core message broker and protocol limits and quotas".
    The last four are off: the first two so that tests need not wait, the others because AWS IoT has none.
    """

    client_id: Size = 128
    topic: Size = 256
    topic_slashes: Size = 7
    filters_per_subscribe: Size = 8
    subscriptions: Size = 50
    payload: Size = 131_072
    connect_packet: Size = 131_072
    in_flight: Size = 100
    queued: Size = 1000  # QoS 1 messages kept for a slow or absent client; AWS publishes no number
    keepalive_shortest: Seconds = 30
    keepalive_longest: Seconds = 1200  # holds too for clients that ask for no keep-alive
    session_expiry: Seconds = 3600
    handshake: Seconds = 5
    first_packet: Seconds = 5
    connect_gap: Seconds = 0  # between two CONNECTs of a client id; 0: any. AWS IoT: 1
    publishes_per_second: Size = 0  # of a connection; 0: any number. AWS IoT: 100
    packets: Size = 0  # from a client, CONNECT among them: the last one is hung up on. 0: any number
    age: Seconds = 0  # of a connection; 0: any

    @property
    def packet(self) -> int:
        """Longest body of a packet after CONNECT: a PUBLISH with the longest topic and payload."""
        return self.payload + self.topic + 4


class BrokerBehaviour(Settings):
    """The settings of a local cloud that can be changed while it runs.

    The defaults are AWS IoT Core's: Developer Guide, "MQTT".

    ``on_violation``: what happens if the policies refuse a packet. ``close`` ends the connection, as AWS IoT does.
    ``ack-close`` acknowledges the packet first. ``tolerate`` treats the packet, also a CONNECT, as allowed.
    ``suback80`` refuses without closing: it answers SUBACK 0x80, and acknowledges a PUBLISH without delivering it; a
    CONNECT is closed without CONNACK as always. A certificate that is not ACTIVE never connects. ``close_style``: how a
    connection ends after a refusal. ``notify``: TLS close_notify and FIN. ``fin``: FIN alone. ``rst``: TCP reset.
    ``hang``: the connection stays open, and nothing is answered any more. ``close_delay``: later packets are served
    meanwhile. ``refuse_only``: counted from 1 over all connections. ``policy_refresh``: rights are those at the
    CONNECT, or are looked up again after each change of the directory. ``throttled``: ``close`` ends the connection,
    ``connack`` answers a CONNECT with CONNACK 3 and then ends it, ``drop`` answers nothing. All three have been
    reported of AWS IoT (CONTESTED). ``no_connection_state``, ``reason_delay``, ``reasons``: see ``Presence`` in
    virtual/cloud/services/presence.py.
    """

    on_violation: Annotated[OnViolation, Option("what follows a policy violation")] = "close"
    close_style: Annotated[CloseStyle, Option("how a connection is closed")] = "notify"
    close_delay: Annotated[Seconds, Option("seconds from a violation to the close", "S")] = 0.0
    refused_delivery: Annotated[
        Seconds | None, Option("seconds after which a refused message is delivered after all (default: never)", "S")
    ] = None
    refuse_only: Annotated[
        Annotated[int, Field(ge=1)] | None, Option("refuse only the N-th violation, tolerate the others", "N")
    ] = None
    policy_refresh: Annotated[
        PolicyRefresh, Option("whether a connection keeps the rights of its CONNECT or gets new ones")
    ] = "connect"
    throttled: Annotated[Throttled, Option("what happens if a client exceeds connect_gap or publishes_per_second")] = (
        "close"
    )
    limits: Annotated[Limits, Option("a limit of the broker, e.g. payload=1000", "NAME=N", "--limit")] = Limits()
    no_connection_state: Annotated[bool, Option("leave status and reason of connections out of devices' state")] = False
    reason_delay: Annotated[Seconds, Option("seconds from a disconnect to its reason in the device's state", "S")] = 0.0
    reasons: Annotated[
        dict[Reason, str], Option("the word for a reason in the device's state; nothing after =: none", "REASON=WORD")
    ] = Field(default_factory=dict)


class CloudSettings(BrokerBehaviour):
    """The settings of a local cloud, without its policy documents.

    ``cert_refusal``: how a certificate is refused that is inactive, revoked, expired, not yet valid or not registered.
    ``close``: the handshake completes, and the connection ends before CONNACK. ``alert``: a TLS alert ends the
    handshake, also that of a first JITP connection; TLS 1.3 is not offered then, because an alert would come too late.
    AWS IoT has been seen to do either (UNCONFIRMED which it does today). A client without a certificate gets an alert
    in both. ``hash_matches_parent``: whether ``sensor/#`` matches ``sensor`` (MQTT 3.1.1: yes, AWS IoT: no).
    ``retained_by_wildcard``: MQTT 3.1.1: yes, AWS IoT: no. ``maximum_tls``: AWS IoT speaks TLS 1.2 and 1.3, nRF91 modem
    firmware 1.2; whether any speaks 1.3 is UNCONFIRMED. ``jitp_delay``: nRF Cloud's is up to 30 s.
    """

    cert_refusal: Annotated[
        CertificateRefusal,
        Option("how an unusable certificate is refused: the connection ends before CONNACK, or by a TLS alert"),
    ] = "close"
    hash_matches_parent: Annotated[bool, Option("a/# matches a too: MQTT's rule, not AWS IoT's")] = False
    retained_by_wildcard: Annotated[
        bool, Option("filters with wildcards get retained messages: MQTT's rule, not AWS IoT's")
    ] = False
    maximum_tls: Annotated[TlsVersion, Option("highest TLS version of the broker")] = "1.3"
    jitp_delay: Annotated[Seconds, Option("seconds from a JITP device's first connection until it exists", "S")] = 0.05
    bulk_step: Annotated[Seconds, Option("seconds that a bulk operation is pending, and then in progress", "S")] = 0.05
    tenant: Annotated[Uuid | None, Option("team id (default: that of --state, or a new one)", "UUID")] = None
    state: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Option("keep devices and the cloud's CAs in FILE and beside it", "FILE"),
    ] = None
    trust_identities: Annotated[
        tuple[Identity, ...],
        AS_TUPLE,
        Option("identity key of another process's board, which may then be claimed", "UUID=HEX", "--trust-identity"),
    ] = ()
    proxy: Annotated[
        Annotated[int, Field(ge=0, le=65535)] | None,
        Option("HTTP CONNECT proxy for nRF Cloud's names on this port; 0: any free one", "PORT"),
    ] = None

    @property
    def highest_tls(self) -> TlsVersion:
        """The highest TLS version that the broker offers."""
        return "1.2" if self.cert_refusal == "alert" else self.maximum_tls
