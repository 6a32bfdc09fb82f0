"""A training run with every input resolved: what it is, where each value came from, what to beware of."""

from dataclasses import dataclass, replace

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.models.coefficient import rule_passes
from estimator.models.training import Method
from estimator.physics.own_experts import stack_running
from estimator.physics.stacks import STACKS, Stack, stack_of
from estimator.question.profile import Goodput
from estimator.question.question import Assumption, Caution, OwnRun, Question
from estimator.question.request import Request
from estimator.question.schedule import NOTHING_SCHEDULED, Schedule
from estimator.resolve.adoption import Adoption, adoption
from estimator.resolve.amount import Amount, resolved_amount
from estimator.resolve.as_trained import as_trained
from estimator.resolve.batch import (
    batch_assumption,
    length_doubts,
    padding_doubts,
    resolved_batch,
    with_amount,
)
from estimator.resolve.cluster import count_doubts, resolved_cluster
from estimator.resolve.contents import contents
from estimator.resolve.data import ToldData
from estimator.resolve.device import Device, resolved_device
from estimator.resolve.experts_code import with_experts_code, with_other_layers
from estimator.resolve.framework.local_updates import AskedLocalUpdates, asked_local_updates
from estimator.resolve.framework.software import NamedFramework
from estimator.resolve.framework.told import framework_assumptions, told_request, told_software
from estimator.resolve.framework.unsuited import unsuited
from estimator.resolve.held_out import without_held_out
from estimator.resolve.hosts import told_host
from estimator.resolve.layout_request import layout_assumptions
from estimator.resolve.media import MediaUse, usual_trainer
from estimator.resolve.notes import noted
from estimator.resolve.objective import AskedObjective, as_answered, asked_objective, usual_stack
from estimator.resolve.open_packing import with_open_packing
from estimator.resolve.open_question import OpenQuestion
from estimator.resolve.own_runs import own_run_assumptions, own_runs
from estimator.resolve.packing import resolved_packing, told_to_pack
from estimator.resolve.pretraining import OtherWay, as_inferred, as_pretrained, other_way
from estimator.resolve.profile import with_profile
from estimator.resolve.quantised_copy import with_copy
from estimator.resolve.rates import given_rates
from estimator.resolve.rule import RuleOfThumb
from estimator.resolve.said_length import with_said_length
from estimator.resolve.said_padding import with_said_padding
from estimator.resolve.samples import micro_batch_that_fits, padding_assumptions, with_rows
from estimator.resolve.separators import separator_doubts
from estimator.resolve.settings import with_settings
from estimator.resolve.slices import with_whole_counted
from estimator.resolve.subject import Subject, resolved_subject
from estimator.resolve.told_degrees import of_its_network, with_spread_experts
from estimator.resolve.told_objective import with_told_objective
from estimator.resolve.trained_parts import trained_parts
from estimator.resolve.trainers_length import with_trainers_length
from estimator.resolve.trainers_tuning import with_tuning_defaults
from estimator.resolve.training_method import resolved_method

__all__ = ["Run", "checked_own_runs", "resolve"]

_UNKNOWN = "unknown"
"""The stack of a name that nobody here has heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything an estimate depends on."""

    subject: Subject
    device: Device
    n_gpus: int
    amount: Amount
    method: Method
    objective: AskedObjective
    sequence_length: int
    global_batch_sequences: int | None
    """As the caller said; None where they did not."""
    rule: RuleOfThumb
    model_coefficient: float
    """The rule's coefficient without recomputation: what the model needs."""
    question: Question | None
    """For the step-time model; None where the architecture or the device is not known to it."""
    own_runs: tuple[OwnRun, ...]
    """What the caller measured of this or other runs."""
    utilization: float | None
    observed_tokens_per_second: float | None
    usd_per_gpu_hour: float | None
    goodput: Goodput | None = None
    """How often it is interrupted, where a profile tells."""
    schedule: Schedule = NOTHING_SCHEDULED
    """How often it evaluates and saves, as far as that was said."""
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]

    @property
    def stack(self) -> Stack:
        """The software that runs it: as named, else what such hardware usually has; `unknown` without a question."""
        if self.question is None:
            return STACKS[_UNKNOWN]
        return stack_running(self.question)


def resolve(request: Request, *, counts_with_peak: bool = True) -> Run:
    """Return `request` resolved; what it leaves open of a run that was published is as in that run.

    With `counts_with_peak`, a given peak is the card's in a prediction; without, only what utilizations divide by.
    Raises InvalidValueError or UnknownNameError naming the argument that does not fit and what would;
    UnsupportedModelError for an architecture that is not modelled and whose size is not told.
    """
    profiled = with_profile(request)
    counted = with_whole_counted(profiled.request)
    run = _with_told_settings(with_settings(counted.request), peak=counts_with_peak)
    read = noted(run.assumptions, "n_gpus", counted.how, "inferred")
    run = replace(run, assumptions=read, warnings=(*counted.cautions, *run.warnings))
    return replace(run, assumptions=profiled.marked(run.assumptions)) if request.profile else run


def _with_told_settings(request: Request, *, peak: bool) -> Run:
    """Return the run of `request`, and what a configuration told of it."""
    request, length = with_said_length(request)
    told, read = with_told_objective(request), request.settings
    run = _asked(told.request, peak=peak)
    known = told.marked(noted(run.assumptions, "sequence_length", length))
    run = replace(run, assumptions=known, warnings=(*told.cautions, *run.warnings))
    if read is None:
        return run
    return replace(run, assumptions=(*run.assumptions, *read.assumptions), warnings=(*read.cautions, *run.warnings))


def _asked(request: Request, *, peak: bool) -> Run:
    own = checked_own_runs(request)
    local, software = asked_local_updates(request.framework)
    if local is not None:
        request = replace(request, framework=software)
    request, padding = with_said_padding(request)
    framework = told_software(request, software)
    framework = replace(framework, practice=padding.over(framework.practice))
    told, doubts = told_request(request, framework)
    subject, device = resolved_subject(told), resolved_device(told)
    subject = with_trainers_length(subject, framework.name)
    n_gpus = checked_whole_count("n_gpus", told.n_gpus, most=MOST_GPUS)
    told, by_default = with_tuning_defaults(told, framework, subject.transformer, n_gpus)
    told, framework, copied = with_copy(told, framework, subject)
    told, idle = of_its_network(told, request, subject.transformer)
    told, unsharded = with_spread_experts(told, framework, subject.transformer)
    doubts = (*copied, *separator_doubts(request), *doubts, *idle, *unsharded)
    told = as_answered(told, subject.transformer)
    host = told_host(told, device, n_gpus)
    framework = framework if host is None else host.reading(framework)
    data, use = contents(told, subject, framework, device, n_gpus)
    doubts = doubts if host is None else (*doubts, *host.doubts(use.reads))
    words, counted, told = told, data.request, as_pretrained(data.request, subject.transformer)
    inferred, data = told is not counted, replace(data, request=told, assumed=(*by_default, *data.assumed))
    whole = told.trained_layers is None and local is None and not device.pools
    plain = whole and asked_objective(told, framework.name).objective.name == "next_token"
    # Published runs train every layer to predict the next token.
    published = adoption(told, framework, use.subject, device.accelerator, n_gpus) if plain else None
    if published is not None:
        try:
            found = _resolved(data, framework, doubts, use, published, counts_with_peak=peak)
            # A benchmark of what does not fit here was run otherwise, and is another.
            if published.trained or _fits_in_some_batch(found.question):
                return _with_own_runs(found, own)
        except InvalidValueError:
            # Either of the caller's own, and then raised again, or published for a layout that theirs forbids.
            pass
    run = _resolved(data, framework, doubts, use, None, counts_with_peak=peak)
    run = replace(run, assumptions=as_inferred(run.assumptions)) if inferred else run
    other = other_way(counted, told, use.subject.transformer, framework.name, device.accelerator)
    if other is not None:
        its = contents(replace(words, objective=other.objective), subject, framework, device, n_gpus)
        named = replace(framework, name=other.framework)
        run = _beside(run, _resolved(its[0], named, (), its[1], None, counts_with_peak=peak), other)
    return _with_own_runs(run if local is None else _at_sites(run, local), own)


def checked_own_runs(request: Request) -> tuple[OwnRun, ...]:
    """Return the caller's own runs that `request` holds, resolved as any other question.

    Raises as `resolve` does, naming the run: `my_runs[1].gpu`.
    """
    return own_runs(request.my_runs, resolve, request.profile)


def _beside(run: Run, its: Run, other: OtherWay) -> Run:
    """Return `run` with another training that its words may mean, resolved as `its`, left open."""
    if run.question is None or its.question is None:
        return run
    open_way = other.beside(its.question, its.amount.tokens / run.amount.tokens)
    return replace(run, question=replace(run.question, otherwise=open_way))


def _at_sites(run: Run, asked: AskedLocalUpdates) -> Run:
    """Return `run` with the question of one of the sites that average now and then."""
    question = run.question
    if question is None:
        message = f"{asked.name}: what averaging takes is not counted, since the model or the GPU is not known here"
        return replace(run, warnings=(*run.warnings, Caution(code="local_updates", message=message)))
    # Few runs have sites.
    from estimator.resolve.sites import sites_of

    sites = sites_of(asked, question.cluster, question.transformer, question.method, question.global_batch_sequences)
    return replace(
        run,
        question=replace(question, cluster=sites.cluster, global_batch_sequences=sites.batch, local=sites.local),
        assumptions=(*run.assumptions, *sites.assumptions),
        warnings=(*run.warnings, *sites.warnings),
    )


def _with_own_runs(run: Run, own: tuple[OwnRun, ...]) -> Run:
    if not own:
        return run
    return replace(
        run,
        own_runs=own,
        question=None if run.question is None else replace(run.question, own_runs=own),
        assumptions=(*run.assumptions, *own_run_assumptions(own)),
    )


def _resolved(
    data: ToldData,
    framework: NamedFramework,
    framework_doubts: tuple[Caution, ...],
    use: MediaUse,
    published: Adoption | None,
    *,
    counts_with_peak: bool,
) -> Run:
    asked = request = data.request
    subject = use.subject
    if published is not None:
        request, framework = published.request, published.framework
    device = resolved_device(request)
    n_gpus = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    cluster, cluster_assumptions = resolved_cluster(request, device, n_gpus, counts_with_peak=counts_with_peak)
    parts = trained_parts(request.trained_layers, subject.transformer)
    method, method_assumptions = resolved_method(request, subject, parts)
    objective = asked_objective(request, framework.name)
    usual = usual_stack(objective.objective.name, framework.name)
    usual = usual_trainer(usual, subject.transformer, device.accelerator, n_gpus, request)
    named, framework = framework, replace(framework, name=usual)
    stack = usual if cluster is None else stack_of(usual, cluster.accelerator, method.name).name
    trained, prediction = as_trained(request, subject, parts, objective, framework, stack=stack, method=method)
    # What reads media has a tower of its own for the text.
    of_one = 1 if use.whole_rows else objective.objective.sequences
    samples, batch_note = resolved_batch(request, n_gpus)
    asked_samples, _ = resolved_batch(asked, n_gpus)
    if samples is not None and of_one > 1:
        batch_note = f"{batch_note or 'as trainers count them'}, of {of_one} sequences each"
    practice = told_to_pack(request, framework.practice)
    packing = resolved_packing(
        request,
        framework.name,
        device.accelerator,
        method.name,
        n_gpus,
        encodes=use.encodes,
        pictured=use.fixed_tokens > 0.0,
        objective=objective.objective.name,
    )
    posed = OpenQuestion(
        asked=asked,
        request=request,
        published=published,
        layers=subject.transformer,
        trained=trained,
        use=use,
        method=method,
        device=device,
        n_gpus=n_gpus,
        cluster=cluster,
        framework=framework,
        practice=practice,
        asked_samples=asked_samples,
        samples=samples,
        sequences=of_one,
        negatives=objective.objective.padded_apart,
        # Where tokens are counted, a habit of padding samples says nothing of how many there are in a sequence.
        a_sample_each=packing.padded and (request.samples is not None or packing.assumption.source == "user"),
    )
    padded = posed.padded(data, packing, together=1 if objective.objective.padded_apart else of_one)
    # Sets of preferences are counted in sequences already.
    counted = data.entry is not None and data.entry.rows_per_sample > 1
    vocabulary = subject.transformer.vocab if subject.transformer else None
    amount = resolved_amount(
        request,
        vocabulary,
        padded,
        data,
        sequences=1 if counted else of_one,
        towards=_towards(use, objective),
    )
    amount = without_held_out(amount, framework.schedule, of_one)
    posed = with_experts_code(posed, amount.tokens)
    length, told_of_length = posed.length(amount, padded)
    if use.whole_rows:
        note = "a sample is one sequence"
        told_of_length = tuple(replace(told, source="inferred", note=note) for told in told_of_length)
    layout = posed.layout(length, padded.micro_batch if padded else None)
    question = with_amount(with_rows(posed.question(length, layout), padded), amount, tunes=posed.tunes)
    said = replace(layout, micro_batch_size=request.micro_batch_size)
    utilization, observed, price, given = given_rates(request)
    own = layout if published is None else posed.asked_layout(length)
    beside = objective.forwards_beside(subject.active_parameters)
    coefficient = rule_passes(method.name, own.recompute or "none", forward_beside=beside).coefficient
    return Run(
        subject=subject,
        device=device,
        n_gpus=n_gpus,
        amount=amount,
        method=method,
        objective=objective,
        sequence_length=length,
        global_batch_sequences=posed.asked_batch,
        rule=RuleOfThumb(
            coefficient=coefficient,
            parameters=subject.active_parameters,
            tokens=amount.tokens,
            n_gpus=n_gpus,
            peak_flop_per_s=device.peak_flop_per_s,
        ),
        model_coefficient=rule_passes(method.name, "none", forward_beside=beside).coefficient,
        question=with_open_packing(with_other_layers(question, posed, amount, padded), asked, amount, packing),
        own_runs=(),
        utilization=utilization,
        observed_tokens_per_second=observed,
        usd_per_gpu_hour=price,
        goodput=request.profile.goodput if request.profile else None,
        schedule=framework.schedule,
        assumptions=_marked(
            published,
            data,
            *subject.assumptions,
            *amount.assumptions,
            *use.assumptions,
            *((packing.assumption,) if amount.tokens_per_sample is not None and not use.whole_rows else ()),
            *device.assumptions,
            Assumption(name="n_gpus", value=n_gpus, unit="GPUs", source="user"),
            *cluster_assumptions,
            *method_assumptions,
            *objective.assumptions,
            *prediction,
            *told_of_length,
            *(padding_assumptions(padded, packing.stack) if padded else ()),
            *batch_assumption(samples, batch_note),
            *layout_assumptions(said),
            *framework_assumptions(named, usual),
            *given,
        ),
        warnings=(
            *subject.warnings,
            *device.warnings,
            *count_doubts(device, n_gpus, cluster),
            *objective.warnings,
            *framework_doubts,
            *unsuited(named, device.accelerator, method.name),
            *data.cautions,
            *(packing.cautions if amount.tokens_per_sample is not None and not use.whole_rows else ()),
            *length_doubts(amount, length, padded, asked_samples),
            *(padding_doubts(request, amount, use) if framework.practice.packing is None else ()),
        ),
    )


def _fits_in_some_batch(question: Question | None) -> bool:
    return micro_batch_that_fits(None if question is None else replace(question, global_batch_sequences=None))


def _towards(use: MediaUse, objective: AskedObjective) -> str:
    """Return what samples are for, as far as that tells how long they are."""
    name = objective.objective.name
    return "encoding" if use.encodes and name == "next_token" else name


def _marked(published: Adoption | None, data: ToldData, *assumptions: Assumption) -> tuple[Assumption, ...]:
    """Return `assumptions`, with what was assumed for steps or taken from a published run as what it is."""
    assumed = {assumption.name: assumption for assumption in data.assumed}
    kept = tuple(assumed.get(assumption.name, assumption) for assumption in assumptions)
    return kept if published is None else published.marked(kept)
