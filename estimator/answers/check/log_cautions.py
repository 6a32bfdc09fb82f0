"""What a reader of a log's speed must know, and the causes that a log itself speaks for."""

from collections.abc import Sequence

from estimator.answers.check.causes import Cause
from estimator.answers.check.expected import Expected
from estimator.answers.check.logs import LogReading
from estimator.answers.check.observation import Observation
from estimator.answers.check.told import Contradiction
from estimator.question.question import Caution

__all__ = ["contradicting_causes", "log_cautions"]

_UNEVEN = 1.3


def contradicting_causes(apart: Sequence[Contradiction], seen: Observation, expected: Expected) -> tuple[Cause, ...]:
    """Return a cause for each thing that log and caller say differently: before any other, since one of them errs."""
    return tuple(
        Cause(
            code="log_contradicts_arguments",
            what=f"log and arguments speak of different runs: {entry.what}",
            tokens_per_second=expected.tokens_per_second * entry.factor,
            explains=expected.low * entry.factor <= seen.tokens_per_second <= expected.high * entry.factor,
            evidence=f"they differ {max(entry.factor, 1.0 / entry.factor):,.3g} times in {entry.name}",
            check=f"give {entry.name} as the run of this log had it",
            usual=True,
        )
        for entry in apart
    )


def log_cautions(reading: LogReading | None, apart: Sequence[Contradiction]) -> tuple[Caution, ...]:
    """Return what was assumed of a log, and what in it may mislead."""
    if reading is None:
        return ()
    out: list[Caution] = []
    if apart:
        out.append(Caution(code="log_contradicts_arguments", message="; ".join(entry.what for entry in apart)))
    if reading.doubt is not None:
        out.append(
            Caution(
                code="log_line_doubted",
                message=f"{reading.doubt}; give the line that names training, or observed_step_seconds",
            )
        )
    if reading.warm_up_only:
        out.append(
            Caution(
                code="log_warm_up_only",
                message="the log shows the first steps alone, which compile, allocate and tune: the steady speed is "
                "often higher; lines after step 20 would tell it",
            )
        )
    if reading.counts_micro:
        out.append(
            Caution(
                code="log_counts_micro_batches",
                message=f"{reading.dialect} counts micro-batches, taken as steps here: give gradient_accumulation "
                "(with micro_batch_size) if several make a step",
            )
        )
    if reading.spread is not None and reading.spread > _UNEVEN:
        out.append(
            Caution(
                code="uneven_steps",
                message=f"the middle half of the step times spans a factor of {reading.spread:.2f}: data loading, "
                "samples of unequal length or other users of the machine; the median was taken",
            )
        )
    return tuple(out)
