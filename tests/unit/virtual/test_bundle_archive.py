"""Firmware bundles as they are uploaded: what is taken, and what is wrong with the rest."""

import base64
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.services.bundle_archive import InvalidBundle, Manifest, decode_base64, read_archive

from .cloud_makers import make_archive, make_manifest

ARCHIVE = make_archive()


def file(**changes):
    return {"file": "app.bin", "type": "application", "size": 4, **changes}


@pytest.mark.parametrize(
    ("kind", "firmware_type"),
    [("application", "APP"), ("mcuboot", "BOOT"), ("bootloader", "BOOTLOADER"), ("softdevice", "SOFTDEVICE")],
)
def test_a_bundle_is_understood(kind, firmware_type):
    archive = make_archive(make_manifest(files=[file(type=kind)], name="n", description="d"))
    assert read_archive(archive) == Manifest(firmware_type, "2.0.1", ("app.bin",), 4, "n", "d")


def test_a_bundle_of_two_images():
    files = [file(file="a.bin"), file(file="b.bin", size=2)]
    manifest = read_archive(make_archive(make_manifest(files=files), a=b"1234", b=b"12"))
    assert (manifest.filenames, manifest.size) == (("a.bin", "b.bin"), 6)


def test_what_the_build_system_adds_is_ignored():
    files = [file(board="thingy91x_nrf9151_ns", version_MCUBOOT="1.0.0+0")]
    assert read_archive(make_archive(make_manifest(files=files, time=1700000000))).version == "2.0.1"


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"{", "manifest.json is not JSON"),
        (b"\xff", "manifest.json is not JSON"),
        (b"[" * 5000, "manifest.json is not JSON"),
        (b"[]", "manifest.json must be a JSON object"),
        (b" " * 70_000, "manifest.json is larger than 65536 bytes"),
        (make_manifest(fwversion=None), "fwversion is required"),
        (make_manifest(fwversion=2), "fwversion is required"),
        (make_manifest(fwversion=""), "fwversion is required"),
        (make_manifest(fwversion="1.0+2"), "fwversion is required"),
        (make_manifest(fwversion="1" * 61), "fwversion is required"),
        (make_manifest(fwversion="1.0\n"), "fwversion is required"),
        (make_manifest(**{"format-version": None}), "format-version is required"),
        (make_manifest(**{"format-version": "1"}), "format-version is required"),
        (make_manifest(**{"format-version": True}), "format-version is required"),
        (make_manifest(**{"format-version": 2}), "format-version is required"),
        (make_manifest(files=None), "files is required"),
        (make_manifest(files=[]), "files is required"),
        (make_manifest(files=file()), "files is required"),
        (make_manifest(files=["app.bin"]), "each of files needs file"),
        (make_manifest(files=[file(file="app.hex")]), "each of files needs file"),
        (make_manifest(files=[file(file="a b.bin")]), "each of files needs file"),
        (make_manifest(files=[file(file="../app.bin")]), "each of files needs file"),
        (make_manifest(files=[file(file="other.bin")]), r"other\.bin is not in the bundle"),
        (make_manifest(files=[file(type="modem")]), r"the type of app\.bin must be one of application, mcuboot"),
        (make_manifest(files=[file(type="init_packet")]), r"the type of app\.bin must be one of"),
        (make_manifest(files=[file(type=["application"])]), r"the type of app\.bin must be one of"),
        (make_manifest(files=[file(size=5)]), r"the size of app\.bin must be 4"),
        (make_manifest(files=[file(size="4")]), r"the size of app\.bin must be 4"),
        (make_manifest(files=[file(), file(type="mcuboot")]), "files must be of one type, not application, mcuboot"),
        (make_manifest(name=5), "name and description must be strings"),
        (make_manifest(description=["d"]), "name and description must be strings"),
    ],
)
def test_a_manifest_that_is_none(manifest, said):
    with pytest.raises(InvalidBundle, match=said):
        read_archive(make_archive(manifest))


def test_an_archive_without_manifest():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/manifest.json", "{}")
    with pytest.raises(InvalidBundle, match=r"the bundle has no manifest\.json"):
        read_archive(packed.getvalue())


def test_an_archive_that_needs_another_program():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("manifest.json", "{}")
    with pytest.raises(InvalidBundle, match="not supported"):
        read_archive(packed.getvalue())


@pytest.mark.parametrize("archive", [b"", b"PK", b"<html>", ARCHIVE[:-10], base64.b64encode(ARCHIVE)])
def test_what_is_no_archive(archive):
    with pytest.raises(InvalidBundle, match="not a readable zip file"):
        read_archive(archive)


def test_the_largest_archive():
    with pytest.raises(InvalidBundle, match="not a readable zip file"):
        read_archive(b"0" * 999_999)
    with pytest.raises(InvalidBundle, match="larger than 999999 bytes"):
        read_archive(b"0" * 1_000_000)


@given(st.binary(), st.integers(0, len(ARCHIVE) - 1), st.integers(0, 255))
def test_any_archive_is_understood_or_not(junk, place, byte):
    damaged = bytearray(ARCHIVE)
    damaged[place] = byte
    for archive in (junk, bytes(damaged)):
        try:
            assert read_archive(archive).version
        except InvalidBundle:
            continue


def test_base64():
    assert decode_base64(base64.b64encode(ARCHIVE)) == ARCHIVE


@pytest.mark.parametrize("text", [b"UEs", b"UEs*", b"UE\ns=", b"\xffabc", ARCHIVE, b"UEs=UEs="])
def test_what_is_no_base64(text):
    with pytest.raises(InvalidBundle, match="not base64"):
        decode_base64(text)


def test_the_longest_base64():
    assert len(decode_base64(b"A" * 1_333_332)) == 999_999
    with pytest.raises(InvalidBundle, match="longer than 1333333 characters"):
        decode_base64(b"A" * 1_333_336)
