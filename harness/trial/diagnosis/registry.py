"""Every diagnoser, one line each. A new one: its file, and its line here."""

from collections.abc import Callable, Iterable

from harness.trial.diagnosis.cloud_away import cloud_away
from harness.trial.diagnosis.cloud_reason import cloud_reason
from harness.trial.diagnosis.connection_limit import connection_limit
from harness.trial.diagnosis.credential_refused import credential_refused
from harness.trial.diagnosis.duplicate_client import duplicate_client
from harness.trial.diagnosis.finding import Finding
from harness.trial.diagnosis.inbound_too_large import inbound_too_large
from harness.trial.diagnosis.keep_alive import keep_alive
from harness.trial.diagnosis.misuse import misuse
from harness.trial.diagnosis.modem_fault import modem_fault
from harness.trial.diagnosis.network_lost import network_lost
from harness.trial.diagnosis.owed_events import owed_events
from harness.trial.diagnosis.own_disconnect import own_disconnect
from harness.trial.diagnosis.policy import policy
from harness.trial.diagnosis.record import Record
from harness.trial.diagnosis.throttled import throttled
from harness.trial.diagnosis.uart_trouble import uart_trouble

Diagnoser = Callable[[Record], Iterable[Finding]]

DIAGNOSERS: tuple[Diagnoser, ...] = (
    modem_fault,
    network_lost,
    own_disconnect,
    cloud_reason,
    keep_alive,
    duplicate_client,
    connection_limit,
    cloud_away,
    throttled,
    inbound_too_large,
    uart_trouble,
    owed_events,
    credential_refused,
    misuse,
    policy,
)
