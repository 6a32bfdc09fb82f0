"""Turn rows of data/accelerators.json into accelerators in SI units."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from estimator.base.names import Name
from estimator.base.units import BITS_PER_BYTE, GIBI, GIGA, TERA
from estimator.catalogue.entries import AcceleratorEntry, Source, Sourced
from estimator.catalogue.shapes import AcceleratorRow, SourceRow
from estimator.question.cluster import MATRIX_UNIT, Accelerator

__all__ = [
    "ACCELERATOR_FILLER",
    "RATED_PRECISIONS",
    "accelerator_entry",
    "accelerator_names",
    "source_table",
    "with_memory",
]

_MAKERS = frozenset(
    {"accelerator", "amazon", "amd", "apple", "aws", "card", "cloud", "core", "corporation", "geforce", "generation"}
    | {"google", "gpu", "gpus", "graphics", "habana", "huawei", "inc", "instinct", "intel", "nvidia", "radeon"}
    | {"tensor", "tesla"}
)
_LENDERS = frozenset(
    {"autodl", "azure", "colab", "coreweave", "free", "gcp", "hyperstack", "kaggle", "lambda", "lambdalabs", "modal"}
    | {"paperspace", "runpod", "tensordock", "vast", "vastai"}
)
"""Whose a card is: `colab T4`, `runpod 4090`."""
ACCELERATOR_FILLER = _MAKERS | _LENDERS
"""Words that tell no two accelerators apart."""

_MEASURED = "measured_"
RATED_PRECISIONS = ("fp32", "tf32", "fp16", "bf16", "fp8", "mxfp8", "nvfp4", "mxfp4", "fp4")
"""Precisions a dense rate may be listed for; `mxfp8`, `nvfp4` and `mxfp4` are the block-scaled formats."""


def source_table(rows: Mapping[str, SourceRow]) -> dict[str, Source]:
    """Return the documents by their key in the file."""
    return {
        key: Source(title=row["title"], date=row.get("date", ""), url=row.get("url", ""), note=row.get("note", ""))
        for key, row in rows.items()
    }


def accelerator_names(rows: Iterable[AcceleratorRow]) -> Iterator[Name]:
    """Yield every name of every device: ids and full names, then aliases, then names that needed a choice."""
    rows = tuple(rows)
    for row in rows:
        yield Name(text=row["id"], id=row["id"])
    for row in rows:
        yield from (Name(text=text, id=row["id"]) for text in (row["name"], *row["aliases"]))
    for row in rows:
        for choice in row["assumed"]:
            others = ", ".join(choice.get("others", ()))
            why = choice.get("note", "") or f"could also mean {others}; taken as {row['id']}, the commonest"
            note = f"'{choice['name']}': {why}"
            yield Name(text=choice["name"], id=row["id"], note=note, holds=choice.get("holds"))


def accelerator_entry(
    row: AcceleratorRow, rows: Mapping[str, AcceleratorRow], sources: Mapping[str, Source]
) -> AcceleratorEntry:
    """Return the device of one row of `rows`, in SI units and with the source of every number.

    What was measured of a chip's products is true of it behind other links.
    """
    chip = rows[row.get("chip_of", row["id"])]
    facts = {
        field: Sourced(
            value=fact["value"],
            confidence=fact["confidence"],
            sources=tuple(sources[key] for key in fact["sources"]),
        )
        for field, fact in row["values"].items()
    }
    measured = {field: fact["value"] for field, fact in chip["values"].items() if field.startswith(_MEASURED)}
    return AcceleratorEntry(
        accelerator=_accelerator(row, chip, measured | {field: fact.value for field, fact in facts.items()}),
        status=row["status"],
        form_factor=row["form_factor"],
        memory_type=row["memory_type"],
        nominal_memory_gb=facts["memory_gb"].value,
        pcie=row["pcie"],
        aliases=tuple(row["aliases"]),
        notes=tuple(row["notes"]),
        facts=facts,
    )


def with_memory(entry: AcceleratorEntry, memory_gb: float | None) -> AcceleratorEntry:
    """Return the device with another memory, if told; software can use as large a share of it.

    No computer is sold with more than its chip's largest; cards have been refitted with more.
    """
    chip = entry.accelerator
    if memory_gb is None or (chip.vendor == "Apple" and memory_gb >= entry.nominal_memory_gb):
        return entry
    held = replace(chip, memory_bytes=chip.memory_bytes * memory_gb / entry.nominal_memory_gb)
    return replace(entry, accelerator=held, nominal_memory_gb=memory_gb)


def _accelerator(row: AcceleratorRow, chip: AcceleratorRow, values: Mapping[str, float]) -> Accelerator:
    peaks = {name: values[f"{name}_tflops"] * TERA for name in RATED_PRECISIONS if f"{name}_tflops" in values}
    pcie_bytes_per_s = values["pcie_gb_s"] * GIGA
    gpus_per_node = int(values["gpus_per_node"])
    # Without a link of its own a device reaches the others of its node over PCIe.
    linked = "scale_up_gb_s" in values
    return Accelerator(
        id=row["id"],
        name=row["name"],
        vendor=row["vendor"],
        architecture=row["architecture"],
        chip=chip["id"],
        chip_year=chip["year"],
        family=row["family"],
        segment=row["segment"],
        year=row["year"],
        memory_bytes=values["memory_addressable_gib"] * GIBI,
        memory_bandwidth_bytes_per_s=values["memory_bandwidth_gb_s"] * GIGA,
        peak_flop_per_s=peaks,
        training_peak_flop_per_s=peaks[row["training_precision"]],
        training_precision=row["training_precision"],
        measured_matmul_flop_per_s={
            name: values[f"{_MEASURED}{name}_tflops"] * TERA
            for name in RATED_PRECISIONS
            if f"{_MEASURED}{name}_tflops" in values
        },
        fp16_accumulate_flop_per_s=_scaled(values.get("fp16_accumulate_tflops")),
        shader_fp16_flop_per_s=_scaled(values.get("fp16_shader_tflops")),
        scale_up_bytes_per_s=values["scale_up_gb_s"] * GIGA if linked else pcie_bytes_per_s,
        scale_up_kind=row["scale_up_kind"],
        scale_up_domain=int(values["scale_up_domain"]) if linked else gpus_per_node,
        gpus_per_node=gpus_per_node,
        pcie_bytes_per_s=pcie_bytes_per_s,
        bridge_bytes_per_s=values.get("bridge_gb_s", 0.0) * GIGA,
        host_link_bytes_per_s=values.get("host_link_gb_s", 0.0) * GIGA,
        scale_out_bytes_per_s=values["scale_out_gbps"] * GIGA / BITS_PER_BYTE,
        tdp_w=values["tdp_w"],
        n_sm=int(values.get("n_sm", 0)),
        matrix_unit=int(values.get("matrix_unit", MATRIX_UNIT)),
    )


def _scaled(tflops: float | None) -> float | None:
    return None if tflops is None else tflops * TERA
