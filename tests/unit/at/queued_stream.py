"""A port's bytes out of a queue."""

import queue


class QueuedStream:
    """What is put into ``incoming`` is heard; an exception is raised, b"" ends the reading. It cannot be held.

    ``incoming.join()`` waits until everything that was put into it has been handed on.
    """

    def __init__(self):
        self.incoming = queue.Queue()
        self._data = b""

    def wait(self):
        if self._data:
            self.incoming.task_done()
        self._data = self.incoming.get()
        if not self._data or isinstance(self._data, Exception):
            self.incoming.task_done()
        if isinstance(self._data, Exception):
            raise self._data
        return 0 if self._data else None

    def take(self, mark):
        return self._data

    def hold(self):
        return False

    def wait_holding(self, timeout):
        raise AssertionError("it is not held")

    def nudge(self):
        pass

    def let_go(self):
        raise AssertionError("it is not held")

    def write(self, data):
        raise AssertionError(f"it only hears: {data!r}")

    def flush(self):
        raise AssertionError("it only hears")

    def change_baud(self, rate):
        raise AssertionError(f"it has no speed: {rate}")

    def stop(self):
        self.incoming.put(b"")

    def close(self):
        pass
