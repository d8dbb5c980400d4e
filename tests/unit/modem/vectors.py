"""Recorded answers of real modems (tests/data/vectors-modem.json)."""

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

_FILE = Path(__file__).parents[2] / "data" / "vectors-modem.json"
VECTORS: dict[str, Any] = json.loads(_FILE.read_text())
BY_ID: dict[str, dict[str, Any]] = {
    vector["id"]: vector for vector in (*VECTORS["keygen_attest"], *VECTORS["cmng"], *VECTORS["jwt"])
}
KEYGEN_CSR = [v for v in VECTORS["keygen_attest"] if v.get("payload_decoded", {}).get("msg_type") == 9]
SIGNED = [v for v in VECTORS["keygen_attest"] if "identity_pub_x962" in v]


def identity_key(vector: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    """The device's identity key, recovered from several signatures of that device."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(vector["identity_pub_x962"]))


def spoken_uuid(vector: dict[str, Any]) -> str:
    """The device UUID with its hyphens."""
    text = vector["payload_decoded"]["device_uuid"]
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
