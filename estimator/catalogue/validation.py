"""Check the catalogue's data files: their shapes, and what they say of each other. Not needed to answer a question."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from estimator.base.names import normalised
from estimator.catalogue.accelerators import ACCELERATOR_FILLER, RATED_PRECISIONS
from estimator.catalogue.asked_faults import memory_faults, thread_faults
from estimator.catalogue.calibration_shapes import AccuracyFile, CalibrationFile, TablesFile
from estimator.catalogue.dataset_faults import dataset_faults
from estimator.catalogue.datasets import DatasetFile
from estimator.catalogue.finetunes import FinetuneFile
from estimator.catalogue.instances import InstanceFile
from estimator.catalogue.memory_observations import MemoryFile
from estimator.catalogue.model_configs import ModelConfigFile
from estimator.catalogue.run_details import BASE_BITS, DETAIL_NUMBERS, DETAIL_VALUES, HOST_STATES, recomputed_layers
from estimator.catalogue.shapes import (
    STEP_COLUMNS,
    AcceleratorFile,
    AcceleratorRow,
    EnergyFile,
    ModelFile,
    PriceFile,
    StepsFile,
)
from estimator.catalogue.threads import ThreadFile
from estimator.physics.constants import PRIORS
from estimator.physics.stacks import STACKS

__all__ = ["CatalogueError", "checked_files"]

_SHAPES: Mapping[str, Any] = {
    "accelerators.json": AcceleratorFile,
    "accuracy.json": AccuracyFile,
    "calibration.json": CalibrationFile,
    "datasets.json": DatasetFile,
    "energy.json": EnergyFile,
    "finetunes.json": FinetuneFile,
    "instances.json": InstanceFile,
    "memory.json": MemoryFile,
    "model_configs.json": ModelConfigFile,
    "models.json": ModelFile,
    "prices.json": PriceFile,
    "steps.json": StepsFile,
    "tables.json": TablesFile,
    "threads.json": ThreadFile,
}
_DATE = re.compile(r"20\d\d(-\d\d(-\d\d)?)?")
_CONFIDENCES = {"read", "read-secondary", "measured", "derived", "remembered", "default", "estimate"}
_PRICINGS = {"on_demand", "spot", "marketplace", "reserved"}
_SEGMENTS = {"datacenter", "workstation", "consumer"}
_STATUSES = {"shipping", "announced"}
_RATES = {
    *(f"{name}_tflops" for name in RATED_PRECISIONS),
    *(f"measured_{name}_tflops" for name in RATED_PRECISIONS),
    *("int8_tops", "fp16_accumulate_tflops", "fp8_fp16_accumulate_tflops", "fp16_shader_tflops"),
}
_NEEDED = {
    *("memory_gb", "memory_addressable_gib", "memory_bandwidth_gb_s", "pcie_gb_s", "gpus_per_node"),
    *("scale_out_gbps", "tdp_w"),
}
_QLORA_BITS = 4
_SPEEDS = ("tokens_per_s_per_gpu", "total_tokens", "gpu_hours", "days")
_POSITIVE = ("layers", "hidden", "heads", "kv_heads", "head_dim", "vocab", "sequence", "gpus")
_ALLOWED = (
    _RATES
    | _NEEDED
    | {"scale_up_gb_s", "scale_up_domain", "bridge_gb_s", "host_link_gb_s", "matrix_unit", "n_sm", "boost_mhz", "l2_mb"}
)


class CatalogueError(Exception):
    """The data files contradict their shapes or each other; lists every fault."""


def checked_files(files: Mapping[str, object], runs: Sequence[Mapping[str, str]]) -> None:
    """Raise CatalogueError with every fault of `files`, by name and as parsed, and of the published `runs`."""
    faults: list[str] = []
    for name, shape in _SHAPES.items():
        try:
            TypeAdapter[object](shape).validate_python(files[name], extra="forbid")
        except ValidationError as error:
            faults += [f"{name}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    if not faults:
        accelerators: Any = files["accelerators.json"]
        prices: Any = files["prices.json"]
        energy: Any = files["energy.json"]
        faults += _accelerator_faults(accelerators)
        faults += _price_faults(prices, {row["id"] for row in accelerators["accelerators"]})
        faults += _energy_faults(energy)
        faults += _run_faults(runs, {row["id"] for row in accelerators["accelerators"]})
        faults += _lab_faults(runs)
        steps: Any = files["steps.json"]
        faults += _step_faults(steps, {row["id"] for row in accelerators["accelerators"]})
        threads: Any = files["threads.json"]
        faults += thread_faults(threads)
        datasets: Any = files["datasets.json"]
        faults += dataset_faults(datasets)
        memory: Any = files["memory.json"]
        faults += memory_faults(memory)
        instances: Any = files["instances.json"]
        faults += _instance_faults(instances, accelerators)
        finetunes: Any = files["finetunes.json"]
        models: Any = files["models.json"]
        configs: Any = files["model_configs.json"]
        faults += _finetune_faults(finetunes, models, [row["id"] for row in configs["models"]])
        calibration: Any = files["calibration.json"]
        faults += _calibration_faults(calibration, {row["id"] for row in runs})
    if faults:
        raise CatalogueError("\n".join(faults))


def _accelerator_faults(rows: AcceleratorFile) -> Iterator[str]:
    listed = rows["sources"]
    used = {key for row in rows["accelerators"] for fact in row["values"].values() for key in fact["sources"]}
    yield from (f"accelerators.json: source {key} is listed and never used" for key in sorted(set(listed) - used))
    yield from (f"accelerators.json: source {key} is not listed" for key in sorted(used - set(listed)))
    ids = [row["id"] for row in rows["accelerators"]]
    yield from (f"accelerators.json: {repeated} is listed twice" for repeated in _repeated(ids))
    named = [
        (normalised(text, ACCELERATOR_FILLER), row["id"])
        for row in rows["accelerators"]
        for text in {row["id"], row["name"], *row["aliases"], *(choice["name"] for choice in row["assumed"])}
    ]
    yield from (f"accelerators.json: {key!r} names two accelerators" for key in _repeated(key for key, _ in set(named)))
    for row in rows["accelerators"]:
        yield from (f"accelerators.json: {row['id']}: {fault}" for fault in _row_faults(row, set(ids)))


def _row_faults(row: AcceleratorRow, ids: set[str]) -> Iterator[str]:
    values = row["values"]
    yield from (f"lacks {field}" for field in sorted(_NEEDED - set(values)))
    yield from (f"has the unknown field {field}" for field in sorted(set(values) - _ALLOWED))
    if row["segment"] not in _SEGMENTS or row["status"] not in _STATUSES:
        yield f"segment {row['segment']!r} or status {row['status']!r} is none of the known ones"
    if f"{row['training_precision']}_tflops" not in values:
        yield f"trains in {row['training_precision']}, which has no rate"
    if ("scale_up_gb_s" in values) != ("scale_up_domain" in values):
        yield "scale_up_gb_s and scale_up_domain go together"
    if ("scale_up_gb_s" in values) == (row["scale_up_kind"] == "pcie"):
        yield f"scale_up_kind {row['scale_up_kind']!r} disagrees with its links"
    for choice in row["assumed"]:
        yield from (
            f"{choice['name']!r} offers unknown {other}" for other in choice.get("others", ()) if other not in ids
        )
        if bool(choice.get("others")) == bool(choice.get("note")):
            yield f"{choice['name']!r} needs either others or a note"
    for field, fact in values.items():
        if not math.isfinite(fact["value"]) or fact["value"] <= 0:
            yield f"{field} is {fact['value']}"
        if not fact["sources"] or fact["confidence"] not in _CONFIDENCES:
            yield f"{field} has no source or an unknown confidence"


def _price_faults(rows: PriceFile, ids: set[str]) -> Iterator[str]:
    for row in (*rows["prices"], *rows["purchases"]):
        where = f"prices.json: {row['provider']} {row['accelerator_id']} {row['sku']}"
        if row["accelerator_id"] not in ids:
            yield f"{where}: unknown accelerator"
        if row["source"] not in rows["sources"]:
            yield f"{where}: unknown source {row['source']}"
        if not _DATE.fullmatch(row["date"]) or row["n_gpus"] < 1:
            yield f"{where}: date {row['date']!r} or count {row['n_gpus']}"
    for price in rows["prices"]:
        if price["pricing"] not in _PRICINGS or not 0 < price["usd_per_gpu_hour"] < 1000:  # noqa: PLR2004 - dearer is a slip
            yield f"prices.json: {price['provider']} {price['sku']}: {price['pricing']} at {price['usd_per_gpu_hour']}"


def _energy_faults(rows: EnergyFile) -> Iterator[str]:
    yield from (f"energy.json: {name} is listed twice" for name in _repeated(row["name"] for row in rows["defaults"]))
    for row in rows["defaults"]:
        if not 0 < row["low"] <= row["value"] <= row["high"] < math.inf:
            yield f"energy.json: {row['name']}: {row['low']} ≤ {row['value']} ≤ {row['high']} does not hold"
        if row["source"] not in rows["sources"]:
            yield f"energy.json: {row['name']}: unknown source {row['source']}"


def _run_faults(rows: Sequence[Mapping[str, str]], accelerator_ids: set[str]) -> Iterator[str]:
    yield from (f"runs.csv: {repeated} is listed twice" for repeated in _repeated(row["id"] for row in rows))
    for row in rows:
        where = f"runs.csv: {row['id']}"
        if row["accelerator"] not in accelerator_ids:
            yield f"{where}: unknown accelerator {row['accelerator']!r}"
        if row["stack"] not in STACKS or row["precision"] not in {*RATED_PRECISIONS, "int8"}:
            yield f"{where}: unknown stack {row['stack']!r} or precision {row['precision']!r}"
        if not all(row[field] for field in ("source", "group", "lab", "framework")) or row["read"] not in {"yes", "no"}:
            yield f"{where}: does not say where it is from, what ran it, or whether it was read"
        if bool(row["measured"]) != bool(row["tokens_per_s_per_gpu"]):
            yield f"{where}: a speed needs what it was worked out from"
        if not any(row[field] for field in _SPEEDS):
            yield f"{where}: has no speed and no duration"
        yield from (f"{where}: {fault}" for fault in _detail_faults(row))
        for field in (*_SPEEDS, *DETAIL_NUMBERS, *_POSITIVE):
            if row[field] and not 0 < float(row[field]) < math.inf:
                yield f"{where}: {field} is {row[field]}"


def _detail_faults(row: Mapping[str, str]) -> Iterator[str]:
    for field, words in DETAIL_VALUES.items():
        if row[field] and row[field] not in words:
            yield f"{field} is {row[field]!r}, not one of {', '.join(sorted(words))}"
    if (recomputed_layers(row["recompute"]) or 0) >= int(row["layers"]):
        yield f"recompute is {row['recompute']!r} of {row['layers']} layers, where all of them are 'full'"
    if not HOST_STATES.issuperset(row["offloaded_states"].split()):
        yield f"offloaded_states are {row['offloaded_states']!r}, not of {', '.join(sorted(HOST_STATES))}"
    if (row["method"] == "qlora") != (BASE_BITS.get(row["base_format"]) == _QLORA_BITS):
        yield f"method {row['method']!r} with a base of {row['base_format'] or '16 bits'}: qlora is a 4-bit base"
    if (row["lora_rank"] or row["lora_targets"]) and row["method"] not in {"lora", "qlora"}:
        yield f"method {row['method']!r} has no adapters"
    if (row["routing"] or row["dispatcher"]) and not row["experts"]:
        yield "routes tokens, and has no experts"


def _lab_faults(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    labs: dict[str, set[str]] = {}
    for row in rows:
        labs.setdefault(row["group"], set()).add(row["lab"])
    for group, found in labs.items():
        # A submitter to MLPerf may run the chips, and the code, of several vendors.
        if len(found) > 1 and not group.startswith("mlperf "):
            yield f"runs.csv: {group} is of several labs: {', '.join(sorted(found))}"


def _step_faults(rows: StepsFile, accelerator_ids: set[str]) -> Iterator[str]:
    for step_set in rows["sets"]:
        where = f"steps.json: {step_set['name']}"
        if not step_set["lab"]:
            yield f"{where}: does not say who measured"
        if step_set["accelerator"] not in accelerator_ids or step_set["source"] not in rows["sources"]:
            yield f"{where}: unknown accelerator {step_set['accelerator']} or source {step_set['source']}"
        if step_set["stack"] not in STACKS or step_set["precision"] not in RATED_PRECISIONS:
            yield f"{where}: unknown stack {step_set['stack']!r} or precision {step_set['precision']!r}"
        if tuple(step_set["columns"]) != STEP_COLUMNS:
            yield f"{where}: the columns are not {', '.join(STEP_COLUMNS)}"
            continue
        for number, row in enumerate(step_set["rows"]):
            cells = dict(zip(STEP_COLUMNS, row, strict=False))
            if len(row) != len(STEP_COLUMNS) or not all(0 < cell < math.inf for cell in row):
                yield f"{where}: row {number} is not one positive number a column"
            elif cells["tensor"] * cells["pipeline"] * cells["data"] != cells["gpus"]:
                yield f"{where}: row {number} splits over more or fewer devices than there are"


def _instance_faults(rows: InstanceFile, accelerators: AcceleratorFile) -> Iterator[str]:
    ids = {row["id"] for row in accelerators["accelerators"]}
    taken = {
        normalised(name, ACCELERATOR_FILLER)
        for row in accelerators["accelerators"]
        for name in (row["id"], row["name"], *row["aliases"], *(choice["name"] for choice in row["assumed"]))
    }
    for row in rows["instances"]:
        where = f"instances.json: {row['cloud']} {row['accelerator_id']}"
        if row["accelerator_id"] not in ids or row["source"] not in rows["sources"]:
            yield f"{where}: unknown accelerator or source {row['source']}"
        for name, count in row["instances"].items():
            if count < 1 or normalised(name, ACCELERATOR_FILLER) in taken:
                yield f"{where}: {name} holds {count}, or is the name of another device"


def _finetune_faults(rows: FinetuneFile, models: ModelFile, configured: Collection[str]) -> Iterator[str]:
    ids = {row["id"] for row in models["models"]}.union(configured)
    taken = {normalised(name) for row in models["models"] for name in (row["id"], row["name"], *row["aliases"])}
    for row in rows["finetunes"]:
        yield from (f"finetunes.json: unknown base {base}" for base in row["bases"].values() if base not in ids)
        for name in row["names"]:
            if ("{size}" in name) == ("" in row["bases"]):
                yield f"finetunes.json: {name!r} and its bases do not agree on whether there are sizes"
            shadowed = (size for size in row["bases"] if normalised(name.replace("{size}", size)) in taken)
            yield from (f"finetunes.json: {name!r} of {size!r} is a model's own name" for size in shadowed)


def _calibration_faults(rows: CalibrationFile, run_ids: set[str]) -> Iterator[str]:
    unlike = set(rows["constants"]) ^ set(PRIORS)
    yield from (f"calibration.json: {name} is not the model's, or lacks its fit" for name in sorted(unlike))
    stale = (set(rows["ratios"]) | set(rows["fitted_on"]["left_out"])) ^ run_ids
    yield from (f"calibration.json: {name} is not a run, or was not looked at" for name in sorted(stale))
    if "all" not in rows["quantiles"] or not 0 < rows["coverage"] < 1:
        yield "calibration.json: has no quantiles of all rows, or no coverage"
    for name, width in rows["quantiles"].items():
        if not 0 < width < math.inf:
            yield f"calibration.json: the range of {name} is {width} wide"
    if set(rows["residuals"]) != set(rows["ratios"]):
        yield "calibration.json: residuals and left-out ratios are not of the same runs"


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
