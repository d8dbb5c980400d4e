"""What a receiver does with the signed answers of a board: cryptography and cbor2 only, none of the board's code."""

import base64

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils


def decode(text):
    """base64url as the modem writes it: without padding."""
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(answer, name):
    """The two parts of a ``%NAME: "body.cose"`` answer of Serial Modem."""
    head, tail = f'\r\n{name}: "'.encode(), b'"\r\n\r\nOK\r\n'
    assert answer.startswith(head), answer
    assert answer.endswith(tail), answer
    body, cose = answer[len(head) : -len(tail)].decode().split(".")
    return decode(body), decode(cose)


def skeleton(csr, attributes):
    """What is the same in all CSRs of a board: up to the name, around the key, and so many bytes behind the key."""
    name = csr.index(b"\x0c\x24") + 2
    key = csr.index(b"\x03\x42\x00\x04", name)
    behind = key + 4 + 64
    return csr[4:name], csr[name + 36 : key + 4], csr[behind : behind + attributes]


def verify(bench, cose, aad, *, detached=None):
    """Check a COSE_Sign1 with the device identity's public key; return the payload that it carries."""
    tag = cbor2.loads(cose)
    assert tag.tag == 18
    protected, unprotected, payload, signature = tag.value
    assert protected == bytes.fromhex("a10126")
    assert unprotected == {4: b"\x21"}
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    signed = cbor2.dumps(["Signature1", protected, aad, payload if detached is None else detached])
    public = bench.nvm.identity_key.public_key()
    public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    return payload
