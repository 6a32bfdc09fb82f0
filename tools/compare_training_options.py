"""The tool `compare_training_options`: models, GPUs, counts, … combined, estimated and ranked."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Literal, cast

from pydantic import BaseModel, BeforeValidator, Field, FiniteFloat

from estimator.answers.compare.compare import Choices, Outcome, outcomes, requests
from estimator.answers.compare.names import short_names
from estimator.answers.compare.rank import RankBy, Row, ranked, shared_assumptions, shown_rows
from estimator.answers.compare.terms import SEVERAL_FRAMEWORKS, SEVERAL_PRECISIONS, terms_cautions
from estimator.answers.compare.wording import comparison_summary, scaling_doubts, short_layout
from estimator.answers.estimate.estimate import Estimate
from estimator.answers.estimate.importance import most_important_first
from estimator.base.errors import EstimatorError, InfeasibleError, MissingValueError
from estimator.base.text import first_of
from estimator.base.units import DAY_S, GIGA
from estimator.base.version import VERSION
from estimator.catalogue.catalogue import data_version
from estimator.catalogue.network_words import listed_devices
from estimator.question.profile import Profile
from estimator.question.question import Caution
from estimator.question.request import Quantity, Request
from estimator.resolve.amount import resolved_amount
from tools import fields
from tools.answers import AssumptionAnswer, WarningAnswer
from tools.concise import affordable, clipped, first_clause, shortened, with_few_digits, without_assumptions
from tools.progress import Progress, silent
from tools.shaping import assumption_answers, rounded, warning_answers

__all__ = ["ComparedOption", "TrainingOptions", "compare_training_options", "training_options"]

_NUMBER = re.compile(r"\d[\d.,]*")
_PROVIDERS = re.compile(r" of \d+ [^,]*(?=, \d{4}|$)")
"""In the note of a price: how many were asked, and of whom."""
_MOST_CHARACTERS, _ROWS = 8_000, 10
"""A concise answer has no more characters with as many rows, and in proportion with more."""
_REPEATED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        SEVERAL_FRAMEWORKS: frozenset({"framework_unsaid", "trained_as_published", "tuned_stack_assumed"}),
        SEVERAL_PRECISIONS: frozenset({"precision_unsaid"}),
    }
)
"""By the warning of all options, those of a single one that say the same: its software or its precision is unsaid."""
_NAMED = 3
"""Options that a warning names."""
_LONGEST_WARNING, _LONGEST_REASON = 180, 160
"""Characters, where all else is said and does not fit."""


def _listed(given: object) -> object:
    """Return the entries of a list that was sent as text, `a, b`, or as its only entry."""
    if isinstance(given, str):
        return [part.strip() for part in given.split(",") if part.strip()]
    entries = cast("list[object]", given) if isinstance(given, list) else [given]
    if any(isinstance(entry, bool) for entry in entries):
        raise ValueError("must hold text or numbers, not true or false")
    return entries


def _listed_devices(given: object) -> object:
    """Return the same of devices, whose networks stand behind commas, too."""
    return listed_devices(given) if isinstance(given, str) else _listed(given)


_MOST_UNKNOWN = 20
"""Names that nobody knows in one comparison: each is compared with every name of the catalogue."""
_Name = Annotated[str, Field(max_length=200)]
_Names = Annotated[list[_Name], BeforeValidator(_listed)]
_Devices = Annotated[list[_Name], BeforeValidator(_listed_devices)]
_Counts = Annotated[list[str | int | float], BeforeValidator(_listed)]


_LISTS = {
    "model": "models",
    "gpu": "gpus",
    "precision": "precisions",
    "method": "methods",
    "price_per_gpu_hour": "prices_per_gpu_hour",
}
_SINGULAR = re.compile(rf"^({'|'.join(_LISTS)})(:| is missing)")
"""At the start of a refusal, where the argument is named."""


class ComparedOption(BaseModel):
    """One option. What an estimate would say is left out where it cannot be run, or null."""

    rank: int | None
    model: str
    gpu: str
    n_gpus: int
    tokens: FiniteFloat
    precision: str
    method: str
    reason: str | None = Field(description="Why it cannot be run; null where it can")
    training_days: FiniteFloat | None = None
    training_days_low: FiniteFloat | None = None
    training_days_high: FiniteFloat | None = None
    cost_usd: FiniteFloat | None = Field(default=None, description="Null too where no price is known")
    cost_usd_low: FiniteFloat | None = None
    cost_usd_high: FiniteFloat | None = None
    energy_kwh: FiniteFloat | None = None
    gpu_hours: FiniteFloat | None = None
    tokens_per_second_per_gpu: FiniteFloat | None = None
    model_flops_utilization: FiniteFloat | None = None
    scaling_efficiency: FiniteFloat | None = Field(
        default=None, description="Tokens/s per GPU over those of the fewest GPUs that can run the same option"
    )
    pareto: bool = Field(description="No option is as fast and cheaper, or as cheap and faster")
    pareto_same_work: bool = Field(description="The same among options of this model, method and tokens")
    basis: Literal["predicted", "assumed_utilization", "observed"] | None = None
    framework: str | None = Field(default=None, description="The stack whose efficiency is used")
    layout: str | None = None
    memory_gb: FiniteFloat | None = Field(
        default=None, description="Needed on the fullest GPU, with the smallest layout if too much"
    )


class TrainingOptions(BaseModel):
    """The options that were compared, best first; those that cannot be run last."""

    summary: str
    rank_by: RankBy
    n_options: int
    n_possible: int
    n_left_out: int = Field(description="Rows beyond limit, not listed")
    rows: list[ComparedOption]
    assumptions: list[AssumptionAnswer] = Field(description="What holds of all options that can be run")
    price_notes: list[str]
    warnings: list[WarningAnswer]
    version: str
    data_version: str


def compare_training_options(
    *,
    models: Annotated[_Names, Field(description='Presets, Hugging Face names or sizes ("7B")')],
    gpus: Annotated[_Devices, Field(description="Ids or names from list_gpus, or all")],
    n_gpus: Annotated[_Counts, Field(description="GPUs in all")],
    tokens: Annotated[_Counts | None, Field(description='Training tokens ("15T") or datasets; or give steps')] = None,
    steps: fields.SameQuantity = None,
    precisions: Annotated[list[fields.Precision], BeforeValidator(_listed), Field(description="Of matmuls")] = ["auto"],  # noqa: B006 - never changed
    methods: Annotated[list[fields.Method], BeforeValidator(_listed), Field(description="What is trained")] = ["full"],  # noqa: B006 - never changed
    objective: fields.SameText = "next_token",
    rank_by: Annotated[RankBy, Field(description="What is least first")] = "time",
    prices_per_gpu_hour: Annotated[
        _Counts | None, Field(description="USD: one, or one for each of gpus, instead of market prices")
    ] = None,
    sequence_length: fields.SequenceLength = None,
    global_batch_sequences: fields.GlobalBatchSequences = None,
    image_size: fields.SameQuantity = None,
    images_per_sample: fields.SameNumber = None,
    activation_recompute: fields.ActivationRecompute = "auto",
    gpus_per_node: fields.GpusPerNode = None,
    network_gbps_per_gpu: fields.NetworkGbpsPerGpu = None,
    framework: fields.Framework = "auto",
    my_runs: fields.SameRuns = None,
    limit: fields.Limit = 20,
    profile: Profile | None = None,
    detail: fields.Detail = "concise",
    progress: Progress = silent,
) -> TrainingOptions:
    """Compare every combination of models, GPUs, counts, … (at most 2,000): ranked, Pareto-optimal ones marked.

    Each is estimated as by estimate_training_time, layout searched. What cannot be run comes last, with the reason.
    """
    options = requests(
        Choices(
            models=models,
            gpus=gpus,
            n_gpus=n_gpus,
            tokens=_amounts(tokens, steps),
            precisions=precisions,
            methods=methods,
            prices=prices_per_gpu_hour or (),
        ),
        Request(
            model="",
            gpu="",
            n_gpus=1,
            objective=objective,
            steps=steps,
            sequence_length=sequence_length,
            global_batch_sequences=global_batch_sequences,
            image_size=image_size,
            images_per_sample=images_per_sample,
            activation_recompute=activation_recompute,
            gpus_per_node=gpus_per_node,
            network_gbps_per_gpu=network_gbps_per_gpu,
            framework=framework,
            my_runs=tuple(my_runs or ()),
            profile=profile,
        ),
    )
    progress(0, len(options), f"0 of {len(options)} options")
    compared: list[Outcome] = []
    for outcome in outcomes(options, most_unknown=_MOST_UNKNOWN):
        compared.append(outcome)
        progress(len(compared), len(options), f"{len(compared)} of {len(options)} options")
    if all(outcome.estimate is None for outcome in compared):
        # Nothing to compare: most likely an argument is wrong, and who asked should hear it as such.
        raise InfeasibleError(_as_asked(compared[0].reason))
    rows = ranked(compared, rank_by)
    beside = terms_cautions(rows)
    if detail == "detailed":
        return training_options(rows, rank_by, limit, detailed=True, beside=beside)
    answer = training_options(rows, rank_by, limit, detailed=False, beside=beside)
    return affordable(answer, _MOST_CHARACTERS * max(len(answer.rows), _ROWS) // _ROWS, _SHORTER)


def _as_asked(reason: str) -> str:
    """Return a reason with the argument's name as it is here, a list's: a row's `model` is one of `models`."""
    return _SINGULAR.sub(lambda found: f"{_LISTS[found[1]]}{found[2]}", reason, count=1)


def _amounts(tokens: list[str | int | float] | None, steps: Quantity | None) -> Sequence[Quantity | None]:
    """Return the amounts of data to combine: as listed, or the one that steps come to."""
    if tokens is None and steps is None:
        raise MissingValueError("tokens", 'give at least one amount, such as "15T" or "alpaca x3", or steps')
    return [None] if tokens is None else tokens


def training_options(
    rows: list[Row], rank_by: RankBy, limit: int, *, detailed: bool, beside: Sequence[Caution] = ()
) -> TrainingOptions:
    """Return ranked rows as an answer, at most `limit` of them, with what is to be known of them all `beside`."""
    kept = shown_rows(rows, limit)
    runnable, listed = _runnable(rows), _runnable(kept)
    possible = [estimate for estimate, _ in runnable]
    shown = [estimate for estimate, _ in listed]
    names = {name for estimated in possible for name in (estimated.run.subject.name, estimated.run.device.name)}
    answer = TrainingOptions(
        summary=comparison_summary(rows, rank_by),
        rank_by=rank_by,
        n_options=len(rows),
        n_possible=len(possible),
        n_left_out=len(rows) - len(kept),
        rows=[_option(row) for row in kept],
        assumptions=assumption_answers(shared_assumptions(possible), detailed=detailed, said=names),
        price_notes=list(
            dict.fromkeys(
                f"{estimated.run.device.name}: {note if detailed else first_clause(note)}"
                for estimated in shown
                if (note := estimated.cost_usd.note)
            )
        ),
        warnings=warning_answers([*beside, *scaling_doubts(rows), *_cautions(runnable if detailed else listed)]),
        version=VERSION,
        data_version=data_version(),
    )
    return answer if detailed else with_few_digits(answer)


def _runnable(rows: Sequence[Row]) -> list[tuple[Estimate, Outcome]]:
    """Return the options of `rows` that can be run, each with its estimate."""
    ranks = [row.outcome for row in rows if row.rank is not None]
    return [(outcome.estimate, outcome) for outcome in ranks if outcome.estimate is not None]


def _cautions(possible: Sequence[tuple[Estimate, Outcome]]) -> Iterator[Caution]:
    """Yield each warning once, with the options that it is of where it is not of all: it names none itself.

    Those that differ in their numbers alone are one, with the numbers of the best option.
    """
    of_options: dict[tuple[str, str], list[tuple[int, Caution]]] = {}
    for place, (estimated, _) in enumerate(possible):
        for caution in dict.fromkeys(estimated.warnings):
            alike = (caution.code, _NUMBER.sub("", caution.message))
            of_options.setdefault(alike, []).append((place, caution))
    names = short_names([outcome for _, outcome in possible])
    by_first = {told[0][1]: told for told in of_options.values()}
    for caution in most_important_first(by_first):
        places = [place for place, _ in by_first[caution]]
        same = all(other == caution for _, other in by_first[caution])
        first, *others = [names[place] for place in places]
        whose = ""
        if same and len(places) < len(possible):
            whose = f"{first_of([first, *others], _NAMED)}: "
        elif not same:
            whose = f"{first} (likewise {first_of(others, _NAMED)}, with other numbers): "
        yield replace(caution, message=whose + caution.message)


def _tokens(row: Row) -> float:
    """Return the tokens of an option; 0 where it is refused for what it says of them."""
    request, estimated = row.outcome.request, row.outcome.estimate
    if estimated is not None:
        return estimated.run.amount.real_tokens
    try:
        return resolved_amount(request).real_tokens
    except EstimatorError:
        return 0.0


def _option(row: Row) -> ComparedOption:
    request, estimated = row.outcome.request, row.outcome.estimate
    device = estimated.run.device if estimated else None

    option = ComparedOption(
        rank=row.rank,
        model=str(request.model),
        gpu=device.label if device and device.accelerator else str(request.gpu),
        n_gpus=estimated.run.n_gpus if estimated else int(request.n_gpus),
        tokens=_tokens(row),
        precision=device.precision if device else request.precision,
        method=estimated.run.method.name if estimated else request.method,
        reason=row.outcome.reason or None,
        # Read by whoever ranks options themselves, whether or not they can be run.
        training_days=None,
        cost_usd=None,
        pareto=row.pareto,
        pareto_same_work=row.pareto_same_work,
    )
    if estimated is not None and estimated.memory is not None:
        option = option.model_copy(update={"memory_gb": estimated.memory.least_bytes / GIGA})
    if estimated is None or row.rank is None:
        return option
    return option.model_copy(
        update={
            "training_days": estimated.training_s / DAY_S,
            "training_days_low": estimated.training_low_s / DAY_S,
            "training_days_high": estimated.training_high_s / DAY_S,
            "cost_usd": rounded(estimated.cost_usd.value),
            "cost_usd_low": rounded(estimated.cost_usd.low),
            "cost_usd_high": rounded(estimated.cost_usd.high),
            "energy_kwh": rounded(estimated.energy_kwh.value),
            "gpu_hours": estimated.gpu_hours[0],
            "tokens_per_second_per_gpu": estimated.tokens_per_second / estimated.run.n_gpus,
            "model_flops_utilization": estimated.model_flops_utilization,
            "scaling_efficiency": None if row.scaling_efficiency is None else row.scaling_efficiency,
            "basis": estimated.basis,
            "framework": row.outcome.framework or None,
            "layout": short_layout(estimated) or None,
        }
    )


def _without_spread_of_prices(answer: TrainingOptions) -> TrainingOptions:
    """Return an answer that tells the median prices alone, and when they were asked."""
    return answer.model_copy(update={"price_notes": [note.rpartition(": ")[0] or note for note in answer.price_notes]})


def _first_of_each(key: Callable[[WarningAnswer], str]) -> Callable[[TrainingOptions], TrainingOptions]:
    """Return a step that leaves the first warning, that of the best row, of those alike in `key`."""

    def step(answer: TrainingOptions) -> TrainingOptions:
        first: dict[str, WarningAnswer] = {}
        for warning in answer.warnings:
            first.setdefault(key(warning), warning)
        return answer.model_copy(update={"warnings": list(first.values())})

    return step


def _without_providers(answer: TrainingOptions) -> TrainingOptions:
    """Return an answer that tells of each price how much it is and when it was asked."""
    return answer.model_copy(update={"price_notes": [_PROVIDERS.sub("", note) for note in answer.price_notes]})


def _clipped(answer: TrainingOptions) -> TrainingOptions:
    """Return an answer without the ends of its longest warnings and reasons."""
    return answer.model_copy(
        update={
            "warnings": [
                warning.model_copy(update={"message": shortened(warning.message, _LONGEST_WARNING)})
                for warning in answer.warnings
            ],
            "rows": [
                row.model_copy(update={"reason": row.reason and clipped(row.reason, _LONGEST_REASON)})
                for row in answer.rows
            ],
        }
    )


def _without_repeated(answer: TrainingOptions) -> TrainingOptions:
    """Return an answer that says once, of all, that nobody named the software or the precision."""
    told = {warning.code for warning in answer.warnings}
    repeated = {code for of_all, single in _REPEATED.items() if of_all in told for code in single}
    return answer.model_copy(
        update={"warnings": [warning for warning in answer.warnings if warning.code not in repeated]}
    )


_SHORTER: tuple[Callable[[TrainingOptions], TrainingOptions], ...] = (
    without_assumptions("gpus_per_node", "processed_tokens", "sample_tokens"),
    _without_spread_of_prices,
    without_assumptions("run_level_overhead"),
    without_assumptions("sequence_length", beside="padded_length"),
    # Those that differ in nothing but numbers; then one of each kind.
    _first_of_each(lambda warning: _NUMBER.sub("", warning.message)),
    _without_repeated,
    _clipped,
    _first_of_each(lambda warning: warning.code),
    _without_providers,
)
"""What a long answer leaves out besides, the least missed first."""
