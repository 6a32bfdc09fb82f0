"""What a run takes beyond its steps: evaluation, checkpoints, failures, and what goes wrong in weeks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from estimator.answers.estimate.interruptions import interrupted_share, interruptions_told, told
from estimator.answers.estimate.scheduled import Scheduled
from estimator.base.prior import Prior
from estimator.base.units import DAY_S, HOUR_S
from estimator.physics.stacks import STACKS, Stack, Tier
from estimator.question.profile import Goodput

__all__ = [
    "BENCHMARK_EVALUATION",
    "CHECKPOINT_STALL_S",
    "EVALUATION",
    "FAILURES_PER_GPU_HOUR",
    "IN_PRODUCTION",
    "MOST_RESTARTING",
    "RESTART_S",
    "START_UP_S",
    "TROUBLE",
    "TROUBLE_DAYS",
    "RunOverhead",
    "run_overhead",
]

EVALUATION = Prior(
    low=0.005,
    mode=0.02,
    high=0.05,
    why="Share of time spent evaluating and logging: long pre-training runs evaluate every few thousand steps, "
    "fine-tuning ones each epoch.",
)
BENCHMARK_EVALUATION: Mapping[str, Prior] = MappingProxyType(
    {
        "full": Prior(
            low=0.001,
            mode=0.035,
            high=0.11,
            why="MLPerf Training, pre-training: time to target over steps times their median, 76 runs of three "
            "vendors; the rules set how often is evaluated, and initialisation is not timed.",
        ),
        "adapters": Prior(
            low=0.11,
            mode=0.13,
            high=0.3,
            why="MLPerf Training, LoRA of Llama-2-70B, 154 runs of two vendors: evaluated every 384 samples.",
        ),
    }
)
FAILURES_PER_GPU_HOUR = Prior(
    low=1.1e-5,
    mode=419 / (54 * 24 * 16_384),
    high=8.4e-5,
    why="419 unexpected interruptions in 54 days on 16,384 H100s (Grattafiori et al. 2024, section 3.3.4). Eleven in "
    "54 days on 768 A100s (GLM-130B's log); 6.5 and 2.3 a thousand node-days on two clusters of A100s (Kokolis et al. "
    "2025); two machines a day of 124 (OPT-175B's logbook).",
)
CHECKPOINT_STALL_S = Prior(
    low=5.0,
    mode=30.0,
    high=120.0,
    why="Seconds training waits for one checkpoint: a few where it is written asynchronously, minutes where it is not.",
)
_BY_HAND = Prior(
    low=600.0,
    mode=3600.0,
    high=6 * HOUR_S,
    why="Seconds until somebody has noticed, found the node and started again: OPT-175B lost about five hours to each "
    "of 105 restarts, GLM-130B about as much; both were also nights.",
)
RESTART_S: Mapping[Tier, Prior] = MappingProxyType(
    {
        "tuned": Prior(
            low=120.0,
            mode=300.0,
            high=1200.0,
            why="Seconds to find a failure, replace the node and load the last checkpoint where that is automatic: "
            "Llama 3 kept above 90 % effective training time with 8.6 interruptions a day (Grattafiori et al. 2024, "
            "section 3.3.4), ByteDance 97 % on 9,600 GPUs (ByteRobust, Wan et al. 2025).",
        ),
        "research": _BY_HAND,
        "untuned": _BY_HAND,
    }
)
MOST_RESTARTING = Prior(
    low=0.03,
    mode=0.1,
    high=0.3,
    why="Share of the time that restarts take at most: who loses more automates them. AWS went from 22 % of downtime "
    "to 1.2 % (HLAT, Fan et al. 2024), Alibaba from 31 % to 1.2 % (C4, Dong et al. 2024).",
)
_OFTEN = Prior(
    low=0.005,
    mode=0.08,
    high=0.5,
    why="Share of the steps that weeks-long runs lose to what no failure rate tells: divergence and steps done again, "
    "storage, maintenance, bugs. BLOOM-176B 7 %, GLM-130B 8 %, SmolLM3 about 20 % (a start over after a trillion "
    "tokens), OPT-175B 60 %; MPT-7B next to nothing.",
)
TROUBLE: Mapping[Tier, Prior] = MappingProxyType(
    {
        "tuned": Prior(
            low=0.002,
            mode=0.04,
            high=0.25,
            why="The same at those who train often: Llama-3.1-405B's GPU-hours are 17 % above its steps, 12 of them "
            "failures and checkpoints; Gemini's goodput was 85 %, then 97 %; DeepSeek-V3 never rolled back.",
        ),
        "research": _OFTEN,
        "untuned": _OFTEN,
    }
)
TROUBLE_DAYS = Prior(
    low=2.0,
    mode=7.0,
    high=20.0,
    why="Days of steps after which a run has met with half of its share of trouble: logs of weeks-long runs tell of "
    "something every few days, and runs of hours are over before, or are started anew and not counted.",
)
IN_PRODUCTION = Prior(
    low=0.0,
    mode=0.12,
    high=0.75,
    why="Share by which steps of weeks-long runs take longer than those whose speed is published, which are of healthy "
    "nodes, good hours and layouts that were searched for. Of days and weeks of twelve labs, each left out of what "
    "its steps were predicted from, the middle lab took 8 % longer than all that is told beside its steps, two weeks "
    "in the middle, and the slowest 45 %. Those twelve tell much of how they train; of labs that publish no speed some "
    "train for weeks at a quarter of the peak on stacks whose makers publish half of it.",
)
START_UP_S = Prior(
    low=15.0,
    mode=60.0,
    high=180.0,
    why="Seconds from the command to the first step: imports, communicators, weights from disk, compilation. Part of "
    "no speed; the least that any run takes, with one step.",
)


_WORTH_SAYING = 5e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOverhead:
    """Time beyond the steps, as a fraction of the time in them."""

    fraction: float
    low: float
    high: float
    n_gpus: int
    days: float
    """Of steps."""
    trouble: float
    """Part of the fraction that goes to what goes wrong in weeks; NaN for a benchmark's run …"""
    slower: float = 0.0
    """… and to steps that are slower in weeks than in a published hour."""
    interruptions: str = ""
    """What was told of them, in words; empty where they are as usual."""
    evaluation: float = EVALUATION.mode
    """Part of the fraction that goes to evaluating, and to saving where it was told how often."""
    saving: float | None = None

    def widened(self, low_factor: float, high_factor: float) -> tuple[float, float]:
        """Return factors on the time of a whole run from those on its steps.

        Log errors of step and overhead, independent of each other, are added in quadrature.
        """
        low = math.hypot(math.log(low_factor), math.log((1.0 + self.low) / (1.0 + self.fraction)))
        high = math.hypot(math.log(high_factor), math.log((1.0 + self.high) / (1.0 + self.fraction)))
        return math.exp(-low), math.exp(high)

    @property
    def note(self) -> str:
        """What it is made of."""
        if math.isnan(self.trouble):
            return f"evaluation {self.fraction:.1%} ({self.low:.1%} to {self.high:.0%}), as MLPerf's rules time a run"
        wrong = ""
        if self.trouble > _WORTH_SAYING:
            wrong = f", {self.trouble:.1%} for what goes wrong in {self.days:,.3g} days"
        if self.slower > _WORTH_SAYING:
            wrong += f", {self.slower:.1%} for steps slower than those that are published"
        mtbf_h = 1.0 / (FAILURES_PER_GPU_HOUR.mode * self.n_gpus)
        failures = self.fraction - self.trouble - self.slower - self.evaluation - (self.saving or 0.0)
        rate = f"one failure in {mtbf_h:,.0f} h at Llama 3's rate (419 in 54 days on 16,384 H100s)"
        saved, often = f"checkpoints and failures {failures:.1%}", "checkpoints as often as Young and Daly advise"
        if self.saving is not None:
            saved, often = f"checkpoints {self.saving:.1%}, failures {failures:.1%}", "checkpoints as told"
        return (
            f"evaluation {self.evaluation:.0%}, {saved}{wrong}; {self.interruptions or rate}, {often}; what goes "
            "wrong: steps done again, faults of storage, bugs; start-up not counted"
        )


def run_overhead(
    n_gpus: int,
    steps_s: float,
    stack: Stack,
    *,
    adapters: bool = False,
    goodput: Goodput | None = None,
    its_own: bool = False,
    scheduled: Scheduled | None = None,
) -> RunOverhead:
    """Return what a run on `stack` takes beyond `steps_s` seconds of steps, start-up aside.

        evaluation + √(2 · stall / mtbf) + min(restart / mtbf, most) + (trouble + in production) · d / (d + days),
        mtbf = 1 / (failures per GPU-hour · gpus),   d = days of steps

    Source: Young 1974 and Daly 2006: checkpoints every √(2 · stall · mtbf) lose the least. Weeks-long runs alone meet
    with trouble. A benchmark's run is timed without its failures. Fails for preemptible machines, which are lost far
    more often, unless `goodput` tells how often: then interruptions cost `interrupted_share`. Of a training whose
    published run is `its_own`, how fast such a lab trains in production is known.

    Evaluations and checkpoints that are `scheduled` take what they take in the place of what is usual; from one
    checkpoint to the next, half of the steps between them are lost to each failure.
    """
    days = steps_s / DAY_S
    # Whose kernels a library's layers call says nothing of who watches over a run.
    tier = STACKS[stack.name].tier
    if stack.name == "mlperf" and goodput is None and scheduled is None:
        rules = BENCHMARK_EVALUATION["adapters" if adapters else "full"]
        return RunOverhead(
            fraction=rules.mode, low=rules.low, high=rules.high, n_gpus=n_gpus, days=days, trouble=math.nan
        )
    said = goodput or Goodput()
    interval_s, trouble = said.interval_s, TROUBLE[tier]
    evaluating = None if scheduled is None or scheduled.evaluation is None else scheduled.evaluation.share(steps_s)
    saved = None if scheduled is None else scheduled.saving
    saving = None if saved is None else saved.share(steps_s)
    between_s = None if saved is None else saved.between_s(steps_s)
    # Who knows how often machines are taken back has scripts that start again.
    restart = RESTART_S["tuned" if interval_s is not None else tier]
    stall, restart = told(said.checkpoint_s, CHECKPOINT_STALL_S), told(said.restart_s, restart)

    def steady(place: int) -> float:
        """Return the share without what grows with days: at least, most likely or at most, by place."""
        evaluation = (_halfway(EVALUATION) if evaluating is None else evaluating).ends[place]
        failures, stall_s, restart_s, most = (
            _halfway(prior).ends[place] for prior in (FAILURES_PER_GPU_HOUR, stall, restart, MOST_RESTARTING)
        )
        known = evaluation + (0.0 if saving is None else saving.ends[place])
        if interval_s is not None:
            stall_s = stall_s if between_s is None else 0.0
            return known + interrupted_share(interval_s, stall_s, restart_s, between_s)
        mtbf_s = HOUR_S / (failures * n_gpus)
        # Who loses more to failures saves more often.
        done_again = math.sqrt(2.0 * stall_s / mtbf_s) if between_s is None else min(between_s / (2.0 * mtbf_s), most)
        return known + done_again + min(restart_s / mtbf_s, most)

    def lost(share: float, half_days: float) -> float:
        return share * days / (days + half_days)

    wrong, slower = (lost(share.mode, TROUBLE_DAYS.mode) for share in (trouble, IN_PRODUCTION))
    slowest = IN_PRODUCTION.mode if its_own else IN_PRODUCTION.high
    low, mode, high = (steady(place) for place in range(3))
    return RunOverhead(
        fraction=mode + wrong + slower,
        low=low + lost(math.sqrt(trouble.low * trouble.mode), math.sqrt(TROUBLE_DAYS.high * TROUBLE_DAYS.mode)),
        # Trouble is most of the spread between runs, so that its far end is in reach alone.
        high=high + lost(math.hypot(trouble.high, slowest), math.sqrt(TROUBLE_DAYS.low * TROUBLE_DAYS.mode)),
        n_gpus=n_gpus,
        days=days,
        trouble=wrong,
        slower=slower,
        interruptions=interruptions_told(goodput),
        evaluation=EVALUATION.mode if evaluating is None else evaluating.mode,
        saving=None if saving is None else saving.mode,
    )


def _halfway(prior: Prior) -> Prior:
    """Return a judgement as far as it reaches together with others: the extremes of independent ones do not meet."""
    low, high = math.sqrt(prior.low * prior.mode), math.sqrt(prior.high * prior.mode)
    return Prior(low=low, mode=prior.mode, high=high, why=prior.why)
