"""How many layers LISA and BAdam train at a time: `LISA with 4 active layers`, `BAdam, blocks of 2 layers`."""

import re

from estimator.base.spoken import spoken
from estimator.resolve.framework.meaning import Facts, Meaning

__all__ = ["BLOCKWISE", "told_blocks"]

_STACK = "huggingface"
_MOST = 64
"""Layers that may be named: LISA's authors try up to 8 (Pan et al. 2024, figure 5), and no more are in most models."""
_COUNT = r"(?P<count>\d{1,2}|one|two|three|four|five|six|eight)"
_GAP = r"[\s_\-,:=()]{1,3}"
_ACTIVE = rf"(?:(?:active|activated|sampled|random|trainable|trained|unfrozen|intermediate){_GAP})?"
_LISA, _BADAM = r"(?:use[ _])?lisa", r"(?:use[ _])?(?:b[ -]?adam|block[ -]?adam)"
_WITH = rf"(?:(?:with|of|and|training|activating){_GAP})?"
_WAYS = tuple(
    (re.compile(words, re.IGNORECASE), parts)
    for words, parts in (
        # LISA with 4 active layers, LISA (2 layers)
        (rf"{_LISA}{_GAP}{_WITH}{_COUNT}{_GAP}{_ACTIVE}layers?(?![^\W_])\)?", ", embeddings, head"),
        # LISA, activated layers 4
        (rf"{_LISA}{_GAP}(?:lisa_)?(?:activated|active|n){_GAP}layers{_GAP}{_COUNT}(?![^\W_])", ", embeddings, head"),
        # BAdam, blocks of 2 layers; BAdam with 2 layers
        (
            rf"{_BADAM}{_GAP}{_WITH}(?:an?{_GAP})?(?:blocks?{_GAP}of{_GAP})?{_COUNT}{_GAP}{_ACTIVE}layers?(?![^\W_])\)?",
            "",
        ),
    )
)


def _few(count: int, beside: str) -> Meaning:
    return Meaning(says=Facts(trained_layers=f"{count} at a time{beside}"), implies=_STACK)


BLOCKWISE = (
    # Luo et al. 2024 (BAdam), algorithm 1: Adam steps one block of layers, all else is frozen, then the next one.
    ("badam | b adam | use badam | block adam | blockwise adam", _few(1, "")),
    # Pan et al. 2024 (LISA), algorithm 1: embedding and output layer learn throughout, and two layers that are drawn.
    (
        "lisa | use lisa | layerwise importance sampling | layerwise importance sampled adamw",
        _few(2, ", embeddings, head"),
    ),
)
"""Their names alone, with what their authors train."""


def told_blocks(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where a name of LISA or BAdam with a count of layers from `at` on ends; None where none is said."""
    for way, beside in _WAYS:
        found = way.match(text, at)
        if found is not None and 1 <= (count := int(spoken(found["count"]))) <= _MOST:
            return found.end(), _few(count, beside)
    return None
