"""What this server costs over the least one on the same SDK: cold start, warm call, HTTP calls a second, memory.

Both are measured in turn in the same run, so that a busy machine slows both; the ratios are what counts.
"""

import asyncio
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.wire import QUESTIONS, HttpCaller, StdioCaller, http_server, resident_mib

COLD_STARTS = 15
WARM_BLOCKS = 20
CALLS_A_BLOCK = 50
CONNECTIONS = 8
HTTP_ROUNDS = 8
HTTP_ROUND_S = 1.0


def main() -> None:
    """Measure, and print one table."""
    rows = [
        ("cold start, ms (spawn to first answer)", _cold_ms(), "≤ 1.25 ×"),
        ("warm call over stdio, ms", _warm_ms(), "≤ 1 ms over"),
        ("HTTP calls a second, 8 connections", asyncio.run(_http_calls_per_s()), "≥ 0.8 ×"),
        ("resident memory after them, MiB", asyncio.run(_memory_mib()), ""),
    ]
    print(f"| {'':40} | {' | '.join(f'{name:>15}' for name in QUESTIONS)} | ratio to baseline | aim |")
    print(f"| --- | {' | '.join('---' for _ in QUESTIONS)} | --- | --- |")
    for name, figures, aim in rows:
        ratios = ", ".join(f"{value / figures['baseline']:.2f}" for key, value in figures.items() if key != "baseline")
        print(f"| {name:40} | {' | '.join(f'{value:15.2f}' for value in figures.values())} | {ratios} | {aim} |")


def _cold_ms() -> dict[str, float]:
    spent: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for _ in range(COLD_STARTS):
        for name, question in QUESTIONS.items():
            begun_s = time.perf_counter()
            caller = StdioCaller(question.server)
            caller.call(question.tool, question.arguments)
            spent[name].append((time.perf_counter() - begun_s) * 1e3)
            caller.close()
    return {name: statistics.median(values) for name, values in spent.items()}


def _warm_ms() -> dict[str, float]:
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
    return {name: statistics.median(values) for name, values in spent.items()}


async def _http_calls_per_s() -> dict[str, float]:
    rates: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for name, question in list(QUESTIONS.items()) * HTTP_ROUNDS:
        with http_server(question.server) as (port, _):
            await _rate(name, port, 0.3)
            rates[name].append(await _rate(name, port, HTTP_ROUND_S))
    return {name: statistics.median(values) for name, values in rates.items()}


async def _rate(name: str, port: int, during_s: float) -> float:
    question = QUESTIONS[name]
    answered = 0
    until_s = time.perf_counter() + during_s

    async def ask() -> None:
        nonlocal answered
        caller = HttpCaller(port)
        while time.perf_counter() < until_s:
            await caller.call(question.tool, question.arguments)
            answered += 1
        caller.close()

    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return answered / during_s


async def _memory_mib() -> dict[str, float]:
    held: dict[str, float] = {}
    for name, question in QUESTIONS.items():
        with http_server(question.server) as (port, process_id):
            await _rate(name, port, HTTP_ROUND_S)
            held[name] = resident_mib(process_id)
    return held


if __name__ == "__main__":
    main()
