"""The question that a published run answers, as a caller would ask it who knew all that its source says."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import get_args

from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.models.operations import Gemm
from estimator.models.parameters import lora_parameters
from estimator.models.prediction import with_prediction
from estimator.models.training import Method
from estimator.question.cluster import Cluster
from estimator.question.practice import AttentionKernel, Dispatcher, Launch, OptimizerName, Practice, Recipe
from estimator.question.question import LayoutRequest, Question
from estimator.resolve.framework.named import named_framework

__all__ = ["published_practice", "published_question"]

_ATTENTIONS: Mapping[str, AttentionKernel] = MappingProxyType(
    {
        "eager": "unfused",
        "sdpa": "sdpa",
        "flash": "flash_2",
        "flash1": "flash_1",
        "flash2": "flash_2",
        "flash3": "flash_3",
        "flex": "flash_2",
    }
)
_RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {"performance": "performance", "regression": "performance", "default": "default", "functional": "default"}
)
"""By `tuning`, whose other words say that a source disclaims a speed, not how a step was run."""
_GRAPHS: Mapping[str, Launch] = MappingProxyType({"yes": "graphs", "partial": "partial_graphs", "no": "eager"})
_DISPATCHERS: Mapping[str, Dispatcher] = MappingProxyType({name: name for name in get_args(Dispatcher)})
"""By the first word of `dispatcher`."""
_OPTIMIZERS: Mapping[str, OptimizerName] = MappingProxyType(
    {
        "adamw_8bit": "adamw_8bit",
        "adamw8bit": "adamw_8bit",
        "paged_adamw_8bit": "paged_adamw_8bit",
        "adafactor": "adafactor",
        "lion": "lion",
        "sgd": "sgd",
        "muon": "muon",
    }
)
_TARGETS: Mapping[str, Callable[[Gemm], bool]] = MappingProxyType(
    {
        "qkv": lambda gemm: gemm.part == "attention" and gemm.shard == "column",
        "attention": lambda gemm: gemm.part == "attention",
    }
)
"""Whether adapters lie beside a matrix, by `lora_targets`; beside every linear layer where it is not here."""


@cache
def published_question(run: PublishedRun) -> Question:
    """Return the question that `run` is the answer to."""
    accelerator = catalogue.accelerator(run.accelerator_id).value.accelerator
    network = run.network_gbps_per_gpu
    cluster = Cluster(
        accelerator=accelerator,
        n_gpus=run.n_gpus,
        gpus_per_node=min(run.gpus_per_node or accelerator.gpus_per_node, run.n_gpus),
        scale_out_bytes_per_s=network * GIGA / BITS_PER_BYTE if network else accelerator.scale_out_bytes_per_s,
    )
    return Question(
        transformer=with_prediction(run.transformer),
        cluster=cluster,
        precision=run.precision,
        method=_method(run),
        sequence_length=run.sequence_length,
        global_batch_sequences=run.global_batch_sequences,
        layout=LayoutRequest(
            tensor_parallel=run.tensor_parallel,
            pipeline_parallel=run.pipeline_parallel,
            virtual_pipeline=run.virtual_pipeline,
            context_parallel=run.context_parallel,
            expert_parallel=run.expert_parallel,
            data_sharding=run.data_sharding,
            micro_batch_size=run.micro_batch_size,
            recompute=run.recompute,
        ),
        framework=run.stack,
        practice=published_practice(run),
        released=run.released,
        published=True,
        run_tokens=run.total_tokens,
    )


def _method(run: PublishedRun) -> Method:
    rank = run.details.lora_rank
    method = Method(name=run.method) if rank is None else Method(name=run.method, lora_rank=rank)
    beside = _TARGETS.get(run.details.lora_targets)
    if beside is None:
        return method
    return replace(method, trainable_parameters=lora_parameters(run.transformer, method.lora_rank, beside=beside))


def published_practice(run: PublishedRun) -> Practice:
    """Return what the source of `run` says of how it was run, over what the name of its software tells."""
    details = run.details
    launch = _GRAPHS.get(details.cuda_graphs) or ("compiled" if details.compiled else None)
    library, _, beside = details.dispatcher.partition(" ")
    dispatcher = _DISPATCHERS.get(library)
    # What follows a comma says where its step runs.
    optimizer = _OPTIMIZERS.get(details.optimizer.casefold().split(",")[0])
    layers = details.recomputed_layers
    states = details.offloaded_states
    said = Practice(
        attention=_ATTENTIONS.get(details.attention),
        fused_kernels=True if details.compiled else details.fused_kernels,
        launch=launch,
        fused_loss=details.fused_loss,
        # Whoever sends tokens to experts by a collective or a library multiplies what arrives in groups.
        experts="grouped" if dispatcher else None,
        dispatcher=dispatcher,
        exchange_overlap=bool(beside) if dispatcher else None,
        optimizer=optimizer,
        master_weights={"fp32": True, "bf16": False}.get(details.master_weights),
        offload_optimizer=True if "optimizer" in states else None,
        offload_parameters=True if "weights" in states and run.stack != "llmq" else None,
        offload_activations=True if "activations" in states and run.stack != "llmq" else None,
        even_routing=details.balanced_routing,
        expert_capacity=details.expert_capacity if details.token_drop else None,
        recomputed=details.recomputed,
        recomputed_share=None if layers is None else layers / run.transformer.n_layers,
        overlap=details.overlap,
        zero_engine="deepspeed" if "deepspeed" in run.framework.casefold() else None,
        tensor_overlap=False if details.overlap is False else None,
        dequantization="gptq" if details.base_format == "gptq-int4" else None,
        base_bits=details.base_bits,
        recipe=_RECIPES.get(details.tuning),
    )
    return said.over(named_framework(run.framework).practice)
