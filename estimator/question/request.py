"""A question as a caller asks it, before any name is looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from estimator.models.training import AdapterKind, Projection
from estimator.question.profile import Profile
from estimator.question.question import ZERO_STAGES, Assumption, Caution

__all__ = [
    "FRAMEWORK_CHOICES",
    "LONGEST_FRAMEWORK",
    "METHOD_CHOICES",
    "NOT_ASKED",
    "PACKING_CHOICES",
    "PRECISION_CHOICES",
    "RECOMPUTE_CHOICES",
    "SHARDING_CHOICES",
    "SHARDING_NAMES",
    "Quantity",
    "Request",
    "Settings",
    "ToldSteps",
]

Quantity = str | int | float
"""A number as people write it: "15T", 1.5e13."""

METHOD_CHOICES = ("full", "lora", "qlora", "frozen")
PRECISION_CHOICES = ("auto", "bf16", "fp16", "fp8", "nvfp4", "mxfp8", "tf32", "fp32")
RECOMPUTE_CHOICES = ("auto", "none", "selective", "full")
PACKING_CHOICES = ("auto", "packed", "padded")
SHARDING_CHOICES = ("auto", *ZERO_STAGES)
SHARDING_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "fsdp": "zero3",
        "fsdp2": "zero3",
        "full_shard": "zero3",
        "shard_grad_op": "zero2",
        "distributed_optimizer": "zero1",
        "no_shard": "ddp",
        "none": "ddp",
    }
)
"""What trainers call the same."""
FRAMEWORK_CHOICES = (
    "auto",
    "automodel",
    "axolotl",
    "colossal-ai",
    "deepspeed",
    "deepspeed-chat",
    "easylm",
    "fastchat",
    "fsdp",
    "gpt-neox",
    "hai-llm",
    "huggingface",
    "internevo",
    "jax",
    "levanter",
    "lightning",
    "litgpt",
    "llama-cookbook",
    "llama-factory",
    "llm-foundry",
    "llm.c",
    "llmq",
    "maxtext",
    "megatron",
    "megatron-deepspeed",
    "mesh-transformer-jax",
    "metaseq",
    "mindspeed",
    "minimind",
    "mlperf",
    "mlx",
    "modded-nanogpt",
    "ms-swift",
    "nanochat",
    "nanogpt",
    "nanotron",
    "nemo",
    "neuron",
    "olmo-core",
    "open-instruct",
    "openrlhf",
    "optimum-habana",
    "paddlenlp",
    "primus",
    "pytorch",
    "tinygrad",
    "torch-xla",
    "torchtitan",
    "torchtune",
    "trl",
    "unknown",
    "unsloth",
    "verl",
    "xtuner",
)
"""Stacks that are told apart. The argument itself is free text, of which one of these is made."""
LONGEST_FRAMEWORK = 8_000
"""Characters of that text: configurations are pasted into it."""


NOT_ASKED = frozenset({"method_chosen", "adapters", "adapted", "settings"})
"""Fields that are no argument of a caller's, but what is known of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSteps:
    """A number of steps as a configuration tells it."""

    steps: int
    words: str
    """As it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What was read of a configuration in `framework`, which other fields and the text then hold."""

    assumptions: tuple[Assumption, ...]
    cautions: tuple[Caution, ...]
    last_step: ToldSteps | None = None
    """The step at which the trainer is told to stop, where arguments tell the set that it runs over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked; None and "auto" are what the caller left open."""

    model: Quantity
    gpu: Quantity
    n_gpus: Quantity
    hf_config: Mapping[str, object] | None = None
    tokens: Quantity | None = None
    samples: Quantity | None = None
    tokens_per_sample: Quantity | None = None
    epochs: Quantity | None = None
    image_size: Quantity | None = None
    images_per_sample: Quantity | None = None
    steps: Quantity | None = None
    packing: str = "auto"
    gpus_per_node: int | None = None
    network_gbps_per_gpu: float | None = None
    method: str = "full"
    method_chosen: bool = False
    """Whether "full" was chosen among methods, rather than left at its default."""
    adapters: AdapterKind | None = None
    """What kind of them the framework's text names."""
    adapted: frozenset[Projection] = frozenset()
    """What it says that they lie beside; empty: not said."""
    settings: Settings | None = None
    """Where its text held a configuration, what was read of that."""
    lora_rank: int | None = None
    trainable_params: Quantity | None = None
    trained_layers: Quantity | None = None
    objective: str = "next_token"
    precision: str = "auto"
    activation_recompute: str = "auto"
    sequence_length: Quantity | None = None
    global_batch_sequences: Quantity | None = None
    micro_batch_size: int | None = None
    gradient_accumulation: int | None = None
    tensor_parallel: int | None = None
    pipeline_parallel: int | None = None
    virtual_pipeline: int | None = None
    context_parallel: int | None = None
    expert_parallel: int | None = None
    data_sharding: str = "auto"
    framework: str = "auto"
    utilization: float | None = None
    peak_tflops: float | None = None
    observed_tokens_per_second: Quantity | None = None
    price_per_gpu_hour: Quantity | None = None
    my_runs: tuple[Mapping[str, object], ...] = ()
    """What the caller measured: these arguments, and `tokens_per_second` of all devices or `step_seconds`."""
    profile: Profile | None = None
    """What is known of the caller's machines, and need not be said."""
