"""Makes attestation tokens as a board would, in every form of the Sig_structure."""

import base64
import hashlib
import uuid

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ES256 = bytes.fromhex("a10126")
FIRMWARE = uuid.UUID("00000202-7669-4272-8074-6d6f64656d66")


class Board:
    """Its identity: a UUID and a key."""

    def __init__(self, name="one"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.uuid = uuid.UUID(bytes=b"VIRT00" + hashlib.sha256(name.encode()).digest()[:10])

    @property
    def point(self):
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()

    def sign(self, aad, payload):
        der = self.key.sign(cbor2.dumps(["Signature1", ES256, aad, payload]), ec.ECDSA(hashes.SHA256()))
        return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))

    def token(self, form="aad", *, kind=6, message=1, nonce=b"n" * 16, attached=None, key_id=b"\x21"):
        """``form``: what is signed besides the frame; ``attached``: a payload inside the COSE_Sign1."""
        body = cbor2.dumps(cbor2.CBORTag(55799, [message, self.uuid.bytes, kind, FIRMWARE.bytes, nonce]))
        signed = {"aad": (body, None), "detached": (b"", body), "both": (body, body), "nothing": (b"", None)}[form]
        cose = cbor2.dumps(cbor2.CBORTag(18, [ES256, {4: key_id}, attached, self.sign(*signed)]))
        return f"{base64url(body)}.{base64url(cose)}"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
