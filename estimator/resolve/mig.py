"""A slice of a card that NVIDIA's MIG makes: named, so that a question about one is told what would do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue

__all__ = ["Slice", "named_slice"]

_PROFILE = re.compile(r"(?<![\w.])(?P<parts>[1-7])\s?g\.?\s?(?P<memory>\d{1,3})\s?gb(?:\+me)?(?![\w.])", re.IGNORECASE)
"""`3g.40gb`: three of the card's seven parts, with 40 GB of its memory (NVIDIA, MIG user guide)."""
_WORDS = re.compile(
    r"\b(?:mig|slices?|instances?|partitions?|profiles?|devices?)\b|[()\[\],:-]+(?=\s|$)", re.IGNORECASE
)
_MIG = re.compile(r"\bmig\b", re.IGNORECASE)
_PARTS, _EIGHTHS = 7, 8
_MEMORY: Mapping[int, int] = MappingProxyType({3: 4, 7: 8})
"""Eighths of the memory that a slice of so many parts has, where these are not as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of a card."""

    card: str
    """Id of the whole card; empty where none is named."""
    parts: int | None
    """Of its seven parts; None where that is not told."""
    memory_gb: int | None

    @property
    def remedy(self) -> str:
        """What to ask instead."""
        whole = f'gpu "{self.card}"' if self.card else "the whole card as gpu"
        told = f"is a MIG slice, and whole cards are what is answered for: give {whole}"
        if self.parts is None or self.memory_gb is None:
            return f"{told}; a slice of n of its 7 parts takes about 7/n times as long, if its own memory is enough"
        share = f"{self.parts} of its {_PARTS} parts {'takes' if self.parts == 1 else 'take'}"
        times = f"about {_PARTS / self.parts:.2g} times as long" if self.parts < _PARTS else "as long"
        return f"{told}; {share} {times}, if {self.memory_gb} GB are enough"


def named_slice(name: str) -> Slice | None:
    """Return the slice of a card that `name` names; None where it names none."""
    profile = _PROFILE.search(name)
    if profile is None and _MIG.search(name) is None:
        return None
    whole = " ".join(_WORDS.sub(" ", _PROFILE.sub(" ", name)).split())
    if profile is None:
        return Slice(card=_card(whole), parts=None, memory_gb=None)
    parts, memory_gb = int(profile["parts"]), int(profile["memory"])
    # A100s of 40 and 80 GB have slices of other sizes.
    sized = f"{whole} {memory_gb * _EIGHTHS // _MEMORY.get(parts, parts)}GB"
    return Slice(card=_card(sized) or _card(whole), parts=parts, memory_gb=memory_gb)


def _card(name: str) -> str:
    """Return the id of the card with a name; empty where there is none."""
    try:
        return catalogue.accelerator(name).value.accelerator.id
    except UnknownNameError:
        return ""
