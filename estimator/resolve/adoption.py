"""The published run that a question is about: of the training it was, what was left open; and its speed, to hold to.

Who pretrains DeepSeek-V3 on Hopper is thought to do it as DeepSeek did, in its precision and length and on its kind of
software, on however many tokens and devices: neither changes what a step is, so that time grows with the one as it
must. The nearer its tokens, the surer it is that very training; of other amounts the range holds the usual stack, too.
What is no pretraining, or of a model that nobody published the training of, is asked of a model and a device, and has
what is usual there: a speed that somebody measured says what it was measured with, not what others train with.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from estimator.base.errors import InvalidValueError
from estimator.base.units import format_rate, parse_count
from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.precedent import doublings_apart, is_whole, precedent_runs, published_speed, trained_runs
from estimator.models.transformer import Transformer
from estimator.physics.stacks import Stack, stack_named, stack_of
from estimator.question.choices import as_wide
from estimator.question.cluster import Accelerator
from estimator.question.practice import Practice
from estimator.question.question import Assumption, KnownSpeed, LayoutRequest, Precedent
from estimator.question.request import SHARDING_NAMES, Request
from estimator.resolve.batch import usual_length
from estimator.resolve.framework.software import AUTO, NamedFramework
from estimator.resolve.open_packing import tuned_on_tokens
from estimator.resolve.published import published_practice, published_question
from estimator.resolve.subject import Subject
from estimator.resolve.training_method import asked_method

__all__ = ["Adoption", "adoption"]

_TIERS = ("untuned", "research", "tuned")
_BENCHMARK = "mlperf"
_UNKNOWN = "unknown"
_SPLITS = ("tensor_parallel", "pipeline_parallel", "virtual_pipeline", "context_parallel", "expert_parallel")
_LAYOUT = (*_SPLITS, "global_batch_sequences", "micro_batch_size", "data_sharding", "activation_recompute")
"""What follows from how many devices there are, and what joins them."""
_SAME_TOKENS, _OTHER_TOKENS = 1.1, 4.0
"""Ratio within which tokens are those of a training, for people say 15T of 14.8T and of 15.6T; and from which on
nothing says that it is that one. Between them it is less likely by the log."""
_PART_OF_RUN = 4.0
"""A pretraining is whatever has a quarter of the tokens of the training itself, however few those are."""
_SAME_RUN = 1.0
"""Doublings of its devices within which a training is laid out as it was."""
_SAME_LENGTH = 2.0
"""Ratio beyond which another sequence length makes another run."""
_SAME_BATCH = 1.1
_SAME_COUNT = 1.25
"""Ratio of device counts within which the speed of a device is about the same."""
_SAME_RELEASE = 0.5
"""Years."""
_NAME = "published_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A published run, and the request with what was taken from it."""

    run: PublishedRun
    request: Request
    framework: NamedFramework
    taken: frozenset[str]
    """Names of the assumptions that are the run's; none where only its speed is known of."""
    agrees: bool
    """Whether nothing that was said differs from the run, so that its speed is to be expected."""
    tokens_per_second_per_gpu: float
    """Steady."""
    trained: bool
    """Whether it is a training such as this that is asked about."""
    amount_alike: float
    """See `Precedent`."""
    stack_adopted: bool
    own_practice: Practice
    own_precision: str | None
    own_release: float | None
    beside: PublishedRun | None = None
    also_held: tuple[float, ...] = ()
    """See `Precedent`."""

    def precedent(self, own_layout: LayoutRequest, own_batch: int | None) -> Precedent:
        """Return what a question knows of the run, and what the caller said of layout and batch."""
        known = _known(self.run)
        return Precedent(
            run_id=known.run_id,
            as_published=known.as_published,
            tokens_per_second_per_gpu=known.tokens_per_second_per_gpu,
            agrees=self.agrees,
            own_layout=own_layout,
            own_batch=own_batch,
            beside=_known(self.beside) if self.beside is not None else None,
            also_held=self.also_held,
            trained=self.trained,
            amount_alike=self.amount_alike,
            stack_adopted=self.stack_adopted,
            own_practice=self.own_practice,
            own_precision=self.own_precision,
            own_release=self.own_release,
        )

    def marked(self, assumptions: tuple[Assumption, ...]) -> tuple[Assumption, ...]:
        """Return `assumptions` with the run itself before them, and what was taken from it marked as such."""
        run, note = self.run, f"as in {self.run.id}"
        speed = f"{format_rate(self.tokens_per_second_per_gpu)} tokens/s per GPU"
        about = f"{run.transformer.name} on {run.n_gpus:,} {run.accelerator_id}, {run.framework}, {speed}"
        said = ", but what was said differs from it, so that its speed is not to be expected"
        return (
            Assumption(
                name=_NAME, value=run.id, source="catalogue", note=f"{about}{'' if self.agrees else said}; {run.source}"
            ),
            *(replace(one, source="catalogue", note=note) if one.name in self.taken else one for one in assumptions),
        )


def adoption(
    request: Request, framework: NamedFramework, subject: Subject, accelerator: Accelerator | None, n_gpus: int
) -> Adoption | None:
    """Return the published run that `request` is about with what it left open taken from it; None where there is none.

    Asked about is the training of the same model by the same method on such silicon, on more tokens than it would be
    tuned on, of one of a better tuned stack than is usual there only where the caller names that stack: all that does
    not follow from how many devices there are is taken from it, and its layout on half to twice as many of the same
    chip. Else nothing is
    taken, and the run that is likest of those on a quarter to four times as many is one whose speed is known: of the
    usual or stated precision, stack and length, the nearest count, the newest release.
    """
    network = subject.transformer
    if network is None or accelerator is None or not _may_be_published(request, framework):
        return None
    method = asked_method(request)
    stack = stack_of(framework.name, accelerator, method)
    benchmark = framework.name == _BENCHMARK
    trained = _training(request, framework, network, accelerator, stack)
    if trained is not None:
        return _adopted(trained, request, framework, accelerator, n_gpus)
    runs = precedent_runs(network, accelerator, method, n_gpus, benchmark=benchmark)
    told = request.precision.strip().casefold()
    precision = accelerator.training_precision if told == AUTO else told
    length = _whole(request, "sequence_length") or usual_length(subject)
    likely = [
        run for run in runs if _runs_so(run, framework, stack) and _near(length, run.sequence_length, _SAME_LENGTH)
    ]
    if not likely:
        return None

    def kind(run: PublishedRun) -> tuple[float, ...]:
        same_stack = stack_named(run.stack).kin == stack.kin
        return as_wide(run.precision, precision), same_stack, -abs(math.log2(run.sequence_length / length))

    def nearest(run: PublishedRun) -> tuple[float, ...]:
        release = run.released if framework.released is None else -abs(run.released - framework.released)
        near = -round(abs(doublings_apart(run, n_gpus)), 2)
        return near, run.accelerator_id == accelerator.id, release

    def agrees(run: PublishedRun) -> bool:
        return _agrees(run, request, framework, accelerator, n_gpus)

    likest = max(map(kind, likely))
    of_kind = [run for run in likely if kind(run) == likest]
    run = max(of_kind, key=nearest)
    apart = doublings_apart(run, n_gpus)
    return Adoption(
        run=run,
        request=request,
        framework=framework,
        taken=frozenset(),
        agrees=agrees(run),
        tokens_per_second_per_gpu=published_speed(run) or math.nan,
        trained=False,
        amount_alike=0.0,
        stack_adopted=False,
        own_practice=framework.practice,
        own_precision=_told_precision(request),
        own_release=framework.released,
        beside=max((one for one in of_kind if doublings_apart(one, n_gpus) * apart < 0.0), key=nearest, default=None),
        also_held=tuple(
            speed for one in likely if is_whole(one) and agrees(one) and (speed := published_speed(one)) is not None
        ),
    )


def _known(run: PublishedRun) -> KnownSpeed:
    return KnownSpeed(
        run_id=run.id,
        as_published=published_question(run),
        tokens_per_second_per_gpu=published_speed(run) or math.nan,
    )


def _training(
    request: Request, framework: NamedFramework, network: Transformer, accelerator: Accelerator, stack: Stack
) -> PublishedRun | None:
    """Return the whole training that is asked about; the device's own before one of its chip's, then the nearest."""
    tokens = _tokens(request)
    if tokens is None:
        return None
    few = tuned_on_tokens(network)
    a_pass = tokens / _epochs(request)
    runs = [
        run
        for run in trained_runs(network, accelerator, asked_method(request))
        if (a_pass > few or tokens >= (run.total_tokens or math.inf) / _PART_OF_RUN)
        and run.precision in accelerator.peak_flop_per_s
        and _runs_so(run, framework, stack)
    ]

    def nearest(run: PublishedRun) -> tuple[float, ...]:
        its = _chip(run) == accelerator.chip
        return run.accelerator_id == accelerator.id, its, _amount_alike(run, tokens), run.released

    return max(runs, key=nearest, default=None)


def _amount_alike(run: PublishedRun, tokens: float | None) -> float:
    """Return how surely `tokens` are those of `run`, from 0 to 1."""
    if not tokens or not run.total_tokens:
        return 0.0
    beyond = abs(math.log(tokens / run.total_tokens)) - math.log(_SAME_TOKENS)
    return min(1.0, max(0.0, 1.0 - beyond / math.log(_OTHER_TOKENS / _SAME_TOKENS)))


def _chip(run: PublishedRun) -> str:
    return catalogue.accelerator(run.accelerator_id).value.accelerator.chip


def _tokens(request: Request) -> float | None:
    """Return the tokens of all passes; None where they were not counted."""
    try:
        return None if request.tokens is None else parse_count(request.tokens, "tokens") * _epochs(request)
    except InvalidValueError:
        return None


def _epochs(request: Request) -> float:
    return 1.0 if request.epochs is None else parse_count(request.epochs, "epochs")


def _may_be_published(request: Request, framework: NamedFramework) -> bool:
    """Return whether a speed is asked for, and of no run of the caller's own.

    One is their own where they have samples, a rate, or say how a step is run without naming the stack.
    """
    given = (request.utilization, request.peak_tflops, request.samples, request.tokens_per_sample)
    if any(value is not None for value in given):
        return False
    # Whether further tokens are predicted is counted in what is published, too; and a lab's own stack is its own.
    # Degrees, machines and whose layers run are told of a published run as of any.
    unlike = replace(framework.practice, prediction=None, own_stack=None, own_experts=None, spreads_experts=None)
    steps = replace(framework, practice=unlike, degrees=()).of_software
    return framework.name != AUTO or not steps.says_something


def _runs_so(run: PublishedRun, framework: NamedFramework, stack: Stack) -> bool:
    """Return whether `run` is on the software that was said, or where none was, on none that is tuned better."""
    other = stack_named(run.stack)
    if framework.name != AUTO:
        return other.kin == stack.kin
    return _TIERS.index(other.tier) <= _TIERS.index(stack.tier)


def _adopted(
    run: PublishedRun, request: Request, framework: NamedFramework, accelerator: Accelerator, n_gpus: int
) -> Adoption:
    """Return the training that `run` was with what `request` says of it."""
    open_values = {name: value for name, value in _published(run).items() if _is_open(request, name)}
    # What joins a chip's devices is no reason to lay a training out otherwise: an A800 has the A100's layouts.
    same = _chip(run) == accelerator.chip and abs(doublings_apart(run, n_gpus)) <= _SAME_RUN
    kept_from: tuple[str, ...] = ()
    if not same or not (_is_open(request, "precision") or as_wide(run.precision, request.precision)):
        # On other devices, and in another width, other layouts fit and pay.
        kept_from = _LAYOUT
    elif any(getattr(request, name) is not None for name in _SPLITS):
        kept_from = _SPLITS
    open_values = {name: value for name, value in open_values.items() if name not in kept_from}
    length = _whole(request, "sequence_length")
    if length is not None and "global_batch_sequences" in open_values:
        # A step has as many tokens, in however long sequences.
        sequences = (run.global_batch_sequences or 1) * run.sequence_length
        open_values["global_batch_sequences"] = max(1, round(sequences / length))
    taken = _that_divide(open_values, request, n_gpus)
    # A lab's own stack has no name that would say more than the run does.
    stack_adopted = framework.name == AUTO
    named = stack_adopted and run.stack != _UNKNOWN
    release_adopted = framework.released is None
    adopted = replace(
        framework,
        name=run.stack if named else framework.name,
        released=run.released if release_adopted else framework.released,
        practice=framework.practice.over(published_practice(run)),
    )
    names = {*taken, *(("framework",) if named else ()), *(("software_release",) if release_adopted else ())}
    return Adoption(
        run=run,
        request=replace(request, **taken),  # type: ignore[arg-type]
        framework=adopted,
        taken=frozenset(names),
        agrees=_agrees(run, request, framework, accelerator, n_gpus),
        tokens_per_second_per_gpu=published_speed(run) or math.nan,
        trained=True,
        amount_alike=_amount_alike(run, _tokens(request)),
        stack_adopted=stack_adopted,
        own_practice=framework.practice,
        own_precision=_told_precision(request),
        own_release=framework.released,
    )


def _published(run: PublishedRun) -> dict[str, int | str]:
    """Return what the source of `run` states, by argument."""
    stated: Mapping[str, int | str | None] = {
        "precision": run.precision,
        "sequence_length": run.sequence_length,
        "global_batch_sequences": run.global_batch_sequences,
        "micro_batch_size": run.micro_batch_size,
        "tensor_parallel": run.tensor_parallel,
        "pipeline_parallel": run.pipeline_parallel,
        "virtual_pipeline": run.virtual_pipeline,
        "context_parallel": run.context_parallel,
        "expert_parallel": run.expert_parallel,
        "data_sharding": run.data_sharding,
        "activation_recompute": run.recompute,
    }
    return {name: value for name, value in stated.items() if value is not None}


def _told_precision(request: Request) -> str | None:
    return None if _is_open(request, "precision") else request.precision.strip().casefold()


def _is_open(request: Request, name: str) -> bool:
    if name == "global_batch_sequences" and request.gradient_accumulation is not None:
        return False
    value = getattr(request, name)
    return value is None or (isinstance(value, str) and value.strip().casefold() == AUTO)


def _that_divide(values: dict[str, int | str], request: Request, n_gpus: int) -> dict[str, int | str]:
    """Return the part of `values` that divides `n_gpus` and the batch, whichever of them are the caller's own."""
    kept = dict(values)

    def degree(name: str) -> int:
        value = kept.get(name, _whole(request, name))
        return value if isinstance(value, int) and value > 0 else 1

    def split() -> int:
        return degree("tensor_parallel") * degree("pipeline_parallel") * degree("context_parallel")

    own_batch = _whole(request, "global_batch_sequences")
    fits_batch = own_batch is None or own_batch % max(1, n_gpus // split()) == 0
    if not fits_batch or n_gpus % split() or (n_gpus // degree("pipeline_parallel")) % degree("expert_parallel"):
        kept = {name: value for name, value in kept.items() if name not in {*_SPLITS, "micro_batch_size"}}
    for dropped in ("micro_batch_size", "global_batch_sequences"):
        batch = kept.get("global_batch_sequences", own_batch)
        if isinstance(batch, int) and batch % (max(1, n_gpus // split()) * degree("micro_batch_size")):
            kept.pop(dropped, None)
    return kept


def _agrees(
    run: PublishedRun, request: Request, framework: NamedFramework, accelerator: Accelerator, n_gpus: int
) -> bool:
    """Return whether nothing that was said differs from what the source of `run` states."""
    if accelerator.id != run.accelerator_id or not _near(n_gpus, run.n_gpus, _SAME_COUNT):
        return False
    for name, value in _published(run).items():
        if _is_open(request, name):
            continue
        said = getattr(request, name)
        if isinstance(value, str):
            folded = str(said).strip().casefold()
            if SHARDING_NAMES.get(folded, folded) != value and not as_wide(folded, value):
                return False
        elif not _near(_whole(request, name), value, _SAME_BATCH if name == "global_batch_sequences" else 1.0):
            return False
    if request.network_gbps_per_gpu is not None and request.network_gbps_per_gpu != run.network_gbps_per_gpu:
        return False
    if request.gpus_per_node is not None and request.gpus_per_node != (run.gpus_per_node or request.gpus_per_node):
        return False
    return framework.released is None or abs(framework.released - run.released) <= _SAME_RELEASE


def _near(said: float | None, published: float, ratio: float) -> bool:
    return said is None or 1 / ratio <= said / published <= ratio


def _whole(request: Request, name: str) -> int | None:
    """Return an argument as a whole number; None where it was left out, or is none and will be refused."""
    try:
        value = getattr(request, name)
        return None if value is None else int(parse_count(value, name))
    except InvalidValueError:
        return None
