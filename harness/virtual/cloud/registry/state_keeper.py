"""Between the state file and those who know what is to be kept: collects changes, writes them down, gives them back."""

from collections.abc import Callable
from typing import Any, Protocol

from harness.virtual.cloud.registry.onboarding import InvalidUpload
from harness.virtual.cloud.registry.state_file import StateFile, UnusableState


class Part(Protocol):
    """Something that knows things by name, and can say and be told what it knows of one, as JSON."""

    def snapshot(self, name: str) -> Any:
        """Return what is to be kept about ``name``, None for nothing."""
        ...

    def restore(self, name: str, content: Any) -> None:
        """Take back what :meth:`snapshot` returned; called before anything else happens to ``name``."""
        ...


class StateKeeper:
    """Writes down what its parts report as changed. ``later``: runs :meth:`save` soon (``loop.call_soon``)."""

    def __init__(self, file: StateFile, later: Callable[[Callable[[], None]], object]) -> None:
        self._file = file
        self._later = later
        self._parts: dict[str, Part] = {}
        self._changed: set[str] = set()

    def restore(self, **parts: Part) -> None:
        """Give the parts back what was kept of them, in the order they are named; UnusableState when it is broken."""
        self._parts = parts
        for name, entry in self._file.entries().items():
            try:
                for part, content in entry.items():
                    parts[part].restore(name, content)
            except (KeyError, ValueError, TypeError, AttributeError, InvalidUpload) as error:
                raise UnusableState(f"{self._file.path}: the entry of {name} cannot be read ({error!r})") from error
        self._changed.clear()

    def changed(self, name: str) -> None:
        """Note that ``name`` has to be written down."""
        if not self._changed:
            self._later(self.save)
        self._changed.add(name)

    def close(self) -> None:
        """Write down the last changes and close the file; what changes afterwards is lost."""
        self.save()
        self._parts = {}
        self._file.close()

    def save(self) -> None:
        """Write down what has changed since the last time."""
        if self._changed and self._parts:
            self._file.write({name: self._snapshot(name) for name in sorted(self._changed)})
            self._changed.clear()

    def _snapshot(self, name: str) -> dict[str, Any]:
        contents = {key: part.snapshot(name) for key, part in self._parts.items()}
        return {key: content for key, content in contents.items() if content is not None}
