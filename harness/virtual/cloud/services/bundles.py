"""The firmware bundles of a team. Their images are checked at the upload and not kept, because nobody fetches them.

Facts: nRF Cloud REST API, UploadFirmware, ListFirmware and the form of a bundle ID; recorded answers in the backend of
hello.nrfcloud.com (the host, and paths ``<UUID>/<bundle>/<file>``). UNCONFIRMED, chosen here: the UUID is the team's;
the same archive uploaded again makes another bundle; the size of a bundle is that of its images together.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from harness.virtual.cloud.formats import iso, now_utc, parse_iso
from harness.virtual.cloud.services.bundle_archive import Manifest

HOST = "firmware.nrfcloud.com"


@dataclass(frozen=True)
class Bundle:
    """A bundle. ``number``: grows with each bundle."""

    bundle_id: str
    number: int
    tenant_id: str
    modified_at: datetime
    manifest: Manifest

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its images on the host."""
        return tuple(f"{self.tenant_id}/{self.bundle_id}/{name}" for name in self.manifest.filenames)


class Bundles:
    """The bundles of the team ``tenant_id``, by ID.

    ``now``: tells the time. ``changed``: called with the ID of a bundle that is added or removed.
    """

    def __init__(
        self,
        tenant_id: str,
        *,
        now: Callable[[], datetime] = now_utc,
        changed: Callable[[str], object] = lambda bundle_id: None,
    ) -> None:
        self._tenant_id = tenant_id
        self._now = now
        self._changed = changed
        self._bundles: dict[str, Bundle] = {}
        self._count = 0

    def add(self, manifest: Manifest) -> Bundle:
        """Add a bundle that was uploaded."""
        bundle_id = f"{manifest.firmware_type}*{secrets.token_hex(4)}*{manifest.version}"
        bundle = self._keep(bundle_id, self._now(), manifest)
        self._changed(bundle_id)
        return bundle

    def all(self) -> list[Bundle]:
        """Return every bundle, oldest first."""
        return list(self._bundles.values())

    def find(self, bundle_id: str) -> Bundle | None:
        """Return the bundle with this ID."""
        return self._bundles.get(bundle_id)

    def delete(self, bundle: Bundle) -> None:
        """Remove a bundle."""
        del self._bundles[bundle.bundle_id]
        self._changed(bundle.bundle_id)

    def snapshot(self, name: str) -> dict[str, Any] | None:
        """Return what is known of bundle ``name``; see :class:`~harness.virtual.cloud.registry.state_keeper.Part`."""
        bundle = self._bundles.get(name)
        return {"modified_at": iso(bundle.modified_at), "manifest": asdict(bundle.manifest)} if bundle else None

    def restore(self, name: str, content: dict[str, Any]) -> None:
        """Take back a :meth:`snapshot`."""
        manifest = content["manifest"]
        filenames = tuple(manifest["filenames"])
        self._keep(name, parse_iso(content["modified_at"]), Manifest(**{**manifest, "filenames": filenames}))

    def _keep(self, bundle_id: str, modified_at: datetime, manifest: Manifest) -> Bundle:
        self._count += 1
        bundle = Bundle(bundle_id, self._count, self._tenant_id, modified_at, manifest)
        self._bundles[bundle_id] = bundle
        return bundle


def show_bundle(bundle: Bundle) -> dict[str, Any]:
    """Return a bundle as the API lists it."""
    manifest = bundle.manifest
    shown = {
        "bundleId": bundle.bundle_id,
        "type": manifest.firmware_type,
        "version": manifest.version,
        "filenames": list(manifest.filenames),
        "size": manifest.size,
        "lastModified": iso(bundle.modified_at),
    }
    texts = {"name": manifest.name, "description": manifest.description}
    return shown | {name: text for name, text in texts.items() if text is not None}
