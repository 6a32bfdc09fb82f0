"""Why a trainer prints other FLOPs of a GPU than this tool makes of the same speed: what each counts."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from estimator.answers.check.expected import attention_flop_per_token
from estimator.answers.check.logs import LogReading
from estimator.answers.check.observation import Observation
from estimator.base.units import TERA, format_rate
from estimator.models.flops import FlopCounts, flop_counts
from estimator.models.training import Recompute
from estimator.question.question import Caution, Question
from estimator.resolve.run import Run

__all__ = ["BEYOND", "beyond_counts", "counted_otherwise", "logs_refute"]

_SAME = 0.015
"""Share by which two counts may differ and be the same: norms, padded vocabularies, rounded digits."""
BEYOND = 1.5
"""Times from which on FLOPs that no usual count makes are those of another run."""
_OF_ALL_TRAINED = 6.0
"""FLOPs of a token for each parameter where all of a model learns: 2 forward, 4 backward."""
_WORTH_TELLING = 0.1
"""Share from which on a difference changes what is read off a utilization: below it runs themselves differ as much."""
_OURS = "this tool counts the keys that a query sees, the output layer, no recomputation and no embedding lookup"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Convention:
    """A way to count the FLOPs of a token."""

    what: str
    flop_per_token: float


def counted_otherwise(
    run: Run, reading: LogReading | None, seen: Observation, flop_per_token: float
) -> tuple[Caution, ...]:
    """Return what a log's own FLOPs of a GPU count, where its speed is known beside them and makes others.

        FLOPs in the log · GPUs / tokens per second   against   each convention's FLOPs per token

    Megatron-LM's `num_floating_point_operations` counts the whole score matrix (Narayanan et al. 2021, appendix).
    """
    logged = None if reading is None else reading.flop_per_s_per_gpu
    if run.question is None or reading is None or logged is None:
        return ()
    if seen.kind == "tflops_per_gpu" or seen.batch_assumed is not None:
        return ()
    ours = seen.tokens_per_second * flop_per_token / run.n_gpus
    per_token = logged * run.n_gpus / seen.tokens_per_second
    if abs(logged / ours - 1.0) < _WORTH_TELLING:
        return ()
    nearest = min(_conventions(run, run.question), key=lambda way: abs(way.flop_per_token / per_token - 1.0))
    its = "no usual count makes the log's, so see whether model, length, batch and GPUs are those of the log"
    if abs(nearest.flop_per_token / per_token - 1.0) <= _SAME:
        by_it = ours * nearest.flop_per_token / flop_per_token
        its = f"the log counts {nearest.what}, which makes {format_rate(by_it / TERA)}"
    message = (
        f"of the same speed the log makes {format_rate(logged / TERA)} TFLOP/s per GPU and this answer "
        f"{format_rate(ours / TERA)}: {its}; {_OURS}"
    )
    return (Caution(code="flops_counted_otherwise", message=message),)


def beyond_counts(run: Run, question: Question, flop_per_token: float) -> float:
    """Return by what factor FLOPs per token are more than any usual count of the run, or less; 1 where they are not.

    Trainers multiply adapters' frozen base by 6, too, and experts that rest.
    """
    counts = [way.flop_per_token for way in _conventions(run, question)]
    counts.append(_OF_ALL_TRAINED * run.subject.total_parameters)
    return flop_per_token / min(max(flop_per_token, min(counts)), max(counts))


def logs_refute(run: Run, reading: LogReading | None, seen: Observation, work: float) -> bool:
    """Return whether devices do not do `work` times the FLOPs of what was told, by the FLOPs that a log itself prints.

    Those agree with what was told by some usual count, and with so much more, or less, by none.
    """
    logged = None if reading is None else reading.flop_per_s_per_gpu
    if logged is None or run.question is None or work == 1.0 or seen.kind == "tflops_per_gpu":
        return False
    if seen.batch_assumed is not None:
        return False
    per_token = logged * run.n_gpus / seen.tokens_per_second
    as_told, otherwise = (
        abs(math.log(beyond_counts(run, run.question, each))) for each in (per_token, per_token / work)
    )
    return otherwise > math.log(BEYOND) and otherwise > as_told


def _conventions(run: Run, question: Question) -> Iterator[_Convention]:
    """Yield ways that trainers count in, the commonest first."""
    plain, whole = _counts(question), _counts(question, causal=False)
    scores = " the whole score matrix, its masked half too" if question.transformer.causal else " attention"
    attention = attention_flop_per_token(question)
    whole_attention = attention + whole.model - plain.model
    six = run.model_coefficient * run.subject.active_parameters
    coefficient = f"{run.model_coefficient:g} FLOPs for each parameter"
    logits = plain.of_part("logits")
    yield _Convention(what=scores.strip(), flop_per_token=whole.model)
    again = _counts(question, recompute="full").hardware
    yield _Convention(what="full recomputation", flop_per_token=again)
    both = _counts(question, causal=False, recompute="full").hardware
    yield _Convention(what=f"full recomputation and{scores}", flop_per_token=both)
    yield _Convention(what="no attention", flop_per_token=plain.model - attention)
    yield _Convention(what=f"{coefficient} and no attention", flop_per_token=six)
    yield _Convention(what=f"{coefficient} and{scores}", flop_per_token=six + whole_attention)
    yield _Convention(what="no output layer", flop_per_token=plain.model - logits)
    yield _Convention(what=f"no output layer, and{scores}", flop_per_token=whole.model - logits)


def _counts(question: Question, *, causal: bool = True, recompute: Recompute = "none") -> FlopCounts:
    return flop_counts(
        question.transformer,
        sequence_length=question.sequence_length,
        method=question.method,
        recompute=recompute,
        causal=causal,
    )
