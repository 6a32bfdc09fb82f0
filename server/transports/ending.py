"""How a process ends when it is asked to: in a few seconds, whatever it does just then."""

import logging
import os
import signal
import threading
from collections.abc import Sequence

__all__ = ["ENDING_S", "FINISH_S", "SIGNALS", "end_surely"]

SIGNALS: Sequence[signal.Signals] = tuple(
    signal.Signals[name] for name in ("SIGTERM", "SIGINT", "SIGHUP") if name in signal.Signals.__members__
)
"""What asks a process to end; the last is a terminal that was closed."""
FINISH_S = 2.0
"""How long calls in flight may take once a signal has arrived."""
ENDING_S = 4.0
"""After a signal the process ends this late at the latest: supervisors kill after ten, and some after five seconds."""

_logger = logging.getLogger(__name__)


def end_surely(within_s: float = ENDING_S) -> None:
    """End the process `within_s` seconds from now, if it has not ended by itself: from a thread that nothing blocks."""

    def end() -> None:
        _logger.warning("ended after %g s, with work unfinished", within_s)
        os._exit(1)

    timer = threading.Timer(within_s, end)
    timer.daemon = True
    timer.start()
