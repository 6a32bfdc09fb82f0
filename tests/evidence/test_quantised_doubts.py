"""What is left unsaid of a quantised base on people's own machines: its products' width, and the devices at work.

Authority: bitsandbytes' default compute type, torch.float32 (BitsAndBytesConfig.bnb_4bit_compute_dtype); NVIDIA's T4
datasheet, which has no BF16; Accelerate's guide to big models; arithmetic on the ranges that answers give.
"""

import math
from typing import Any

import pytest

from tests.evidence.unsaid import answer, codes

T4_QLORA = {
    "model": "llama-3.1-8b",
    "gpu": "t4",
    "n_gpus": 1,
    "method": "qlora",
    "framework": "huggingface",
    "sequence_length": 1024,
}


def test_a_4_bit_base_on_a_card_without_bf16_may_be_computed_in_fp32_and_the_range_holds_both() -> None:
    unsaid = answer(**T4_QLORA)
    half, single = (answer(**T4_QLORA, precision=precision) for precision in ("fp16", "fp32"))
    assert "base_expanded_to_fp32" in codes(unsaid)
    assert unsaid["training_days_low"] < half["training_days"] < unsaid["training_days"]
    assert unsaid["training_days"] < single["training_days"] < unsaid["training_days_high"]


def test_a_script_that_expands_its_base_to_fp32_unless_told_is_doubted_on_any_chip() -> None:
    """artidoro/qlora: `qlora.py` computes in FP32, with TF32 allowed, unless `bf16` or `fp16` is set.

    Its `scripts/finetune_guanaco_*.sh` all set `bf16`, so that the point is nearer to theirs.
    """
    asked = {**T4_QLORA, "gpu": "a100", "framework": "QLoRA script"}
    unsaid = answer(**asked)
    half, wide = (answer(**asked, precision=precision) for precision in ("bf16", "tf32"))
    assert "base_expanded_to_fp32" in codes(unsaid)
    assert not {"base_expanded_to_fp32"} & (codes(half) | codes(wide))
    assert half["training_days"] < unsaid["training_days"] < wide["training_days"] < unsaid["training_days_high"]
    assert unsaid["training_days"] ** 2 < half["training_days"] * wide["training_days"]
    (message,) = (one["message"] for one in unsaid["warnings"] if one["code"] == "base_expanded_to_fp32")
    assert message.startswith("bf16 is assumed")


@pytest.mark.parametrize("said", [{"precision": "fp16"}, {"precision": "fp32"}, {"gpu": "a100"}, {"method": "lora"}])
def test_a_base_is_not_doubted_where_its_width_is_told_or_plain(said: dict[str, Any]) -> None:
    assert "base_expanded_to_fp32" not in codes(answer(**{**T4_QLORA, **said}))


def test_a_front_end_sets_the_width_of_a_base_and_is_not_doubted() -> None:
    """LLaMA-Factory and Axolotl pass the training's precision on as bnb_4bit_compute_dtype."""
    assert "base_expanded_to_fp32" not in codes(answer(**{**T4_QLORA, "framework": "llama-factory"}))


def test_a_trainer_that_leaves_devices_idle_unless_told_may_have_done_so() -> None:
    """Unsloth's notebooks on two T4 use one of them."""
    two = {**T4_QLORA, "framework": "unsloth", "n_gpus": 2}
    unsaid, one = answer(**two), answer(**{**two, "n_gpus": 1})
    assert "devices_left_idle" in codes(unsaid)
    assert unsaid["training_days"] < one["training_days"] < unsaid["training_days_high"]
    assert "devices_left_idle" not in codes(one)
    started = ("unsloth, torchrun", "unsloth + accelerate", "unsloth, DDP", "unsloth multi-GPU", "unsloth on all GPUs")
    for other in ("trl", *started):
        assert "devices_left_idle" not in codes(answer(**{**two, "framework": other}))


@pytest.mark.parametrize("n_gpus", [2, 4])
def test_what_a_stack_does_by_itself_is_in_the_range_where_few_would_be_left_idle(n_gpus: int) -> None:
    unsaid = answer(**{**T4_QLORA, "framework": "unsloth", "n_gpus": n_gpus})
    alone = answer(**{**T4_QLORA, "framework": "unsloth", "n_gpus": 1})
    assert "devices_left_idle" in codes(unsaid)
    assert unsaid["training_days"] < alone["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize("n_gpus", [2, 4])
@pytest.mark.parametrize("batch", [None, 16])
def test_devices_left_idle_cost_what_one_takes_for_the_same_batch(n_gpus: int, batch: int | None) -> None:
    """One device is spared what several tell one another, and has micro-batches of its own: less than n times."""
    several = {**T4_QLORA, "framework": "unsloth", "n_gpus": n_gpus, "global_batch_sequences": batch}
    unsaid, started = answer(**several), answer(**{**several, "framework": "unsloth, torchrun"})
    alone = answer(**{**several, "n_gpus": 1})
    assert alone["training_days"] < unsaid["training_days_high"] < 1.5 * alone["training_days_high"]
    assert started["training_days_high"] < unsaid["training_days_high"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"framework": "unsloth"}, "devices_left_idle"),
        ({"framework": "unsloth", "method": "lora", "gpu": "h100", "tokens": "100M"}, "devices_left_idle"),
        ({"framework": "trl", "model": "llama-3.1-70b", "gpu": "4090"}, None),
    ],
)
@pytest.mark.parametrize("n_gpus", [8, 16, 32, 128, 256])
def test_ranges_stay_useful_however_many_devices_may_have_been_left_without_work(
    asked: dict[str, Any], code: str | None, n_gpus: int
) -> None:
    """Nobody takes a hundred for what one of them does and does not see it; that they may is told of all the same."""
    answered = answer(**{**T4_QLORA, **asked, "n_gpus": n_gpus})
    assert answered["training_days_high"] < 15.0 * answered["training_days_low"]
    assert code is None or code in codes(answered)


@pytest.mark.parametrize("framework", ["HF Trainer", "TRL", "QLoRA script"])
def test_a_quantised_base_may_have_been_split_over_devices_that_work_in_turn(framework: str) -> None:
    """Transformers' examples load it with `device_map="auto"`; without a launcher that splits its layers."""
    two = {**T4_QLORA, "framework": framework, "n_gpus": 2}
    unsaid, in_turn = answer(**two), answer(**{**two, "framework": f"{framework}, device_map auto"})
    assert "devices_in_turn" in codes(unsaid)
    assert unsaid["training_days"] < in_turn["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize(
    ("framework", "changes"),
    [
        ("HF Trainer", {"n_gpus": 1}),
        ("HF Trainer", {"method": "lora", "gpu": "a100"}),
        ("HF Trainer, DDP", {}),
        ("TRL, torchrun", {}),
        ("accelerate", {}),
        ("TRL + accelerate", {}),
        ("accelerate launch train.py", {}),
        ("HF Trainer started by accelerate launch", {}),
        ("HF Trainer + FSDP", {}),
        ("HF Trainer + DeepSpeed ZeRO-2", {}),
        ("HF Trainer, device_map auto", {}),
        ("Axolotl", {}),
        ("LLaMA-Factory", {}),
        ("diffusers, 8 bit", {"model": "flux.1-dev", "method": "lora", "gpu": "a100"}),
    ],
)
def test_devices_do_not_work_in_turn_where_a_launcher_is_told_of_or_the_front_end_has_one(
    framework: str, changes: dict[str, object]
) -> None:
    assert "devices_in_turn" not in codes(answer(**{**T4_QLORA, "n_gpus": 2, "framework": framework, **changes}))


@pytest.mark.parametrize("framework", ["device_map auto, accelerate", "accelerate, device_map=auto", "trl, accelerate"])
def test_layers_that_are_said_to_be_split_are_so_whichever_library_splits_them(framework: str) -> None:
    """`device_map` is Accelerate's own."""
    in_turn = "device_map" in framework
    warned = codes(answer(**{**T4_QLORA, "n_gpus": 2, "framework": framework}))
    assert ("one_gpu_at_a_time" in warned) == in_turn


def test_devices_in_turn_are_doubted_less_the_more_there_are() -> None:
    """Whoever has many looks how to use them: the point is drawn towards one at work by ever less of the way."""
    drawn: list[float] = []
    for n_gpus in (2, 4, 8):
        asked = {**T4_QLORA, "gpu": "a100", "n_gpus": n_gpus}
        unsaid, told = (answer(**{**asked, "framework": said})["training_days"] for said in ("trl", "trl, DDP"))
        drawn.append(math.log(unsaid / told) / math.log(n_gpus))
    assert drawn[0] > drawn[1] > drawn[2] > 0.0
