"""A comparison says how far it is, and stops when nobody waits for it.

Authority: the program's contract ("Reports progress; can be cancelled") and the protocol's progress and cancellation.
"""

import threading
from typing import Any

import anyio
import pytest
from mcp import Client

from estimator.physics.choice import setting_of
from server.protocol.app import build
from tests.transports import ERAS, TRANSPORTS, connected

SMALL: dict[str, Any] = {"models": ["7B"], "gpus": ["h100", "a100"], "n_gpus": [8, 64], "tokens": ["1T"]}
LARGE: dict[str, Any] = {
    "models": ["deepseek-v3", "mixtral-8x7b", "llama-3.1-70b", "7B"],
    "gpus": ["h100", "a100", "b200", "h200"],
    "n_gpus": [8 * n for n in range(1, 126)],
    "tokens": ["1T"],
}
N_LARGE = 2_000
MIDDLE: dict[str, Any] = LARGE | {"models": ["7B"]}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_progress_begins_at_none_grows_and_ends_at_all(transport: str, era: str) -> None:
    seen: list[tuple[float, float | None]] = []
    ended = anyio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert message
        seen.append((progress, total))
        if progress == total:
            ended.set()

    async with connected(transport, era) as client:
        result = await client.call_tool("compare_training_options", SMALL, progress_callback=note)
        assert not result.is_error
        await ended.wait()
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, 4), (4, 4))


async def test_a_cancelled_comparison_stops_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the options whose layouts are still looked for, after the call's own thread has ended."""
    priced = 0
    working = threading.Event()

    def counted(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the real one
        nonlocal priced
        priced += 1
        working.set()
        return setting_of(*args, **kwargs)

    monkeypatch.setattr("estimator.answers.compare.steps.setting_of", counted)
    async with Client(build()) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "compare_training_options", LARGE)
            assert await anyio.to_thread.run_sync(working.wait, 30)
            group.cancel_scope.cancel()
        before = -1
        while before < priced:
            before = priced
            await anyio.sleep(0.5)
        assert 0 < priced < N_LARGE / 2
        assert not (await client.call_tool("compare_training_options", SMALL)).is_error


async def test_the_server_answers_others_while_it_compares() -> None:
    done: list[str] = []

    async def call(client: Client, name: str, arguments: dict[str, Any]) -> None:
        assert not (await client.call_tool(name, arguments)).is_error
        done.append(name)

    async with Client(build()) as client:
        started = anyio.Event()

        async def note(progress: float, total: float | None, message: str | None) -> None:
            del progress, total, message
            started.set()

        async def compare() -> None:
            result = await client.call_tool("compare_training_options", MIDDLE, progress_callback=note)
            assert not result.is_error
            done.append("compare")

        async with anyio.create_task_group() as group:
            group.start_soon(compare)
            await started.wait()
            await call(client, "list_gpus", {"limit": 1})
    assert done == ["list_gpus", "compare"]
