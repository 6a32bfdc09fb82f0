"""The argument vocabulary that tools share: one meaning, one description, one name."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from estimator.question.choices import method_named, precision_named, sharding_named
from estimator.question.request import LONGEST_FRAMEWORK

__all__ = [
    "ActivationRecompute",
    "Budget",
    "DataSharding",
    "Deadline",
    "Degree",
    "Detail",
    "Epochs",
    "Framework",
    "GlobalBatchSequences",
    "Gpu",
    "GpusPerNode",
    "GradientAccumulation",
    "HfConfig",
    "ImageSize",
    "ImagesPerSample",
    "Limit",
    "LoraRank",
    "Method",
    "MicroBatchSize",
    "MinMemoryGb",
    "Model",
    "MyRuns",
    "NGpus",
    "NetworkGbpsPerGpu",
    "Objective",
    "ObservedTokensPerSecond",
    "OptionalGpu",
    "OptionalModel",
    "OptionalNGpus",
    "Packing",
    "PeakTflops",
    "Precision",
    "PricePerGpuHour",
    "Query",
    "SameConfig",
    "SameFramework",
    "SameNumber",
    "SameQuantity",
    "SameRuns",
    "SameText",
    "SameWhole",
    "Samples",
    "SequenceLength",
    "SolveFor",
    "SortGpusBy",
    "Steps",
    "Tokens",
    "TokensPerParameter",
    "TokensPerSample",
    "TrainableParams",
    "TrainedLayers",
    "Utilization",
    "Vendor",
    "VirtualPipeline",
    "WantedPrecision",
]


def _folded(given: object) -> object:
    """Return a choice as it is spelt here: `BF16` is bf16."""
    return given.strip().casefold() if isinstance(given, str) else given


Detail = Annotated[Literal["concise", "detailed"], Field(description="detailed: in full")]

Query = Annotated[str, Field(description="Words of a name, architecture or segment: 4090, hopper, consumer")]
Vendor = Annotated[str, Field(description="nvidia, amd, google, aws, intel, huawei, apple")]
MinMemoryGb = Annotated[float, Field(ge=0, allow_inf_nan=False, description="GB of one GPU, at least")]
WantedPrecision = Annotated[str, Field(description="Has a rate in it: bf16, fp8, nvfp4, tf32, …")]
SortGpusBy = Annotated[Literal["name", "memory", "bandwidth", "peak", "price", "year"], Field(description="Order")]
Limit = Annotated[int, Field(ge=1, le=200, description="Rows at most")]

# What estimate_training_time and its kin are asked. Bounds are checked where the value is used, so that every caller
# is told the same; None is "not said".
Model = Annotated[
    str, Field(description='Preset ("llama-3.1-8b"), Hugging Face name, or parameter count ("7B")', max_length=200)
]
Gpu = Annotated[
    str, Field(description='Id or common name from list_gpus ("H100"), or "8 A100 + 16 H100"', max_length=200)
]
NGpus = Annotated[int, Field(description="GPUs in all")]
Tokens = Annotated[
    str | float | None,
    Field(description='Training tokens ("15T", "2 GB of German text") or a dataset ("alpaca x3")'),
]
Samples = Annotated[str | float | None, Field(description='With tokens_per_sample; or a dataset, or "960 hours"')]
TokensPerSample = Annotated[
    str | float | None,
    Field(description='"400", "500-600", "mean 300, max 2048"; of a pair each text\'s, of seq2seq the source\'s'),
]
Epochs = Annotated[float | None, Field(description="Passes over tokens or samples (1)")]
ImageSize = Annotated[
    str | float | None,
    Field(description='Of a picture, clip or sound: "640x480", "1280x720x81", "576 tokens", "12 s"'),
]
ImagesPerSample = Annotated[float | None, Field(description="Beside its text")]
Steps = Annotated[str | float | None, Field(description="Optimizer steps, with the batch")]
Packing = Annotated[str, Field(description="packed, or padded (short samples)")]
HfConfig = Annotated[dict[str, Any] | None, Field(description="A Hugging Face config.json, instead of the preset's")]
GpusPerNode = Annotated[int | None, Field(description="The usual node's if left out")]
NetworkGbpsPerGpu = Annotated[float | None, Field(description="Gigabits a second between nodes, for each GPU")]
Method = Annotated[
    Literal["full", "lora", "qlora", "frozen"], BeforeValidator(method_named), Field(description="What is trained")
]
LoraRank = Annotated[int | None, Field(description="16 if left out")]
TrainedLayers = Annotated[str | int | None, Field(description='"8" (the top 8), "0-3, 28-31", "projector"')]
Objective = Annotated[
    str,
    Field(description="Or dpo, orpo, kto, reward, classification, distillation from MODEL, contrastive, masked, dino"),
]
TrainableParams = Annotated[str | float | None, Field(description="How many, with lora, qlora, frozen")]
Precision = Annotated[
    Literal["auto", "bf16", "fp16", "fp8", "nvfp4", "mxfp8", "tf32", "fp32"],
    BeforeValidator(precision_named),
    Field(description="Of matmuls"),
]
ActivationRecompute = Annotated[
    Literal["auto", "none", "selective", "full"],
    BeforeValidator(_folded),
    Field(description="Activation (gradient) checkpointing"),
]
SequenceLength = Annotated[str | float | None, Field(description="Tokens, as trained")]
GlobalBatchSequences = Annotated[str | float | None, Field(description="Sequences a step, all GPUs")]
MicroBatchSize = Annotated[int | None, Field(description="Sequences a replica runs at once")]
GradientAccumulation = Annotated[int | None, Field(description="Micro-batches a step")]
Degree = Annotated[int | None, Field(description="Searched if left out")]
VirtualPipeline = Annotated[int | None, Field(description="Interleaved chunks of a stage")]
DataSharding = Annotated[
    Literal["auto", "ddp", "zero1", "zero2", "zero3"],
    BeforeValidator(sharding_named),
    Field(description="zero3 is FSDP's full shard"),
]
Framework = Annotated[
    str,
    Field(
        description='As said: stack, release, options ("nemo 25.09", "TRL + ZeRO-3, Liger", "DiLoCo")',
        max_length=LONGEST_FRAMEWORK,
    ),
]
Utilization = Annotated[
    float | None,
    Field(description="0–1 of the dense peak, recomputation counted: turns prediction off"),
]
PeakTflops = Annotated[float | None, Field(description="Dense, of one GPU, instead of the catalogue's")]
ObservedTokensPerSecond = Annotated[
    str | float | None, Field(description="Of this run, all GPUs together: gives its ETA")
]
MyRuns = Annotated[
    list[dict[str, Any]] | None,
    Field(description="Runs you measured: such arguments, with tokens_per_second (all GPUs) or step_seconds"),
]
PricePerGpuHour = Annotated[str | float | None, Field(description="USD, instead of market prices")]

# What plan_training is asked beside. Either side of the inverse may be the unknown one, so that nothing is required.
SolveFor = Annotated[
    Literal["n_gpus", "tokens", "model_size", "layout", "gpu"],
    BeforeValidator(_folded),
    Field(description="What is to be found"),
]
Deadline = Annotated[str | None, Field(description='From start to end, with its unit ("30 days")')]
Budget = Annotated[str | float | None, Field(description='Of GPU time ("$250k", "5000 GPU-hours")')]
TokensPerParameter = Annotated[float | None, Field(description="Instead of tokens (20: compute-optimal)")]
OptionalModel = Annotated[str | None, Field(description="Preset, Hugging Face name or parameter count", max_length=200)]
OptionalGpu = Annotated[
    str | None, Field(description="From list_gpus; for solve_for gpu, several with commas, or all", max_length=1_000)
]
OptionalNGpus = Annotated[int | None, Field(description="GPUs in all")]

# Described once, in estimate_training_time: a second description would cost every conversation its tokens.
SameWhole = Annotated[int | None, Field()]
SameNumber = Annotated[float | None, Field()]
SameQuantity = Annotated[str | float | None, Field()]
SameRuns = Annotated[list[dict[str, Any]] | None, Field()]
SameText = Annotated[str, Field()]
SameFramework = Annotated[str, Field(max_length=LONGEST_FRAMEWORK)]
SameConfig = Annotated[dict[str, Any] | None, Field()]
