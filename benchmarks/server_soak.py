"""64 clients at once over HTTP, in both protocol eras: no error, no wrong answer, and memory that stays flat.

`server_soak.py [SECONDS]` (30). Half of the clients speak the 2026 era, half hold a session of the 2025 era; each asks
questions of its own whose answers are known beforehand, and one call in eight is a bad one.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mcp import Client

from benchmarks.wire import OURS, HttpCaller, http_server, resident_mib
from estimator.base.errors import EstimatorError
from server.protocol.registry import TOOLS

CLIENTS = 64
SAMPLE_EVERY_S = 2.0
SETTLED_AFTER = 0.34
"""Part of the run after which memory should have stopped growing."""
GPUS = ("h100-sxm", "a100-sxm-80gb", "h200-sxm", "rtx-4090")
BAD_ONE_IN = 8


@dataclass(kw_only=True)
class Tally:
    """What happened so far."""

    calls: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory_mib: list[tuple[float, float]] = field(default_factory=list)


def main() -> int:
    """Return 0 where nothing was wrong."""
    during_s = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    with http_server(OURS) as (port, process_id):
        tally = asyncio.run(_soaked(port, process_id, during_s))
    total = sum(tally.calls.values())
    settled = [mib for at_s, mib in tally.memory_mib if at_s >= SETTLED_AFTER * during_s]
    print(f"{CLIENTS} clients, {during_s:g} s: {total} calls ({total / during_s:.0f} a second), {dict(tally.calls)}")
    print(f"errors or wrong answers: {len(tally.wrong)}")
    for wrong in tally.wrong[:5]:
        print(f"  {wrong[:200]}")
    print("memory, MiB: " + ", ".join(f"{mib:.1f}" for _, mib in tally.memory_mib))
    print(f"growth after the first third: {max(settled) - settled[0]:.1f} MiB")
    return 1 if tally.wrong else 0


async def _soaked(port: int, process_id: int, during_s: float) -> Tally:
    tally = Tally()
    begun_s = time.perf_counter()
    until_s = begun_s + during_s

    async def watch() -> None:
        while time.perf_counter() < until_s:
            tally.memory_mib.append((time.perf_counter() - begun_s, resident_mib(process_id)))
            await asyncio.sleep(SAMPLE_EVERY_S)

    await asyncio.gather(watch(), *(_client(number, port, until_s, tally) for number in range(CLIENTS)))
    tally.memory_mib.append((during_s, resident_mib(process_id)))
    return tally


async def _client(number: int, port: int, until_s: float, tally: Tally) -> None:
    try:
        if number % 2:
            await _modern(number, port, until_s, tally)
        else:
            await _legacy(number, port, until_s, tally)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is what is looked for
        tally.wrong.append(f"client {number}: {error!r}")


async def _modern(number: int, port: int, until_s: float, tally: Tally) -> None:
    caller = HttpCaller(port)
    turn = 0
    while time.perf_counter() < until_s:
        turn += 1
        arguments = _question(number, turn)
        result = json.loads(await caller.call("estimate_training_time", arguments))["result"]
        _judge(result["content"][0]["text"], arguments, tally)
    caller.close()


async def _legacy(number: int, port: int, until_s: float, tally: Tally) -> None:
    async with Client(f"http://127.0.0.1:{port}/mcp", mode="legacy") as client:
        turn = 0
        while time.perf_counter() < until_s:
            turn += 1
            arguments = _question(number, turn)
            result = await client.call_tool("estimate_training_time", arguments)
            _judge(getattr(result.content[0], "text", ""), arguments, tally)


def _question(number: int, turn: int) -> dict[str, Any]:
    """Return a question that no other client asks, and that this one asks again now and then."""
    gpu = "h100-smx" if turn % BAD_ONE_IN == 0 else GPUS[turn % len(GPUS)]
    return {
        "model": "llama-3.1-8b",
        "tokens": f"{1 + turn % 50}B",
        "gpu": gpu,
        "n_gpus": 8 + number,
        "utilization": 0.4,
    }


def _judge(text: str, arguments: dict[str, Any], tally: Tally) -> None:
    tool = TOOLS.tool("estimate_training_time")
    if tool is None:
        raise LookupError
    try:
        right = tool.answer(arguments).text
        tally.calls["answered"] += 1
    except EstimatorError as error:
        right = str(error)
        tally.calls["refused"] += 1
    if text != right:
        tally.wrong.append(f"{arguments}: {text}")


if __name__ == "__main__":
    sys.exit(main())
