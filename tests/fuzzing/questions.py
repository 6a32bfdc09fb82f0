"""Questions at random for every tool, each made from a seed alone: the same seed is the same question.

Names are those of the catalogue, values those that people write, and now and then something no tool should be told.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from estimator.catalogue import catalogue
from estimator.question.request import FRAMEWORK_CHOICES
from server.protocol.registry import TOOLS
from tests.fuzzing.configurations import configuration
from tests.fuzzing.schemas import arguments_of

__all__ = ["Asked", "asked"]

_OFTEN, _SELDOM, _HOSTILE, _TAME = 0.5, 0.12, 0.02, 0.7
_FROM_SCHEMA = 0.05
_METHODS = ("full", "lora", "qlora", "frozen")
_OBJECTIVES = (
    "next_token", "dpo", "orpo", "kto", "reward", "classification", "distillation from llama-3.1-70b", "contrastive",
    "masked", "replaced_token", "simpo", "ppo", "sft",
)  # fmt: skip
_PRECISIONS = ("auto", "bf16", "fp16", "fp8", "nvfp4", "mxfp8", "tf32", "fp32")
_TRAINED = ("8", 1, "0-3", "all but embeddings", "projector", "head", "vision tower", "language model", "0, 2, 4", "99")
_IMAGES = ("336", "640x480", 512, "1280x720x81", "576 tokens", "1", "100000", "30 seconds", "224x224x16")
_TOKENS = ("15T", "2B", 1e9, "alpaca x3", "fineweb-edu 100BT", "2 GB of German text", "20k", 1, "1e18", "300 GB")
_LENGTHS = (2048, "4k", 512, 1, 131072, "1M", 77, 8192)
_SAMPLE_LENGTHS = ("400", "500-600", "mean 300, max 2048", 77, "1", "2M")
_COUNTS = (1, 2, 3, 4, 6, 7, 8, 16, 24, 64, 100, 256, 512, 1000, 2048, 16384, 1_000_003, 10_000_000)
_DEGREES = (1, 2, 3, 4, 8, 16, 64)
_FRAMEWORKS = (
    *FRAMEWORK_CHOICES, "nemo 25.09", "HF Trainer + DeepSpeed ZeRO-3, Liger, adamw_8bit, offload", "TRL, packing",
    "megatron 2021", "diffusers", "kohya sd-scripts", "eager attention, no flash", "FSDP, offload, unsloth, GPTQ",
    "DiLoCo every 100 steps, 2 workers", "torchtitan, Streaming DiLoCo", "OpenDiLoCo, 4 sites", "local SGD",
)  # fmt: skip
_POOLS: tuple[dict[str, object], ...] = (
    {"gpu": "8 A100 + 16 H100", "n_gpus": 24},
    {"gpu": "2 x 4090 and 2 x 3090", "n_gpus": 4},
    {"gpu": "4 V100, 4 MI300X", "n_gpus": 8},
    {"gpu": "1 T4 + 1 M3 Max", "n_gpus": 2},
    {"gpu": "8 H100 + 8 A100", "n_gpus": 64},
)
_SIZES = ("7B", "70B", "1.5T", "100M", "1", "8x7B", "125M", "1e15", "30B-A3B", "0.5B")
_HOSTILE_VALUES: tuple[object, ...] = (
    "", " ", "nan", "-1", -1, 0, 1e308, 5e-324, "1e400", "\x1b[31mred\x1b[0m", "a\nb", "\u202eevil", "\x00",
    "x" * 5_000, True, [], {}, "9" * 400, "1e300", -0.0, 2**63, "ÅÄÖ", "½", "\uff11\uff12", "\ud800", [[1]],
    "NaN tokens", "\x9b2J", "0.0001",
)  # fmt: skip
_LOGS = (
    "{'loss': 1.2, 'epoch': 0.5, 'train_tokens_per_second': 0}", "step 0/0: 0 s/it", "",
    "\n".join(f"step {i} | loss 2.0 | 1e300 tokens/s" for i in range(5)),
    "\n".join(f"{{'loss': 2.1, 'step': {i}, 'train_samples_per_second': 3.1}}" for i in range(9)),
    "\n".join(f" iteration {i}/ 5000 | elapsed time per iteration (ms): 8.5 | global batch size: 64" for i in range(9)),
    "train: 12%|█▏  | 120/1000 [04:00<29:20,  2.00s/it]", "iteration 1/10 | elapsed time per iteration (ms): 0.0 |",
    "step: 3, tok/s: nan", "\x1b[31mstep 3 2.5 s/it\x1b[0m", "{" * 4_000, "tokens_per_second: 1e-320",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call."""

    seed: int
    tool: str
    arguments: Mapping[str, Any]


def asked(seed: int) -> Asked:
    """Return the question of `seed`."""
    # Not for secrets: the same seed must be the same question.
    dice = random.Random(seed)  # noqa: S311
    tool = dice.choices(tuple(_TOOLS), weights=_WEIGHTS)[0]
    arguments = _of_schema(dice, tool) if dice.random() < _FROM_SCHEMA else _TOOLS[tool](dice)
    for name in tuple(arguments):
        if dice.random() < _HOSTILE:
            arguments[name] = dice.choice(_HOSTILE_VALUES)
    if dice.random() < _HOSTILE:
        arguments[str(dice.choice(_HOSTILE_VALUES))] = 1
    return Asked(seed=seed, tool=tool, arguments=arguments)


def _of_schema(dice: random.Random, tool: str) -> dict[str, Any]:
    advertised = TOOLS.tool(tool)
    if advertised is None:
        raise LookupError(tool)
    return arguments_of(dice, advertised.input_schema)


@cache
def _models() -> tuple[str, ...]:
    return tuple(entry.transformer.id for entry in catalogue.models())


@cache
def _configured() -> tuple[str, ...]:
    return tuple(row["id"] for row in catalogue.data_files()["model_configs.json"]["models"])  # type: ignore[index]


@cache
def _gpus() -> tuple[str, ...]:
    return tuple(entry.id for entry in catalogue.accelerators())


@cache
def _datasets() -> tuple[str, ...]:
    return tuple(entry.id for entry in catalogue.datasets())


def _model(dice: random.Random) -> str:
    kind = dice.random()
    if kind < _SELDOM:
        return dice.choice(_SIZES)
    return dice.choice(_configured() if kind < _OFTEN else _models())


def _some(dice: random.Random, offered: Mapping[str, Callable[[], object]], share: float) -> dict[str, Any]:
    """Return some of what is offered; each is drawn whether it is taken or not, so that dropping one moves no other."""
    drawn = {name: (dice.random() < share, draw()) for name, draw in offered.items()}
    return {name: value for name, (taken, value) in drawn.items() if taken}


def _amount(dice: random.Random) -> dict[str, Any]:
    ways: Sequence[Callable[[], dict[str, Any]]] = (
        lambda: {"tokens": dice.choice(_TOKENS)},
        lambda: {"tokens": f"{10 ** dice.uniform(3, 14):.3g}"},
        lambda: {"tokens": dice.choice(_datasets())},
        lambda: {"samples": dice.choice((1, "52k", "1M", 1e12)), "tokens_per_sample": dice.choice(_SAMPLE_LENGTHS)},
        lambda: {"samples": dice.choice(_datasets()), "epochs": dice.choice((1, 3, 0.01, 1e6))},
        lambda: {"samples": dice.choice((100, "10k")), "image_size": dice.choice(_IMAGES)},
        lambda: {"steps": dice.choice((1, "10k", 1e9)), "global_batch_sequences": dice.choice((1, 64, 2048, "1M"))},
    )
    return dice.choice(ways)()


def _run(dice: random.Random, gpu: str) -> dict[str, Any]:
    """Return what may be said of any run: mostly little, and that little sound, so that most is answered."""
    tame = dice.random() < _TAME
    rates = ("auto", *catalogue.accelerator(gpu).value.accelerator.peak_flop_per_s) if tame else _PRECISIONS
    said = _some(
        dice,
        {
            "method": lambda: dice.choice(_METHODS),
            "objective": lambda: dice.choice(_OBJECTIVES),
            "precision": lambda: dice.choice(rates),
            "framework": lambda: dice.choice(_FRAMEWORKS),
            "activation_recompute": lambda: dice.choice(("auto", "none", "selective", "full")),
            "sequence_length": lambda: dice.choice(_LENGTHS),
            "trained_layers": lambda: dice.choice(_TRAINED),
            "image_size": lambda: dice.choice(_IMAGES),
            "images_per_sample": lambda: dice.choice((0.25, 1, 4, 64)),
        },
        0.25,
    )
    strange = ("trained_layers", "image_size", "images_per_sample") if tame and dice.random() < 0.9 else ()
    return {name: value for name, value in said.items() if name not in strange}


def _layout(dice: random.Random) -> dict[str, Any]:
    if dice.random() < _TAME:
        return _some(dice, {"global_batch_sequences": lambda: dice.choice((256, 1024, 16384))}, _OFTEN)
    return _some(
        dice,
        {
            "global_batch_sequences": lambda: dice.choice((1, 8, 64, 1000, 2048, "4M")),
            "micro_batch_size": lambda: dice.choice((1, 2, 8, 64)),
            "tensor_parallel": lambda: dice.choice(_DEGREES),
            "pipeline_parallel": lambda: dice.choice(_DEGREES),
            "context_parallel": lambda: dice.choice(_DEGREES),
            "expert_parallel": lambda: dice.choice(_DEGREES),
            "data_sharding": lambda: dice.choice(("auto", "ddp", "zero1", "zero2", "zero3")),
            "gpus_per_node": lambda: dice.choice((1, 4, 8, 72)),
            "network_gbps_per_gpu": lambda: dice.choice((1, 25, 400, 0.001)),
        },
        _SELDOM,
    )


def _estimate(dice: random.Random) -> dict[str, Any]:
    gpu = dice.choice(_gpus())
    said = {
        "model": _model(dice),
        "gpu": gpu,
        "n_gpus": dice.choice(_COUNTS),
        **_amount(dice),
        **_run(dice, gpu),
        **_layout(dice),
        **_some(
            dice,
            {
                "hf_config": lambda: configuration(dice),
                "packing": lambda: dice.choice(("packed", "padded")),
                "peak_tflops": lambda: dice.choice((100, 82.58, 989, 1e6, 1e-9)),
                "price_per_gpu_hour": lambda: dice.choice((2, "$1.50", 1e-9)),
            },
            0.08,
        ),
        **_some(
            dice,
            {
                "gradient_accumulation": lambda: dice.choice((1, 16, 4096)),
                "virtual_pipeline": lambda: dice.choice((1, 2, 4)),
                "utilization": lambda: dice.choice((0.45, 1, 1e-6, 1.2)),
                "observed_tokens_per_second": lambda: dice.choice((1e4, "3M", 1e-6, 1e14)),
            },
            0.03,
        ),
        "detail": dice.choice(("concise", "detailed")),
    }
    adapters = {
        "lora_rank": lambda: dice.choice((1, 16, 1024, 100_000)),
        "trainable_params": lambda: dice.choice(("1M", "40B", 1)),
    }
    if dice.random() < 0.05:
        said |= dice.choice(_POOLS)
    if said.get("method", "full") != "full" or dice.random() < 0.02:
        said |= _some(dice, adapters, _SELDOM)
    return said


def _plan(dice: random.Random) -> dict[str, Any]:
    solve_for = dice.choice(("n_gpus", "tokens", "model_size", "layout", "gpu"))
    limits = _some(
        dice,
        {
            "deadline": lambda: dice.choice(("30 days", "1 hour", "2 years", "1 second")),
            "budget": lambda: dice.choice(("$250k", "5000 GPU-hours", "$1", "$1e12", 10_000)),
        },
        0.7,
    )
    known: dict[str, Any] = {
        "model": _model(dice),
        "gpu": dice.choice((*_gpus(), "all", "h100, a100", "h100, l4, tpu-v5p")),
        "n_gpus": dice.choice(_COUNTS),
    }
    amount = _amount(dice)
    left_out = {"n_gpus": "n_gpus", "model_size": "model", "gpu": "gpu"}.get(solve_for)
    if left_out is not None and dice.random() > _SELDOM:
        known.pop(left_out)
    if solve_for == "tokens":
        amount = {}
    elif solve_for == "model_size" and dice.random() < _OFTEN:
        amount = {"tokens_per_parameter": dice.choice((20, 1, 1e4, 200.5))}
    priced = _some(dice, {"price_per_gpu_hour": lambda: 2.5, "utilization": lambda: 0.4}, 0.1)
    return {"solve_for": solve_for, **limits, **known, **amount, **_run(dice, "h100-sxm"), **_layout(dice), **priced}


def _compare(dice: random.Random) -> dict[str, Any]:
    said = _run(dice, "h100-sxm")
    run = {name: value for name, value in said.items() if name not in {"method", "precision", "trained_layers"}}
    return {
        "models": [_model(dice) for _ in range(dice.randint(1, 3))],
        "gpus": [dice.choice(_gpus()) for _ in range(dice.randint(1, 3))],
        "n_gpus": [dice.choice(_COUNTS) for _ in range(dice.randint(1, 2))],
        **({"tokens": [dice.choice(_TOKENS)]} if dice.random() < 0.8 else {"steps": "10k"}),
        **_some(
            dice,
            {
                "methods": lambda: dice.sample(_METHODS, 2),
                "precisions": lambda: dice.sample(_PRECISIONS, 2),
                "rank_by": lambda: dice.choice(("time", "cost", "energy")),
                "prices_per_gpu_hour": lambda: [2.0],
                "limit": lambda: dice.choice((1, 5, 200)),
                "global_batch_sequences": lambda: dice.choice((8, 512)),
            },
            0.3,
        ),
        **run,
    }


def _check(dice: random.Random) -> dict[str, Any]:
    seen = dice.choice(
        (
            {"observed_tokens_per_second": f"{10 ** dice.uniform(0, 8):.4g}"},
            {"observed_step_seconds": dice.choice((0.5, 12, "1e-9", 1e9)), "global_batch_sequences": 256},
            {"observed_hours": dice.choice((1, 100, 1e-9)), "tokens_done": "2B"},
            {"observed_gpu_hours": dice.choice((10, "30k")), "tokens_done": "2B"},
            {"observed_mfu": dice.choice((0.4, 0.01, 1.0, 40))},
            {"observed_tflops_per_gpu": dice.choice((150, 1e-3, 1e5))},
            {"observed_log": dice.choice(_LOGS)},
            {"observed_log": dice.choice(_LOGS), "global_batch_sequences": 64, "sequence_length": 2048},
        )
    )
    gpu = dice.choice(_gpus())
    return {
        "model": _model(dice),
        "gpu": gpu,
        "n_gpus": dice.choice(_COUNTS),
        **(_amount(dice) if dice.random() < _OFTEN else {}),
        **_run(dice, gpu),
        **_layout(dice),
        **_some(dice, {"hf_config": lambda: configuration(dice), "peak_tflops": lambda: 100}, _SELDOM),
        **seen,
        **(dice.choice(_POOLS) if dice.random() < 0.05 else {}),
        "detail": dice.choice(("concise", "detailed")),
    }


def _explain(dice: random.Random) -> dict[str, Any]:
    return _some(
        dice,
        {
            "model": lambda: _model(dice),
            "method": lambda: dice.choice(_METHODS),
            "activation_recompute": lambda: dice.choice(("auto", "none", "selective", "full")),
            "sequence_length": lambda: dice.choice(_LENGTHS),
            "lora_rank": lambda: dice.choice((1, 16, 1024)),
            "detail": lambda: dice.choice(("concise", "detailed")),
        },
        0.6,
    )


def _list(dice: random.Random) -> dict[str, Any]:
    return _some(
        dice,
        {
            "query": lambda: dice.choice(("h100", "hopper", "4090", "consumer", "zzz", "tpu")),
            "vendor": lambda: dice.choice(("nvidia", "amd", "google", "aws", "nobody")),
            "min_memory_gb": lambda: dice.choice((0, 24, 1e6)),
            "precision": lambda: dice.choice(("bf16", "fp8", "nvfp4", "tf32", "int4")),
            "sort_by": lambda: dice.choice(("name", "memory", "bandwidth", "peak", "price", "year")),
            "limit": lambda: dice.choice((1, 10, 200)),
            "detail": lambda: dice.choice(("concise", "detailed")),
        },
        0.4,
    )


_TOOLS: Mapping[str, Callable[[random.Random], dict[str, Any]]] = {
    "estimate_training_time": _estimate,
    "plan_training": _plan,
    "compare_training_options": _compare,
    "check_training_speed": _check,
    "explain_coefficient": _explain,
    "list_gpus": _list,
}
_WEIGHTS = (12, 2, 3, 4, 1, 1)
