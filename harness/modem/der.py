"""Just enough DER to mend a CSR (ITU-T X.690 §8.1, definite lengths, one-byte tags).

Older modem firmware writes the CSR's signatureAlgorithm as ecdsa-with-SHA256 followed by NULL; RFC 5758 §3.2 wants the
parameters absent, and strict parsers refuse the NULL. The CSR's own signature covers only certificationRequestInfo, so
it stays valid when the NULL is taken out.
"""

from typing import NamedTuple

_SEQUENCE = 0x30
_ECDSA_WITH_SHA256 = bytes.fromhex("06082a8648ce3d040302")
_NULL = bytes.fromhex("0500")


class Element(NamedTuple):
    """One DER element. ``encoded``: all its bytes, tag and length included."""

    tag: int
    content: bytes
    encoded: bytes


def encode(tag: int, content: bytes) -> bytes:
    """Return one DER element."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def split(data: bytes) -> list[Element]:
    """Return the elements that follow each other in ``data`` and fill it. Raises ValueError if it is not DER."""
    elements = []
    while data:
        element = _first(data)
        elements.append(element)
        data = data[len(element.encoded) :]
    return elements


def mend_csr(der: bytes) -> bytes:
    """Return the CSR ``der`` without the NULL in its signatureAlgorithm; as it is when there is none.

    Raises ValueError unless ``der`` is a SEQUENCE of the three parts of a CSR (RFC 2986 §4.2).
    """
    return _rewritten(der, _ECDSA_WITH_SHA256 + _NULL, _ECDSA_WITH_SHA256)


def unmend_csr(der: bytes) -> bytes:
    """Return the CSR ``der`` with the NULL, as older modem firmware writes it: :func:`mend_csr` undone."""
    return _rewritten(der, _ECDSA_WITH_SHA256, _ECDSA_WITH_SHA256 + _NULL)


def _rewritten(der: bytes, algorithm: bytes, replacement: bytes) -> bytes:
    outer = split(der)
    parts = split(outer[0].content) if len(outer) == 1 and outer[0].tag == _SEQUENCE else []
    if len(parts) != 3 or parts[1].tag != _SEQUENCE:
        raise ValueError("not the three parts of a CSR")
    if parts[1].content != algorithm:
        return der
    return encode(_SEQUENCE, parts[0].encoded + encode(_SEQUENCE, replacement) + parts[2].encoded)


def _first(data: bytes) -> Element:
    if len(data) < 2:
        raise ValueError("DER ends inside an element's head")
    start, size = 2, data[1]
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    element = Element(data[0], data[start : start + size], data[: start + size])
    # Encoding it again shows a cut element, an indefinite length, and a length that is longer than needed.
    if encode(element.tag, element.content) != element.encoded:
        raise ValueError("DER element is cut short, or its length is not DER")
    return element
