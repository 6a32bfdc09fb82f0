"""Whose turn to work it is among threads of which Python runs one at a time."""

import threading
import time
from collections import deque

__all__ = ["Turns"]

_TURN_S = 0.005
"""How long one may work while another waits."""


class Turns:
    """One turn, taken in the order of asking.

    Where two threads work beside the event loop, Python gives it a third of its time, and the workers are no sooner
    done for it; where they take turns, it has half.
    """

    def __init__(self) -> None:
        self._line: deque[threading.Lock] = deque()
        """What each waits for; the first has the turn."""
        self._guard = threading.Lock()
        self._since_s = 0.0

    def take(self) -> None:
        """Wait for the turn."""
        mine = threading.Lock()
        mine.acquire()
        with self._guard:
            self._line.append(mine)
            if self._line[0] is mine:
                mine.release()
        mine.acquire()
        self._since_s = time.monotonic()

    def give(self) -> None:
        """Give the turn to who has waited longest."""
        with self._guard:
            self._line.popleft()
            if self._line:
                self._line[0].release()

    def share(self) -> None:
        """Let those who wait go first, if the turn has lasted a while."""
        if len(self._line) > 1 and time.monotonic() - self._since_s > _TURN_S:
            self.give()
            self.take()
