"""Names that say less than a catalogued one, or more, or no version: `moonlight`, `distilbert-sst-2`, `rwkv 7b`."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from estimator.base.names import NameIndex, Resolved, tokens
from estimator.catalogue.variants import OTHER_ARCHITECTURE, said_words
from estimator.models.named_size import named_size

__all__ = ["begins_alike", "family_of", "related", "shortened"]

_PIECE = re.compile(r"\d+(?:\.\d+)*(?:[bmt](?![^\W\d_]))?|[^\W\d_]+")
"""A number, a size, or letters: `olmo3` is `olmo` and `3`, and `2b` is no `2`."""
_TAG = re.compile(r"(?P<name>[a-z][a-z0-9_]*\d[a-z0-9_]*)\.[a-z][a-z0-9_]*")
"""How timm names weights: an architecture, and behind a point what it was trained on."""
_VERSION = re.compile(r"\d{1,3}(?:\.\d+)*")
"""No date, which has four digits and more."""
_LONGEST = 128
"""Characters; longer text is nobody's name."""
_SHORTEST = 3
"""Letters that a name begins with, to be completed."""
_FAMILY = 2
_LETTERS = re.compile(r"[^\W\d_]+")
_ALIKE = 0.75
"""Letters in common of two first words, of which one is the other misspelt."""
_CLASSES = frozenset(
    {"tiny", "mini", "small", "medium", "base", "large", "huge", "giant", "xl", "xxl", "xlarge", "xxlarge", "plus"}
)
"""Sizes by name, as encoders have them."""
_FEWEST_WORDS = 2
_ANYONES = _CLASSES | {"big", "model", "transformer"}
"""Words that together are no name of one network: a `swin-transformer-base` holds `transformer-base`."""
_NEAR = 1.3
"""Factor on parameters up to which a model is called by a size: RWKV's of 7.6B are its 7B."""


def shortened(given: str, models: NameIndex, finetunes: NameIndex) -> Resolved | None:
    """Return the only model whose name says all that `given` says, or the one that it holds without a size."""
    return _completed(given, models, finetunes) or _named_within(given, models, finetunes)


def related(given: str, parameters: float, ids: Iterable[str]) -> Resolved | None:
    """Return the model of the family that `given` begins with that is nearest in size, the newest of several.

    None where none is near. `rwkv 7b` says no version, and is no transformer.
    """
    pieces = _pieces(given[:_LONGEST])
    if not pieces or len(pieces[0]) < _SHORTEST or not pieces[0].isalpha():
        return None
    sizes = {one: named_size(one) for one in ids if one.startswith(pieces[0]) and _pieces(one)[:1] == pieces[:1]}
    apart = {one: abs(math.log(size.total / parameters)) for one, size in sizes.items() if size is not None}
    if not apart or min(apart.values()) > math.log(_NEAR):
        return None
    found = max(sorted(one for one, distance in apart.items() if distance == min(apart.values())), key=_pieces)
    return Resolved(id=found, matched=found, note=f"read as {found}, of its family the nearest in size")


def family_of(given: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids whose first letters are those of `given`, none where it begins with too few."""
    pieces = _pieces(given[:_LONGEST])
    if not pieces or len(pieces[0]) < _FAMILY or not pieces[0].isalpha():
        return ()
    return tuple(one for one in ids if one.startswith(pieces[0]) and _pieces(one)[:1] == pieces[:1])


def begins_alike(given: str, name: str) -> bool:
    """Return whether two names begin with nearly the same letters, as a misspelt one does: `lama` and `llama`.

    Letters further on and sizes are shared by names of quite other networks: Tacotron2 and StarCoder2.
    """
    first, second = ("".join(_LETTERS.findall(one.casefold().rpartition("/")[2])[:1]) for one in (given, name))
    if not first or not second:
        return not first
    if min(len(first), len(second)) < _SHORTEST:
        return first == second
    return (
        first.startswith(second)
        or second.startswith(first)
        or SequenceMatcher(None, first, second, autojunk=False).ratio() >= _ALIKE
    )


def _completed(given: str, models: NameIndex, finetunes: NameIndex) -> Resolved | None:
    """Return the only model whose name begins as `given` does and says all that it says; None where several do.

    `moonlight` is Moonlight 16B-A3B, and `seed oss` Seed-OSS 36B, as long as no other is called so.
    """
    pieces = _pieces(given[:_LONGEST])
    if not pieces or len(pieces[0]) < _SHORTEST or not pieces[0].isalpha():
        return None
    names = (*models.names.items(), *finetunes.names.items())
    # Keys are folded, so that few names need be cut into pieces.
    near = (name for key, name in names if key.startswith(pieces[0]))
    found = [name for name in near if _says(_pieces(name.text), pieces)]
    if len({name.id for name in found}) != 1:
        return None
    name = min(found, key=lambda name: len(name.text))
    note = f"read as {name.text}, the only one catalogued that is called so"
    return Resolved(id=name.id, matched=name.text, note="; ".join(part for part in (note, name.note) if part))


def _named_within(given: str, models: NameIndex, finetunes: NameIndex) -> Resolved | None:
    """Return the model without a size in its name that `given` holds among other words; None where none or in doubt.

    `twitter-roberta-base-sentiment` holds RoBERTa base. At least two words of a name count; a name that is open, only
    with a size such as `base`; and none beside another size or version.
    """
    tagged = _TAG.fullmatch(given[:_LONGEST].strip().casefold().rpartition("/")[2])
    if tagged is not None:
        match = models.found(tagged["name"])
        return None if match is None else replace(match, note=_note("weights", match))
    words = said_words(given)
    if OTHER_ARCHITECTURE.intersection(words):
        return None
    for length in range(len(words) - 1, _FEWEST_WORDS - 1, -1):
        for start in range(len(words) - length + 1):
            span = words[start : start + length]
            text = " ".join(span)
            match = finetunes.found(text) or models.found(text)
            if match is not None and _is_sure(match, span, words[:start], words[start + length :]):
                return replace(match, note=_note("taken for a fine-tune", match, ", whose name it holds"))
    return None


def _is_sure(match: Resolved, span: Sequence[str], before: Sequence[str], behind: Sequence[str]) -> bool:
    """Return whether a name among others leaves nothing open that they tell.

    That is a size by name or by its letter (ViT-L), or another version behind it (`mistral-large-4`).
    """
    if _ANYONES.issuperset(span) or (match.note and not _CLASSES.intersection(span)):
        return False
    other_version = bool(behind) and _VERSION.fullmatch(behind[0]) is not None
    return not other_version and not any(
        word in _CLASSES or (len(word) == 1 and word.isalpha()) for word in (*before, *behind)
    )


def _note(relation: str, match: Resolved, why: str = "") -> str:
    return f"{relation} of {match.matched}{why}" + (f"; {match.note}" if match.note else "")


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(_PIECE.findall(" ".join(tokens(text.rpartition("/")[2]))))


def _says(pieces: Sequence[str], fewer: Sequence[str]) -> bool:
    """Return whether `pieces` begin as `fewer` do, and hold the others of them in their order."""
    left = iter(pieces)
    return pieces[:1] == fewer[:1] and all(piece in left for piece in fewer)
