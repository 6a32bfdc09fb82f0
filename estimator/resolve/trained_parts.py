"""Which parts of a model learn, as callers say it: the top 8 layers, a list of layers, the projector alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from estimator.base.errors import InvalidValueError
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption
from estimator.question.request import Quantity

__all__ = ["TrainedParts", "trained_parts", "with_trained_towers"]

_PARTS: Mapping[str, str] = MappingProxyType(
    {
        word: part
        for part, words in {
            "all": "all everything whole full",
            "language": "language llm decoder text language_model languagemodel backbone transformer unet body layers",
            "embeddings": "embedding embeddings embed embed_tokens wte word_embeddings token_embeddings",
            "head": "head lm_head output unembedding classifier output_layer score linear_probe probe linear_probing",
            "projector": "projector connector adapter mm_projector merger aligner multi_modal_projector bridge qformer "
            "q_former query_former querying_transformer resampler perceiver_resampler",
            "vision": "vision vit vision_tower image vision_encoder visual image_encoder",
            "audio": "audio audio_tower speech audio_encoder",
            "encoder": "encoder",
            "text_encoder": "text_encoder text_encoders clip",
        }.items()
        for word in words.split()
    }
)
"""Words for parts of a model."""
_TOWERS = frozenset({"projector", "vision", "audio", "encoder", "text_encoder"})
_BUT = re.compile(r"\b(?:all|everything)\s+(?:but|except)\b(.*)|^(?:no|without|freeze|frozen)\b(.*)", re.DOTALL)
_TOP = re.compile(r"^(?:the\s+)?(?:top|last|upper)\s+(\d+)(?:\s+of\s+\d+)?(?:\s+layers?)?$")
_BOTTOM = re.compile(r"^(?:the\s+)?(?:first|bottom|lowest)\s+(\d+)(?:\s+of\s+\d+)?(?:\s+layers?)?$")
_AT_A_TIME = re.compile(r"^(\d+)\s*(?:layers?\s+|blocks?\s+)?at\s+a\s+time$")
_RANGE = re.compile(r"^(?:layers?\s+)?(\d+)\s*(?:-|–|to|\.\.)\s*(\d+)$")
_NUMBER = re.compile(r"^(?:layers?\s+)?(\d+)(?:\s+layers?)?$")
_EXAMPLES = (
    '"8" (the top 8), "24-31", "0, 1, 30, 31", "head" (alone), "projector", "language, projector", "all but embeddings"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedParts:
    """What of a model learns; as told, nothing assumed."""

    layers: int | None
    """Layers of the main stack that learn; None: all."""
    reached: int | None
    """Layers at the top that gradients pass through; None: all."""
    embeddings: bool
    output: bool
    towers: frozenset[str] | None
    """Towers that learn; None: those that usually do."""
    assumption: Assumption


def trained_parts(given: Quantity | None, transformer: Transformer | None) -> TrainedParts | None:
    """Return what `given` says that is trained; None where nothing is said.

    A number is that many of the top layers; a list or a range are layers counted from 0 at the bottom. Words name
    parts. Embedding and output layer learn only where they are named, or all do.
    Raises InvalidValueError for what is neither, and for layers that the model does not have.
    """
    if given is None:
        return None
    text = str(given).strip().casefold()
    if transformer is None:
        raise InvalidValueError("trained_layers", given, "needs a model whose layers are known; leave it out")
    towers = frozenset(tower.name for tower in transformer.towers)
    but = _BUT.search(text)
    if but is not None:
        return _all_but((but[1] or but[2] or "").strip(), given, towers)
    layers: set[int] = set()
    words: set[str] = set()
    pieces = [piece.strip() for piece in re.split(r"[,;+&\[\]()]|\band\b", text) if piece.strip()]
    for piece in pieces:
        found = _layers(piece, given, transformer.n_layers, alone=len(pieces) == 1)
        if found is None:
            words.add(_part(piece, given, towers))
        else:
            layers |= found
    if not layers and not words:
        raise InvalidValueError("trained_layers", given, f"names nothing; such as {_EXAMPLES}")
    if "all" in words:
        return _parts(given, layers=None, reached=None, words={"embeddings", "head", *towers}, towers=towers)
    if "language" in words:
        return _parts(given, layers=None, reached=None, words={*words, "embeddings", "head"}, towers=towers)
    n = transformer.n_layers
    reached = n - min(layers) if layers else 0
    return _parts(given, layers=len(layers), reached=reached, words=words, towers=towers)


def with_trained_towers(transformer: Transformer, parts: TrainedParts | None) -> Transformer:
    """Return `transformer` with the towers that `parts` names learning, and no others; as it is where it names none."""
    if parts is None or parts.towers is None or not transformer.towers:
        return transformer
    named = parts.towers
    return replace(
        transformer, towers=tuple(replace(tower, trained=tower.name in named) for tower in transformer.towers)
    )


def _all_but(frozen: str, given: Quantity, towers: frozenset[str]) -> TrainedParts:
    pieces = [piece.strip() for piece in re.split(r"[,;+&]|\band\b", frozen) if piece.strip()]
    if not pieces:
        raise InvalidValueError("trained_layers", given, f"does not say what is frozen; such as {_EXAMPLES}")
    left_out = {_part(piece, given, towers) for piece in pieces}
    words = {"embeddings", "head", *towers} - left_out
    language = "language" not in left_out
    return _parts(given, layers=None if language else 0, reached=None if language else 0, words=words, towers=towers)


def _parts(
    given: Quantity, *, layers: int | None, reached: int | None, words: set[str], towers: frozenset[str]
) -> TrainedParts:
    embeddings, output = "embeddings" in words, "head" in words
    learns = "all layers" if layers is None else "1 layer" if layers == 1 else f"{layers} layers"
    learn = "learns" if [learns, *words] == ["1 layer"] or (layers == 0 and len(words) == 1) else "learn"
    named = [*((learns,) if layers != 0 else ()), *sorted(words)]
    return TrainedParts(
        layers=layers,
        reached=reached,
        embeddings=embeddings,
        output=output,
        towers=frozenset(words & _TOWERS & towers) if towers else None,
        assumption=Assumption(
            name="trained_layers",
            value=str(given),
            source="user",
            note=f"{', '.join(named)} {learn}, all else is frozen; gradients pass through "
            + ("all layers" if reached is None else f"the top {reached}" if reached else "no layer below the output"),
        ),
    )


def _layers(piece: str, given: Quantity, n_layers: int, *, alone: bool) -> set[int] | None:
    """Return the layers that `piece` names, from 0 at the bottom; None where it is a word."""
    span = _RANGE.match(piece)
    if span is not None:
        first, last = int(span[1]), int(span[2])
        if first > last:
            raise InvalidValueError("trained_layers", given, f"runs backwards; {last}-{first} would do")
        return _within(range(first, last + 1), given, n_layers)
    in_turn = _AT_A_TIME.match(piece)
    if in_turn is not None:
        return _in_turn(_count(int(in_turn[1]), given, n_layers), n_layers)
    counted, first_ones, number = _TOP.match(piece), _BOTTOM.match(piece), _NUMBER.match(piece)
    if first_ones is not None:
        return _within(range(_count(int(first_ones[1]), given, n_layers)), given, n_layers)
    of_top = counted or (number if alone else None)
    if of_top is not None:
        return set(range(n_layers - _count(int(of_top[1]), given, n_layers), n_layers))
    return None if number is None else _within(range(int(number[1]), int(number[1]) + 1), given, n_layers)


def _in_turn(count: int, n_layers: int) -> set[int]:
    """Return `count` layers that stand for those which learn in turn: gradients pass as deep as they do on average.

    The lowest of k layers drawn of n lies k/(k + 1) of the way down.
    """
    lowest = min(n_layers - round(n_layers * count / (count + 1)), n_layers - count)
    return set(range(lowest, lowest + count))


def _count(count: int, given: Quantity, n_layers: int) -> int:
    if not 0 < count <= n_layers:
        raise InvalidValueError(
            "trained_layers", given, f'must be 1 to {n_layers} layers of this model, or "head" for a probe'
        )
    return count


def _within(layers: range, given: Quantity, n_layers: int) -> set[int]:
    if layers.stop > n_layers:
        raise InvalidValueError(
            "trained_layers", given, f"names layer {layers.stop - 1}; the model has layers 0 to {n_layers - 1}"
        )
    return set(layers)


def _part(piece: str, given: Quantity, towers: frozenset[str]) -> str:
    """Return the part that a word names. Raises InvalidValueError for a word, or a part that the model lacks."""
    word = re.sub(r"^(?:(?:the|only|just)\s+)+", "", piece).replace(" ", "_").replace("-", "_")
    part = _PARTS.get(word) or _PARTS.get(word.removesuffix("_only")) or _PARTS.get(word.removesuffix("s"))
    if part is None:
        raise InvalidValueError("trained_layers", given, f"is not understood; such as {_EXAMPLES}")
    if part in _TOWERS and part not in towers:
        has = f"it has {', '.join(sorted(towers))}" if towers else "it has no tower beside its layers"
        raise InvalidValueError("trained_layers", given, f"names a {part} that this model does not have; {has}")
    return part
