"""A port's bytes out of a queue."""

import queue


class QueuedStream:
    """What is put into ``incoming`` is heard; an exception is raised, b"" ends the reading. It cannot be held."""

    def __init__(self):
        self.incoming = queue.SimpleQueue()
        self._data = b""

    def wait(self):
        self._data = self.incoming.get()
        if isinstance(self._data, Exception):
            raise self._data
        return 0 if self._data else None

    def take(self, mark):
        return self._data

    def hold(self):
        return False

    def wait_holding(self, timeout):
        raise AssertionError("it is not held")

    def let_go(self):
        raise AssertionError("it is not held")

    def stop(self):
        self.incoming.put(b"")

    def close(self):
        pass
