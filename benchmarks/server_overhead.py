"""What this server costs over the least one on the same SDK: cold start, warm call, HTTP calls a second, memory.

Both are measured in turn, round by round, and each ratio is taken within a round: a busy machine slows both.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.wire import QUESTIONS, HttpCaller, StdioCaller, http_server, processor_s, resident_mib

COLD_STARTS = 15
WARM_BLOCKS = 20
CALLS_A_BLOCK = 50
CONNECTIONS = 8
HTTP_ROUNDS = 12
CALLS_A_CONNECTION = 60

Samples = Mapping[str, list[float]]
"""What was measured of each question, in rounds: those of one round were measured right after each other."""


def main() -> None:
    """Measure, and print one table."""
    rates, cpu_ms, held_mib = asyncio.run(_http())
    rows = [
        ("cold start, ms (spawn to first answer)", _cold_ms(), "≤ 1.25 ×"),
        ("warm call over stdio, ms", _warm_ms(), "≤ 1 ms over"),
        (f"HTTP calls a second, {CONNECTIONS} connections", rates, "≥ 0.8 ×"),
        ("processor time of an HTTP call, ms", cpu_ms, "≤ 1.25 ×"),
        ("resident memory after them, MiB", held_mib, ""),
    ]
    print(f"| {'':40} | {' | '.join(f'{name:>15}' for name in QUESTIONS)} | ratio to baseline | aim |")
    print(f"| --- | {' | '.join('---' for _ in QUESTIONS)} | --- | --- |")
    for name, samples, aim in rows:
        figures = " | ".join(f"{statistics.median(values):15.2f}" for values in samples.values())
        print(f"| {name:40} | {figures} | {', '.join(f'{ratio:.2f}' for ratio in _ratios(samples))} | {aim} |")


def _ratios(samples: Samples) -> list[float]:
    """Return of each question but the baseline the median of its ratios to the baseline in the same round."""
    return [
        statistics.median(one / base for one, base in zip(values, samples["baseline"], strict=True))
        for name, values in samples.items()
        if name != "baseline"
    ]


def _cold_ms() -> Samples:
    spent: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for _ in range(COLD_STARTS):
        for name, question in QUESTIONS.items():
            begun_s = time.perf_counter()
            caller = StdioCaller(question.server)
            caller.call(question.tool, question.arguments)
            spent[name].append((time.perf_counter() - begun_s) * 1e3)
            caller.close()
    return spent


def _warm_ms() -> Samples:
    callers = {name: StdioCaller(question.server) for name, question in QUESTIONS.items()}
    spent: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for _ in range(WARM_BLOCKS):
        for name, question in QUESTIONS.items():
            begun_s = time.perf_counter()
            for _ in range(CALLS_A_BLOCK):
                callers[name].call(question.tool, question.arguments)
            spent[name].append((time.perf_counter() - begun_s) * 1e3 / CALLS_A_BLOCK)
    for caller in callers.values():
        caller.close()
    return spent


async def _http() -> tuple[Samples, Samples, Samples]:
    """Return calls a second, processor time of a call, and memory; all servers run throughout, asked in turn."""
    rates: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    cpu_ms: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    with ExitStack() as running:
        served = {name: running.enter_context(http_server(question.server)) for name, question in QUESTIONS.items()}
        for name, (port, _) in served.items():
            await _ask(name, port)
        for _ in range(HTTP_ROUNDS):
            for name, (port, process_id) in served.items():
                begun_s, used_s = time.perf_counter(), processor_s(process_id)
                calls = await _ask(name, port)
                rates[name].append(calls / (time.perf_counter() - begun_s))
                cpu_ms[name].append((processor_s(process_id) - used_s) * 1e3 / calls)
        held_mib = {name: [resident_mib(process_id)] for name, (_, process_id) in served.items()}
    return rates, cpu_ms, held_mib


async def _ask(name: str, port: int) -> int:
    """Ask on all connections at once, and return how many calls that was."""
    question = QUESTIONS[name]

    async def ask() -> None:
        caller = HttpCaller(port)
        for _ in range(CALLS_A_CONNECTION):
            await caller.call(question.tool, question.arguments)
        caller.close()

    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return CONNECTIONS * CALLS_A_CONNECTION


if __name__ == "__main__":
    main()
