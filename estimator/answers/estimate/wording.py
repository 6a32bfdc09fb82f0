"""An estimate in words: the summary, and the formula with its numbers."""

import math
from collections.abc import Sequence
from typing import Protocol, TypeVar

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.estimate.host_memory import fitting_words
from estimator.answers.estimate.waits import MOSTLY, waiting_share
from estimator.base.units import (
    DAY_S,
    format_bytes,
    format_count,
    format_counted,
    format_duration,
    format_rate,
    format_usd,
)
from estimator.models.towers import text_ratio
from estimator.resolve.rule import UTILIZATION
from estimator.resolve.run import Run

__all__ = [
    "Narrows",
    "amount_words",
    "formula",
    "rate_words",
    "rule_formula",
    "said_first",
    "sample_words",
    "summary",
    "time_range",
]

_SMALL_DAYS = 0.1
"""Below this a duration reads better in a smaller unit than days."""
_MUCH_PADDING = 1.05
"""Tokens processed over real ones from which on both are said."""
_WORTH_SAYING = 0.1
"""Share of a range's log width from which on the summary says what would narrow it."""
_MEASURED = "observed_tokens_per_second"
"""What always narrows a range most, and cannot be told before a run."""
_MUCH = 2.0
"""Times as fast as it is answered that a run may be, from which on the summary says how."""
_ROUNDING = 1e-9
_OBJECTIVES = {
    "dpo": "DPO",
    "orpo": "ORPO",
    "kto": "KTO",
    "reward": "reward modelling",
    "contrastive": "contrastive learning",
    "masked": "masked language modelling",
    "replaced_token": "replaced-token detection",
}
_GUESSED = {
    "sample_lengths_assumed": "the length of samples is assumed",
    "padded_length_assumed": "the length of padded rows is assumed",
    "length_may_be_a_limit": "if samples fill their sequences",
    "length_mean_or_limit": "the length told may be a mean or a limit",
    "batch_assumed": "the batch is assumed",
}
"""What an amount rests on that nobody told, by its warning: time is in proportion to it."""
_HALVES = frozenset({"bf16", "fp16"})
_UPDATES_ALONE = "Sampling of answers, usually most of an RL step, is not counted: this is its updates alone."
_THINGS = {"image": "images", "clip": "clips", "sound": "sounds"}
_METHODS = {"lora": " with LoRA", "qlora": " with QLoRA", "frozen": " with frozen weights"}


class Narrows(Protocol):
    """What would narrow a range, here or in the shape of an answer."""

    @property
    def argument(self) -> str:
        """The argument left out."""
        ...

    @property
    def narrows_by(self) -> float:
        """Share of the range's log width that would go."""
        ...


_N = TypeVar("_N", bound=Narrows)


def _counts(estimate: Estimate) -> str:
    """Return how n_gpus was counted where gpu tells another number: time is in proportion to it."""
    told = next((one.message for one in estimate.run.warnings if one.code == "gpu_count_disagrees"), "")
    return f"Beware: {told}." if told else ""


def summary(estimate: Estimate, first_way_s: float | None = None) -> str:
    """Return the answer in two or three sentences, with units and range.

    Of a run that does not fit, `first_way_s` is what it takes with the first of the ways to make it.
    """
    run = estimate.run
    ends = time_range(estimate.training_low_s, estimate.training_high_s)
    took = format_duration(estimate.training_s)
    match estimate.basis:
        case "predicted":
            sure = f" ({estimate.coverage:.0%} range {ends})" if estimate.coverage else f" ({ends})"
            how = f"predicted from step time and {_rests_on(estimate)}, with run-level overhead"
        case "observed":
            sure = f" ({ends})"
            how = f"at the observed {estimate.tokens_per_second:,.0f} tokens/s"
        case "assumed_utilization" if run.utilization is not None:
            sure = ""
            how = f"at the given utilization of {run.utilization:.4g}"
        case _:
            sure = f" ({ends})"
            unlike = "" if run.subject.transformer else ", whose range is that of decoders and not of this architecture"
            how = f"by the rule of thumb, {UTILIZATION.mode:g} of peak ({UTILIZATION.high:g} to {UTILIZATION.low:g})"
            how += unlike
    method = _how_trained(run)
    beside = _processed(run)
    beside += [_GUESSED[caution.code] for caution in run.warnings if caution.code in _GUESSED]
    padding = f" ({'; '.join(beside)})" if beside else ""
    first = (
        f"Training {run.subject.name}{method} on {amount_words(run)}{padding} with "
        f"{run.device.counted(run.n_gpus)}{_precision_words(run)} {_takes(estimate)} about {took}{sure}, {how}."
    )
    hours = estimate.gpu_hours[0]
    speed = format_rate(estimate.tokens_per_second / run.n_gpus)
    that_is = "That would be" if _is_hypothetical(estimate) else "That is"
    second = (
        f"{that_is} {format_count(hours)} GPU-hours at {speed} tokens/s per GPU{_sample_rate(estimate)}, "
        f"{estimate.model_flops_utilization:.1%} MFU{_waiting(estimate)}"
    )
    cost = estimate.cost_usd
    if cost.value is not None and cost.low is not None and cost.high is not None:
        second += f", about {format_usd(cost.value)} ({format_usd(cost.low)} to {format_usd(cost.high)})"
    sampled = _UPDATES_ALONE if run.objective.samples_answers else ""
    sentences = (
        _counts(estimate),
        _does_not_fit(estimate, first_way_s),
        sampled,
        first,
        second + ".",
        _fits(estimate),
        _lever(estimate),
        _narrower(estimate),
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _precision_words(run: Run) -> str:
    """Return the precision where it is not the usual 16 bits."""
    return "" if run.device.precision in _HALVES else f" in {run.device.precision}"


def _waiting(estimate: Estimate) -> str:
    """Return that GPUs mostly wait, where they do: why the utilization is what it is."""
    waits = waiting_share(estimate.breakdown)
    if estimate.basis != "predicted" or waits <= MOSTLY:
        return ""
    return f" ({waits:.0%} of a step is communication{' and bubble' if estimate.breakdown.get('bubble') else ''})"


def _rests_on(estimate: Estimate) -> str:
    """Return how many published runs are like a prediction's, and by how much the caller's own correct it."""
    evidence = estimate.evidence
    runs = "1 published run" if evidence.runs == 1 else f"{evidence.runs:,} published runs"
    labs = "1 lab" if evidence.labs == 1 else f"{evidence.labs:,} labs"
    found = f"{runs} of {labs} like it" if evidence.runs else "no published run like it"
    return f"{found}, {evidence.own}" if evidence.own else found


def _things(run: Run) -> str:
    """Return what a sample of a model is that reads pictures itself; nothing of one that reads text."""
    network = run.subject.transformer
    media = None if network is None else network.media
    return _THINGS[media.kind] if media is not None and media.main else ""


def sample_words(run: Run, count: int = 2) -> str:
    """Return what trainers count in a batch: `images`, `sequences of 1,024 tokens`, `sample of 2 sequences` of one."""
    question = run.question
    if question is not None and question.sequences_each > 1:
        several = question.batch_unit
    else:
        several = _things(run) or f"sequences of {run.sequence_length:,} tokens"
    thing, _, more = several.partition(" ")
    return several if count != 1 else f"{thing.removesuffix('s')} {more}".rstrip()


def _processed(run: Run) -> list[str]:
    """Return how many tokens are worked on, where padding or a cut makes them others than those of the data."""
    amount = run.amount
    if amount.cut_at is not None:
        padded = " and padded" if amount.padding > _MUCH_PADDING else ""
        return [f"{format_count(amount.tokens)} once cut at {amount.cut_at:,.0f}{padded}"]
    return [f"{format_count(amount.tokens)} with padding"] if amount.padding > _MUCH_PADDING else []


def amount_words(run: Run) -> str:
    """Return what a run trains on, padding apart: `10B tokens`, or `20k images, 82M tokens` of what reads those.

    Of pairs, what is one is said, as `10k pairs of 2 × 512 tokens`; of what reads and writes, what each of them is.
    """
    things, tokens = _things(run), run.amount.real_tokens
    if things:
        return f"{format_count(run.amount.tokens / run.sequence_length)} {things}, {format_counted(tokens, 'tokens')}"
    network, together = run.subject.transformer, run.objective.objective.sequences
    ratio = None if network is None or network.media is not None else text_ratio(network)
    if ratio is not None:
        return f"{format_counted(tokens, 'source tokens')} and {format_counted(tokens * ratio, 'target tokens')}"
    each = run.amount.tokens_per_sample
    if together == 1 or each is None:
        return format_counted(tokens, "tokens")
    sets = f"{'pairs' if together == 2 else 'samples'} of {together}"  # noqa: PLR2004 - a pair
    return f"{format_count(tokens / (together * each))} {sets} × {each:,.0f} tokens, {format_counted(tokens, 'tokens')}"


def rate_words(run: Run, tokens_per_second: float) -> str:
    """Return a speed of all devices: `23,200 tokens/s`, or `999 tokens/s (0.244 images/s)` of what reads those."""
    things = _things(run)
    beside = f" ({format_rate(tokens_per_second / run.sequence_length)} {things}/s)" if things else ""
    return f"{format_rate(tokens_per_second)} tokens/s{beside}"


def _sample_rate(estimate: Estimate) -> str:
    """Return the pictures a second of all devices."""
    things = _things(estimate.run)
    rate = estimate.tokens_per_second / estimate.run.sequence_length
    return f" ({format_rate(rate)} {things}/s in all)" if things else ""


def _how_trained(run: Run) -> str:
    """Return what of the model is trained, and towards what, where that is not all of it and the next token."""
    method = _METHODS.get(run.method.name, "")
    if run.method.name == "frozen" and run.method.trained_layers:
        layers = run.method.trained_layers
        method = f" ({layers} layer{'' if layers == 1 else 's'} trained)"
    objective = run.objective.objective.name
    # The model's name tells by which views it is trained.
    return method + (
        "" if objective in {"next_token", "self_supervised"} else f" by {_OBJECTIVES.get(objective, objective)}"
    )


def time_range(low_s: float, high_s: float) -> str:
    """Return `36.9 to 52.2 days`, with the first unit only where the second is another."""
    low, high = format_duration(low_s), format_duration(high_s)
    number, _, unit = low.partition(" ")
    return f"{number if high.endswith(unit) else low} to {high}"


def _does_not_fit(estimate: Estimate, first_way_s: float | None) -> str:
    """Return the sentence that an answer opens with where a run does not fit, with the cheapest way to make it."""
    memory = estimate.memory
    if memory is None or memory.fits:
        return ""
    takes = f"it takes {format_bytes(memory.least_bytes)} on each {estimate.run.device.name}"
    would = f"; {estimate.ways_to_fit[0].words} would do" if estimate.ways_to_fit else ""
    if would and first_way_s is not None:
        would += f", in about {format_duration(first_way_s)}"
    return f"Does not fit: {takes}, where a run can fill {format_bytes(memory.usable_bytes)}{would}."


def _is_hypothetical(estimate: Estimate) -> bool:
    """Return whether a time is predicted of a run that does not fit."""
    return estimate.basis == "predicted" and estimate.memory is not None and not estimate.memory.fits


def _takes(estimate: Estimate) -> str:
    return "would, if it fitted, take" if _is_hypothetical(estimate) else "takes"


def _fits(estimate: Estimate) -> str:
    memory = estimate.memory
    if memory is None or not memory.fits:
        return ""
    return fitting_words(estimate.run.question, memory)


def _lever(estimate: Estimate) -> str:
    """Return what would help devices that mostly wait, where the same run might take half as long."""
    waiting = (caution for caution in estimate.warnings if caution.code == "mostly_waiting")
    told = next((caution.would for caution in waiting if caution.times >= _MUCH), "")
    return f"What would help: {told}." if told else ""


def _narrower(estimate: Estimate) -> str:
    """Return what of all that was left out would narrow the range most, were it said."""
    first = said_first(estimate.narrow_by)
    return f"To narrow the range, say {first.argument} first." if first else ""


def said_first(narrowings: Sequence[_N]) -> _N | None:
    """Return what a caller is asked to say first; None where nothing that can be said before a run narrows much."""
    told = (one for one in narrowings if one.argument != _MEASURED and one.narrows_by >= _WORTH_SAYING)
    return next(told, None)


def formula(estimate: Estimate) -> str:
    """Return the formula behind the time, with its numbers."""
    run = estimate.run
    if estimate.basis == "observed":
        return (
            f"{_engineering(run.amount.tokens)} tokens ÷ {_engineering(estimate.tokens_per_second)} tokens/s = "
            f"{_seconds(estimate.training_s)}"
        )
    utilization = (
        estimate.hardware_flops_utilization if estimate.basis == "predicted" else run.utilization or UTILIZATION.mode
    )
    overhead = f" × {1 + estimate.overhead.fraction:.4g} run-level overhead" if estimate.overhead else ""
    product_s = run.amount.tokens / estimate.tokens_per_second
    product_s *= 1 + estimate.overhead.fraction if estimate.overhead else 1
    least = ""
    if estimate.training_s > product_s * (1 + _ROUNDING):
        least = f"; one step and starting up take {_seconds(estimate.training_s)}"
    return _work_over_rate(run, estimate.coefficient, utilization) + f"{overhead} = {_seconds(product_s)}{least}"


def rule_formula(run: Run) -> str:
    """Return the rule of thumb with its numbers, at its usual utilization."""
    utilization = UTILIZATION.mode
    return f"{_work_over_rate(run, run.rule.coefficient, utilization)} = {_seconds(run.rule.training_s(utilization))}"


def _work_over_rate(run: Run, coefficient: float, utilization: float) -> str:
    gpus = "GPU" if run.n_gpus == 1 else "GPUs"
    work = f"{_engineering(run.rule.parameters)} parameters × {_engineering(run.amount.tokens)} tokens"
    return (
        f"{coefficient:.4g} × {work} ÷ "
        f"({run.n_gpus:,} {gpus} × {_engineering(run.device.peak_flop_per_s)} FLOP/s × {utilization:.4g})"
    )


def _seconds(seconds: float) -> str:
    days = seconds / DAY_S
    return f"{_engineering(seconds)} s = " + (format_duration(seconds) if days < _SMALL_DAYS else f"{days:,.4g} days")


def _engineering(value: float) -> str:
    """Return `value` with four significant digits and an exponent that is a multiple of three: 175e9."""
    if value < 1e4:  # noqa: PLR2004 - short enough as it stands
        return f"{value:.4g}"
    exponent = math.floor(math.log10(value * (1 + 5e-5))) // 3 * 3
    return f"{value / 10.0**exponent:.4g}e{exponent}"
