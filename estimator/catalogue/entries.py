"""What the catalogue hands out: values, each with where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from estimator.base.names import Resolved
from estimator.question.cluster import Accelerator

__all__ = ["AcceleratorEntry", "EnergyDefault", "Match", "Price", "Purchase", "Source", "Sourced", "match_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(Generic[T]):
    """A catalogued value found by name."""

    value: T
    matched: str
    """The catalogued name that the given one equals."""
    note: str = ""
    """What was assumed where the name could mean several things; empty where it could not."""
    holds: int | None = None
    """How many of it a machine has that is named; None where the value itself is."""
    count: int | None = None
    """How many of it the name counts, or of machines with it; None where it counts none."""
    of_machines: bool = False
    """Whether machines are counted: of so many as `holds` says, or the usual ones."""
    slice_of: int | None = None
    """The number in the name of a slice of so many, of cores or of chips; None where the name is no slice's."""
    network: str = ""
    """What the name says of the network between machines, as it was written."""


def match_of(value: T, found: Resolved) -> Match[T]:
    """Return `value` as what was found by name."""
    return Match(
        value=value,
        matched=found.matched,
        note=found.note,
        holds=found.holds,
        count=found.count,
        of_machines=found.of_machines,
        slice_of=found.slice_of,
        network=found.network,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document that values were taken from."""

    title: str
    date: str = ""
    """As exactly as known: `2026-08-22`, `2026`, or empty."""
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """One catalogued number with how far to trust it and the documents that have it, the first being its own."""

    value: float
    confidence: str
    """`read`, `read-secondary`, `measured`, `derived`, `remembered`, `default` or `estimate`."""
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorEntry:
    """One device with everything the catalogue knows about it."""

    accelerator: Accelerator
    status: str
    """`shipping`, or `announced` where the figures are the vendor's promise."""
    form_factor: str
    memory_type: str
    nominal_memory_gb: float
    """As sold; what software can use is `accelerator.memory_bytes`."""
    pcie: str
    aliases: tuple[str, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, Sourced]
    """Every number by field, in the field's unit, e.g. `bf16_tflops`."""

    @property
    def id(self) -> str:
        """The catalogued id."""
        return self.accelerator.id

    @property
    def sources(self) -> tuple[Source, ...]:
        """The documents that numbers were taken from, each once, in the order of the fields."""
        return tuple(dict.fromkeys(fact.sources[0] for fact in self.facts.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one device cost for an hour, at one provider on one day."""

    accelerator_id: str
    provider: str
    sku: str
    n_gpus: int
    """Devices in the unit that was priced."""
    usd_per_gpu_hour: float
    pricing: str
    """`on_demand`, `spot`, `marketplace` or `reserved`."""
    region: str
    date: str
    """As exactly as known: `2026-11-09`, `2026-02` or `2026`."""
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One device's share of a system's list price."""

    accelerator_id: str
    provider: str
    sku: str
    n_gpus: int
    """Devices in the system."""
    usd_per_gpu: float
    date: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyDefault:
    """One default for power, energy or carbon, with its range."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    source: str
    date: str = ""
    note: str = ""
