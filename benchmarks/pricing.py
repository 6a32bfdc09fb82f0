"""How fast layouts are priced and the best is found, on one core, and how much memory that holds.

Times are the processor's, so that other work on the machine does not count.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from estimator.answers.estimate.predict import prediction
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.physics.choice import Choice, ranked_layouts, setting_of
from estimator.physics.memory import memory_of
from estimator.physics.step import step_time
from estimator.question.cluster import Cluster
from estimator.question.question import LayoutRequest, Question

ROUNDS = 20
LONG = 1 << 20
GIVEN = LayoutRequest(
    tensor_parallel=4,
    pipeline_parallel=2,
    virtual_pipeline=1,
    context_parallel=1,
    expert_parallel=1,
    data_sharding="zero1",
    micro_batch_size=1,
    recompute="none",
)


def question(model: str, n_gpus: int, gpu: str = "h100", *, batch: int | None = None, length: int = 4096) -> Question:
    """Return a question to a stack whose layouts are searched."""
    chip = catalogue.accelerator(gpu).value.accelerator
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=Cluster(
            accelerator=chip,
            n_gpus=n_gpus,
            gpus_per_node=chip.gpus_per_node,
            scale_out_bytes_per_s=chip.scale_out_bytes_per_s,
        ),
        precision="bf16",
        sequence_length=length,
        global_batch_sequences=batch,
        framework="megatron",
    )


SPACES = (
    question("deepseek-v3", 2048, "h800", batch=15_360),
    question("llama-3.1-70b", 15_360, batch=61_440, length=32_768),
    question("deepseek-v3", 16_384, batch=65_536, length=131_072),
    # About as large as a space can be: many divisors, every degree of context and expert parallelism.
    question("deepseek-v3", 737_280, batch=8 * 737_280, length=LONG),
)
SEARCHES = (
    (question("llama-3.1-405b", 16_384, length=8192), 60),
    (question("deepseek-v3", 2048, "h800"), 100),
)


def main() -> None:
    """Measure, and print the tables."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    constants = committed_calibration().constants
    print("| time and memory of every layout (≥ 2 million a second) | layouts | ms | million a second |")
    print("| --- | --- | --- | --- |")
    for asked in SPACES:
        n = len(setting_of(asked).layouts)
        spent_s = fastest_s(partial(found_and_priced, asked))
        print(f"| {named(asked)} | {n:,} | {spent_s * 1e3:.1f} | {n / spent_s / 1e6:.2f} |")
    print("\n| one question | ms | aim |\n| --- | --- | --- |")
    given = replace(question("llama-3.1-8b", 512, batch=512), layout=GIVEN)
    posed = setting_of(given)
    rows = posed.layouts.taken(np.array([0]))
    alone_s = fastest_s(lambda: (step_time(posed.case, rows, constants), memory_of(posed.case, rows)))
    print(f"| one given layout, its time and memory | {alone_s * 1e3:.2f} | ≤ 1 |")
    whole_s = fastest_s(partial(found_and_priced, given))
    print(f"| the same from its question on | {whole_s * 1e3:.2f} | ≤ 1 |")
    for asked, aim_ms in SEARCHES:
        search_s = fastest_s(partial(found_and_priced, asked))
        whole_s = fastest_s(partial(prediction, asked))
        print(f"| search: {named(asked)} | {search_s * 1e3:.1f} | ≤ {aim_ms} |")
        print(f"| whole prediction: {named(asked)} | {whole_s * 1e3:.1f} | |")
    held_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nmost memory held by the whole process: {held_mib:.0f} MiB (≤ 286, which are 300 MB)")


def found_and_priced(asked: Question) -> Choice:
    """Return every legal layout priced: what is measured begins with the question."""
    return ranked_layouts(setting_of(asked), committed_calibration().constants)


def named(asked: Question) -> str:
    """Return what is asked, in a few words."""
    cluster = asked.cluster
    return (
        f"{asked.transformer.name} on {cluster.n_gpus:,} {cluster.accelerator.id}, sequence {asked.sequence_length:,}"
    )


def fastest_s(work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of many rounds."""
    spent: list[float] = []
    for _ in range(ROUNDS):
        begun_s = time.process_time()
        work()
        spent.append(time.process_time() - begun_s)
    return min(spent)


if __name__ == "__main__":
    main()
