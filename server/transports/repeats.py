"""A log that does not repeat itself: whoever can provoke a line can provoke millions."""

import logging
import time

__all__ = ["Repeats"]

_AT_ONCE = 5
"""Lines from one place in a period; more say nothing new."""
_PERIOD_S = 30.0
_LONGEST = 500
"""Characters of a line, which may quote what a client sent; tracebacks are not cut."""


class Repeats(logging.Filter):
    """Lets a few lines through from each place in the code and period, and counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log `record`; the next that is says how many were not."""
        place = (record.pathname, record.lineno)
        now_s = time.monotonic()
        begun_s, lines = self._seen.get(place, (now_s, 0))
        left_out = 0
        if now_s - begun_s >= _PERIOD_S:
            left_out, begun_s, lines = max(0, lines - _AT_ONCE), now_s, 0
        self._seen[place] = (begun_s, lines + 1)
        if lines >= _AT_ONCE:
            return False
        message = record.getMessage()
        if len(message) > _LONGEST:
            message = message[:_LONGEST] + "…"
        last = "; further ones are counted" if lines == _AT_ONCE - 1 else ""
        more = f" ({left_out} like it before were left out)" if left_out else ""
        record.msg, record.args = message.replace("\n", " ") + more + last, ()
        return True
