"""The published run that a question is about: what was left open is taken from it, and what was said stands."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from estimator.base.errors import InvalidValueError
from estimator.base.units import format_rate, parse_count
from estimator.catalogue.published import PublishedRun
from estimator.evidence.precedent import doublings_apart, is_whole, precedent_runs, published_speed
from estimator.physics.stacks import Stack, stack_named, stack_of
from estimator.question.cluster import Accelerator
from estimator.question.question import Assumption, LayoutRequest, Precedent
from estimator.question.request import SHARDING_NAMES, Request
from estimator.resolve.framework.software import AUTO, NamedFramework
from estimator.resolve.published import published_practice, published_question
from estimator.resolve.subject import Subject
from estimator.resolve.training_method import asked_method

__all__ = ["Adoption", "adoption"]

_TIERS = ("untuned", "research", "tuned")
_BENCHMARK = "mlperf"
_UNKNOWN = "unknown"
_MEASURED = ("precision", "sequence_length")
"""What is taken from a run of which only a speed was measured."""
_SPLITS = ("tensor_parallel", "pipeline_parallel", "virtual_pipeline", "context_parallel", "expert_parallel")
_USUAL_LENGTH = 8192
"""See `resolved_sequence_length`."""
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
    """Names of the assumptions that are the run's."""
    agrees: bool
    """Whether nothing that was said differs from the run, so that its speed is to be expected."""
    tokens_per_second_per_gpu: float
    """Steady."""
    stack_adopted: bool

    def precedent(self, own_layout: LayoutRequest, own_batch: int | None) -> Precedent:
        """Return what a question knows of the run, and what the caller said of layout and batch."""
        return Precedent(
            run_id=self.run.id,
            as_published=published_question(self.run),
            tokens_per_second_per_gpu=self.tokens_per_second_per_gpu,
            agrees=self.agrees,
            own_layout=own_layout,
            own_batch=own_batch,
            stack_adopted=self.stack_adopted,
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
    """Return the published run that `request` is about with all it left open taken from it; None where there is none.

    Asked about is a catalogued run of the same model by the same method on the same device, and on a quarter to four
    times as many; one of a better tuned stack than is usual there only where the caller names that stack. Of several a
    whole training comes before a benchmark, then the stated or usual precision, stack and length, the nearest count,
    the newest release. All is taken from a whole training; from a benchmark only what its speed is of, precision and
    sequence.
    """
    if subject.transformer is None or accelerator is None or not _may_be_published(request, framework):
        return None
    method = asked_method(request)
    runs = precedent_runs(subject.transformer, accelerator.id, method, n_gpus, benchmark=framework.name == _BENCHMARK)
    if not runs:
        return None
    stack = stack_of(framework.name, accelerator, method)
    likely = [run for run in runs if _may_be(run, request, framework, stack)]
    if not likely:
        return None
    told = request.precision.strip().casefold()
    precision = accelerator.training_precision if told == AUTO else told
    usual_length = min(subject.transformer.native_sequence_length, _USUAL_LENGTH)
    length = _whole(request, "sequence_length") or usual_length

    def rank(run: PublishedRun) -> tuple[float, ...]:
        release = run.released if framework.released is None else -abs(run.released - framework.released)
        return (
            is_whole(run),
            run.precision == precision,
            stack_named(run.stack).kin == stack.kin,
            -abs(math.log2(run.sequence_length / length)),
            -round(abs(doublings_apart(run, n_gpus)), 2),
            release,
        )

    return _adopted(max(likely, key=rank), request, framework, n_gpus)


def _may_be_published(request: Request, framework: NamedFramework) -> bool:
    """Return whether a speed is asked for, and of no run of the caller's own.

    One is their own where they have samples, a rate, or say how a step is run without naming the stack.
    """
    given = (request.utilization, request.peak_tflops, request.samples, request.tokens_per_sample)
    if any(value is not None for value in given):
        return False
    # Whether further tokens are predicted is counted in what is published, too; and a lab's own stack is its own.
    # Degrees and whose layers run are told of a published run as of any.
    unlike = replace(framework.practice, prediction=None, own_stack=None, own_experts=None, spreads_experts=None)
    steps = replace(framework, practice=unlike, degrees=())
    return framework.name != AUTO or not steps.says_something


def _may_be(run: PublishedRun, request: Request, framework: NamedFramework, stack: Stack) -> bool:
    """Return whether `run` may be the one that is asked about: nothing that was said makes it another."""
    other = stack_named(run.stack)
    if framework.name != AUTO and other.kin != stack.kin:
        return False
    if framework.name == AUTO and _TIERS.index(other.tier) > _TIERS.index(stack.tier):
        return False
    length = _whole(request, "sequence_length")
    return length is None or 1 / _SAME_LENGTH <= length / run.sequence_length <= _SAME_LENGTH


def _adopted(run: PublishedRun, request: Request, framework: NamedFramework, n_gpus: int) -> Adoption:
    open_values = {name: value for name, value in _published(run).items() if _is_open(request, name)}
    whole = is_whole(run)
    if not whole:
        # A benchmark tells the speed that a machine reaches, not how anybody's training is laid out.
        open_values = {name: value for name, value in open_values.items() if name in _MEASURED}
    layout: tuple[str, ...] = ()
    if request.precision.strip().casefold() not in {AUTO, run.precision}:
        # In another width other layouts fit and pay.
        layout = (*_SPLITS, "micro_batch_size", "activation_recompute")
    elif any(getattr(request, name) is not None for name in _SPLITS):
        layout = _SPLITS
    open_values = {name: value for name, value in open_values.items() if name not in layout}
    taken = _that_divide(open_values, request, n_gpus)
    # A lab's own stack has no name that would say more than the run does.
    stack_adopted = whole and framework.name == AUTO
    named = stack_adopted and run.stack != _UNKNOWN
    release_adopted = whole and framework.released is None
    adopted = replace(
        framework,
        name=run.stack if named else framework.name,
        released=run.released if release_adopted else framework.released,
        practice=framework.practice.over(published_practice(run)) if whole else framework.practice,
    )
    names = {*taken, *(("framework",) if named else ()), *(("software_release",) if release_adopted else ())}
    return Adoption(
        run=run,
        request=replace(request, **taken),  # type: ignore[arg-type]
        framework=adopted,
        taken=frozenset(names),
        agrees=_agrees(run, request, framework, n_gpus),
        tokens_per_second_per_gpu=published_speed(run) or math.nan,
        stack_adopted=stack_adopted,
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


def _agrees(run: PublishedRun, request: Request, framework: NamedFramework, n_gpus: int) -> bool:
    """Return whether nothing that was said differs from what the source of `run` states."""
    if not _near(n_gpus, run.n_gpus, _SAME_COUNT):
        return False
    for name, value in _published(run).items():
        if _is_open(request, name):
            continue
        said = getattr(request, name)
        if isinstance(value, str):
            folded = str(said).strip().casefold()
            if SHARDING_NAMES.get(folded, folded) != value:
                return False
        elif not _near(_whole(request, name), value, _SAME_BATCH if name == "global_batch_sequences" else 1.0):
            return False
    if request.network_gbps_per_gpu is not None and request.network_gbps_per_gpu != run.network_gbps_per_gpu:
        return False
    if request.gpus_per_node is not None and request.gpus_per_node != (run.gpus_per_node or request.gpus_per_node):
        return False
    return framework.released is None or abs(framework.released - run.released) <= _SAME_RELEASE


def _near(said: int | None, published: int, ratio: float) -> bool:
    return said is None or 1 / ratio <= said / published <= ratio


def _whole(request: Request, name: str) -> int | None:
    """Return an argument as a whole number; None where it was left out, or is none and will be refused."""
    try:
        value = getattr(request, name)
        return None if value is None else int(parse_count(value, name))
    except InvalidValueError:
        return None
