"""Where long work may be stopped: it calls `pause` between its pieces, and whoever waits for it decides.

What is estimated does not depend on it: `pause` returns, or raises what ends the work.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["pause", "pausing"]


def _go_on() -> None:
    """Let the work go on: nobody asked to be able to stop it."""


_AT_PAUSE: ContextVar[Callable[[], None]] = ContextVar("at_pause", default=_go_on)


def pause() -> None:
    """Let whoever waits for this work stop it here; raises what they raise.

    Called before each piece of work that takes more than a few milliseconds.
    """
    _AT_PAUSE.get()()


@contextmanager
def pausing(at_pause: Callable[[], None]) -> Generator[None]:
    """Call `at_pause` wherever the work within may be stopped."""
    token = _AT_PAUSE.set(at_pause)
    try:
        yield
    finally:
        _AT_PAUSE.reset(token)
