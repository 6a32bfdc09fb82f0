"""What to beware of in the verdict on a speed."""

from estimator.answers.check.candidate import said
from estimator.answers.check.expected import Expected, utilization
from estimator.answers.check.observation import Observation
from estimator.answers.check.usual_batches import counted
from estimator.answers.estimate.wording import sample_words
from estimator.question.question import Caution
from estimator.resolve.rule import UTILIZATION
from estimator.resolve.run import Run

__all__ = ["speed_cautions", "spread_thin"]

_WHOLE_CLUSTER = 4_096
"""Devices from which on a source that tells their number seldom trained one model on all of them."""


def spread_thin(run: Run, seen: Observation, flop_per_token: float) -> tuple[Caution, ...]:
    """Return the doubt about hours on so many devices that each has little to do: GPU-hours may have been divided."""
    reached = utilization(run, seen.tokens_per_second, flop_per_token)
    if seen.kind != "hours" or run.n_gpus < _WHOLE_CLUSTER or reached >= UTILIZATION.low:
        return ()
    message = (
        f"hours on {run.n_gpus:,} GPUs come to {reached:.1%} of their peak, where runs reach {UTILIZATION.low:.0%} to "
        f"{UTILIZATION.high:.0%}: were published GPU-hours divided by a whole cluster? A run seldom has all of one; on "
        "fewer GPUs the same GPU-hours take longer, so take hours and GPUs from the same sentence of the source"
    )
    return (Caution(code="gpu_hours_divided", message=message),)


def speed_cautions(run: Run, seen: Observation, expected: Expected) -> tuple[Caution, ...]:
    """Return what to beware of in a verdict: what it assumes, and what was priced instead of what was told."""
    out: list[Caution] = []
    if seen.batch_assumed is not None:
        out.append(
            Caution(
                code="batch_assumed",
                message=f"nothing tells how many {sample_words(run)} a step takes: "
                f"{counted(run, seen.batch_assumed):,} is assumed, the batch that the expected speed is for; the "
                "observed speed is proportional to it (the time left is not): give global_batch_sequences, or "
                "micro_batch_size with gradient_accumulation",
            )
        )
    if seen.length_open:
        out.append(_open_length(run, seen))
    if not expected.fits:
        out.append(_does_not_fit(slow=seen.tokens_per_second < expected.low))
    if expected.rounded_batch is not None:
        out.append(
            Caution(
                code="batch_rounded",
                message="few replicas can share the batch as told, or none; "
                f"{expected.rounded_batch:,} sequences were priced",
            )
        )
    if expected.coverage is None:
        out.append(
            Caution(
                code="not_predicted",
                message="the speed could not be predicted: the range is the rule of thumb's, 30 to 55 % of peak",
            )
        )
    experts = run.question is not None and run.question.transformer.experts is not None
    if experts and expected.tier == "untuned":
        out.append(
            Caution(
                code="experts_on_untuned_stack",
                message="active parameters alone mislead here: stacks that run experts one after the other are slower "
                "than a dense model of as many active parameters, often than one of all; grouped matrix products "
                "(Megatron, torchtitan) are several times faster",
            )
        )
    return tuple(out)


def _does_not_fit(*, slow: bool) -> Caution:
    """Return what a run that has no room as it was told must do; one that is not `slow` keeps nothing on the host."""
    if slow:
        message = (
            "by our count this run does not fit in memory: it must keep states in host memory, which is slow (say so: "
            'framework "…, optimizer offload"), or be laid out or run otherwise than told'
        )
    else:
        message = (
            "by our count this run does not fit in memory as told, and is not slow as with states in host memory: it "
            "must hold less, such as weights loaded in BF16 or an optimizer in 8 bits (say so in framework), or be "
            "laid out otherwise than told"
        )
    return Caution(code="does_not_fit", message=message)


def _open_length(run: Run, seen: Observation) -> Caution:
    """Return what a speed rests on that counts sequences whose length nobody told."""
    length = f"{run.sequence_length:,} tokens each are assumed"
    if (size := next((told for told in run.assumptions if told.name == "image_size"), None)) is not None:
        length, remedy = f"{size.value} each are assumed, {run.sequence_length:,} positions", "image_size as trained"
    elif seen.open_length == "tokens_per_sample":
        if said(run, "sequence_length"):
            length += ", for all that is told is where they are cut"
        remedy = 'tokens_per_sample, a data set in samples, or packing "packed" if sequences are full'
    else:
        remedy = "sequence_length as trained"
    message = (
        f"what was observed counts sequences, not tokens, and {length}: speed and verdict go with it; give {remedy}"
    )
    return Caution(code="sequence_length_assumed", message=message)
