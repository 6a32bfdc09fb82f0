"""Is this speed normal: what was observed against what was to be expected, why it differs, and how long is left."""

from dataclasses import dataclass, replace

from estimator.answers.check.batch_of_steps import as_inferred, batch_of_steps
from estimator.answers.check.candidate import Gap
from estimator.answers.check.causes import Cause, likely_causes
from estimator.answers.check.expected import (
    Bound,
    Expected,
    Verdict,
    expected_speed,
    speed_bound,
    utilization,
    verdict,
)
from estimator.answers.check.flop_conventions import counted_otherwise
from estimator.answers.check.left import Remaining, in_run, remaining
from estimator.answers.check.load_causes import load_caution
from estimator.answers.check.log_cautions import contradicting_causes, log_cautions
from estimator.answers.check.log_rows import has_full_rows, with_open_padding
from estimator.answers.check.logs import LogReading
from estimator.answers.check.monitor import DeviceLoad, device_load
from estimator.answers.check.observation import (
    SHORTEST_SEQUENCE,
    Observation,
    Observed,
    observation,
    observed_reading,
    without_idle_log,
)
from estimator.answers.check.real_tokens import COUNT, open_count, with_real_tokens
from estimator.answers.check.set_up import Loss, cautions_of, losses_of_set_up, told_in_summary
from estimator.answers.check.speed_cautions import speed_cautions, spread_thin
from estimator.answers.check.thousands import with_thousands
from estimator.answers.check.told import (
    as_taken,
    contradictions,
    in_steps,
    open_length,
    pads_by_its_steps,
    taken_from_log,
    with_log,
    with_one_micro_batch,
)
from estimator.answers.check.unsaid import open_ways
from estimator.answers.check.usual_batches import (
    expected_batch,
    open_arguments,
    usual_shares,
)
from estimator.answers.check.usual_lengths import (
    Lengths,
    are_samples_of_any_length,
    normal_lengths,
    open_lengths,
    short_samples,
    usual_length_shares,
    with_short_samples,
)
from estimator.answers.estimate.overhead import run_overhead
from estimator.answers.estimate.scheduled import scheduled_of
from estimator.base.errors import InvalidValueError
from estimator.base.units import parse_count
from estimator.models.flops import flop_counts
from estimator.models.training import WITH_ADAPTERS
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request
from estimator.resolve.layout_request import OF_THE_RULE
from estimator.resolve.misplaced import checked_kind
from estimator.resolve.objective import is_rollouts
from estimator.resolve.packing import FEW_GPUS
from estimator.resolve.run import Run, resolve
from estimator.resolve.separators import separators_doubted
from estimator.resolve.settings import with_settings

__all__ = ["SpeedCheck", "speed_check"]

_UNSAID_TOKENS, _UNSAID_TUNED_TOKENS = 1e12, 1e8
"""Stand for an amount nobody told: of training from scratch, and of what may as well be fine-tuning. A speed depends on
it no more than that."""
_UNSAID_SAMPLES = 100_000
"""Stands for the samples of a set whose lengths alone were told: as many as fine-tuning takes."""
_OF_AN_AMOUNT = frozenset({"tokens", "processed_tokens"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedCheck:
    """The answer."""

    run: Run
    as_assumed: Verdict
    """With what was assumed of the arguments in `depends_on`."""
    depends_on: tuple[str, ...]
    """The arguments that nobody told and without which another verdict is as likely; none where it holds."""
    normal_lengths: tuple[float, float] | None
    """Between how many tokens a sequence the step would be normal, where the verdict depends on its length."""
    by_length: Lengths | None
    """What samples of either length would be, where the range over all lengths says nothing of a speed."""
    seen: Observation
    expected: Expected
    bound: Bound
    model_flop_per_token: float
    hardware_flop_per_token: float
    causes: tuple[Cause, ...]
    losses: tuple[Loss, ...]
    """What the run as it is set up loses, in the expected speed already."""
    remaining: Remaining | None
    reading: LogReading | None
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict; `normal` where it hangs on a batch or length that nobody told, for with another the speed is.

        Of tokens that may or may not count padding the verdict is as they were taken, with its causes.
        """
        return self.as_assumed if self.depends_on in {(), (COUNT,)} else "normal"

    @property
    def ratio(self) -> float:
        """Observed over expected speed."""
        return self.seen.tokens_per_second / self.expected.tokens_per_second

    @property
    def losses_told(self) -> tuple[Loss, ...]:
        """Those of its losses that the summary tells."""
        return told_in_summary(self.losses, self.as_assumed, self.depends_on)

    @property
    def model_flops_utilization(self) -> float:
        """FLOPs the model needs over the dense peak: no recomputation, the keys a query sees."""
        return self._utilization(self.model_flop_per_token)

    @property
    def hardware_flops_utilization(self) -> float:
        """FLOPs executed over the dense peak, by the layout's recomputation."""
        return self._utilization(self.hardware_flop_per_token)

    @property
    def flop_per_s_per_gpu(self) -> float:
        """FLOPs the model needs, per second and device."""
        return self.seen.tokens_per_second * self.model_flop_per_token / self.run.n_gpus

    def _utilization(self, flop_per_token: float) -> float:
        return utilization(self.run, self.seen.tokens_per_second, flop_per_token)


def speed_check(request: Request, observed: Observed) -> SpeedCheck:
    """Return whether what was observed of `request` is normal.

    Raises MissingValueError where nothing was observed, or not what its conversion needs; InvalidValueError for values
    no run can have.
    """
    request = with_settings(request)
    text = observed.log
    (observed, idle_log), taken = without_idle_log(observed), frozenset[str]()
    reading = observed_reading(observed)
    checked_kind("tokens_done", observed.tokens_done)
    if reading is not None:
        reading = in_steps(reading, request.gradient_accumulation)
        taken = taken_from_log(request, reading)
    sampled = is_rollouts(request.objective)
    if sampled:
        # What is asked is why it is slow: the update step is what can be held against it.
        request = replace(request, objective="next_token")
    amount_known = any(amount is not None for amount in (request.tokens, request.samples, request.steps))
    # Who tells a utilization counts what sequences hold, padding and all.
    whole = observed.mfu is not None or observed.tflops_per_gpu is not None
    asked, unaccumulated, run = _resolved(request, reading, amount_known=amount_known, whole=whole)
    batch = batch_of_steps(request, reading, observed.log, run)
    if batch is not None:
        request = replace(request, global_batch_sequences=batch)
        asked, unaccumulated, run = _resolved(request, reading, amount_known=amount_known, whole=whole)
    reading = in_run(reading, request, run, amount_known=amount_known)
    if (packing := _packing_by(request, run, reading)) is not None:
        in_rows = replace(request, packing=packing)
        asked, _, run = _resolved(in_rows, reading, amount_known=amount_known, whole=whole)
        taken |= {"packing"}
    if sampled:
        run = replace(run, objective=replace(run.objective, samples_answers=True))
    full, any_length = expected_speed(run), are_samples_of_any_length(asked, run)
    steady = expected = with_short_samples(full, run, whole=whole) if any_length else full
    model, hardware = _flop_per_token(run, expected)
    observed, thousands = with_thousands(observed, expected.tokens_per_second, run.n_gpus)
    seen = observation(
        run, observed, reading, model, tokens_known=amount_known, expected_batch=expected_batch(run, expected)
    )
    seen = replace(
        seen,
        accumulation_open=bool(unaccumulated) and seen.kind == "step_seconds",
        open_length=open_length(asked, run) if seen.by_sequence else None,
    )
    if seen.kind == "hours":
        expected = _over_hours(run, observed, expected)
    bound = speed_bound(run, packed_short=_packed_short(run))
    # Sequences of another length than was assumed are of some tokens still.
    surely = min(1.0, SHORTEST_SEQUENCE / run.sequence_length) if seen.length_open else 1.0
    surest = surely if seen.batch_assumed is None else surely * usual_shares(seen.batch_assumed)[0]
    judged = verdict(seen.tokens_per_second, expected, bound, least_share=surest)
    lengths = usual_length_shares(run, any_length=any_length and seen.length_open)
    depends_on = open_arguments(judged, seen, expected, bound, lengths=lengths) or open_count(
        judged, run, seen, reading, expected=expected, bound=bound
    )
    unjudged = any_length and judged == "normal" and not depends_on
    by_length = open_lengths(run, seen, full, expected, bound, whole=whole) if unjudged else None
    depends_on = depends_on or open_ways(judged, seen, expected, by_length, least=full.low if any_length else 0.0)
    losses = losses_of_set_up(run, expected) if judged in {"normal", "slow"} else ()
    assumed = as_taken(_assumed(run, expected, amount_known=amount_known), taken)
    apart = contradictions(run, reading, taken, seen, model)
    load = _load(text, run)
    gap = Gap(
        request=request,
        run=run,
        seen=seen,
        expected=expected,
        flop_per_token=model,
        reading=reading,
        faster=judged != "slow",
        most=bound.tokens_per_second * min(1.0, bound.reached),
        load=load,
    )
    causes = (*contradicting_causes(apart, seen, expected), *_causes_of(gap, steady, judged, depends_on))
    return SpeedCheck(
        run=run,
        as_assumed=judged,
        depends_on=depends_on,
        by_length=by_length,
        normal_lengths=normal_lengths(run, seen, expected) if seen.open_length in depends_on else None,
        seen=seen,
        expected=expected,
        bound=bound,
        model_flop_per_token=model,
        hardware_flop_per_token=hardware,
        causes=causes,
        losses=losses,
        remaining=with_real_tokens(remaining(run, observed, reading, seen, amount_known=amount_known), run, depends_on),
        reading=reading,
        assumptions=(
            *(assumed if batch is None else as_inferred(assumed)),
            *seen.assumptions,
            *_of_expectation(run, expected),
        ),
        warnings=(
            *(warning for warning in run.warnings if seen.batch_assumed is None or warning.code != "batch_assumed"),
            *idle_log,
            *thousands,
            *separators_doubted(_told_in_thousands(observed)),
            *unaccumulated,
            *expected.warnings,
            *((short_samples(run),) if any_length and not seen.length_open else ()),
            *cautions_of(losses, told_in_summary(losses, judged, depends_on)),
            *speed_cautions(run, seen, expected),
            *(spread_thin(run, seen, model) if judged == "normal" else ()),
            *log_cautions(reading, apart),
            *load_caution(load, n_gpus=run.n_gpus, explained=judged == "slow" and not depends_on),
            *(() if apart else counted_otherwise(run, reading, seen, model)),
        ),
    )


def _resolved(
    request: Request, reading: LogReading | None, *, amount_known: bool, whole: bool
) -> tuple[Request, tuple[Caution, ...], Run]:
    """Return what is asked by caller and log, what to beware of in it, and what it resolves to.

    Unless sequences are `whole`, an amount that is not known may be one that a model is tuned on.
    """
    asked, unaccumulated = with_one_micro_batch(with_log(request, reading))
    known = asked if amount_known else _with_any_amount(asked)
    try:
        # A peak is what an observed utilization was divided by, right or wrong; the card stays what it is.
        run = resolve(known, counts_with_peak=False)
        if not whole and known.tokens == _UNSAID_TOKENS and (run.stack.tunes or run.n_gpus <= FEW_GPUS):
            run = resolve(replace(known, tokens=_UNSAID_TUNED_TOKENS), counts_with_peak=False)
    except InvalidValueError as error:
        if error.argument != "global_batch_sequences" or asked is request:
            raise
        told = f"global batch {asked.global_batch_sequences}"
        raise InvalidValueError("observed_log", told, error.remedy) from error
    return asked, unaccumulated, with_open_padding(run, reading)


def _packing_by(request: Request, run: Run, reading: LogReading | None) -> str | None:
    """Return how a log's steps tell that samples are put into rows; None where they do not."""
    if pads_by_its_steps(run, reading):
        return "padded"
    return "packed" if has_full_rows(request, run, reading) else None


def _causes_of(gap: Gap, steady: Expected, judged: Verdict, depends_on: tuple[str, ...]) -> tuple[Cause, ...]:
    """Return what would explain a gap; none of one that hangs on a batch or length that nobody told."""
    if judged == "normal" or depends_on not in {(), (COUNT,)}:
        return ()
    return likely_causes(gap, steady)


def _load(text: str | None, run: Run) -> DeviceLoad | None:
    chip = run.device.accelerator
    return None if text is None else device_load(text, n_gpus=run.n_gpus, usual_limit_w=chip.tdp_w if chip else None)


def _over_hours(run: Run, observed: Observed, expected: Expected) -> Expected:
    """Return the speed to expect over hours, which hold more than steps."""
    done = run.amount.tokens if observed.tokens_done is None else parse_count(observed.tokens_done, "tokens_done")
    steps_s = done / expected.tokens_per_second
    adapters = run.method.name in WITH_ADAPTERS
    layout, scheduled = expected.layout, None
    if layout is not None:
        step_s = layout.global_batch_sequences * run.sequence_length / expected.tokens_per_second
        scheduled = scheduled_of(run, expected.tokens_per_second, step_s, layout)
    overhead = run_overhead(run.n_gpus, steps_s, run.stack, adapters=adapters, goodput=run.goodput, scheduled=scheduled)
    return expected.slowed(overhead.fraction, overhead.low, overhead.high)


def _with_any_amount(asked: Request) -> Request:
    """Return a request with an amount, of which it tells none: a speed depends on how long samples are, if on any."""
    if asked.tokens_per_sample is None:
        return replace(asked, tokens=_UNSAID_TOKENS, epochs=None)
    return replace(asked, samples=_UNSAID_SAMPLES, epochs=None)


def _assumed(run: Run, expected: Expected, *, amount_known: bool) -> tuple[Assumption, ...]:
    """Return what was assumed of a run; without its amount where that stands for any, and without what is the rule's.

    The rule of thumb is shown only where it stands in for a prediction.
    """
    unsaid = frozenset[str]()
    if not amount_known:
        unsaid = _OF_AN_AMOUNT if run.amount.tokens_per_sample is not None else _OF_AN_AMOUNT | {"packing"}
    if expected.layout is not None:
        unsaid |= {OF_THE_RULE}
    return tuple(told for told in run.assumptions if told.name not in unsaid)


def _told_in_thousands(observed: Observed) -> dict[str, object]:
    return {
        "observed_tokens_per_second": observed.tokens_per_second,
        "observed_hours": observed.hours,
        "observed_gpu_hours": observed.gpu_hours,
        "tokens_done": observed.tokens_done,
    }


def _packed_short(run: Run) -> bool:
    mean = run.amount.tokens_per_sample
    return mean is not None and run.amount.sequences is None and mean < run.sequence_length


def _flop_per_token(run: Run, expected: Expected) -> tuple[float, float]:
    """Return FLOPs per token that the model needs, and that the expected layout executes."""
    if run.question is None:
        return run.model_coefficient * run.rule.parameters, run.rule.coefficient * run.rule.parameters
    recompute = expected.layout.recompute if expected.layout else run.question.layout.recompute or "none"
    counts = flop_counts(
        run.question.transformer,
        sequence_length=run.question.sequence_length,
        method=run.question.method,
        recompute=recompute,
    )
    return counts.model, counts.hardware


def _of_expectation(run: Run, expected: Expected) -> tuple[Assumption, ...]:
    """Return what was assumed for the expectation and not said by the caller."""
    if expected.layout is None:
        return ()
    layout, asked = expected.layout, run.question
    out: list[Assumption] = []
    if asked is not None and asked.framework == "auto":
        note = f"what most runs on such hardware use ({expected.tier}); name yours to be held against its like"
        out.append(Assumption(name="framework", value=expected.stack, source="default", note=note))
    said = {assumption.name for assumption in run.assumptions if assumption.source == "user"}
    searched: dict[str, int | str] = {
        "tensor_parallel": layout.tensor_parallel,
        "pipeline_parallel": layout.pipeline_parallel,
        "data_sharding": layout.data_sharding,
        "micro_batch_size": layout.counted_micro_batch,
        "global_batch_sequences": layout.counted_batch,
    }
    out += [
        Assumption(name=name, value=value, source="searched", note="the fastest layout that fits")
        for name, value in searched.items()
        if name not in said
    ]
    return tuple(out)
