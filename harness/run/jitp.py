"""Just-in-time provisioning: connecting, or asking, until nRF Cloud has made the device, then its association.

nRF Cloud documentation, "Just-in-time provisioning"; nRF Cloud REST API reference, AssociateDevice.
"""

from collections.abc import Callable

from harness.cloud import HARNESS_TAG, CertificateSet, JitpResult, RestError, jitp_over_https
from harness.errors import Refusal
from harness.firmware import Login
from harness.run.cloud import Cloud
from harness.run.open_board import OpenBoard
from harness.run.repetition import NotProvisioned, Rounds
from harness.trial import MqttConnection, Stage

_NOT_YET = 40412  # AssociateDevice: the device never reached the broker, or it is still being made


def by_mqtt(
    board: OpenBoard,
    cloud: Cloud,
    login: Login,
    code: str,
    rounds: Rounds,
    progress: Callable[[str], None],
    patience: float,
) -> int:
    """Connect ``board`` until ``cloud`` accepts it, associate, connect again; return how many connections that took.

    The first connection makes the cloud provision the device; the cloud drops the connection meanwhile. Raises
    NotProvisioned.

    ``login``: with the credentials that nRF Cloud made. ``code``: the ownership code. ``rounds``: how often to try.
    ``patience``: seconds for one answer. ``progress`` takes what is done.
    """
    progress("registering in the radio network")
    board.modem.register()
    timeline = board.port.timeline
    link = MqttConnection(board.mqtt, login, (), timeline, gap=rounds.gap, patience=patience, settle=patience)

    def connect(number: int) -> str | None:
        attempt = link.attempt(login)
        progress(f"connection {number}: {attempt.stage}")
        return None if attempt.stage is Stage.ACCEPTED else str(attempt)

    try:
        progress("connecting until nRF Cloud has made the device (JITP)")
        attempts = rounds.until(connect, f"{login.client_id} was not accepted by {login.host}")
        _associate(cloud, login.client_id, code, rounds, progress)
        link.disconnect()
        progress("connecting with the rights of an associated device")
        return attempts + rounds.until(connect, f"{login.client_id} was associated, and then not accepted again")
    finally:
        link.disconnect()


def by_https(cloud: Cloud, keys: CertificateSet, code: str, rounds: Rounds, progress: Callable[[str], None]) -> int:
    """Ask ``cloud`` over HTTPS from this computer, which has the key: for a board whose firmware has no MQTT.

    Returns how many requests that took. Raises NotProvisioned.

    ``keys``: key and certificates that nRF Cloud made. ``code``: the ownership code. ``rounds``: how often to try.
    ``progress`` takes what is done.
    """

    def ask(number: int) -> str | None:
        result, detail = jitp_over_https(cloud.endpoints, keys.certificate_pem, keys.private_key_pem)
        progress(f"JITP request {number}: {result}")
        if result is JitpResult.REJECTED:
            raise NotProvisioned(
                f"{keys.client_id}: JITP over HTTPS was rejected ({detail}); provision the board again"
            )
        return None if result is JitpResult.ALREADY else f"{result} ({detail})"

    progress("asking until nRF Cloud has made the device (JITP over HTTPS)")
    attempts = rounds.until(ask, f"{keys.client_id} was not provisioned over HTTPS")
    _associate(cloud, keys.client_id, code, rounds, progress)
    return attempts


def _associate(cloud: Cloud, device_id: str, code: str, rounds: Rounds, progress: Callable[[str], None]) -> None:
    progress(f"associating {device_id} with its ownership code")

    def associate(_number: int) -> str | None:
        try:
            cloud.api.associate(device_id, code, sub_type=HARNESS_TAG)
        except RestError as error:
            if error.code != _NOT_YET:
                raise
            return str(error)
        return None

    rounds.until(associate, f"{device_id} could not be associated")
    record = cloud.api.wait_device(device_id)
    if record.get("tenantId", cloud.account.tenant_id) != cloud.account.tenant_id:
        raise Refusal(f"{device_id} is in team {record['tenantId']}, not in ours; check the API key")
