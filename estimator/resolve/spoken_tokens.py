"""Sounds of models that read or write them as tokens of text are: hours, clips and sets of so many tokens a second."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from estimator.question.request import Request

__all__ = ["SpokenTokens", "spoken_tokens"]

_WORD = re.compile(r"[^\W\d_]+")
_TEXT = 3.3
"""Tokens of a second's transcript: English is spoken at 150 words a minute, of 1.3 tokens each."""
_A_SECOND: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "orpheus": (83.0 + _TEXT, "83 of SNAC, as its publisher counts them, and those of the text"),
        "csm": (12.5 + _TEXT, "12.5 frames of Mimi (Sesame 2025), and those of the text"),
        "chatterbox": (25.0 + _TEXT, "25 of its codec (S3), and those of the text"),
        **dict.fromkeys(
            ("branchformer", "conformer", "squeezeformer", "zipformer"),
            (25.0, "100 frames of a spectrogram, four of which are one position (Gulati et al. 2020, section 2)"),
        ),
    }
)
"""By a word of a model's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenTokens:
    """Positions that a second of sound becomes, and what they are."""

    a_second: float
    note: str


def spoken_tokens(request: Request) -> SpokenTokens | None:
    """Return what a second of sound is to the model that `request` names; None where it is not known to hear or speak.

    Models that are catalogued with what reads their sounds tell it themselves.
    """
    words = _WORD.findall(str(request.model).casefold())
    found = next((_A_SECOND[word] for word in words if word in _A_SECOND), None)
    return None if found is None else SpokenTokens(a_second=found[0], note=found[1])
