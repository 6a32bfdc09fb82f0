"""Published training measurements, as the catalogue holds them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from estimator.catalogue.run_details import RunDetails, recompute_of, run_details
from estimator.models.feed_forward import Experts
from estimator.models.mixers.softmax import LatentAttention
from estimator.models.training import MethodName, Recompute
from estimator.models.transformer import Transformer
from estimator.question.question import Sharding

__all__ = ["Duration", "PublishedRun", "published_run"]

Duration = Literal["run", "steps", "release"]
"""What days or GPU-hours count: the run from start to end; its steps alone, as where hours of a trillion tokens, or a
speed, are told times the tokens; all training of a release, its longer contexts and what follows pre-training."""

_RELEASE = re.compile(r"(?:NeMo|Release) (?P<year>2\d)\.(?P<month>0[1-9]|1[0-2])\b")
"""NVIDIA names its containers by year and month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """One published measurement: what ran on what, how it was laid out, and how fast it was.

    Whatever the source leaves unsaid is None or empty.
    """

    id: str
    transformer: Transformer
    accelerator_id: str
    n_gpus: int
    gpus_per_node: int | None
    network_gbps_per_gpu: float | None
    precision: str
    sequence_length: int
    tensor_parallel: int | None
    pipeline_parallel: int | None
    virtual_pipeline: int | None
    context_parallel: int | None
    expert_parallel: int | None
    data_sharding: Sharding | None
    shard_group: int | None
    """Ranks that weights are sharded over, where the source says so (hybrid sharding)."""
    micro_batch_size: int | None
    global_batch_sequences: int | None
    recompute: Recompute | None
    method: MethodName
    stack: str
    """Software stack, one of estimator.physics.stacks."""
    framework: str
    """As the source calls it, with its version."""
    year: int
    released: float
    """When its software was released, in years: containers are named by year and month; the middle of `year` else."""
    offloaded: bool
    """Whether states were kept in host memory by a stack that is not made for it; see `details.offloaded_states`."""
    packed_short: bool
    """Whether short documents were packed, so that attention saw far less than the sequence."""
    details: RunDetails
    """What few sources say."""
    tokens_per_second_per_gpu: float | None
    measured: str
    """What the source printed that the speed follows from."""
    total_tokens: float | None
    gpu_hours: float | None
    wallclock_days: float | None
    duration_of: Duration
    lab: str
    """Who measured: one organisation with its machines, tuning and code.

    All repositories of an organisation are one lab. An MLPerf result that runs a chip vendor's code on its chips is
    that vendor's, whoever submitted it; who measures a vendor's framework on machines of their own is their own lab.
    A number that a source quotes is the lab's that measured it.
    """
    group: str
    """Repository or document; what is left out together when accuracy is judged."""
    source: str
    read: bool
    """False where part of the row is remembered rather than read."""
    note: str


def _released(framework: str, year: int) -> float:
    """Return the release date that a name such as `NeMo 26.04` tells, in years; the middle of `year` else.

    What a container holds is newer than its base image, so that the year of the measurement is the least.
    """
    match = _RELEASE.search(framework)
    if match is None:
        return year + 0.5
    return max(float(year), 2000.0 + int(match["year"]) + (int(match["month"]) - 1) / 12.0)


def published_run(row: Mapping[str, str]) -> PublishedRun:
    """Return the run that one row of the data file holds."""

    def whole(key: str) -> int | None:
        return int(float(row[key])) if row[key] else None

    def real(key: str) -> float | None:
        return float(row[key]) if row[key] else None

    return PublishedRun(
        id=row["id"],
        transformer=_transformer(row),
        accelerator_id=row["accelerator"],
        n_gpus=int(row["gpus"]),
        gpus_per_node=whole("gpus_per_node"),
        network_gbps_per_gpu=real("network_gbps"),
        precision=row["precision"],
        sequence_length=int(row["sequence"]),
        tensor_parallel=whole("tp"),
        pipeline_parallel=whole("pp"),
        virtual_pipeline=whole("vpp"),
        context_parallel=whole("cp"),
        expert_parallel=whole("ep"),
        data_sharding=_SHARDINGS[row["sharding"]],
        shard_group=whole("shard_group"),
        micro_batch_size=whole("micro_batch"),
        global_batch_sequences=whole("global_batch"),
        recompute=recompute_of(row["recompute"]),
        method=_METHODS[row["method"]],
        stack=row["stack"],
        framework=row["framework"],
        year=int(row["year"]),
        released=_released(row["framework"], int(row["year"])),
        offloaded=bool(row["offload"]),
        packed_short=bool(row["packing"]),
        details=run_details(row),
        tokens_per_second_per_gpu=real("tokens_per_s_per_gpu"),
        measured=row["measured"],
        total_tokens=real("total_tokens"),
        gpu_hours=real("gpu_hours"),
        wallclock_days=real("days"),
        duration_of=_DURATIONS[row["duration_of"]],
        lab=row["lab"],
        group=row["group"],
        source=row["source"],
        read=row["read"] == "yes",
        note=row["flag"],
    )


_SHARDINGS: Mapping[str, Sharding | None] = {
    "": None,
    "ddp": "ddp",
    "zero1": "zero1",
    "zero2": "zero2",
    "zero3": "zero3",
}
_DURATIONS: Mapping[str, Duration] = {"": "run", "steps": "steps", "release": "release"}
_METHODS: Mapping[str, MethodName] = {"full": "full", "lora": "lora", "qlora": "qlora", "frozen": "frozen"}


def _transformer(row: Mapping[str, str]) -> Transformer:
    latent = None
    if row["latent"]:
        query_rank, kv_rank, nope, rope, value = (int(part) for part in row["latent"].split("/"))
        latent = LatentAttention(
            query_rank=query_rank,
            kv_rank=kv_rank,
            nope_head_dim=nope,
            rope_head_dim=rope,
            value_head_dim=value,
        )
    experts = None
    if row["experts"]:
        experts = Experts(
            n_experts=int(row["experts"]),
            top_k=int(row["top_k"]),
            ffn_hidden=int(row["expert_ffn"]),
            shared_ffn_hidden=int(row["shared_ffn"] or 0),
            first_dense_layers=int(row["first_dense"] or 0),
            layer_step=int(row["expert_step"] or 1),
        )
    window, windowed_layers = (int(part) for part in row["window"].split("/")) if row["window"] else (0, 0)
    return Transformer(
        id=row["id"],
        name=row["model"],
        n_layers=int(row["layers"]),
        hidden=int(row["hidden"]),
        ffn_hidden=int(row["ffn"]),
        gated_mlp=row["gated"] == "1",
        n_heads=int(row["heads"]),
        n_kv_heads=int(row["kv_heads"]),
        head_dim=int(row["head_dim"]),
        vocab=int(row["vocab"]),
        tied_embeddings=row["tied"] == "1",
        sinks=bool(row["sinks"]),
        latent=latent,
        experts=experts,
        sliding_window=window,
        windowed_layers=windowed_layers,
        prediction_modules=int(row["prediction"] or 0),
        native_sequence_length=int(row["sequence"]),
    )
