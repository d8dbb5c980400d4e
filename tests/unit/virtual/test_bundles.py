"""The team's firmware bundles: their IDs, how they are shown, and what is kept of them."""

import json
import re

import pytest

from harness.virtual.cloud.services.bundle_archive import Manifest
from harness.virtual.cloud.services.bundles import Bundles, show_bundle

from .cloud_makers import NOON

MANIFEST = Manifest("APP", "v2.0.1", ("a.bin", "b.bin"), 6, name="n")


@pytest.fixture
def changed():
    return []


@pytest.fixture
def bundles(changed):
    return Bundles("team", now=lambda: NOON, changed=changed.append)


def test_a_bundle_as_shown(bundles):
    bundle = bundles.add(MANIFEST)
    assert re.fullmatch(r"APP\*[0-9a-zA-Z]{8}\*v2\.0\.1", bundle.bundle_id)
    assert show_bundle(bundle) == {
        "bundleId": bundle.bundle_id,
        "type": "APP",
        "version": "v2.0.1",
        "filenames": ["a.bin", "b.bin"],
        "size": 6,
        "lastModified": "2030-01-01T12:00:00.000Z",
        "name": "n",
    }
    assert bundle.paths == (f"team/{bundle.bundle_id}/a.bin", f"team/{bundle.bundle_id}/b.bin")


def test_the_same_again_is_another_bundle(bundles, changed):
    one, two = bundles.add(MANIFEST), bundles.add(MANIFEST)
    assert bundles.all() == [one, two]
    bundles.delete(one)
    assert (bundles.find(one.bundle_id), bundles.find(two.bundle_id)) == (None, two)
    assert changed == [one.bundle_id, two.bundle_id, one.bundle_id]


def test_bundles_are_kept(bundles):
    bundle = bundles.add(MANIFEST)
    kept = json.loads(json.dumps(bundles.snapshot(bundle.bundle_id)))
    again = Bundles("team")
    again.restore(bundle.bundle_id, kept)
    assert again.all() == [bundle]
    assert bundles.snapshot("dev-1") is None
