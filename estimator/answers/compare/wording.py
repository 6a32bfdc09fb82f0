"""A comparison in words."""

from collections.abc import Iterator, Sequence

from estimator.answers.compare.compare import Outcome
from estimator.answers.compare.names import device_words, distinct
from estimator.answers.compare.rank import RankBy, Row
from estimator.answers.compare.terms import names_no_stack
from estimator.answers.estimate.estimate import Estimate
from estimator.answers.estimate.wording import amount_words, time_range
from estimator.base.text import first_of
from estimator.base.units import format_bytes, format_duration, format_usd
from estimator.question.question import Caution

__all__ = [
    "best_rows",
    "comparison_summary",
    "option_name",
    "scaling_doubts",
    "short_layout",
    "told_option",
]

_BEST: dict[RankBy, str] = {"time": "Fastest", "cost": "Cheapest", "energy": "Least energy"}
_NAMED_REASONS, _NAMED_OPTIONS = 2, 2
_IN_PROPORTION = 1.02
"""Scaling efficiency up to which nothing has to be said."""


def comparison_summary(rows: Sequence[Row], rank_by: RankBy) -> str:
    """Return what a comparison found, in a few sentences: the best options, and why others are out."""
    possible = [row for row in rows if row.rank is not None]
    out = len(rows) - len(possible)
    parts = [f"{len(possible):,} of {len(rows):,} options can be run, ranked by {rank_by}."]
    if possible:
        first, *otherwise = best_rows(possible, rank_by)
        # The most telling word of a row is the last.
        naming = (first, *(("Next", row) for row in possible[1:2]), *otherwise)
        names = _names(possible)
        named = {id(row): f"{word}: {told_option(row.outcome.estimate, names[id(row)])}." for word, row in naming}
        parts.extend(named.values())
        fronts = sum(row.pareto for row in possible)
        if fronts > 1:
            parts.append(f"{fronts} options are Pareto-optimal: none is both faster and cheaper.")
    if possible:
        parts += _terms(possible)
    if out:
        shown = "; ".join(_impossible([row.outcome for row in rows if row.rank is None]))
        # A refusal may end in the question what was meant.
        parts.append(f"{out:,} cannot: {shown}" + ("" if shown.endswith("?") else "."))
    return " ".join(parts)


def _terms(possible: Sequence[Row]) -> Iterator[str]:
    """Yield that stacks differ where nobody named one."""
    usual = [row.outcome for row in possible if row.outcome.framework and names_no_stack(row.outcome)]
    stacks = dict.fromkeys(outcome.framework for outcome in usual)
    if len(stacks) > 1:
        yield f"Each is on its usual software ({', '.join(stacks)}), which differs beside what is compared."


def _impossible(several: Sequence[Outcome]) -> Iterator[str]:
    """Yield which options cannot be run and why, those that do not fit together."""
    too_large = [outcome for outcome in several if outcome.estimate is not None]
    if too_large:
        needs = first_of([_need(outcome) for outcome in too_large], _NAMED_OPTIONS)
        yield f"{needs} do{'es' * (len(too_large) == 1)} not fit in memory"
    refused: dict[str, list[str]] = {}
    out = [outcome for outcome in several if outcome.estimate is None]
    names = distinct([_requested(outcome) for outcome in out], [outcome.request for outcome in out])
    for outcome, name in zip(out, names, strict=True):
        refused.setdefault(outcome.reason, []).append(name)
    for reason, whose in [*refused.items()][:_NAMED_REASONS]:
        yield f"{first_of(whose, _NAMED_OPTIONS)}: {reason}"
    more = sum(map(len, [*refused.values()][_NAMED_REASONS:]))
    if more:
        yield f"{more:,} more for other reasons"


def _requested(outcome: Outcome) -> str:
    """Return what tells an option from others that was not estimated."""
    request = outcome.request
    method = "" if request.method == "full" else f", {request.method}"
    return f"{request.model} on {request.n_gpus:,} × {request.gpu}{method}"


def _need(outcome: Outcome) -> str:
    estimated = outcome.estimate
    if estimated is None or estimated.memory is None:
        return _requested(outcome)
    run, memory = estimated.run, estimated.memory
    method = "" if run.method.name == "full" else f", {run.method.name}"
    took = f"{format_bytes(memory.total_bytes)} of {format_bytes(memory.usable_bytes)} a GPU"
    return f"{run.subject.name} on {device_words(run)}{method} ({took})"


def best_rows(possible: Sequence[Row], rank_by: RankBy) -> Iterator[tuple[str, Row]]:
    """Yield the first of ranked rows that can be run and, where another, the best otherwise, each with its word."""
    best = possible[0]
    other: RankBy = "time" if rank_by == "cost" else "cost"
    worth = [row for row in possible if _worth(row, other) is not None]
    otherwise = min(worth, key=lambda row: _worth(row, other) or 0.0, default=best)
    yield _BEST[rank_by], best
    if otherwise is not best:
        yield _BEST[other], otherwise


def _worth(row: Row, by: RankBy) -> float | None:
    estimated = row.outcome.estimate
    if estimated is None:
        return None
    return estimated.training_s if by == "time" else estimated.cost_usd.value


def option_name(estimated: Estimate) -> str:
    """Return what tells an option from others."""
    run = estimated.run
    method = "" if run.method.name == "full" else f", {run.method.name}"
    return f"{run.subject.name} on {amount_words(run)} with {device_words(run)} ({run.device.precision}{method})"


def scaling_doubts(rows: Sequence[Row]) -> tuple[Caution, ...]:
    """Return why an option does more a GPU than the same on fewer, said of the one that does the most; often none."""
    most = max(rows, key=lambda row: row.scaling_efficiency or 0.0)
    few, many = (None if one is None else one.estimate for one in (most.fewest, most.outcome))
    if (most.scaling_efficiency or 0.0) <= _IN_PROPORTION or few is None or many is None:
        return ()
    return (
        Caution(
            code="more_than_in_proportion",
            message=f"{option_name(many)}: each GPU does {most.scaling_efficiency:.2f} times what it does among "
            f"{few.run.n_gpus:,}, because {_what_differs(few, many)}",
        ),
    )


def _what_differs(few: Estimate, many: Estimate) -> str:
    """Return how the layout on many GPUs differs from that on few."""
    if few.layout is None or many.layout is None:
        return "the batch is another"
    one, other = few.layout, many.layout
    reasons: list[str] = []
    if other.micro_batch_size > one.micro_batch_size:
        reasons.append(f"micro-batches of {other.counted_micro_batch} fit, and not of {one.counted_micro_batch}")
    if other.recompute != one.recompute:
        reasons.append(f"activation recomputation is {other.recompute}, and not {one.recompute}")
    if few.run.stack != many.run.stack:
        reasons.append(f"it runs on {many.run.stack.name}, and not on {few.run.stack.name}")
    return "; ".join(reasons) or f"it is laid out as {short_layout(many)}, and not as {short_layout(few)}"


def short_layout(estimated: Estimate) -> str:
    """Return the layout in a line: the degrees above one, and what is sharded and recomputed."""
    layout = estimated.layout
    if layout is None:
        return ""
    degrees = (
        ("tp", layout.tensor_parallel),
        ("pp", layout.pipeline_parallel),
        ("vpp", layout.virtual_pipeline),
        ("cp", layout.context_parallel),
        ("ep", layout.expert_parallel),
        ("dp", layout.data_parallel),
    )
    named = [f"{name}{degree}" for name, degree in degrees if degree > 1]
    batch = layout.counted_batch
    recompute = [] if layout.recompute == "none" else [f"recompute {layout.recompute}"]
    return ", ".join([" ".join(named) or "1 GPU", layout.data_sharding, *recompute, f"batch {batch:,}"])


def _names(rows: Sequence[Row]) -> dict[int, str]:
    """Return the name of each row that was estimated, by its identity; no two of unlike options are one."""
    known = [(row, estimate) for row in rows if (estimate := row.outcome.estimate) is not None]
    names = distinct([option_name(estimate) for _, estimate in known], [row.outcome.request for row, _ in known])
    return {id(row): name for (row, _), name in zip(known, names, strict=True)}


def told_option(estimated: Estimate | None, name: str = "") -> str:
    """Return an option by its `name` with its time, its range and its cost; nothing of one that was not estimated."""
    if estimated is None:
        return ""
    ends = time_range(estimated.training_low_s, estimated.training_high_s)
    text = f"{name or option_name(estimated)}, {format_duration(estimated.training_s)} ({ends})"
    cost = estimated.cost_usd
    if cost.value is not None:
        text += f", about {format_usd(cost.value)}"
    return text
