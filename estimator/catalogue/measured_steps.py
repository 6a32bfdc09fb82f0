"""Measured steps of many layouts of the same models, as the runs that they are."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.catalogue.run_details import RunDetails
from estimator.catalogue.shapes import STEP_COLUMNS, StepSetRow
from estimator.models.transformer import Transformer

__all__ = ["measured_steps"]

_MLP_WIDTHS = 4


def measured_steps() -> Mapping[str, tuple[PublishedRun, ...]]:
    """Return every set of measured steps by name, each step as a run."""
    file = catalogue.measured_steps()
    return MappingProxyType(
        {step_set["name"]: _runs(step_set, file["sources"][step_set["source"]]["title"]) for step_set in file["sets"]}
    )


def _runs(step_set: StepSetRow, source: str) -> tuple[PublishedRun, ...]:
    return tuple(
        _run(step_set, source, number, dict(zip(STEP_COLUMNS, row, strict=True)))
        for number, row in enumerate(step_set["rows"])
    )


def _run(step_set: StepSetRow, source: str, number: int, cells: Mapping[str, float]) -> PublishedRun:
    step_s = cells["step_s"]
    counts = {name: int(value) for name, value in cells.items() if name != "step_s"}
    hidden, heads, sequence = counts["hidden"], counts["heads"], counts["sequence"]
    name = f"GPT, {counts['layers']} layers of {hidden:,}"
    return PublishedRun(
        id=f"{step_set['name']}-{number:04}",
        transformer=Transformer(
            id=f"{step_set['name']}-{counts['layers']}-{hidden}",
            name=name,
            n_layers=counts["layers"],
            hidden=hidden,
            ffn_hidden=_MLP_WIDTHS * hidden,
            gated_mlp=False,
            n_heads=heads,
            n_kv_heads=heads,
            head_dim=hidden // heads,
            vocab=step_set["vocab"],
            tied_embeddings=True,
            native_sequence_length=sequence,
        ),
        accelerator_id=step_set["accelerator"],
        n_gpus=counts["gpus"],
        gpus_per_node=step_set["gpus_per_node"],
        network_gbps_per_gpu=None,
        precision=step_set["precision"],
        sequence_length=sequence,
        tensor_parallel=counts["tensor"],
        pipeline_parallel=counts["pipeline"],
        virtual_pipeline=1,
        context_parallel=1,
        expert_parallel=1,
        data_sharding=step_set["sharding"],
        shard_group=None,
        micro_batch_size=counts["micro_batch"],
        global_batch_sequences=counts["global_batch"],
        recompute=step_set["recompute"],
        method="full",
        stack=step_set["stack"],
        framework=step_set["framework"],
        year=step_set["year"],
        released=step_set["year"] + 0.5,
        offloaded=False,
        packed_short=False,
        details=RunDetails(attention="eager"),
        tokens_per_second_per_gpu=counts["global_batch"] * sequence / (step_s * counts["gpus"]),
        measured="seconds a step",
        total_tokens=None,
        gpu_hours=None,
        wallclock_days=None,
        duration_of="run",
        lab=step_set["lab"],
        group=step_set["name"],
        source=source,
        read=True,
        note=step_set["note"],
    )
