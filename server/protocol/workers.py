"""Slow work on a few threads of its own, first come, first served; the event loop only waits for it.

A thread cannot be killed: work ends where it pauses (`estimator.base.pauses`) once nobody waits for it any more. Its
place is free again only then, so that work given up never runs beside more than was allowed. The threads are daemons:
none keeps the process from ending. They stay for the next call, because to start one is to wait for it, which takes the
event loop some milliseconds while another works.
"""

import asyncio
import math
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Generic, TypeVar

from estimator.base.pauses import pausing
from server.protocol.turns import Turns
from tools.progress import Progress

__all__ = ["QUEUE", "THREADS", "BusyError", "Notice", "StoppedError", "Workers"]

THREADS = 2
"""Calls worked out at once, by turns: so that a short one need not wait for a long one's end."""
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
    done: Callable[["_Job[_T]", float], None]
    """Told on the loop when the work has ended, with the seconds that it took."""
    loop: asyncio.AbstractEventLoop
    turns: Turns
    context: Context = field(default_factory=copy_context)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    notices: deque[tuple[float, float, str]] = field(default_factory=deque)
    given_up: bool = False
    ended: bool = False
    result: _T | None = None
    error: BaseException | None = None
    _last_s: float = -_PROGRESS_EVERY_S

    def run(self) -> None:
        """Do the work; on its thread."""
        begun_s = time.monotonic()
        self.turns.take()
        try:
            with pausing(self.pause):
                self.check()
                self.result = self.work(self.progress)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self.error = error
        finally:
            self.turns.give()
        # RuntimeError: the loop has gone, and with it everyone who waited.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.done, self, time.monotonic() - begun_s)

    def pause(self) -> None:
        """Let others work, and raise what ends the work where nobody waits for it."""
        self.turns.share()
        self.check()

    def check(self) -> None:
        """Raise what ends the work where nobody waits for it."""
        if self.given_up:
            raise _GivenUp

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Note how far the work is, and pause."""
        self.pause()
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
        self._jobs: SimpleQueue[_Job[object] | None] = SimpleQueue()
        """For whichever thread is free; None ends them."""
        self._turns = Turns()
        self._begun = 0
        """Threads that were ever started."""
        weakref.finalize(self, self._jobs.put, None)
        self._running: set[_Job[object]] = set()
        self._taken = 0
        """Threads given to callers: those that run, and those handed on to callers who have not noticed yet."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._usual_s = _FIRST_GUESS_S
        self._is_closed = False

    @property
    def at_work(self) -> int:
        """Pieces of work under way, those that were given up and have not noticed among them."""
        return len(self._running)

    async def run(self, work: Callable[[Progress], _T], notice: Notice | None = None) -> _T:
        """Return what `work` returns, once its turn has come; a caller that is cancelled takes it along.

        Raises BusyError where too many wait, StoppedError once all work is given up, and what `work` raises.
        """
        if not self._is_closed:
            await self._turn()
        if self._is_closed:
            raise StoppedError(_CLOSING)
        self._have_thread()
        job = _Job(work=work, done=self._done, loop=asyncio.get_running_loop(), turns=self._turns)
        self._running.add(job)
        self._jobs.put(job)
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

    def _have_thread(self) -> None:
        """Start a thread where those that were started may all be at work; gives the place back where none can be."""
        if self._begun >= self._taken:
            return
        sys.setswitchinterval(_SWITCH_S)
        try:
            threading.Thread(target=_work_on, args=(self._jobs,), name="worker", daemon=True).start()
        except RuntimeError:
            self._call_next()
            raise
        self._begun += 1

    async def ended(self) -> None:
        """Give up all work, that which waits for a thread too, and return when none runs any more."""
        self._is_closed = True
        for job in self._running:
            job.given_up = True
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)
        self._waiting.clear()
        self._jobs.put(None)
        while self._running:  # noqa: ASYNC110 - its threads are on their way out, and there is no event for all of them
            await asyncio.sleep(0.01)

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


def _work_on(jobs: SimpleQueue[_Job[object] | None]) -> None:
    """Do one job after another, until there will be no more."""
    while (job := jobs.get()) is not None:
        job.context.run(job.run)
        # Nobody else may hold it, and all that it answered, until the next comes.
        del job
    jobs.put(None)
