"""A family with a size that it has only as a mixture of experts: `Qwen3 80B` is Qwen3-Next 80B-A3B, not a dense one."""

import math
import re
from collections.abc import Sequence

from estimator.base.names import tokens
from estimator.catalogue import catalogue
from estimator.catalogue.entries import Match
from estimator.models.named_size import NamedSize
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer

__all__ = ["experts_of_size"]

_ROUNDED = 0.05
"""Share by which a size in a name differs from a count: Kimi K2 is called 1T and has 1.03T."""
_PIECE = re.compile(r"\d+(?:\.\d+)*(?:[bmt](?![^\W\d_]))?|[^\W\d_]+")
_SIZE = re.compile(r"\d+(?:\.\d+)?[bmt]")


def experts_of_size(name: str, size: NamedSize) -> Match[Transformer] | None:
    """Return the mixture of experts of `size` in all whose name begins as `name` does and says what else it says.

    Of several the one with the shortest name, the others told in the note. None where the family has none of the size,
    or `name` says something that none of them does. Dense ones of that size are found by their names before.
    """
    said = [piece for piece in _pieces(name) if not _SIZE.fullmatch(piece)]
    if not said or not said[0].isalpha():
        return None
    ids = [one for one in catalogue.family(name) if _holds(_pieces(one), said) and _is_of(one, size.total)]
    if not ids:
        return None
    found, *others = sorted(ids, key=lambda one: (len(one), one))
    note = f"read as {found}: the family has this size as a mixture of experts alone"
    if others:
        note += f", {' and '.join(others[:2])} beside it"
    return Match(value=catalogue.model(found).transformer, matched=found, note=note)


def _is_of(model_id: str, total: float) -> bool:
    network = catalogue.model(model_id).transformer
    if network.experts is None or network.media is not None:
        return False
    return abs(math.log(parameter_counts(network).total / total)) <= _ROUNDED


def _pieces(name: str) -> list[str]:
    return _PIECE.findall(" ".join(tokens(name.rpartition("/")[2])))


def _holds(pieces: Sequence[str], said: Sequence[str]) -> bool:
    """Return whether `pieces` begin with the first of `said`, and hold the others in their order."""
    left = iter(pieces)
    return pieces[:1] == said[:1] and all(piece in left for piece in said)
