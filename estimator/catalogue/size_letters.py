"""Encoders whose size is a letter, as papers write them: Swin-T, DeiT-S, ConvNeXt-B, BEiT-L."""

import re
from collections.abc import Callable

from estimator.catalogue.entries import Match
from estimator.models.transformer import Transformer

__all__ = ["by_size_letter"]

_WORDS = {"n": "nano", "t": "tiny", "s": "small", "m": "medium", "b": "base", "l": "large", "h": "huge", "g": "giant"}
_LETTER = re.compile(rf"(?<=[^\W_])[-_ ](?P<size>[{''.join(_WORDS)}])(?![^\W_])", re.IGNORECASE)
_LONGEST = 128
"""Characters; longer text is nobody's name."""


def by_size_letter(name: str, found: Callable[[str], Match[Transformer] | None]) -> Match[Transformer] | None:
    """Return the encoder that is `found` by `name` with the word that its letter stands for: `swin-tiny` of `Swin-T`.

    None where no letter stands alone in it, or no encoder of that size is found: decoders' sizes are numbers.
    """
    letter = None if len(name) > _LONGEST else _LETTER.search(name)
    if letter is None:
        return None
    word = _WORDS[letter["size"].casefold()]
    match = found(f"{name[: letter.start()]}-{word}{name[letter.end() :]}")
    return match if match and not match.value.causal and word in f"{match.value.id} {match.matched}" else None
