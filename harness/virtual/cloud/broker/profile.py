"""How the broker behaves where services differ: limits, and what follows a violation.

The defaults are AWS IoT Core's: Developer Guide, "MQTT"; General Reference, "AWS IoT Core message broker and protocol
limits and quotas". Throttling is off by default (``limits``), because it would make every test wait.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.settings import CertificateRefusal, CloseStyle, Limits, OnViolation, PolicyRefresh, Throttled


@dataclass(frozen=True)
class BrokerProfile:
    """One behaviour of the broker.

    ``on_violation``: what happens if the policies refuse a packet. ``close`` ends the connection, as AWS IoT does.
    ``ack-close`` acknowledges the packet first. ``tolerate`` treats the packet, also a CONNECT, as allowed.
    ``suback80`` refuses without closing: it answers SUBACK 0x80, and acknowledges a PUBLISH without delivering it; a
    CONNECT is closed without CONNACK as always. A certificate that is not ACTIVE never connects. ``close_delay``:
    seconds from the violation to the close. Later packets are served meanwhile. ``refused_delivery``: seconds after
    which a refused PUBLISH is delivered after all; None: never. ``refuse_only``: only the n-th violation is refused,
    counted from 1 over all connections; None: each one. ``throttled``: what happens if there are more CONNECTs or
    PUBLISHes than ``limits`` allow. ``close`` ends the connection, ``connack`` answers a CONNECT with CONNACK 3 and
    then ends it, ``drop`` answers nothing. All three have been reported of AWS IoT (CONTESTED).
    ``no_connection_state``, ``reason_delay``, ``reasons``: see ``Presence`` in services/presence.py. ``close_style``:
    how a connection ends after a refusal. ``notify``: TLS close_notify and FIN. ``fin``: FIN alone. ``rst``: TCP reset.
    ``hang``: the connection stays open, and nothing is answered any more. ``cert_refusal``: how a certificate is
    refused that is inactive, revoked, expired, not yet valid or not registered. ``close``: the handshake completes, and
    the connection ends before CONNACK. ``alert``: a TLS alert ends the handshake, also that of a first JITP connection;
    TLS 1.3 is not offered then, because an alert would come too late. AWS IoT has been seen to do either (UNCONFIRMED
    which it does today). A client without a certificate gets an alert in both. ``policy_refresh``: rights are those at
    the CONNECT, or are looked up again after each change of the directory. ``hash_matches_parent``: whether
    ``sensor/#`` matches ``sensor`` (MQTT 3.1.1: yes, AWS IoT: no). ``retained_by_wildcard``: whether filters with
    wildcards get retained messages (MQTT 3.1.1: yes, AWS IoT: no). ``maximum_tls``: AWS IoT speaks TLS 1.2 and 1.3,
    nRF91 modem firmware 1.2; whether any speaks 1.3 is UNCONFIRMED.
    """

    on_violation: OnViolation = "close"
    close_style: CloseStyle = "notify"
    close_delay: float = 0.0
    refused_delivery: float | None = None
    refuse_only: int | None = None
    throttled: Throttled = "close"
    no_connection_state: bool = False
    reason_delay: float = 0.0
    reasons: Mapping[str, str] = field(default_factory=dict)
    cert_refusal: CertificateRefusal = "close"
    policy_refresh: PolicyRefresh = "connect"
    hash_matches_parent: bool = False
    retained_by_wildcard: bool = False
    maximum_tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    limits: Limits = field(default_factory=Limits)

    @property
    def highest_tls(self) -> ssl.TLSVersion:
        """The highest version that is offered."""
        return ssl.TLSVersion.TLSv1_2 if self.cert_refusal == "alert" else self.maximum_tls


AWS_IOT = BrokerProfile()
PLAIN_MQTT = replace(AWS_IOT, on_violation="suback80", hash_matches_parent=True, retained_by_wildcard=True)
"""The rules of the OASIS standard where they differ. There is no QoS 2 here either."""
