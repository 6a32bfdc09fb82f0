"""What was published of memory: peaks, longest contexts, and what fitted or did not."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

from estimator.base.units import GIBI, GIGA
from estimator.catalogue.shapes import SourceRow

__all__ = [
    "MEMORY_UNITS",
    "MemoryFile",
    "MemoryKind",
    "MemoryObservation",
    "MemoryRow",
    "MemoryUnit",
    "PublishedMemoryRow",
    "memory_observation",
]

MemoryKind = Literal["peak", "longest_context", "fits"]
MemoryUnit = Literal["GB", "GiB", "tokens", "fits"]
MEMORY_UNITS: Mapping[MemoryKind, frozenset[MemoryUnit]] = MappingProxyType(
    {"peak": frozenset({"GB", "GiB"}), "longest_context": frozenset({"tokens"}), "fits": frozenset({"fits"})}
)
"""The units that each kind of observation comes in."""
_BYTES: Mapping[MemoryUnit, float] = MappingProxyType({"GB": GIGA, "GiB": GIBI})


class PublishedMemoryRow(TypedDict):
    """A number with its unit; true or false for `fits`."""

    value: float | bool
    unit: MemoryUnit


class MemoryRow(TypedDict):
    """One observation."""

    id: str
    kind: MemoryKind
    arguments: dict[str, Any]
    memory_gb: NotRequired[float]
    published: PublishedMemoryRow
    source: str
    note: str


class MemoryFile(TypedDict):
    """data/memory.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    observations: list[MemoryRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryObservation:
    """One published peak, longest context, or run that fitted or did not."""

    id: str
    kind: MemoryKind
    arguments: Mapping[str, Any]
    """What the source says, as arguments of estimate_training_time, tokens apart; of a longest context without its
    sequence length."""
    card_gb: float | None
    """GB of the card, where it has no name or is not catalogued: the one among `arguments` stands in for it."""
    peak_bytes: float | None
    """Bytes on the fullest device; None for other kinds."""
    longest_context: int | None
    """Tokens of the longest sequence that fits; None for other kinds."""
    fits: bool | None
    """Whether it ran rather than ran out of memory; None where that is not what was published."""
    source: str
    note: str


def memory_observation(row: MemoryRow, sources: Mapping[str, SourceRow]) -> MemoryObservation:
    """Return the observation that one row of the data file holds."""
    kind, value = row["kind"], row["published"]["value"]
    return MemoryObservation(
        id=row["id"],
        kind=kind,
        arguments=MappingProxyType(row["arguments"]),
        card_gb=row.get("memory_gb"),
        peak_bytes=value * _BYTES[row["published"]["unit"]] if kind == "peak" else None,
        longest_context=int(value) if kind == "longest_context" else None,
        fits=bool(value) if kind == "fits" else None,
        source=sources[row["source"]]["title"],
        note=row["note"],
    )
