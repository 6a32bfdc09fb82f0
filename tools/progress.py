"""How a tool that takes a while says how far it is, and learns that nobody waits for it any more."""

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """Called between pieces of work; raises what ends the call when the caller has cancelled it.

    A tool that takes a parameter of this type is run on a worker thread, and the parameter is no argument of its own.
    """

    def __call__(self, done: float, total: float, message: str = "") -> None:
        """Say that `done` of `total` is finished."""
        ...


def silent(done: float, total: float, message: str = "") -> None:
    """Say nothing: for callers that only want the answer."""
    del done, total, message
