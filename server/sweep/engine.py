"""Who works out the parts of a sweep: this process, its children on every core, or a Ray cluster.

All do the same work, `server.sweep.part.part_bytes`, and hand back the same bytes; they differ in where.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from server.sweep.part import Plan, part_bytes

__all__ = ["MOST_LOSSES", "Cores", "Engine", "Here", "LostError"]

MOST_LOSSES = 5
"""Times that workers may die without finishing anything before the work itself is to blame."""


class LostError(RuntimeError):
    """Workers die as often as they are given work."""


class Engine(Protocol):
    """Works out parts, several at a time, in any order."""

    @property
    def slots(self) -> int:
        """Parts worth having under way: enough that nobody waits for more."""
        ...

    def start(self, part: int) -> None:
        """Begin `part`."""
        ...

    def finished(self) -> tuple[int, bytes]:
        """Wait for any part that was begun, and return it; one whose worker died is begun again.

        Raises LostError where that does not help.
        """
        ...

    def close(self) -> None:
        """End whatever is under way."""
        ...


class Here:
    """This process, one part at a time."""

    slots = 1

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._begun: deque[int] = deque()

    def start(self, part: int) -> None:
        """Note `part`."""
        self._begun.append(part)

    def finished(self) -> tuple[int, bytes]:
        """Work out the part that was noted first."""
        part = self._begun.popleft()
        return part, part_bytes(self._plan, part)

    def close(self) -> None:
        """Forget what was noted."""
        self._begun.clear()


class Cores:
    """Child processes of this one."""

    def __init__(self, plan: Plan, workers: int) -> None:
        self._plan = plan
        self._workers = workers
        self._losses = 0
        self._pool = self._new_pool()
        self._begun: dict[Future[bytes], int] = {}

    @property
    def slots(self) -> int:
        """One that is worked on and one that waits, for each child."""
        return 2 * self._workers

    def start(self, part: int) -> None:
        """Hand `part` to the next free child."""
        try:
            self._begun[self._pool.submit(part_bytes, self._plan, part)] = part
        except BrokenProcessPool:
            self._recover([part])

    def finished(self) -> tuple[int, bytes]:
        """Wait for any part."""
        while True:
            done, _ = wait(self._begun, return_when=FIRST_COMPLETED)
            future = min(done, key=self._begun.__getitem__)
            part = self._begun.pop(future)
            try:
                data = future.result()
            except BrokenProcessPool:
                self._recover([part])
                continue
            self._losses = 0
            return part, data

    def close(self) -> None:
        """End the children."""
        for child in list((self._pool._processes or {}).values()):  # noqa: SLF001 - shutting down would wait for them
            child.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _new_pool(self) -> ProcessPoolExecutor:
        # Spawned, not forked: a fork would copy whatever threads of this process hold.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, mp_context=context, initializer=_follow_parent)

    def _recover(self, lost: list[int]) -> None:
        """Begin again what was under way when a child died, with new children."""
        self._losses += 1
        lost = sorted([*lost, *(part for future, part in self._begun.items() if _is_lost(future))])
        self._begun = {future: part for future, part in self._begun.items() if part not in lost}
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._losses > MOST_LOSSES:
            raise LostError(f"workers were killed {self._losses} times without finishing a part; is memory short?")
        self._pool = self._new_pool()
        for part in lost:
            self.start(part)


def _is_lost(future: Future[bytes]) -> bool:
    """Return whether nothing will come of `future`; a broken pool says so of all that it had not finished."""
    return not future.done() or future.cancelled() or isinstance(future.exception(), BrokenProcessPool)


def _follow_parent() -> None:
    """End this child with its parent, however that ends; a child killed by nobody would wait for ever."""
    # Ctrl-C reaches the whole group; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
