"""How fast `traintime sweep` works out a million points, on one core and on two, and how much memory that holds.

`sweep.py [POINTS] [ROUNDS]` (1,000,000 and 1). Ten amounts of data share a step, so that every tenth point is a search
of its own. Rounds alternate between one core and two; the fastest of each counts, since other work on the machine can
only slow them. On a machine that has other work, processor time tells more: what one core and two spend on the same
points is what a machine of its own would take, given that no process waits for another.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.wire import processor_s, resident_mib

ROOT = Path(__file__).resolve().parent.parent
SPEC = """
[vary]
model = ["llama-3.1-8b", "llama-3.1-70b", "gpt-3-175b", "mixtral-8x7b"]
gpu = ["h100", "a100", "b200", "mi300x"]
sequence_length = [2048, 4096, 8192, 16384, 32768]
framework = ["megatron", "fsdp"]
n_gpus = {{from = 8, to = {most_gpus}, step = 8}}
tokens = {{from = "1T", to = "10T", step = "1T"}}
"""
POINTS_A_COUNT = 4 * 4 * 5 * 2 * 10
SAMPLE_EVERY_S = 0.25


def main() -> None:
    """Measure, and print the tables."""
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 1  # noqa: PLR2004 - the second argument
    counts = -(-points // POINTS_A_COUNT)
    points = counts * POINTS_A_COUNT
    cores = sorted(os.sched_getaffinity(0))[:2]
    swept: dict[int, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.toml"
        spec.write_text(SPEC.format(most_gpus=8 * counts), encoding="utf-8")
        for number in range(rounds):
            for workers in range(1, len(cores) + 1):
                out = Path(folder) / f"{workers}-{number}"
                swept.setdefault(workers, []).append(measured(spec, out, cores[:workers]))
    print(f"| {points:,} points | s | points a second | of linear | processor s | busiest process, s | memory, MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    alone_s = min(run.spent_s for run in swept[1])
    for workers, runs in swept.items():
        best = min(runs, key=lambda run: run.spent_s)
        share = alone_s / best.spent_s / workers
        spent = f"{best.spent_s:.1f} | {points / best.spent_s:,.0f} | {share:.2f}"
        busy = f"{sum(best.cpu_s.values()):.1f} | {max(best.cpu_s.values()):.1f}"
        settled = best.held_mib[len(best.held_mib) // 4 :]
        print(f"| {workers} core(s) | {spent} | {busy} | {min(settled):.0f} to {max(settled):.0f} |")


@dataclass(kw_only=True)
class Run:
    """One sweep, start-up included."""

    spent_s: float = 0.0
    cpu_s: dict[int, float] = field(default_factory=dict[int, float])
    """Processor time by process."""
    held_mib: list[float] = field(default_factory=list[float])
    """Samples of the memory that all processes hold together."""


def measured(spec: Path, out: Path, cores: list[int]) -> Run:
    """Return what a sweep on `cores` takes."""
    command = [sys.executable, "-m", "traintime", "sweep", str(spec), "--out", str(out), "--workers", str(len(cores))]
    run = Run()
    begun_s = time.perf_counter()
    sweeping = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509 - no thread has been started
    )
    while sweeping.poll() is None:
        run.held_mib.append(0.0)
        for process_id in _family(sweeping.pid):
            # One may end meanwhile.
            with contextlib.suppress(OSError):
                run.held_mib[-1] += resident_mib(process_id)
                run.cpu_s[process_id] = processor_s(process_id)
        time.sleep(SAMPLE_EVERY_S)
    if sweeping.returncode:
        raise RuntimeError(f"the sweep ended with {sweeping.returncode}")
    run.spent_s = time.perf_counter() - begun_s
    return run


def _family(process_id: int) -> list[int]:
    """Return a process and its descendants (Linux)."""
    processes = [process_id]
    for process in processes:
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
            processes.extend(map(int, children.split()))
    return processes


if __name__ == "__main__":
    main()
