"""An answer between two ways to train, of which the amount of data decides: its point, its range, and its words."""

import math
from dataclasses import dataclass, replace

from estimator.evidence.mixture import HELD, TOLD_FROM, WORTH_SAYING, SplitNormal, Times, borne, split_quantile
from estimator.evidence.stack_doubts import BEARABLE_STACK
from estimator.evidence.uncertainty import COVERAGE, TWO_SIDED_90, Interval
from estimator.physics.choice import Setting
from estimator.physics.crossings import Crossing
from estimator.question.question import Caution

__all__ = ["Way", "crossed"]

_LEAST_SPREAD = 1e-6
"""Of an end that lies at the point itself, which a ceiling may bring about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What one way to train is answered with."""

    setting: Setting
    token_log: float
    """Log of the seconds that a token takes, all devices together."""
    span: Interval
    """Factors on it."""


def crossed(taken: Way, other: Way, crossing: Crossing) -> Way:
    """Return the way that is printed, `taken`, with the point and the range of both.

        log time = (1 − w) · log time of the first + w · log time of the second      w: `Crossing.second_share`

    A median would flip from one to the other, and a run of more tokens take less time. The range is the mixture's, and
    holds both where either has a tenth; it reaches to the first way, too, where hardly anybody is thought to take it.
    """
    first, second = (taken, other) if crossing.other_is_second else (other, taken)
    ratio_log = first.token_log - second.token_log
    weight = crossing.second_share(ratio_log)
    left = borne(crossing.left, math.exp(ratio_log), BEARABLE_STACK) if first.setting.fits else 0.0
    of_first = max(1.0 - weight, left)
    token_log = crossing.point_log(taken.token_log, other.token_log)
    ways = ((first, of_first), (second, 1.0 - of_first))
    normals = [_split_normal(way, share) for way, share in ways if share > 0.0]
    low, high = (split_quantile(normals, tail) - token_log for tail in ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2))
    of_other = 1.0 - of_first if crossing.other_is_second else of_first
    times = Times(assumed=math.exp(taken.token_log - token_log), others=(math.exp(other.token_log - token_log),))
    told = _of_layers if crossing.of_layers else _of_batch
    # Nobody is told of what hardly anybody has, or of what takes no other time.
    alike = of_other < TOLD_FROM or abs(other.token_log - taken.token_log) < WORTH_SAYING
    cautions = () if alike else (told(taken, other, times, of_other),)
    span = replace(
        taken.span,
        low=math.exp(min(low, 0.0)),
        high=math.exp(max(high, 0.0)),
        warnings=(*cautions, *taken.span.warnings),
    )
    return replace(taken, token_log=token_log, span=span)


def _split_normal(way: Way, share: float) -> SplitNormal:
    """Return the normal whose central range is that of a way."""
    below, above = (max(abs(math.log(end)) / TWO_SIDED_90, _LEAST_SPREAD) for end in (way.span.low, way.span.high))
    return SplitNormal(at=way.token_log, share=share, below=below, above=above)


def _of_layers(taken: Way, _: Way, times: Times, share: float) -> Caution:
    """Return whose layers with experts are printed, and what those of the `share` of others would take."""
    stack, question = taken.setting.stack, taken.setting.question
    printed = "in one's own" if question.practice.own_experts else "in Transformers'"
    told = f"as about {share:.0%} have on so many tokens, a token takes {times.told('', assumed=printed)}"
    both, say = share > 2.0 * HELD, "expert parallelism"
    if question.practice.own_experts:
        held = not stack.spreads_under_zero3 and question.layout.data_sharding == "zero3"
        spread, say = ("not spread, as under ZeRO-1 and 2 alone", "ZeRO-2") if held else ("spread", say)
        between = ", and the time lies between them and Transformers'" if both else ""
        message = (
            f"layers of one's own, experts {spread}, are assumed on {stack.name}{between}; in Transformers', {told}"
        )
    else:
        between = ": the time lies between Transformers' and one's own" if both else ", and Transformers' are assumed"
        message = f"{stack.name} does not tell whose layers run{between}; in one's own, {told}"
    message = f'{message}: say "{say}" or "Transformers" in framework'
    return Caution(code="own_experts_assumed", message=message)


def _of_batch(taken: Way, other: Way, times: Times, share: float) -> Caution:
    """Return which batch is printed, and what that of the `share` of others would take."""
    unit = taken.setting.question.batch_unit
    each = taken.setting.question.sequences_each
    batch, its = (way.setting.global_batch // each for way in (taken, other))
    message = (
        f"{batch:,} {unit} a step are assumed; in {its:,}, as about {share:.0%} have on so many tokens, a token takes "
        f"{times.told('', assumed=f'in {batch:,}')}: say global_batch_sequences"
    )
    return Caution(code="batch_unsaid", message=message)
