"""``nrf91-harness attest`` and ``jwt``: tokens that the modem signs. They are secrets, printed only with ``--show``."""

import time

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from harness.cli.arguments import Arguments
from harness.cli.progress import Progress
from harness.cli.result import Result, table
from harness.cli.session import one_board
from harness.modem import ModemJwt
from harness.run import Board


def attest(given: Arguments, progress: Progress) -> Result:
    """Ask the modem for its attestation token and show the content."""
    with one_board(given, progress, needs_cloud=False) as board:
        modem = board.opened.modem
        progress("asking for the attestation token")
        token = modem.attestation_token(given.challenge)
    data = {
        "board": given.board,
        "device_uuid": token.uuid,
        "model": token.model,
        "firmware_uuid": token.fw_uuid,
        "nonce": token.nonce.hex(),
    }
    lines = [f"{given.board} says:", *table([(name, value) for name, value in data.items() if name != "board"])]
    if given.show:
        data["token"] = token.token
        lines.append(token.token)
    return Result(data, lines)


def jwt(given: Arguments, progress: Progress) -> Result:
    """Ask the modem for a JWT, verify its signature if the key is known, and show the content."""
    with one_board(given, progress, needs_cloud=False) as board:
        modem = board.opened.modem
        if given.expires_in and not modem.registration().registered:
            progress("registering in the radio network, which gives the modem the time")
            modem.register()
        sec_tag = None if given.identity else _sec_tag(board, given.sec_tag)
        progress("asking for the token")
        token = modem.jwt(
            sec_tag=sec_tag,
            key_type=given.key_type,
            expires_in=given.expires_in,
            subject=given.subject,
            audience=given.audience,
        )
        verified = _verify(board, sec_tag, given.key_type, token)
    data = {
        "board": given.board,
        "sec_tag": sec_tag,
        "header": dict(token.header),
        "claims": dict(token.claims),
        "verified": verified,
    }
    key = "device identity key" if sec_tag is None else f"key at sec_tag {sec_tag}"
    checked = "verified with its certificate" if verified else "not verified: the harness does not have the public key"
    rows = [(name, str(value)) for name, value in (*token.header.items(), *token.claims.items())]
    lines = [f"{given.board} signed with its {key}:", *table([*rows, ("signature", checked)])]
    if given.show:
        data["token"] = token.token
        lines.append(token.token)
    return Result(data, lines)


def _sec_tag(board: Board, wanted: int | None) -> int:
    """Return the sec_tag to sign with: the wanted one, else the one that the harness wrote, else the first."""
    imei = board.opened.identity.imei
    tags = board.config.all_sec_tags
    return wanted if wanted is not None else next((tag for tag in tags if board.device.records.get(imei, tag)), tags[0])


def _verify(board: Board, sec_tag: int | None, key_type: int, token: ModemJwt) -> bool:
    record = None if sec_tag is None else board.device.records.get(board.opened.identity.imei, sec_tag)
    if record is None or key_type != 2:
        return False
    key = x509.load_pem_x509_certificates(record.certificate_pem.encode())[0].public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    token.verify(key, now=time.time())
    return True
