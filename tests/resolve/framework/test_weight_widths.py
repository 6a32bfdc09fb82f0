"""What is said of what a model is loaded in, and what follows for full fine-tuning, for adapters and under engines.

Authority: Transformers' `from_pretrained(dtype=…)`, of which the optimizer steps what it gets; DeepSpeed's BF16 engine
and Accelerate's FSDP, which widen it; LLaMA-Factory's `pure_bf16`; PEFT's `autocast_adapter_dtype`.
"""

from typing import Any

import pytest

from estimator.resolve.framework.configuration import configuration_of
from estimator.resolve.framework.named import named_framework
from tools.estimate_training_time import estimate_training_time

IN_BF16 = [
    *("torch_dtype=bfloat16", "--torch_dtype bfloat16 --bf16", "from_pretrained(m, torch_dtype=torch.bfloat16)"),
    *("dtype=bfloat16", "model loaded in bf16", "loaded in bfloat16", "model in bf16", "weights in bf16"),
    *("load_in_bf16", "bf16 params", "bf16 model", "model in bf16, bf16 mixed"),
]
COPIES = [
    ("no fp32 master weights, bf16", False),
    ("without master weights", False),
    ("no FP32 copy", False),
    ("pure bf16", False),
    ("fp32 master weights", True),
    ("master weights in bf16", False),
]
TUNED: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100",
    "n_gpus": 1,
    "tokens": "5M",
    "sequence_length": 512,
    "micro_batch_size": 1,
    "activation_recompute": "full",
}


def _asked(**given: object) -> Any:  # noqa: ANN401 - the tool's own answer
    run: dict[str, Any] = {**TUNED, **given}
    return estimate_training_time(**run)


@pytest.mark.parametrize("said", IN_BF16)
def test_a_model_said_to_be_loaded_in_bf16_is(said: str) -> None:
    named = named_framework(f"trl, {said}")
    assert (named.name, named.practice.loaded_in, named.precision) == ("trl", "bf16", "bf16")
    assert not named.not_understood


@pytest.mark.parametrize(("said", "master"), COPIES)
def test_copies_in_fp32_are_kept_or_not_as_told(said: str, master: bool) -> None:
    named = named_framework(f"trl, {said}")
    assert named.practice.master_weights is master
    assert not named.not_understood


@pytest.mark.parametrize(
    ("said", "loaded", "precision"),
    [
        ("torch_dtype=float32", "fp32", "fp32"),
        ("loaded in fp32, bf16", "fp32", "bf16"),
        ("bf16=True, torch_dtype=torch.float32", "fp32", "bf16"),
        ("torch_dtype=auto, bf16", "checkpoint", "bf16"),
        ("torch_dtype='auto'", "checkpoint", None),
        ("load_in_16bit", "checkpoint", None),
        # What products are in is not what is held.
        ("bnb_4bit_compute_dtype=torch.bfloat16", None, "bf16"),
        ("MixedPrecision(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)", None, "bf16"),
    ],
)
def test_what_is_loaded_and_what_is_computed_are_told_apart(
    said: str, loaded: str | None, precision: str | None
) -> None:
    named = named_framework(f"HF Trainer, {said}")
    assert (named.practice.loaded_in, named.precision) == (loaded, precision)


@pytest.mark.parametrize(
    ("pasted", "loaded", "precision"),
    [
        ("torch_dtype: bfloat16\nbf16: true", "bf16", "bf16"),
        ("torch_dtype: float32\nbf16: true", "fp32", "bf16"),
        ("torch_dtype: auto\nbf16: true", "checkpoint", "bf16"),
        ("torch_dtype: bfloat16\nlogging_steps: 1", "bf16", "bf16"),
        ("bnb_4bit_compute_dtype: bfloat16\nload_in_4bit: true", None, "bf16"),
    ],
)
def test_a_pasted_configuration_tells_both(pasted: str, loaded: str | None, precision: str) -> None:
    read = configuration_of(pasted)
    assert read is not None
    named = named_framework(read.text)
    assert (named.practice.loaded_in, named.precision) == (loaded, precision)


@pytest.mark.parametrize(
    ("framework", "narrow"),
    [
        ("trl", True),
        ("HF Trainer 4.50", True),
        ("ms-swift", True),
        ("PyTorch", True),
        # These keep FP32 beside whatever is loaded.
        ("trl, DeepSpeed ZeRO-2", False),
        ("LLaMA-Factory", False),
    ],
)
def test_full_fine_tuning_trains_what_is_loaded_unless_it_is_cast(framework: str, narrow: bool) -> None:
    loaded = _asked(framework=f"{framework}, torch_dtype=bfloat16").memory
    unsaid = _asked(framework=framework).memory
    pure = _asked(framework=f"{framework}, pure bf16").memory
    assert loaded.per_gpu_gb == (pure if narrow else unsaid).per_gpu_gb
    assert loaded.fits is narrow


def test_what_is_loaded_in_fp32_has_moments_in_fp32() -> None:
    wide = _asked(framework="HF Trainer, loaded in fp32, bf16").memory
    assert wide.per_gpu_gb == _asked(framework="HF Trainer, fp32 master weights").memory.per_gpu_gb
    assert wide.per_gpu_gb > _asked(framework="HF Trainer, torch_dtype=auto").memory.per_gpu_gb


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_what_a_base_is_loaded_in_says_nothing_of_its_adapters(method: str) -> None:
    """PEFT makes adapters in FP32, however the base is loaded."""
    asked = {"method": method, "gpu": "rtx-4090"}
    said, unsaid = (_asked(framework=f"HF Trainer{words}", **asked) for words in (", torch_dtype=bfloat16", ""))
    assert said.memory.per_gpu_gb == unsaid.memory.per_gpu_gb


def test_a_base_told_to_be_loaded_in_fp32_is_warned_of_where_it_does_not_fit() -> None:
    asked = {"method": "lora", "gpu": "rtx-4090"}
    codes = {
        words: {one.code for one in _asked(framework=f"HF Trainer, bf16{words}", **asked).warnings}
        for words in ("", ", loaded in fp32", ", loaded in bf16")
    }
    assert [words for words, found in codes.items() if "loaded_in_fp32" in found] == [", loaded in fp32"]


@pytest.mark.parametrize(("trainer", "words"), [("LLaMA-Factory", "pure_bf16: true"), ("HF Trainer 4.50", "dtype=")])
def test_bf16_weights_are_proposed_in_the_trainers_own_words(trainer: str, words: str) -> None:
    answer = _asked(framework=f"{trainer}, paged_adamw_8bit, fp32 master weights", model="qwen2.5-14b")
    message = next(one.message for one in answer.warnings if one.code == "does_not_fit")
    assert "pure bf16" in message
    assert words in message
