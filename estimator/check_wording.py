"""A check of a speed in words."""

from estimator.check import SpeedCheck
from estimator.units import TERA, format_duration

__all__ = ["UTILIZATION_CONVENTION", "check_summary"]

UTILIZATION_CONVENTION = (
    "MFU: FLOPs the model needs (matrix products and attention, forward and backward; causal halves skipped, "
    "recomputation and embedding lookups not counted) over the dense peak; HFU adds recomputation"
)


def check_summary(check: SpeedCheck) -> str:
    """Return the verdict in two to four sentences, with the range and the likeliest causes."""
    run, seen, expected = check.run, check.seen.tokens_per_second, check.expected
    sure = f"{expected.coverage:.0%} range" if expected.coverage else "rule-of-thumb range"
    range_text = (
        f"{_spoken(expected.tokens_per_second)} expected ({sure} {_spoken(expected.low)} to {_spoken(expected.high)})"
    )
    observed = (
        f"{_spoken(seen)} tokens/s over {run.n_gpus:,} × {run.device.name} ({check.model_flops_utilization:.1%} MFU)"
    )
    match check.verdict:
        case "normal":
            first = f"Normal: {observed} is {check.ratio:.2f} of the {range_text}."
        case "implausible":
            bound = check.bound
            executed = seen * bound.flop_per_token / run.n_gpus / TERA
            first = (
                f"Implausible: {observed} would execute {executed:,.4g} TFLOPS per GPU, above the {bound.name} of "
                f"{bound.flop_per_s_per_gpu / TERA:,.4g} ({bound.note}). The run should reach {range_text}."
            )
        case "slow":
            first = f"Slow: {observed} is {check.ratio:.2f} of the {range_text}."
        case _:
            first = f"Faster than expected: {observed} is {check.ratio:.2f} of the {range_text}."
    return " ".join(part for part in (first, _causes(check), _left(check)) if part)


def _causes(check: SpeedCheck) -> str:
    if check.verdict == "normal":
        return ""
    explaining = [cause.what for cause in check.causes if cause.explains][:3]
    if explaining:
        return f"What would explain it, likeliest first: {'; '.join(explaining)}."
    if not check.causes:
        return "None of the usual causes explains it; check the number and its unit first."
    nearest = check.causes[0]
    share = nearest.tokens_per_second / check.expected.tokens_per_second
    return f"No single usual cause explains it; nearest comes: {nearest.what} ({share:.2f} of the expected speed)."


def _left(check: SpeedCheck) -> str:
    left = check.remaining
    if left is None:
        return ""
    if left.seconds == 0:
        return "Nothing is left to train."
    return f"{format_duration(left.seconds)} left at this speed."


def _spoken(value: float) -> str:
    """Return `value` with three significant digits and thousands apart."""
    return f"{float(f'{value:.3g}'):,.10g}"
