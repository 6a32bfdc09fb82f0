"""How fast `list_gpus` and `/healthz` are answered while others ask for all that is slow, and how serving ends.

`server_siege.py [SECONDS]` (10): percentiles in milliseconds, the largest memory, and seconds to end after SIGTERM.
The aim: 50 ms at the 99th percentile, 5 s to end.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.wire import OURS, HttpCaller, http_server, resident_mib

BESIEGERS = 8
WARM_UP_S = 6.0
PAUSE_S = 0.02
_PLAN = {"solve_for": "gpu", "model": "7B", "n_gpus": 64, "tokens": "1T", "deadline": "30 days"}
_OPTIONS = {"models": ["7B"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["1T"]}
_CHECK = {"model": "7B", "gpu": "h100", "n_gpus": 8}
SLOW: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "plans": ("plan_training", _PLAN),
    "comparisons": ("compare_training_options", _OPTIONS | {"n_gpus": list(range(8, 4008, 8))}),
    "misspelt names": ("compare_training_options", _OPTIONS | {"models": [f"lamma-{n}" for n in range(2_000)]}),
    "empty lists": ("compare_training_options", _OPTIONS | {"n_gpus": [[] for _ in range(340_000)]}),
    "logs of exponents": ("check_training_speed", _CHECK | {"observed_log": "1e9" * 85_000}),
    "long lists": ("list_gpus", {"limit": 200, "detail": "detailed"}),
}


def main() -> None:
    """Measure, and print one table."""
    during_s = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print("| besieged by | list_gpus p50 | p99 | /healthz p50 | p99 | memory, MiB | to end, s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (tool, arguments) in SLOW.items():
        with http_server(OURS) as (port, process_id):
            figures = asyncio.run(_besieged(port, process_id, tool, arguments, during_s))
        print(f"| {name} | {' | '.join(f'{figure:.1f}' for figure in figures)} |", flush=True)


async def _besieged(
    port: int, process_id: int, tool: str, arguments: dict[str, Any], during_s: float
) -> tuple[float, ...]:
    await asyncio.sleep(WARM_UP_S)
    until_s = time.perf_counter() + during_s
    besiegers = [asyncio.create_task(_ask(port, tool, arguments)) for _ in range(BESIEGERS if tool else 0)]
    listing, health, memory = await asyncio.gather(
        _timed_calls(port, until_s), _timed_health(port, until_s), _largest_mib(process_id, until_s)
    )
    ended_s = await asyncio.to_thread(_seconds_to_end, process_id)
    for besieger in besiegers:
        besieger.cancel()
    await asyncio.gather(*besiegers, return_exceptions=True)
    return *_percentiles(listing), *_percentiles(health), memory, ended_s


def _seconds_to_end(process_id: int) -> float:
    """Ask a process to end, and return how long it takes (Linux)."""
    begun_s = time.perf_counter()
    os.kill(process_id, signal.SIGTERM)
    while Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z":
        time.sleep(PAUSE_S)
    return time.perf_counter() - begun_s


async def _ask(port: int, tool: str, arguments: dict[str, Any]) -> None:
    caller = HttpCaller(port)
    while True:
        json.loads(await caller.call(tool, arguments))


async def _timed_calls(port: int, until_s: float) -> list[float]:
    caller = HttpCaller(port)
    spent: list[float] = []
    while time.perf_counter() < until_s:
        begun_s = time.perf_counter()
        await caller.call("list_gpus", {"query": "h100", "limit": 3})
        spent.append(time.perf_counter() - begun_s)
        await asyncio.sleep(PAUSE_S)
    return spent


async def _timed_health(port: int, until_s: float) -> list[float]:
    spent: list[float] = []
    while time.perf_counter() < until_s:
        begun_s = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()
        spent.append(time.perf_counter() - begun_s)
        await asyncio.sleep(PAUSE_S)
    return spent


async def _largest_mib(process_id: int, until_s: float) -> float:
    largest = 0.0
    while time.perf_counter() < until_s:
        largest = max(largest, resident_mib(process_id))
        await asyncio.sleep(PAUSE_S)
    return largest


def _percentiles(spent: list[float]) -> tuple[float, float]:
    ordered = sorted(spent)
    return ordered[len(ordered) // 2] * 1e3, ordered[int(0.99 * (len(ordered) - 1))] * 1e3


if __name__ == "__main__":
    main()
