"""Which model is meant: an architecture where one is known, and the parameter count the rule of thumb takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from estimator.base.errors import InvalidValueError, UnknownNameError, UnsupportedModelError, shown
from estimator.base.names import normalised
from estimator.base.spoken import spoken
from estimator.base.text import with_article
from estimator.base.units import format_count
from estimator.catalogue import catalogue
from estimator.catalogue.entries import Match
from estimator.models.foreign import (
    HYBRID,
    MOSTLY_DECODERS,
    OTHER_SENSES,
    WITHOUT_TOKENS,
    foreign_kind,
)
from estimator.models.named_size import NamedSize, named_size, with_short_size
from estimator.models.parameters import parameter_counts
from estimator.models.telling_words import tells_another
from estimator.models.transformer import Transformer
from estimator.models.typical import typical_experts, typical_hybrid, typical_transformer
from estimator.question.question import Assumption, Caution
from estimator.question.request import Quantity, Request
from estimator.resolve.experts_of_size import experts_of_size
from estimator.resolve.misplaced import checked_kind
from estimator.resolve.model_words import method_doubts, size_behind, unread_doubts, without_method
from estimator.resolve.other_networks import (
    checked_modelled,
    language_part,
    of_media_family,
    of_seeing_family,
    suggested,
)
from estimator.resolve.self_supervised import called_by_views, without_views
from estimator.resolve.told_parameters import told_parameters

__all__ = ["Subject", "resolved_subject"]

_IN_WORDS = "illion"
"""What is in a size whose number may be a word, too: `seven billion parameters`."""
_ROUNDED = 0.01
"""A published count this near to ours is the same model's, rounded: GPT-3 is called 175B and has 174.6."""
_LARGEST_DENSE = 5.5e11
"""PaLM has 540B and MT-NLG 530B; what is larger and has a name is most likely a mixture of experts."""
_SLIP = 0.88
"""Letters in common from which an unknown name of a known size is a known one, misspelt: `lama-3.1-8b`."""
_ANOTHER_SIZE = 2.0
"""Factor on parameters from which on a name that says its size means no other model, however alike their letters are:
who writes 9B may mean an 8B, and not an embedder of 0.3B by the same maker."""
_FOR_AN_ANSWER = "for an answer by the rule of thumb"
_OTHERWISE = 'give its config.json as hf_config, or of a decoder of text its parameter count, such as "7B"'


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
        subject = _configured(name, request.model, request.hf_config)
        return replace(subject, name=called_by_views(subject.name, request))
    if not name:
        raise InvalidValueError("model", name, 'is empty; give a preset such as "llama-3.1-8b", or a size such as "7B"')
    checked_kind("model", name)
    # No name is a number, and finding the names nearest to one takes longer than all the rest.
    count = told_parameters(request.model)
    if count is not None:
        return _sized(count)
    network = without_views(name, request)
    subject = _seeing(_named(network)) if _has_pictures(request) else _named(network)
    doubts = method_doubts(name, request)
    return replace(subject, name=called_by_views(subject.name, request), warnings=(*subject.warnings, *doubts))


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
    checked_modelled(name)
    return _catalogued(name) or _unlisted(name)


def _unlisted(name: str) -> Subject:
    """Return a model that is not catalogued, by the words and the size in its name.

    A name without a size may be the beginning of one alone, or hold one. A mixture of experts stays one, whatever else
    its name says; another architecture is answered as such; a name that holds a catalogued one is that one's fine-tune;
    and a size alone stands for a typical model of it, unless the name is a catalogued one misspelt.
    """
    otherwise = _said_otherwise(name)
    if otherwise is not None:
        return otherwise
    size, kind = named_size(name), foreign_kind(name)
    short = catalogue.shortened_transformer(name) if size is None else None
    if short is not None:
        return _held(short, name)
    experts = size is not None and size.experts
    # A fine-tune of a model that sees may say so once more.
    held = catalogue.held_transformer(name) if kind is None or kind in OTHER_SENSES else None
    if held is not None:
        return _held(held, name)
    checked_modelled(name, anywhere=True)
    of_family = of_seeing_family if kind in OTHER_SENSES else of_media_family
    member = None if size is None or experts else of_family(name, size) or experts_of_size(name, size)
    if member is not None:
        return _listed(member, name)
    if kind is not None and not (experts and kind in MOSTLY_DECODERS):
        return _foreign(name, kind, size)
    nearest = catalogue.nearest_models(name)
    if size is None or _is_slip(name, size, nearest):
        raise UnknownNameError("model", name, nearest, _OTHERWISE)
    if not size.is_split and (experts or (size.total > _LARGEST_DENSE and not size.bare)):
        what = "is" if experts else "is not catalogued, and at that size most likely"
        dense = "" if experts else f'; give "{format_count(size.total)}" alone for a dense model'
        raise InvalidValueError(
            "model",
            name,
            f"{what} a mixture of experts and does not say how many parameters are active; say both, such as "
            f'"80B-A3B", or give its config.json as hf_config{dense}',
        )
    return _of_size(name, size, kind, nearest)


def _said_otherwise(name: str) -> Subject | None:
    """Return the model that `name` names once its size and its words are as names have them; None where it is none."""
    shorter = with_short_size(spoken(name) if _IN_WORDS in name.casefold() else name)
    if shorter != name:
        return _named(shorter)
    return _catalogued(size_behind(name)) or _catalogued(without_method(name))


def _catalogued(name: str) -> Subject | None:
    match = catalogue.found_transformer(name) if name else None
    return None if match is None else _listed(match, name)


def _is_slip(name: str, size: NamedSize, nearest: Sequence[str]) -> bool:
    """Return whether `name` is likely one of `nearest`, misspelt: of the same size and nearly the same letters."""
    letters = normalised(name.rpartition("/")[2])
    return any(
        (other := named_size(near)) is not None
        and other.total == size.total
        and SequenceMatcher(None, letters, normalised(near), autojunk=False).ratio() >= _SLIP
        for near in nearest
    )


def _is_about_as_large(name: str, parameters: float) -> bool:
    """Return whether the catalogued model `name` has about so many parameters."""
    known = parameter_counts(catalogue.transformer(name).value).total
    return 1.0 / _ANOTHER_SIZE < known / parameters < _ANOTHER_SIZE


def _of_size(name: str, size: NamedSize, kind: str | None, nearest: Sequence[str]) -> Subject:
    """Return a typical model of the size that stands in a name; the name may be nothing but that."""
    if size.is_split:
        transformer = typical_experts(size.total, size.active)
    else:
        transformer = typical_hybrid(size.total) if kind == HYBRID else typical_transformer(size.total)
    told = f"{format_count(size.total)}-A{format_count(size.active)}" if size.is_split else format_count(size.total)
    about_as_large = [one for one in nearest if _is_about_as_large(one, size.total)]
    near = f" (nearest names: {', '.join(about_as_large)})" if about_as_large else ""
    other = f"; it is {kind}, of which no more than that is known here" if kind else ""
    caution = Caution(
        code="model_not_catalogued",
        message=f"model: {shown(name)} is answered as a typical {told} {_kind(transformer)}, by the size in its name: "
        f"it is not catalogued{near}{other}; give its config.json as hf_config for its own architecture",
    )
    return Subject(
        name=_spoken(told) if size.bare else name,
        transformer=transformer,
        total_parameters=size.total,
        active_parameters=size.active,
        assumptions=(
            Assumption(
                name="model",
                value=told if size.bare else name,
                source="inferred",
                note=_joined(
                    f"{'only a size was given' if size.bare else 'not catalogued'}: {_assumed(transformer)}", size.note
                ),
            ),
            _parameters(size.active, size.total, "user", "" if size.bare else "by the size in its name"),
        ),
        warnings=() if size.bare else (caution,),
    )


def _kind(transformer: Transformer) -> str:
    if transformer.mixers:
        return "hybrid of Mamba-2 and attention"
    return "dense model" if transformer.experts is None else "mixture of experts"


def _assumed(transformer: Transformer) -> str:
    """Return which architecture is assumed of a size."""
    t, experts = transformer, transformer.experts
    mlp = f"MLP {t.ffn_hidden:,}"
    if experts is not None:
        mlp = f"{experts.n_experts} experts of {experts.ffn_hidden:,}, {experts.top_k} for a token"
    kind = "dense" if experts is None else "mixture-of-experts"
    if t.mixers:
        kind, mlp = "hybrid", f"{mlp}, Mamba-2 in {sum(mixer.layers for mixer in t.mixers)} layers"
    return (
        f"a typical {kind} architecture of that size is assumed ({t.n_layers} layers of width {t.hidden:,}, "
        f"{t.n_heads} heads, {t.n_kv_heads} for keys and values, {mlp}, vocabulary {t.vocab:,})"
    )


def _listed(match: Match[Transformer], name: str) -> Subject:
    """Return a catalogued model, with a warning where it is only a part of what was named."""
    transformer = match.value
    entry = catalogue.model(transformer.id)
    counts = parameter_counts(transformer)
    active = float(counts.active)
    published = float(entry.published_parameters)
    if transformer is entry.transformer and counts.active == counts.total and abs(published / active - 1) <= _ROUNDED:
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
        warnings=_part_caution(name, match.note),
    )


def _held(match: Match[Transformer], name: str) -> Subject:
    """Return a catalogued model whose name `name` holds; called as given where other words of it are not known."""
    subject, doubts = _listed(match, name), unread_doubts(name, match)
    return replace(subject, name=name, warnings=(*subject.warnings, *doubts)) if doubts else subject


def _part_caution(name: str, note: str) -> tuple[Caution, ...]:
    """Return a warning where a name stands for the decoder of a model that also sees or hears."""
    of_part = "language model" in note or "backbone" in note
    if not of_part and not (tells_another(name) and "text part only" in note):
        return ()
    message = f"model: {shown(name)} is counted without what sees, hears or speaks in it: {note}"
    return (Caution(code="text_part_only", message=message),)


def _configured(name: str, model: Quantity, config: Mapping[str, object]) -> Subject:
    # Most questions name a preset or a size; the table of families is for those that do not.
    from estimator.models.huggingface.config import configured_model

    try:
        configured = configured_model(config)
    except UnsupportedModelError as error:
        count = told_parameters(model)
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


def _foreign(name: str, kind: str, size: NamedSize | None) -> Subject:
    """Return a model of another architecture, by the size in its name where that tells enough.

    Raises UnsupportedModelError with what would do where it does not.
    """
    why = f"model: {shown(name)} is {kind}, which is not modelled here"
    needs_more = kind in WITHOUT_TOKENS | OTHER_SENSES
    sibling = None if size is None or needs_more else catalogue.related_transformer(name, size.total)
    if sibling is not None:
        return _listed(sibling, name)
    if size is not None and kind in MOSTLY_DECODERS:
        return _of_size(name, size, kind, ())
    if size is not None and not needs_more:
        return replace(_unmodelled(size.active, why), total_parameters=size.total)
    others, part = suggested(name, kind, size), language_part(name)
    hints = (
        f"of its kind are {', '.join(others)}: name one near it in size" if others else "",
        f"name {part} for that language model alone" if part else "",
        "give its config.json as hf_config" if kind in OTHER_SENSES else "",
        'put its size in the name (such as "hymba-1.5b") for a typical one' if kind in MOSTLY_DECODERS else "",
    )
    raise UnsupportedModelError(f"{why}; {'; or '.join(hint for hint in hints if hint)}")


@lru_cache(maxsize=256)
def _sized(count: float) -> Subject:
    transformer = typical_transformer(count)
    return Subject(
        name=_spoken(format_count(count)),
        transformer=transformer,
        total_parameters=count,
        active_parameters=count,
        assumptions=(
            Assumption(
                name="model",
                value=format_count(count),
                source="inferred",
                note=f"only a size was given: {_assumed(transformer)}",
            ),
            _parameters(count, count, "user", ""),
        ),
        warnings=(),
    )


def _unmodelled(count: float, why: str) -> Subject:
    return Subject(
        name=_spoken(format_count(count)),
        transformer=None,
        total_parameters=count,
        active_parameters=count,
        assumptions=(
            Assumption(name="model", value=format_count(count), source="user", note="no modelled architecture"),
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


def _spoken(size: str) -> str:
    return with_article(f"{size} model")


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _parameters(active: float, total: float, source: str, note: str) -> Assumption:
    return Assumption(
        name="parameters",
        value=active,
        unit="parameters",
        source="user" if source == "user" else "catalogue",
        note=_joined(f"active for one token, of {total:,.0f}" if total > active else "", note),
    )
