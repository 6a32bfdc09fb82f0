"""The shapes of the catalogue's data files, as they lie on disk."""

from typing import NotRequired

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

__all__ = [
    "AcceleratorFile",
    "AcceleratorRow",
    "ChoiceRow",
    "EnergyFile",
    "EnergyRow",
    "PriceFile",
    "PriceRow",
    "SourceRow",
    "ValueRow",
]


class SourceRow(TypedDict):
    """A document."""

    title: str
    date: NotRequired[str]
    url: NotRequired[str]
    note: NotRequired[str]


class ValueRow(TypedDict):
    """A number, how far to trust it, and the keys of the documents that have it."""

    value: float
    confidence: str
    sources: list[str]


class ChoiceRow(TypedDict):
    """A name that could mean several devices, or a system: what else, or what was assumed."""

    name: str
    others: NotRequired[list[str]]
    note: NotRequired[str]


class AcceleratorRow(TypedDict):
    """One device."""

    id: str
    name: str
    vendor: str
    architecture: str
    family: str
    segment: str
    status: str
    year: int
    form_factor: str
    memory_type: str
    pcie: str
    scale_up_kind: str
    training_precision: str
    aliases: list[str]
    assumed: list[ChoiceRow]
    notes: list[str]
    values: dict[str, ValueRow]


class AcceleratorFile(TypedDict):
    """data/accelerators.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    accelerators: list[AcceleratorRow]


class PriceRow(TypedDict):
    """One device's price at one provider on one day."""

    accelerator_id: str
    provider: str
    sku: str
    n_gpus: int
    usd_per_gpu_hour: float
    pricing: str
    region: str
    date: str
    source: str
    note: NotRequired[str]


class PriceFile(TypedDict):
    """data/prices.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    prices: list[PriceRow]
    purchases: list[PriceRow]


class EnergyRow(TypedDict):
    """One default with its range."""

    name: str
    aliases: NotRequired[list[str]]
    value: float
    low: float
    high: float
    unit: str
    source: str
    date: NotRequired[str]
    note: NotRequired[str]


class EnergyFile(TypedDict):
    """data/energy.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    defaults: list[EnergyRow]
