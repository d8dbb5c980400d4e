"""The event loop of a process of stand-ins."""

import asyncio
import time


class EventLoop(asyncio.SelectorEventLoop):
    """asyncio's, whose clock is the system's call itself: it is asked four times a turn, and a board takes 45,000."""

    time = staticmethod(time.monotonic)
