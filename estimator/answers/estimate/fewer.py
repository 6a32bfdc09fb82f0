"""Negative strong scaling: whether fewer devices would train sooner than all that there are."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from estimator.answers.estimate.token_time import predicted_token_s
from estimator.base.units import format_count
from estimator.evidence.calibration import Calibration
from estimator.models.flops import flop_counts
from estimator.physics.choice import Setting
from estimator.question.cluster import Cluster
from estimator.question.question import Caution, Layout

__all__ = ["Fewer", "fewer_would_do", "fewer_would_fit", "half_would_do"]

_SHARES = ((3, 4), (2, 3), (1, 2), (1, 3), (1, 4), (1, 8))
_WORTH = 0.01
"""Share of the time that fewer devices must save before they are named, where every count has a batch of its own."""
_AS_EFFICIENT = 1.05
"""How much less a device may do on the count that all others are held against than on the best of them."""
_AS_FAST = 1.01
"""Counts that differ by less in time are equally fast, and the largest of them is named."""
_NO_LONGER = 1.005
"""Times the time from which on half the devices are said to take longer."""
_HARDLY_LONGER = 1.05
"""Times the time that half the devices may take before the other half is worth its hours."""
_TWICE = 2.0
_ROUND = 16
"""Counts of at most so many times a power of two divide well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fewer:
    """A smaller cluster that trains in less time."""

    n_gpus: int
    times: float
    """How many times as fast it is as all that there are."""
    caution: Caution

    @property
    def would(self) -> str:
        """What it would do, in words: `8 GPUs would train 3.32 times as fast`."""
        gpus = "1 GPU" if self.n_gpus == 1 else f"{self.n_gpus:,} GPUs"
        return f"{gpus} would train {_faster(self.times).rsplit(' ', 1)[0]}"


def fewer_would_do(
    setting: Setting, fitted: Calibration, layout: Layout, breakdown: Mapping[str, float], step_s: float
) -> Fewer | None:
    """Return a smaller cluster that trains in less time than one with steps of `step_s`, and says so; None else.

    A batch that was stated is the same on every count; else each has the usual one. Looked at are the counts below
    that powers of two divide, the next smaller of each, and for a stated batch three quarters, two thirds, a half, a
    third, a quarter and an eighth; of devices that mostly wait, a half, a quarter, … too. Nearly all questions are
    settled by what devices could do at best, without a search.
    """
    question = setting.question
    stated = question.global_batch_sequences is not None
    n_gpus = question.cluster.n_gpus
    waits = breakdown["communication"] + breakdown["bubble"]
    counts = _smaller(question.cluster, stated=stated)
    divides_badly = bool(counts)
    if not counts:
        # What fewer compute takes them longer in proportion, so that less waiting must make up for all of it.
        counts = [count for count in _halves(question.cluster) if count > n_gpus * (1.0 - waits)]
    if not counts:
        return None
    now_s = step_s / _tokens(setting) if question.precedent is None else _token_s(setting, fitted, n_gpus)
    flop = flop_counts(question.transformer, sequence_length=question.sequence_length, method=question.method).model
    ceiling = max(setting.case.gemm_flop_per_s, setting.case.half_flop_per_s)
    limit_s = now_s * (1.0 if stated else 1.0 - _WORTH)
    faster: dict[int, float] = {}
    ideal_s = 0.0
    if not stated:
        # The count that divides best tells what a device can do; fewer of them must make up for those left out.
        least = counts.pop()
        taken_s = _token_s(setting, fitted, least)
        ideal_s = taken_s * least / _AS_EFFICIENT if math.isfinite(taken_s) else 0.0
        faster |= {least: taken_s} if taken_s < limit_s else {}
    for fewer in counts:
        if max(flop / (fewer * ceiling), ideal_s / fewer) >= min(faster.values(), default=limit_s):
            continue
        taken_s = _token_s(setting, fitted, fewer)
        if taken_s < limit_s:
            faster[fewer] = taken_s
    if not faster:
        return None
    enough_s = min(faster.values()) * _AS_FAST
    best = max(count for count, taken_s in faster.items() if taken_s <= enough_s)
    degrees = f"tensor {layout.tensor_parallel} × pipeline {layout.pipeline_parallel} × data {layout.data_parallel}"
    batch = f"{setting.global_batch // question.sequences_each:,} {question.batch_unit}"
    found = f"the fastest layout of a batch of {batch} on {n_gpus:,} is {degrees}"
    other = "or fewer GPUs" if stated or not divides_badly else "or a count of GPUs that divides better"
    train = "1 GPU trains" if best == 1 else f"{best:,} GPUs train"
    times = now_s / faster[best]
    caution = Caution(
        code="fewer_gpus_are_faster",
        times=times,
        would=f"{train} {_faster(times)} {n_gpus:,}",
        message=f"{train} {_faster(times)} {n_gpus:,}: {found}, and {waits:.0%} "
        f"of its step is communication and bubble; give a larger global_batch_sequences, {other}",
    )
    return Fewer(n_gpus=best, times=times, caution=caution)


def _faster(times: float) -> str:
    """Return how much faster, in words: a share below twice as fast, and beyond how many times."""
    return f"{times - 1:.1%} faster than" if times < _TWICE else f"{format_count(times)} times as fast as"


def half_would_do(
    setting: Setting, fitted: Calibration, breakdown: Mapping[str, float], step_s: float
) -> Caution | None:
    """Return a warning where half the devices would take hardly longer than all, whose steps take `step_s`; else None.

    Their work takes half of them twice as long, so that all must wait for about half of a step before any is priced.
    """
    question, n_gpus = setting.question, setting.question.cluster.n_gpus
    works = 1.0 - breakdown["communication"] - breakdown["bubble"]
    halves = _in_whole_nodes({n_gpus // 2}, question.cluster) if n_gpus % 2 == 0 else []
    if not halves or 2.0 * works > _HARDLY_LONGER:
        return None
    now_s = step_s / _tokens(setting) if question.precedent is None else _token_s(setting, fitted, n_gpus)
    times = _token_s(setting, fitted, halves[0]) / now_s
    if times > _HARDLY_LONGER:
        return None
    half = "1 GPU takes" if halves[0] == 1 else f"{halves[0]:,} GPUs take"
    longer = "no longer" if times < _NO_LONGER else f"only {times - 1:.0%} longer"
    would = f"{half} {longer} than {n_gpus:,}, for half the GPU-hours"
    message = f"{would}; give a larger global_batch_sequences, or fewer GPUs"
    return Caution(code="fewer_gpus_as_fast", would=would, message=message)


def fewer_would_fit(setting: Setting, fitted: Calibration) -> Caution | None:
    """Return a warning where what does not fit would on fewer devices, which divide better; None where it would not."""
    question = setting.question
    counts = _smaller(question.cluster, stated=question.global_batch_sequences is not None)
    fewer = next((count for count in counts if math.isfinite(_token_s(setting, fitted, count))), None)
    if fewer is None:
        return None
    which = "1 GPU, which divides" if fewer == 1 else f"{fewer:,} GPUs, which divide"
    message = f"it fits on {which} better than {question.cluster.n_gpus:,}"
    return Caution(code="fits_on_fewer_gpus", message=message)


def _smaller(cluster: Cluster, *, stated: bool) -> list[int]:
    """Return counts to look at, largest first, each of whole nodes or within one; none where the count divides well."""
    n = cluster.n_gpus
    if not stated and _ROUND * (n & -n) >= n:
        return []
    counts = {n >> power << power for power in range(1, n.bit_length())}
    if stated:
        counts |= {n * part // whole for part, whole in _SHARES if n * part % whole == 0}
        counts |= {1 << ((n - 1).bit_length() - 1)} if n > 1 else set()
    return _in_whole_nodes(counts, cluster)


def _halves(cluster: Cluster) -> list[int]:
    """Return a half, a quarter, an eighth, … of the devices, largest first, each of whole nodes or within one."""
    return _in_whole_nodes({cluster.n_gpus >> power for power in range(1, cluster.n_gpus.bit_length())}, cluster)


def _in_whole_nodes(counts: Collection[int], cluster: Cluster) -> list[int]:
    n, node = cluster.n_gpus, cluster.gpus_per_node
    return sorted((count for count in counts if 0 < count < n and (count < node or count % node == 0)), reverse=True)


def _tokens(setting: Setting) -> float:
    return float(setting.global_batch * setting.question.sequence_length)


def _token_s(full: Setting, fitted: Calibration, n_gpus: int) -> float:
    """Return predicted seconds per token on `n_gpus`; infinity where it does not fit or divide.

    A run that was published on some count says nothing of the others, so that none is held to it here.
    """
    cluster = full.question.cluster
    smaller = replace(cluster, n_gpus=n_gpus, gpus_per_node=min(n_gpus, cluster.gpus_per_node))
    return predicted_token_s(replace(full.question, cluster=smaller, precedent=None), fitted)
