"""What a run takes beyond its steps: evaluation, checkpoints, failures."""

import math
from dataclasses import dataclass

from estimator.base.prior import Prior

__all__ = [
    "CHECKPOINT_STALL_S",
    "EVALUATION",
    "FAILURES_PER_GPU_HOUR",
    "RESTART_S",
    "RunOverhead",
    "run_overhead",
]

_SECONDS_PER_HOUR = 3600.0

EVALUATION = Prior(
    low=0.005,
    mode=0.02,
    high=0.05,
    why="Share of time spent evaluating and logging; MLPerf Training runs of Llama-3.1-405B spend about 4 % outside "
    "their steps, long pre-training runs evaluate less often.",
)
FAILURES_PER_GPU_HOUR = Prior(
    low=0.5 * 419 / (54 * 24 * 16_384),
    mode=419 / (54 * 24 * 16_384),
    high=2.0 * 419 / (54 * 24 * 16_384),
    why="419 unexpected interruptions in 54 days on 16,384 H100s (Grattafiori et al. 2024, section 3.3.4); other "
    "fleets within a factor of two.",
)
CHECKPOINT_STALL_S = Prior(
    low=5.0,
    mode=30.0,
    high=120.0,
    why="Seconds training waits for one checkpoint: a few where it is written asynchronously, minutes where it is not.",
)
RESTART_S = Prior(
    low=120.0,
    mode=300.0,
    high=1200.0,
    why="Seconds to find a failure, replace the node and load the last checkpoint; Llama 3 kept above 90 % effective "
    "training time with 7.8 interruptions a day (Grattafiori et al. 2024, section 3.3.4).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOverhead:
    """Time beyond the steps, as a fraction of the time in them."""

    fraction: float
    low: float
    high: float
    note: str


def run_overhead(n_gpus: int) -> RunOverhead:
    """Return evaluation, checkpoints (Young–Daly) and failures of a run on `n_gpus` devices, whatever its length.

        evaluation + √(2 · stall / mtbf) + restart / mtbf,   mtbf = 1 / (failures per GPU-hour · gpus)

    Source: Young 1974 and Daly 2006: checkpoints every √(2 · stall · mtbf) lose the least. Start-up is left out: it is
    minutes, whatever the length. Fails for preemptible machines, which are lost far more often.
    """

    def fraction(evaluation: float, failures: float, stall_s: float, restart_s: float) -> float:
        mtbf_s = _SECONDS_PER_HOUR / (failures * n_gpus)
        return evaluation + math.sqrt(2.0 * stall_s / mtbf_s) + restart_s / mtbf_s

    priors = (EVALUATION, FAILURES_PER_GPU_HOUR, CHECKPOINT_STALL_S, RESTART_S)
    point = fraction(*(prior.mode for prior in priors))
    mtbf_h = 1.0 / (FAILURES_PER_GPU_HOUR.mode * n_gpus)
    return RunOverhead(
        fraction=point,
        # The extremes of four independent judgements do not meet: halfway out in each is as far as they reach together.
        low=fraction(*(math.sqrt(prior.low * prior.mode) for prior in priors)),
        high=fraction(*(math.sqrt(prior.high * prior.mode) for prior in priors)),
        note=f"evaluation {EVALUATION.mode:.0%}, checkpoints and failures {point - EVALUATION.mode:.1%}: one failure "
        f"in {mtbf_h:,.0f} h at Llama 3's rate (419 in 54 days on 16,384 H100s), checkpoints as often as Young and "
        "Daly advise; start-up not counted",
    )
