"""The tool `list_gpus`: which accelerators are catalogued, and what they can do."""

from itertools import accumulate

from pydantic import BaseModel, FiniteFloat

from estimator.answers.estimate.selection import Selection, rate_notes, selection, usd_per_gpu_hour
from estimator.base.units import GIGA, TERA
from estimator.catalogue.entries import AcceleratorEntry
from tools.fields import Detail, Limit, MinMemoryGb, Query, SortGpusBy, Vendor, WantedPrecision

__all__ = ["Gpu", "GpuList", "list_gpus"]

_DIGITS = 4
"""Of TFLOPS: undoes the rounding of the way to SI units and back."""
_PRINTED_IN_SUMMARY = 3
_MOST_CHARACTERS = 120_000
"""Of the accelerators in one answer: more fills a model's context, and takes long to send."""


class Gpu(BaseModel):
    """One accelerator. Rates are dense; links are of one device in one direction."""

    id: str
    name: str
    vendor: str
    year: int
    memory_gb: FiniteFloat
    memory_bandwidth_gb_s: FiniteFloat
    peak_tflops: dict[str, FiniteFloat]
    """By precision, with FP32 accumulation."""
    training_peak_tflops: FiniteFloat
    """What mixed-precision training gets."""
    training_precision: str
    measured_matmul_tflops: FiniteFloat | None
    """The best anyone measured in the training precision; None where nobody published one."""
    scale_up_gb_s: FiniteFloat
    scale_up_kind: str
    scale_up_domain: int
    """Devices that reach each other at that speed."""
    tdp_w: FiniteFloat
    usd_per_gpu_hour: FiniteFloat | None
    """Median of the dated prices; None where none is known."""
    notes: list[str]
    sources: list[str]


class GpuList(BaseModel):
    """The accelerators that match."""

    summary: str
    gpus: list[Gpu]
    total: int
    """How many match; `gpus` holds the first `limit` of them."""


def list_gpus(
    *,
    query: Query = "",
    vendor: Vendor = "",
    min_memory_gb: MinMemoryGb = 0.0,
    precision: WantedPrecision = "",
    sort_by: SortGpusBy = "peak",
    limit: Limit = 10,
    detail: Detail = "concise",
) -> GpuList:
    """List accelerators (GPUs, TPUs, …) with the dense rate training really gets, memory, links, power and price."""
    chosen = selection(query=query, vendor=vendor, min_memory_gb=min_memory_gb, precision=precision, sort_by=sort_by)
    gpus = _within([_gpu(entry, detailed=detail == "detailed") for entry in chosen.entries[:limit]])
    return GpuList(summary=_summary(chosen, gpus, limit), gpus=gpus, total=len(chosen.entries))


def _gpu(entry: AcceleratorEntry, *, detailed: bool) -> Gpu:
    accelerator = entry.accelerator
    measured = accelerator.measured_matmul_flop_per_s.get(accelerator.training_precision)
    return Gpu(
        id=accelerator.id,
        name=accelerator.name,
        vendor=accelerator.vendor,
        year=accelerator.year,
        memory_gb=entry.nominal_memory_gb,
        memory_bandwidth_gb_s=_in(accelerator.memory_bandwidth_bytes_per_s, GIGA),
        peak_tflops={name: _in(peak, TERA) for name, peak in accelerator.peak_flop_per_s.items()},
        training_peak_tflops=_in(accelerator.training_peak_flop_per_s, TERA),
        training_precision=accelerator.training_precision,
        measured_matmul_tflops=None if measured is None else _in(measured, TERA),
        scale_up_gb_s=_in(accelerator.scale_up_bytes_per_s, GIGA),
        scale_up_kind=accelerator.scale_up_kind,
        scale_up_domain=accelerator.scale_up_domain,
        tdp_w=accelerator.tdp_w,
        usd_per_gpu_hour=usd_per_gpu_hour(entry.id),
        notes=[*rate_notes(accelerator), *entry.notes],
        sources=_sources(entry, detailed=detailed),
    )


def _sources(entry: AcceleratorEntry, *, detailed: bool) -> list[str]:
    """Return where the training peak is from or, detailed, where every number is from."""
    wanted = entry.facts if detailed else (f"{entry.accelerator.training_precision}_tflops",)
    return [
        f"{field} {fact.value:g}: {fact.sources[0].title}{fact.sources[0].date and f', {fact.sources[0].date}'}"
        f" ({fact.confidence})"
        for field, fact in entry.facts.items()
        if field in wanted
    ]


def _within(gpus: list[Gpu]) -> list[Gpu]:
    """Return the first of `gpus`: as many as one answer may hold."""
    lengths = accumulate(len(gpu.model_dump_json()) for gpu in gpus)
    return [gpu for gpu, length in zip(gpus, lengths, strict=True) if length <= _MOST_CHARACTERS]


def _summary(chosen: Selection, gpus: list[Gpu], limit: int) -> str:
    if not gpus:
        return "No catalogued accelerator meets all conditions; relax min_memory_gb, precision or vendor."
    shown = "; ".join(
        f"{gpu.id}: {gpu.memory_gb:g} GB, {gpu.training_peak_tflops:g} TFLOPS {gpu.training_precision.upper()}"
        + ("" if gpu.usd_per_gpu_hour is None else f", about ${gpu.usd_per_gpu_hour:.2f}/h")
        for gpu in gpus[:_PRINTED_IN_SUMMARY]
    )
    total = len(chosen.entries)
    head = f"{total} accelerators match" if total > 1 else "One accelerator matches"
    remedy = "raise limit" if len(gpus) == limit else "narrow the conditions or leave out detail"
    more = "" if total <= len(gpus) else f" The first {len(gpus)} are listed; {remedy} for more."
    note = f" {chosen.note}." if chosen.note else ""
    return f"{head} (dense rates, FP32 accumulation): {shown}.{more}{note}"


def _in(value: float, unit: float) -> float:
    return round(value / unit, _DIGITS)
