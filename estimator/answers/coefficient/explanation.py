"""Explain the coefficient of one case: resolve what is asked, then put terms and words together."""

from dataclasses import dataclass, replace

from estimator.answers.coefficient.coefficient import ExactCoefficient, Term, exact_coefficient, rule_terms
from estimator.answers.coefficient.wording import coefficient_formula, sources, summary, when_it_fails, worked_example
from estimator.base.inputs import checked_whole_count
from estimator.models.training import MethodName, Recompute
from estimator.models.views import with_views
from estimator.question.question import Assumption
from estimator.question.request import Quantity, Request
from estimator.resolve.autoencoders import seen_as_trained
from estimator.resolve.batch import usual_length
from estimator.resolve.media import MediaUse, media_use
from estimator.resolve.self_supervised import asked_views
from estimator.resolve.sounds import told_sounds
from estimator.resolve.subject import Subject, resolved_subject
from estimator.resolve.training_method import checked_rank, resolved_method

__all__ = ["Explanation", "explanation"]

_LONGEST_SEQUENCE = 100_000_000
_FAILURES_WHEN_CONCISE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The rule's coefficient as a sum of terms, and the model's own where one is named."""

    coefficient: float
    terms: tuple[Term, ...]
    exact: ExactCoefficient | None
    summary: str
    formula: str
    worked_example: str
    when_it_fails: tuple[str, ...]
    assumptions: tuple[str, ...]
    sources: tuple[str, ...]


def explanation(
    *,
    model: Quantity,
    method: MethodName,
    activation_recompute: str,
    sequence_length: Quantity | None,
    lora_rank: int | None,
    detailed: bool,
) -> Explanation:
    """Return where the coefficient comes from, for a method of training and perhaps a model.

    Raises UnknownNameError for a model no catalogue has, InvalidValueError for an impossible number.
    """
    recompute, assumptions = _recompute(activation_recompute)
    terms = rule_terms(method, recompute)
    exact, name = None, ""
    asked_length = None if sequence_length is None else _whole_length(sequence_length)
    request = Request(model=model, gpu="", n_gpus=1, method=method, lora_rank=lora_rank)
    # Whether or not a model is named: what is ignored in silence teaches something wrong.
    checked_rank(request)
    if str(model).strip():
        use = _used(request, asked_length)
        subject = use.subject
        name = subject.name[:1].upper() + subject.name[1:]
        length, notes = _length(use, asked_length)
        assumptions += notes
        training, training_assumptions = resolved_method(request, subject)
        assumptions += tuple(
            _said(assumption) for assumption in (*subject.assumptions, *training_assumptions) if assumption.note
        )
        assumptions += tuple(warning.message for warning in subject.warnings)
        if subject.transformer is not None:
            views = asked_views(request)
            network = subject.transformer if views is None else with_views(subject.transformer, views, length)
            exact = exact_coefficient(
                network,
                sequence_length=length,
                method=training,
                recompute=recompute,
                active_parameters=subject.active_parameters,
            )
    failures = when_it_fails(exact)
    return Explanation(
        coefficient=sum(term.flop_per_parameter_per_token for term in terms),
        terms=terms,
        exact=exact,
        summary=summary(terms, exact, name),
        formula=coefficient_formula(terms, exact),
        worked_example=worked_example(terms, exact),
        when_it_fails=failures if detailed else failures[:_FAILURES_WHEN_CONCISE],
        assumptions=assumptions,
        sources=sources(terms),
    )


def _used(request: Request, asked_length: int | None) -> MediaUse:
    """Return the model as an estimate takes it: one that reads pictures or sounds, with those of a sample."""
    subject = seen_as_trained(resolved_subject(request), request)
    network = subject.transformer
    if network is not None and network.media is not None and network.media.main:
        # What one picture or sound becomes is the sequence.
        usual = told_sounds(replace(request, samples=1), network).request
        request = replace(request, tokens_per_sample=asked_length) if asked_length is not None else usual
    return media_use(request, subject)


def _length(use: MediaUse, asked_length: int | None) -> tuple[int, tuple[str, ...]]:
    """Return the tokens of a sequence: as asked, as a picture has them, or as usual; and what was assumed."""
    notes = tuple(_said(assumption) for assumption in use.assumptions if assumption.note)
    if use.whole_rows:
        return max(1, round(use.sample_tokens)), notes
    if asked_length is not None:
        return asked_length, notes
    length, note = _usual_length(use.subject)
    return length, (note, *notes)


def _recompute(given: str) -> tuple[Recompute, tuple[str, ...]]:
    """Return the kind of recomputation meant."""
    match given:
        case "full" | "selective" | "none":
            return given, ()
        case _:
            return "none", ("activation_recompute none: not said, and none is the usual choice where memory allows",)


def _whole_length(given: Quantity) -> int:
    """Return the tokens of a sequence as asked for."""
    return checked_whole_count("sequence_length", given, most=_LONGEST_SEQUENCE)


def _usual_length(subject: Subject) -> tuple[int, str]:
    """Return the tokens of a sequence where it was not said, and a note that says so."""
    length = usual_length(subject)
    return length, f"sequence_length {length:,}: not said; what the model is usually trained on"


def _said(assumption: Assumption) -> str:
    """Return an assumption as a line of text."""
    value = assumption.value
    shown = f"{value:,.0f}" if isinstance(value, int | float) and not isinstance(value, bool) else value
    return f"{assumption.name} {shown}: {assumption.note}"
