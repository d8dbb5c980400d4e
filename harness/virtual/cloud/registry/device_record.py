"""What nRF Cloud knows about a device besides its thing. Facts: nRF Cloud REST API, FetchDevice."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from harness.virtual.cloud.formats import iso, parse_iso


@dataclass
class DeviceRecord:
    """A device. ``number``: grows with each device."""

    device_id: str
    number: int
    sub_type: str
    tags: tuple[str, ...]
    firmware_types: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    ownership_code: str | None = field(default=None, repr=False)  # only devices made for JITP have one
    name: str = ""

    @property
    def device_type(self) -> str:
        """``Gateway`` if the sub type contains ``gateway``, else ``Generic``."""
        return "Gateway" if "gateway" in self.sub_type.lower() else "Generic"

    def meta(self, version: str) -> dict[str, str]:
        """Return the API's ``$meta``."""
        return {"createdAt": iso(self.created_at), "updatedAt": iso(self.updated_at), "version": version}

    def to_json(self) -> dict[str, Any]:
        """Return the whole record as JSON."""
        return {**asdict(self), "created_at": iso(self.created_at), "updated_at": iso(self.updated_at)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "DeviceRecord":
        """Return the record of what :meth:`to_json` returned."""
        times = {name: parse_iso(content[name]) for name in ("created_at", "updated_at")}
        lists = {name: tuple(content[name]) for name in ("tags", "firmware_types")}
        return cls(**{**content, **times, **lists})
