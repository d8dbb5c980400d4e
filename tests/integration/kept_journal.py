"""The journal of a broker or a local cloud that runs in a thread of a test."""

import threading

DEADLINE = 30.0


class Journal:
    """Keeps events in memory; another thread may wait for one."""

    def __init__(self):
        self.events = []
        self._changed = threading.Condition()

    def write(self, event, **fields):
        with self._changed:
            self.events.append((event, fields))
            self._changed.notify_all()

    def wait(self, event, **fields):
        """Return the first such event's fields; fail after the deadline with what was written instead."""

        def found():
            wanted = fields.items()
            return next((had for name, had in self.events if name == event and wanted <= had.items()), None)

        with self._changed:
            got = self._changed.wait_for(found, DEADLINE)
        assert got is not None, f"no {event} {fields} in {self.events}"
        return got

    def of(self, event):
        return [fields for name, fields in self.events if name == event]
