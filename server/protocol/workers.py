"""Slow work on a few threads of its own, first come, first served; the event loop only waits for it.

A thread cannot be killed: work ends where it pauses (`estimator.base.pauses`) once nobody waits for it any more. Its
place is free again only then, so that work given up never runs beside more than was allowed. The threads are daemons:
none keeps the process from ending.
"""

import asyncio
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from estimator.base.pauses import pausing
from tools.progress import Progress

__all__ = ["QUEUE", "THREADS", "BusyError", "Notice", "StoppedError", "Workers"]

THREADS = 2
"""Calls worked out at once. Python runs one thread at a time, so that more would only make each slower."""
QUEUE = 64
"""Calls that may wait for a thread: some seconds' work."""
_PROGRESS_EVERY_S = 0.1
"""Least time between two progress notices of one call: a person sees no more."""
_SWITCH_S = 0.0005
"""How long a worker may keep the interpreter from the event loop, which needs it several times for an answer."""
_FIRST_GUESS_S = 0.5
"""What a call is expected to take before one has been seen."""
_WEIGHT_OF_LAST = 0.2

_CLOSING = "the server is shutting down; call again in a moment"

_T = TypeVar("_T")
Notice = Callable[[float, float, str], Awaitable[None]]
"""Tells a caller how far its call is."""


class BusyError(Exception):
    """Too many calls wait already."""

    def __init__(self, running: int, waiting: int, retry_s: int) -> None:
        self.retry_s = retry_s
        super().__init__(
            f"busy: {running} calls are being worked out and {waiting} wait, which is as many as may; "
            f"try again in {retry_s} s"
        )


class StoppedError(Exception):
    """The work was given up although somebody waits for it: the process is about to end."""


class _GivenUp(BaseException):
    """Nobody waits for this work any more; no error, so that nothing which handles errors catches it."""


@dataclass(kw_only=True, eq=False)
class _Job(Generic[_T]):
    """One piece of work, and what of it has reached the loop."""

    work: Callable[[Progress], _T]
    loop: asyncio.AbstractEventLoop
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    notices: deque[tuple[float, float, str]] = field(default_factory=deque)
    given_up: bool = False
    ended: bool = False
    result: _T | None = None
    error: BaseException | None = None
    _last_s: float = -_PROGRESS_EVERY_S

    def run(self) -> None:
        """Do the work; on its thread."""
        try:
            with pausing(self.check):
                self.check()
                self.result = self.work(self.progress)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self.error = error

    def check(self) -> None:
        """Raise what ends the work where nobody waits for it."""
        if self.given_up:
            raise _GivenUp

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Note how far the work is."""
        self.check()
        now_s = time.monotonic()
        if now_s - self._last_s >= _PROGRESS_EVERY_S or done >= total:
            self._last_s = now_s
            self.notices.append((done, total, message))
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.wake.set)


class Workers:
    """A few threads, and the line before them."""

    def __init__(self, *, threads: int = THREADS, queue: int = QUEUE) -> None:
        self._threads = threads
        self._queue = queue
        self._running: set[_Job[object]] = set()
        self._taken = 0
        """Threads given to callers: those that run, and those handed on to callers who have not noticed yet."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._usual_s = _FIRST_GUESS_S
        self._is_closed = False

    async def run(self, work: Callable[[Progress], _T], notice: Notice | None = None) -> _T:
        """Return what `work` returns, once its turn has come; a caller that is cancelled takes it along.

        Raises BusyError where too many wait, StoppedError once all work is given up, and what `work` raises.
        """
        if not self._is_closed:
            await self._turn()
        if self._is_closed:
            raise StoppedError(_CLOSING)
        job = _Job(work=work, loop=asyncio.get_running_loop())
        self._running.add(job)  # type: ignore[arg-type]
        sys.setswitchinterval(_SWITCH_S)
        context = copy_context()
        threading.Thread(target=context.run, args=(self._work, job), name="worker", daemon=True).start()
        try:
            while True:
                await job.wake.wait()
                job.wake.clear()
                while job.notices:
                    said = job.notices.popleft()
                    if notice is not None:
                        await notice(*said)
                if job.ended:
                    break
        finally:
            job.given_up = True
        if isinstance(job.error, _GivenUp):
            raise StoppedError(_CLOSING)
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[return-value]

    async def ended(self) -> None:
        """Give up all work, that which waits for a thread too, and return when none runs any more."""
        self._is_closed = True
        for job in self._running:
            job.given_up = True
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
        self._waiting.clear()
        while self._running:  # noqa: ASYNC110 - its threads are on their way out, and there is no event for all of them
            await asyncio.sleep(0.01)

    def _work(self, job: _Job[object]) -> None:
        begun_s = time.monotonic()
        job.run()
        spent_s = time.monotonic() - begun_s
        # RuntimeError: the loop has gone, and with it everyone who waited.
        with suppress(RuntimeError):
            job.loop.call_soon_threadsafe(self._done, job, spent_s)

    def _done(self, job: _Job[object], spent_s: float) -> None:
        """Note the end of a job and give its place away; on the loop."""
        self._running.discard(job)
        self._usual_s += _WEIGHT_OF_LAST * (spent_s - self._usual_s)
        job.ended = True
        job.wake.set()
        self._call_next()

    def _call_next(self) -> None:
        """Hand a thread that is free on to who came first."""
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(None)
                return
        self._taken -= 1

    async def _turn(self) -> None:
        """Return when a thread is free; those who came earlier are first."""
        if self._taken < self._threads:
            self._taken += 1
            return
        if len(self._waiting) >= self._queue:
            left_s = (len(self._running) + len(self._waiting)) * self._usual_s / self._threads
            raise BusyError(len(self._running), len(self._waiting), max(1, math.ceil(left_s)))
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # Called in the same moment as given up: the next has it.
                self._call_next()
            else:
                with suppress(ValueError):
                    self._waiting.remove(turn)
            raise
