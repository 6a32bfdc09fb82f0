"""Which model is meant: an architecture where one is known, and the parameter count the rule of thumb takes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from estimator.base.errors import InvalidValueError, UnknownNameError, UnsupportedModelError, shown
from estimator.base.units import format_count, parse_count
from estimator.catalogue import catalogue
from estimator.models.foreign import foreign_kind, size_in_name
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer
from estimator.models.typical import MOST_PARAMETERS, typical_transformer
from estimator.question.question import Assumption, Caution
from estimator.question.request import Quantity, Request

__all__ = ["Subject", "resolved_subject"]

_ROUNDED = 0.01
"""A published count this near to ours is the same model's, rounded: GPT-3 is called 175B and has 174.6."""
_VOWEL_SOUND = re.compile(r"8|1[18](?!\d)")
"""Eight, eleven and eighteen, but not a hundred and eighty."""
_FOR_AN_ANSWER = "for an answer by the rule of thumb"
_OTHERWISE = 'give its parameter count, such as "7B", or its config.json as hf_config'


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The model as the arithmetic needs it."""

    name: str
    transformer: Transformer | None
    """None for an architecture that is not modelled here."""
    total_parameters: float
    active_parameters: float
    """Met by one token, as the model is known: the rule of thumb's count."""
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]


def resolved_subject(request: Request) -> Subject:
    """Return the model that `request` names, by preset, by parameter count or by its own configuration.

    Raises UnknownNameError for a name no catalogue has, UnsupportedModelError for an architecture that is not a
    decoder-only transformer and whose size is not told.
    """
    name = str(request.model).strip()
    if request.hf_config is not None:
        return _configured(name, request.model, request.hf_config)
    if not name:
        raise InvalidValueError("model", name, 'is empty; give a preset such as "llama-3.1-8b", or a size such as "7B"')
    # No name is a number, and finding the names nearest to one takes longer than all the rest.
    count = _count(request.model)
    if count is not None:
        return _sized(count)
    return _seeing(_named(name)) if _has_pictures(request) else _named(name)


def _has_pictures(request: Request) -> bool:
    return request.image_size is not None or str(request.images_per_sample or "0").strip() not in {"0", "0.0"}


def _seeing(subject: Subject) -> Subject:
    """Return a language model that is catalogued without its towers as the one with them, where that is too."""
    network = subject.transformer
    if network is None or network.media is not None:
        return subject
    try:
        return _named(catalogue.model(f"{network.id}-vision").id)
    except KeyError:
        return subject


@lru_cache(maxsize=256)
def _named(name: str) -> Subject:
    """Return the model with a name; the same few are asked for again and again."""
    try:
        match = catalogue.transformer(name)
    except UnknownNameError as error:
        kind = foreign_kind(name)
        if kind is None:
            raise UnknownNameError("model", name, error.nearest, _OTHERWISE) from None
        return _foreign(name, kind)
    transformer = match.value
    entry = catalogue.model(transformer.id)
    counts = parameter_counts(transformer)
    active = float(counts.active)
    published = float(entry.published_parameters)
    if counts.active == counts.total and abs(published / active - 1) <= _ROUNDED:
        active = published
    return Subject(
        name=transformer.name,
        transformer=transformer,
        total_parameters=float(counts.total),
        active_parameters=active,
        assumptions=(
            Assumption(name="model", value=transformer.id, source="user", note=match.note or transformer.name),
            _parameters(active, counts.total, "catalogue", entry.source),
        ),
        warnings=(),
    )


def _configured(name: str, model: Quantity, config: Mapping[str, object]) -> Subject:
    # Most questions name a preset or a size; the table of families is for those that do not.
    from estimator.models.huggingface.config import configured_model

    try:
        configured = configured_model(config)
    except UnsupportedModelError as error:
        count = _count(model)
        if count is None:
            raise UnsupportedModelError(
                f'{error}; give its parameter count as model (such as "2.8B") {_FOR_AN_ANSWER}'
            ) from error
        return _unmodelled(count, str(error))
    transformer = configured.transformer
    counts = parameter_counts(transformer)
    return Subject(
        name=name or transformer.name,
        transformer=transformer,
        total_parameters=float(counts.total),
        active_parameters=float(counts.active),
        assumptions=(
            Assumption(
                name="model",
                value=name or transformer.name,
                source="user",
                note=_joined("architecture from hf_config", *configured.notes),
            ),
            _parameters(counts.active, counts.total, "user", "counted from hf_config"),
        ),
        warnings=(),
    )


def _foreign(name: str, kind: str) -> Subject:
    """Return a model of another architecture, by the size in its name."""
    why = f"model: {shown(name)} is {kind}, and only decoder-only transformers are modelled here"
    count = size_in_name(name)
    if count is None:
        raise UnsupportedModelError(f'{why}; put its size in the name (such as "mamba-2.8b") {_FOR_AN_ANSWER}')
    return _unmodelled(count, why)


@lru_cache(maxsize=256)
def _sized(count: float) -> Subject:
    transformer = typical_transformer(count)
    t = transformer
    return Subject(
        name=_size_name(count),
        transformer=transformer,
        total_parameters=count,
        active_parameters=count,
        assumptions=(
            Assumption(
                name="model",
                value=format_count(count),
                source="inferred",
                note=f"only a size was given: a typical dense architecture of that size is assumed ({t.n_layers} "
                f"layers of width {t.hidden:,}, {t.n_heads} heads, {t.n_kv_heads} for keys and values, "
                f"MLP {t.ffn_hidden:,}, vocabulary {t.vocab:,})",
            ),
            _parameters(count, count, "user", ""),
        ),
        warnings=(),
    )


def _unmodelled(count: float, why: str) -> Subject:
    return Subject(
        name=_size_name(count),
        transformer=None,
        total_parameters=count,
        active_parameters=count,
        assumptions=(
            Assumption(name="model", value=format_count(count), source="user", note="not a decoder-only transformer"),
            _parameters(count, count, "user", ""),
        ),
        warnings=(
            Caution(
                code="architecture_not_modelled",
                message=f"{why}: answered by the rule of thumb alone, which counts 6 FLOPs per parameter and token and "
                "knows nothing of this architecture's own costs",
            ),
        ),
    )


def _size_name(count: float) -> str:
    """Return `a 7B model`, `an 8B model`, as it is spoken."""
    size = format_count(count)
    return f"{'an' if _VOWEL_SOUND.match(size) else 'a'} {size} model"


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _count(model: Quantity) -> float | None:
    """Return `model` as a parameter count; None where it is a name."""
    text = str(model).strip()
    if not text[:1].isdigit() and text[:1] not in {"+", "-", "."}:
        return None
    try:
        return parse_count(model, "model", most=MOST_PARAMETERS)
    except InvalidValueError:
        # `01-ai/Yi-6B` and `7Bx` begin with a digit too, and are names: only what is a number is out of range.
        if any(letter.isalpha() and letter.casefold() not in "ekmbtq" for letter in text):
            return None
        raise


def _parameters(active: float, total: float, source: str, note: str) -> Assumption:
    return Assumption(
        name="parameters",
        value=active,
        unit="parameters",
        source="user" if source == "user" else "catalogue",
        note=_joined(f"active for one token, of {total:,.0f}" if total > active else "", note),
    )
