"""Keeps the state of the local cloud's parts in the state file: collects changes, writes and restores them."""

from collections.abc import Callable
from typing import Any, Protocol

from harness.virtual.cloud.registry.onboarding import InvalidUpload
from harness.virtual.cloud.registry.state_file import StateFile
from harness.virtual.unusable import UnusableState


class Part(Protocol):
    """A part of the cloud that knows things by name, and can save and restore each as JSON."""

    def snapshot(self, name: str) -> Any:
        """Return what is to be kept about ``name``, or None."""
        ...

    def restore(self, name: str, content: Any) -> None:
        """Restore what :meth:`snapshot` returned. Called before anything else happens to ``name``."""
        ...


class StateKeeper:
    """Writes what its parts report as changed. ``later``: runs :meth:`save` soon (``loop.call_soon``)."""

    def __init__(self, file: StateFile, later: Callable[[Callable[[], None]], object]) -> None:
        self._file = file
        self._later = later
        self._parts: dict[str, Part] = {}
        self._changed: set[str] = set()

    def restore(self, **parts: Part) -> None:
        """Restore the parts, in their order. Raises UnusableState if an entry is broken."""
        self._parts = parts
        for name, entry in self._file.entries().items():
            try:
                for part, content in entry.items():
                    parts[part].restore(name, content)
            except (KeyError, ValueError, TypeError, AttributeError, InvalidUpload) as error:
                raise UnusableState(f"{self._file.path}: the entry of {name} cannot be read ({error!r})") from error
        self._changed.clear()

    def changed(self, name: str) -> None:
        """Note that ``name`` has to be written."""
        if not self._changed:
            self._later(self.save)
        self._changed.add(name)

    def close(self) -> None:
        """Write the last changes and close the file. Later changes are lost."""
        self.save()
        self._parts = {}
        self._file.close()

    def save(self) -> None:
        """Write what has changed since the last time."""
        if self._changed and self._parts:
            self._file.write({name: self._snapshot(name) for name in sorted(self._changed)})
            self._changed.clear()

    def _snapshot(self, name: str) -> dict[str, Any]:
        contents = {key: part.snapshot(name) for key, part in self._parts.items()}
        return {key: content for key, content in contents.items() if content is not None}
