"""Evaluations and checkpoints that take much of a run, or that were told and are not counted."""

import math

from estimator.answers.estimate.overhead import RunOverhead
from estimator.answers.estimate.scheduled import Recurring, Scheduled, scheduled_of
from estimator.base.prior import Prior
from estimator.base.units import format_duration, format_rate
from estimator.question.question import Caution, Prediction
from estimator.question.schedule import Times
from estimator.resolve.run import Run

__all__ = ["GENERATED_TOKEN_S", "schedule_doubts", "uncounted"]

GENERATED_TOKEN_S = Prior(
    low=0.02,
    mode=0.03,
    high=0.06,
    why="Seconds of a token that a trainer's own `generate` writes for each of a batch, however few: its host launches "
    "every kernel of every layer one by one; reading the weights takes longer where they are many.",
)
_GENERATED_TOKENS, _GENERATED_BATCH, _GENERATED_SAMPLES = 256.0, 8.0, 1000.0
"""Tokens of an answer, samples of a batch and in all, where a size of what is generated is needed to tell of it."""
_LONGEST = 60
_MUCH = 0.1
"""Share of a run that is worth a warning."""
_FEWER = (2, 3, 4, 5, 8, 10, 15, 20, 25, 30, 40, 50, 80, 100, 200, 500, 1000)
"""Round numbers of times less often, or on less."""


def schedule_doubts(
    run: Run, scheduled: Scheduled | None, overhead: RunOverhead, steps_s: float
) -> tuple[Caution, ...]:
    """Return what to know of evaluations and checkpoints of a run of `steps_s` seconds of steps that counts them."""
    found: list[Caution] = []
    if scheduled is not None:
        named = (
            ("evaluation_takes_long", "evaluation", scheduled.evaluation),
            ("saving_takes_long", "saving checkpoints", scheduled.saving),
        )
        for code, name, one in named:
            share = 0.0 if one is None else one.share(steps_s).mode
            of_run = share / (1.0 + overhead.fraction)
            if one is None or of_run <= _MUCH:
                continue
            taken = f"{name} takes about {format_duration(share * steps_s)}, {of_run:.0%} of the run"
            found.append(Caution(code=code, message=f"{taken} ({one.told(steps_s)}); {_help(run, code, one, share)}"))
    return (*found, *_generation(run, scheduled, steps_s))


def uncounted(
    run: Run, prediction: Prediction | None, tokens_per_second: float, step_s: float | None
) -> tuple[Caution, ...]:
    """Return a warning where evaluations or checkpoints were told of a run whose speed was given: none count."""
    asked, steps_s = run.schedule, run.amount.tokens / tokens_per_second
    layout = None if prediction is None else prediction.layout
    if step_s is None and prediction is not None:
        step_s = prediction.tokens_per_step / tokens_per_second
    scheduled = None if step_s is None else scheduled_of(run, tokens_per_second, step_s, layout)
    doubts = _generation(run, scheduled, steps_s)
    if not (asked.evaluates or asked.saves):
        return doubts
    told = [] if scheduled is None else [one for one in (scheduled.evaluation, scheduled.saving) if one is not None]
    taken = sum(one.share(steps_s).mode for one in told) * steps_s
    counted = f" ({' and '.join(one.told(steps_s) for one in told if one.count(steps_s))})" if taken else ""
    more = f"would take about {format_duration(taken)} more" if taken else "comes on top"
    assumed = run.observed_tokens_per_second is None and run.utilization is None
    remedy = "give a catalogued model and gpu to have it counted" if assumed else "give no speed to have it counted"
    remedy = remedy if step_s else "say global_batch_sequences to learn how much"
    message = f"the time is that of steps alone: what was told of evaluations and checkpoints{counted} {more}; {remedy}"
    return (Caution(code="evaluation_not_counted", message=message), *doubts)


def _help(run: Run, code: str, one: Recurring, share: float) -> str:
    """Return what would leave about a tenth of the time in steps, in words."""
    fewer = next((times for times in _FEWER if share / times <= _MUCH), _FEWER[-1])
    often, asked = _often(one.times, fewer), run.schedule
    if code == "saving_takes_long":
        alone = "" if asked.saves_weights_alone else ", or the weights alone (save_only_model),"
        return f"check whether saving {often}{alone} would do"
    samples = asked.evaluated_samples or asked.held_samples
    less = f"{math.ceil(samples / fewer):,} samples" if samples else f"1/{fewer} as much"
    unsaid = "" if asked.sized else "say on how many samples, and "
    return f"{unsaid}check whether evaluating {often}, or on {less}, would do"


def _often(times: Times, fewer: int) -> str:
    """Return how often a tenth and the like of the `times` would be, in words."""
    if times.steps is not None:
        return f"every {times.steps * fewer:,.0f} steps"
    if times.epochs is not None:
        epochs = times.epochs * fewer
        return f"every {format_rate(epochs)} epochs" if epochs >= 1.0 else f"{format_rate(1.0 / epochs)} times an epoch"
    return f"{fewer} times less often"


def _generation(run: Run, scheduled: Scheduled | None, steps_s: float) -> tuple[Caution, ...]:
    """Return a warning where something is generated now and then, with what it may take where that is text."""
    words, network, chip = run.schedule.generated, run.subject.transformer, run.device.accelerator
    if words is None:
        return ()
    much = ""
    if network is not None and chip is not None and network.vocab:
        evaluation = None if scheduled is None else scheduled.evaluation
        samples = run.schedule.evaluated_samples or run.schedule.held_samples or _GENERATED_SAMPLES
        count = max(1.0, evaluation.count(steps_s) if evaluation else run.amount.epochs)
        token_s = max(GENERATED_TOKEN_S.mode, 2.0 * run.subject.active_parameters / chip.memory_bandwidth_bytes_per_s)
        batches = math.ceil(samples / (_GENERATED_BATCH * run.n_gpus))
        taken = count * batches * _GENERATED_TOKENS * token_s
        much = (
            f": {count:,.0f} times {samples:,.0f} answers of {_GENERATED_TOKENS:.0f} tokens, {_GENERATED_BATCH:.0f} at "
            f"a time on each GPU, would take about {format_duration(taken)} more"
        )
    told = " ".join(words.split())[:_LONGEST]
    message = f"what is generated ({told}) is not counted{much}; check whether fewer samples would do"
    return (Caution(code="generation_not_counted", message=message),)
