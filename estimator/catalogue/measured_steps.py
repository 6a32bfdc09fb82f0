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
    return MappingProxyType({one["name"]: _runs(one, file["sources"][one["source"]]["title"]) for one in file["sets"]})


def _runs(of: StepSetRow, source: str) -> tuple[PublishedRun, ...]:
    return tuple(
        _run(of, source, number, dict(zip(STEP_COLUMNS, row, strict=True))) for number, row in enumerate(of["rows"])
    )


def _run(of: StepSetRow, source: str, number: int, cells: Mapping[str, float]) -> PublishedRun:
    step_s = cells["step_s"]
    counts = {name: int(value) for name, value in cells.items() if name != "step_s"}
    hidden, heads, sequence = counts["hidden"], counts["heads"], counts["sequence"]
    name = f"GPT, {counts['layers']} layers of {hidden:,}"
    return PublishedRun(
        id=f"{of['name']}-{number:04}",
        transformer=Transformer(
            id=f"{of['name']}-{counts['layers']}-{hidden}",
            name=name,
            n_layers=counts["layers"],
            hidden=hidden,
            ffn_hidden=_MLP_WIDTHS * hidden,
            gated_mlp=False,
            n_heads=heads,
            n_kv_heads=heads,
            head_dim=hidden // heads,
            vocab=of["vocab"],
            tied_embeddings=True,
            native_sequence_length=sequence,
        ),
        accelerator_id=of["accelerator"],
        n_gpus=counts["gpus"],
        gpus_per_node=of["gpus_per_node"],
        network_gbps_per_gpu=None,
        precision=of["precision"],
        sequence_length=sequence,
        tensor_parallel=counts["tensor"],
        pipeline_parallel=counts["pipeline"],
        virtual_pipeline=1,
        context_parallel=1,
        expert_parallel=1,
        data_sharding=of["sharding"],
        shard_group=None,
        micro_batch_size=counts["micro_batch"],
        global_batch_sequences=counts["global_batch"],
        recompute=of["recompute"],
        method="full",
        stack=of["stack"],
        framework=of["framework"],
        year=of["year"],
        released=of["year"] + 0.5,
        offloaded=False,
        packed_short=False,
        details=RunDetails(attention="eager"),
        tokens_per_second_per_gpu=counts["global_batch"] * sequence / (step_s * counts["gpus"]),
        measured="seconds a step",
        total_tokens=None,
        gpu_hours=None,
        wallclock_days=None,
        lab=of["lab"],
        group=of["name"],
        source=source,
        read=True,
        note=of["note"],
    )
