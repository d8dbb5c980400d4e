"""Checks a firmware bundle that is uploaded: a zip file of images with a manifest.json. Pure functions.

Facts: nRF Cloud REST API, UploadFirmware - the manifest's members and their forms, images that end in ``.bin`` and are
of one type, base64 of 1333333 characters at most; modem firmware cannot be uploaded, and init_packet is not the type of
a bundle. Types as nRF Cloud's overview of firmware updates describes them. UNCONFIRMED, chosen here: a binary upload
may be as large as the longest base64 decoded; base64 has no line breaks; every image is in the archive, with the size
in the manifest, and has neither a folder nor a space in its name, because a device gets several paths separated by
spaces. Other members are ignored, because the Zephyr build system writes some.
"""

import base64
import binascii
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MANIFEST = "manifest.json"
_LONGEST_BASE64 = 1_333_333
_LARGEST = _LONGEST_BASE64 * 3 // 4
_LARGEST_MANIFEST = 65_536  # a zip of a few kB can hold a GB of JSON
_VERSION = re.compile(r"[a-zA-Z0-9._-]{1,60}")
_IMAGE = re.compile(r"[^/\s]+\.bin")
_TYPES = {"application": "APP", "mcuboot": "BOOT", "bootloader": "BOOTLOADER", "softdevice": "SOFTDEVICE"}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


class InvalidBundle(Exception):
    """The upload is not a firmware bundle."""


@dataclass(frozen=True)
class Manifest:
    """The manifest of a bundle. ``size``: of all images together."""

    firmware_type: str
    version: str
    filenames: tuple[str, ...]
    size: int
    name: str | None = None
    description: str | None = None


def decode_base64(text: bytes) -> bytes:
    """Return the archive of an upload as text. Raises :class:`InvalidBundle`."""
    if len(text) > _LONGEST_BASE64:
        raise InvalidBundle(f"the body is longer than {_LONGEST_BASE64} characters")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise InvalidBundle("the body is not base64") from error


def read_archive(archive: bytes) -> Manifest:
    """Return the manifest of a bundle, checked against the archive. Raises :class:`InvalidBundle`."""
    if len(archive) > _LARGEST:
        raise InvalidBundle(f"the bundle is larger than {_LARGEST} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = {entry.filename: entry for entry in opened.infolist()}
            if _MANIFEST not in entries:
                raise InvalidBundle(f"the bundle has no {_MANIFEST}")
            if entries[_MANIFEST].compress_type not in _METHODS:
                raise InvalidBundle(f"{_MANIFEST} is compressed in a way that is not supported")
            with opened.open(_MANIFEST) as file:
                text = file.read(_LARGEST_MANIFEST + 1)
    except _BROKEN as error:
        raise InvalidBundle("the bundle is not a readable zip file") from error
    if len(text) > _LARGEST_MANIFEST:
        raise InvalidBundle(f"{_MANIFEST} is larger than {_LARGEST_MANIFEST} bytes")
    return _check_manifest(text, {name: entry.file_size for name, entry in entries.items()})


def _check_manifest(text: bytes, sizes: Mapping[str, int]) -> Manifest:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidBundle(f"{_MANIFEST} is not JSON") from error
    if not isinstance(content, dict):
        raise InvalidBundle(f"{_MANIFEST} must be a JSON object")
    version, form, files = (content.get(name) for name in ("fwversion", "format-version", "files"))
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InvalidBundle("fwversion is required: 1 to 60 letters, digits, dots, underscores and dashes")
    if form != 1 or isinstance(form, bool):
        raise InvalidBundle("format-version is required, and must be 1")
    if not isinstance(files, list) or not files:
        raise InvalidBundle("files is required: a list of one or more")
    for file in files:
        _check_file(file, sizes)
    types = {file["type"] for file in files}
    if len(types) > 1:
        raise InvalidBundle(f"files must be of one type, not {', '.join(sorted(types))}")
    texts = {name: content.get(name) for name in ("name", "description")}
    if not all(isinstance(value, str | None) for value in texts.values()):
        raise InvalidBundle("name and description must be strings")
    names = tuple(file["file"] for file in files)
    return Manifest(_TYPES[types.pop()], version, names, sum(sizes[name] for name in names), **texts)


def _check_file(file: Any, sizes: Mapping[str, int]) -> None:
    name, kind, size = (file.get(member) if isinstance(file, dict) else None for member in ("file", "type", "size"))
    if not isinstance(name, str) or not _IMAGE.fullmatch(name):
        raise InvalidBundle("each of files needs file: a name that ends in .bin, without folder or space")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise InvalidBundle(f"the type of {name} must be one of {', '.join(_TYPES)}")
    if name not in sizes:
        raise InvalidBundle(f"{name} is not in the bundle")
    if isinstance(size, bool) or size != sizes[name]:
        raise InvalidBundle(f"the size of {name} must be {sizes[name]}, as it is in the bundle")
