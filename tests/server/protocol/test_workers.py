"""Slow work runs beside the event loop, a few pieces at once, first come first served, and ends with its caller.

Authority: the program's contract ("can be cancelled") and `server/protocol/workers.py`.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest
from mcp import Client

from estimator.base.errors import InvalidValueError
from estimator.base.pauses import pause
from server.protocol.app import TraintimeServer, build
from server.protocol.workers import BusyError, StoppedError, Workers
from tools.progress import Progress

PLANS: tuple[dict[str, Any], ...] = (
    {"solve_for": "model_size", "gpu": "h100", "n_gpus": 64, "tokens": "1T", "deadline": "30 days"},
    {"solve_for": "gpu", "model": "7B", "n_gpus": 64, "tokens": "1T", "deadline": "30 days"},
    {"solve_for": "n_gpus", "model": "deepseek-v3", "gpu": "h100", "tokens": "15T", "deadline": "30 days"},
)
ENDED_S = 0.2


def until(release: threading.Event) -> Callable[[Progress], str]:
    """Return work that pauses until `release`."""

    def work(_progress: Progress) -> str:
        while not release.is_set():
            pause()
            time.sleep(0.002)
        return "done"

    return work


async def at_work(server: TraintimeServer) -> None:
    """Wait until a thread works on a call, however fast the machine is."""
    for _ in range(5000):
        if server.workers.at_work:
            return
        await anyio.sleep(0.001)


async def test_work_is_done_in_the_order_it_was_asked_for() -> None:
    order: list[int] = []
    workers = Workers(threads=1, queue=9)

    def noted(number: int, _progress: object) -> None:
        order.append(number)

    async with anyio.create_task_group() as group:
        for number in range(9):
            group.start_soon(workers.run, partial(noted, number))
            await anyio.lowlevel.checkpoint()
    assert order == list(range(9))


async def test_no_more_run_at_once_than_were_allowed_even_when_work_is_given_up() -> None:
    inside: set[object] = set()
    most = 0
    workers = Workers(threads=2, queue=50)

    def work(_progress: Progress) -> None:
        nonlocal most
        me = object()
        inside.add(me)
        most = max(most, len(inside))
        try:
            for _ in range(5):
                time.sleep(0.002)
                pause()
        finally:
            inside.discard(me)

    for _ in range(10):
        with anyio.move_on_after(0.003):
            await workers.run(work)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(workers.run, work)
    assert 1 <= most <= 2


async def test_work_under_way_takes_turns_so_that_short_work_need_not_wait_for_long() -> None:
    order: list[str] = []
    inside: list[str] = []

    def work(name: str, pieces: int, _progress: Progress) -> None:
        for _ in range(pieces):
            inside.append(name)
            time.sleep(0.01)
            order.append(name)
            assert inside == [name], "two at once"
            inside.clear()
            pause()

    workers = Workers(threads=2, queue=0)
    async with anyio.create_task_group() as group:
        group.start_soon(workers.run, partial(work, "long", 30))
        group.start_soon(workers.run, partial(work, "short", 3))
    assert order[-1] == "long"
    assert order.count("short") == 3


async def test_threads_stay_for_the_next_call_and_end_with_their_workers() -> None:
    known: set[threading.Thread] = set()

    def work(_progress: Progress) -> None:
        time.sleep(0.002)
        known.add(threading.current_thread())

    workers = Workers(threads=2, queue=18)
    async with anyio.create_task_group() as group:
        for _ in range(18):
            group.start_soon(workers.run, work)
    assert 1 <= len(known) <= 2
    await workers.ended()
    for thread in known:
        await asyncio.to_thread(thread.join, 5.0)
    assert not any(thread.is_alive() for thread in known)


async def test_where_no_thread_can_be_had_the_place_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have no more threads: its other work goes on, and later calls are answered."""

    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    workers = Workers(threads=1, queue=0)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="new thread"):
                await workers.run(lambda _progress: "never")
    assert await workers.run(lambda _progress: "done") == "done"


async def test_past_the_queue_a_caller_is_told_when_to_try_again() -> None:
    release = threading.Event()
    workers = Workers(threads=1, queue=2)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(workers.run, until(release))
        await anyio.sleep(0.02)
        with pytest.raises(BusyError, match=r"^busy: 1 calls .* 2 wait, .*; try again in \d+ s$"):
            await workers.run(until(release))
        release.set()
    assert await workers.run(lambda _progress: "free again") == "free again"


async def test_a_caller_that_leaves_the_line_makes_room() -> None:
    release = threading.Event()
    workers = Workers(threads=1, queue=1)
    async with anyio.create_task_group() as group:
        group.start_soon(workers.run, until(release))
        await anyio.sleep(0.02)
        for _ in range(5):
            with anyio.move_on_after(0.01):
                await workers.run(until(release))
        release.set()
    assert await workers.run(lambda _progress: "mine") == "mine"


async def test_an_error_of_the_work_is_its_callers() -> None:
    def work(_progress: Progress) -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        await Workers().run(work)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan["solve_for"])
async def test_a_plan_ends_soon_after_its_caller_has_gone(plan: dict[str, Any]) -> None:
    server = build()
    async with Client(server) as client:
        await client.call_tool("plan_training", PLANS[1] | {"gpu": "h100"})
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "plan_training", plan)
            await at_work(server)
            group.cancel_scope.cancel()
        assert server.workers.at_work > 0, "the plan was over before it could be cancelled"
        await anyio.sleep(ENDED_S)
        assert server.workers.at_work == 0


async def test_a_plan_that_takes_too_long_is_given_up_and_said_so() -> None:
    async with Client(build(call_timeout_s=0.05)) as client:
        result = await client.call_tool("plan_training", PLANS[0])
        assert result.is_error
        assert getattr(result.content[0], "text", "").startswith("plan_training was stopped after 0.05 s")


async def test_a_call_past_the_queue_is_refused_and_a_quick_one_is_answered() -> None:
    server = build(threads=1, queue=0)
    async with Client(server) as client, anyio.create_task_group() as group:
        group.start_soon(client.call_tool, "plan_training", PLANS[0])
        await at_work(server)
        refused = await client.call_tool("plan_training", PLANS[1])
        assert refused.is_error
        assert "busy: " in getattr(refused.content[0], "text", "")
        assert not (await client.call_tool("list_gpus", {"limit": 1})).is_error
        group.cancel_scope.cancel()


@pytest.mark.parametrize("options", [{"threads": 0}, {"queue": -1}, {"call_timeout_s": 0}, {"call_timeout_s": -1}])
def test_a_limit_that_would_let_nothing_through_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        build(**options)


async def test_once_all_work_is_given_up_what_waits_for_a_thread_is_too() -> None:
    """Else a call would begin while the process ends, and keep it until it is ended by force."""
    release = threading.Event()
    workers = Workers(threads=1, queue=9)
    stopped = 0

    async def ask() -> None:
        nonlocal stopped
        with pytest.raises(StoppedError):
            await workers.run(until(release))
        stopped += 1

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(ask)
        await anyio.sleep(0.02)
        with anyio.fail_after(5):
            await workers.ended()
    with pytest.raises(StoppedError):
        await workers.run(until(release))
    assert stopped == 4
