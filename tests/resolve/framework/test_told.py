"""What a framework's text changes in an answer: open arguments are filled from it, given ones win, the rest is said."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from estimator.resolve.framework.named import named_framework
from tools.compare_training_options import compare_training_options
from tools.estimate_training_time import estimate_training_time
from tools.fields import DataSharding

RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64, "tokens": "1T"}
SAMPLES: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100",
    "n_gpus": 8,
    "samples": 1e5,
    "tokens_per_sample": 300,
}


def _answer(**given: object) -> Any:  # noqa: ANN401 - the tool's own answer
    run: dict[str, Any] = {"detail": "detailed", **RUN, **given}
    return estimate_training_time(**run)


def _assumed(answer: Any, name: str) -> Any:  # noqa: ANN401 - as above
    return next(one for one in answer.assumptions if one.name == name)


def _codes(answer: Any) -> set[str]:  # noqa: ANN401 - as above
    return {one.code for one in answer.warnings}


@pytest.mark.parametrize(
    ("given", "kin"),
    [
        ("trl", "huggingface"),
        ("axolotl", "huggingface"),
        ("LLaMA-Factory", "huggingface"),
        ("olmo-core", "fsdp"),
        ("LLMQ", "llm.c"),
    ],
)
def test_a_stack_that_is_counted_with_another_says_with_which(given: str, kin: str) -> None:
    note = _assumed(_answer(framework=given), "framework").note
    assert f"{given.casefold()} is counted with {kin}" in note


def test_an_older_release_is_no_faster() -> None:
    """Kernels improve: the same run on what NVIDIA shipped in 2023 and in 2026."""
    old, new = (_answer(framework=f"nemo {release}") for release in ("23.08", "26.04"))
    assert old.training_days > new.training_days
    assert {"software_release"} <= {one.name for one in old.assumptions}
    assert old.estimate_id != new.estimate_id


def test_open_arguments_are_filled_from_the_text() -> None:
    answer = _answer(framework="HF Trainer + DeepSpeed ZeRO-3, full AC, fp16")
    assert _assumed(answer, "data_sharding").value == "zero3"
    assert _assumed(answer, "activation_recompute").value == "full"
    assert _assumed(answer, "precision").value == "fp16"
    assert "understood" in _assumed(answer, "framework").note


def test_padding_that_the_text_tells_is_counted() -> None:
    padded, packed = (
        estimate_training_time(**SAMPLES, framework=text) for text in ("TRL, no packing", "TRL with packing")
    )
    assert _assumed(padded, "packing").value == "padded"
    assert padded.training_days > packed.training_days


@pytest.mark.parametrize(
    ("argument", "value", "text"),
    [
        ("data_sharding", "zero1", "HF Trainer, ZeRO-3"),
        ("activation_recompute", "none", "torchtitan full AC"),
        ("precision", "bf16", "nemo fp8"),
    ],
)
def test_an_argument_wins_over_the_text_and_the_contradiction_is_said(argument: str, value: str, text: str) -> None:
    answer = _answer(framework=text, **{argument: value})
    assert _assumed(answer, argument).value == value
    said = next(caution.message for caution in answer.warnings if caution.code == "framework_contradicted")
    assert f"the argument's {value} is taken" in said


def test_an_argument_that_agrees_is_no_contradiction() -> None:
    assert "framework_contradicted" not in _codes(_answer(framework="HF Trainer, ZeRO-3", data_sharding="fsdp"))


def test_a_precision_that_the_device_lacks_is_not_taken() -> None:
    answer = _answer(framework="nemo fp8", gpu="a100")
    assert _assumed(answer, "precision").value == "bf16"
    assert "framework_contradicted" in _codes(answer)


@pytest.mark.parametrize(
    ("text", "stack"), [("h100", "nemo"), ("?", "nemo"), ("Gigatron", "nemo"), ("nemo blah", "nemo")]
)
def test_words_that_are_not_understood_are_said_with_what_is_assumed(text: str, stack: str) -> None:
    answer = _answer(model="qwen2.5-7b", framework=text)
    assert _assumed(answer, "framework").value == stack
    assert "framework_not_understood" in _codes(answer)


def test_an_unknown_stack_is_wider_than_a_known_one() -> None:
    """Nothing is known of it, so that its range is no narrower than that of untuned stacks."""
    unknown, known = _answer(framework="Gigatron"), _answer(framework="nemo")
    assert unknown.training_days_high / unknown.training_days_low > known.training_days_high / known.training_days_low


def test_what_is_said_without_a_stack_is_an_assumption() -> None:
    answer = _answer(framework="flash-attn 2, no packing")
    assert _assumed(answer, "practice").value == "flash-attn 2, no packing"
    assert not _codes(answer) & {"framework_not_understood"}


@pytest.mark.parametrize("beside", ["data parallel over 8 GPUs", "data parallel", "data parallelism"])
@pytest.mark.parametrize("text", ["fully sharded data parallel", "DeepSpeed ZeRO-3"])
def test_data_parallel_beside_a_sharding_says_nothing_more(text: str, beside: str) -> None:
    told = {"model": "7B", "gpu": "a100-40gb", "n_gpus": 8, "tokens": "1B"}
    answer, plain = _answer(**told, framework=f"{text}, {beside}"), _answer(**told, framework=text)
    assert answer.layout == plain.layout


@pytest.mark.parametrize(("given", "stage"), [("FSDP", "zero3"), ("ZeRO-1", "zero1"), ("zero3", "zero3")])
def test_a_sharding_is_found_by_what_trainers_call_it(given: str, stage: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(DataSharding)
    assert adapter.validate_python(given) == stage


@pytest.mark.parametrize(
    ("said", "bytes_per_parameter"),
    [
        ("HF Trainer, pure BF16", 4.0),
        ("HF Trainer (bf16-true)", 4.0),
        ("HF Trainer, bf16 mixed precision", 12.0),
        ("HF Trainer, adamw_8bit", 6.03),
        ("HF Trainer, adamw_8bit, pure bf16", 2.03),
        ("HF Trainer (fms-acceleration)", 4.0),
        ("HF Trainer, optimizer offload", 0.0),
    ],
)
def test_what_is_said_of_weights_and_optimizer_is_what_they_take(said: str, bytes_per_parameter: float) -> None:
    """Micikevicius et al. 2018: FP32 copies beside 16-bit weights, unless it is said that there are none."""
    answer = _answer(model="llama-2-7b", n_gpus=1, framework=said)
    assert answer.memory.optimizer_gb == pytest.approx(bytes_per_parameter * 6.738, rel=0.01)


@pytest.mark.parametrize(
    ("framework", "method"),
    [
        ("unsloth QLoRA", "qlora"),
        ("HF Trainer + PEFT", "lora"),
        ("SFTTrainer, use_peft, load_in_4bit", "qlora"),
        ("lit-gpt finetune lora", "lora"),
        ("LLaMA-Factory with DoRA", "lora"),
        ("answer.ai fsdp_qlora", "qlora"),
        ("bitsandbytes 4-bit, axolotl", "qlora"),
        ("TRL, no LoRA", "full"),
        ("torchtune full finetuning", "full"),
        ("HF Trainer, 8-bit Adam", "full"),
    ],
)
def test_what_is_trained_is_as_the_text_says_where_nothing_else_was_said(framework: str, method: str) -> None:
    said, plain = (
        _answer(**SAMPLES, tokens=None, framework=framework),
        _answer(**SAMPLES, tokens=None, framework=framework, method=method),
    )
    assert _assumed(said, "method").value == method
    assert said.training_days == pytest.approx(plain.training_days)
    assert ("method_from_framework" in _codes(said)) == (method != "full")
    assert "method_from_framework" not in _codes(plain) or method == "full"


def test_an_argument_that_trains_adapters_wins_over_a_text_that_trains_all() -> None:
    answer = _answer(**SAMPLES, tokens=None, framework="TRL, full fine-tuning", method="lora")
    assert _assumed(answer, "method").value == "lora"
    assert "framework_contradicted" in _codes(answer)


@pytest.mark.parametrize(
    ("left", "argument"),
    [
        ("batch of 4M tokens", "micro_batch_size"),
        ("max seq length 512", "sequence_length"),
        ("r=64", "lora_rank"),
    ],
)
def test_words_that_belong_in_an_argument_are_told_which(left: str, argument: str) -> None:
    told = next(one for one in _answer(framework=f"TRL, {left}").warnings if one.code == "framework_not_understood")
    assert argument in told.message


def test_methods_that_are_compared_are_each_as_chosen_whatever_the_text_says() -> None:
    asked: dict[str, Any] = {"models": ["llama-3.1-8b"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["100M"]}
    framework = "HF Trainer + PEFT"
    both = compare_training_options(**asked, methods=["full", "lora"], framework=framework).rows
    assert {row.method for row in both} == {"full", "lora"}
    full, lora = (next(row for row in both if row.method == method) for method in ("full", "lora"))
    assert full.memory_gb is not None
    assert lora.memory_gb is not None
    assert full.memory_gb != lora.memory_gb
    (alone,) = compare_training_options(**asked, framework=framework).rows
    assert (alone.method, alone.memory_gb) == ("lora", lora.memory_gb)


@pytest.mark.parametrize("text", ["device_map auto", 'device_map="auto"', "naive pipeline parallelism"])
def test_layers_over_devices_that_wait_for_one_another_are_laid_out_so_and_said_to_be(text: str) -> None:
    told = {"n_gpus": 4, "tokens": "10M", "method": "lora"}
    split, plain = (_answer(**told, framework=f"HF Trainer{more}") for more in (f", {text}", ""))
    assert split.layout.pipeline_parallel == 4
    assert "one_gpu_at_a_time" in _codes(split)
    assert split.training_days > 2 * plain.training_days
    alone = _answer(**{**told, "n_gpus": 1}, framework=f"HF Trainer, {text}")
    assert "one_gpu_at_a_time" not in _codes(alone)
    sharded = _answer(**told, framework=f"HF Trainer, {text}", data_sharding="zero3")
    assert sharded.layout.pipeline_parallel == 1


@pytest.mark.parametrize("said", ["", "  ", "''", '""', "-", "YOLOv5", "LLaMA", "GPT-2, BERT", "textual inversion"])
def test_what_is_empty_or_told_elsewhere_needs_no_understanding(said: str) -> None:
    assert "framework_not_understood" not in _codes(_answer(framework=said))
    named = named_framework(f"{said}, PyTorch")
    assert (named.name, named.not_understood) == ("pytorch", ())


@pytest.mark.parametrize("said", ["EMA", "use_ema", "ema_decay 0.9999", "exponential moving average"])
def test_a_moving_average_is_read(said: str) -> None:
    assert named_framework(f"diffusers, {said}").practice.averages_weights
    assert not named_framework(f"diffusers with {said} and with EMA weights").not_understood
    assert named_framework(f"no {said}").practice.averages_weights is False


_PICTURED: dict[str, Any] = {"model": "llava-1.5-7b", "gpu": "a100", "n_gpus": 8, "samples": "500k"}


@pytest.mark.parametrize(
    "said", ["LLaVA --tune_mm_mlp_adapter True", "tune_mm_mlp_adapter", "tune_mm_mlp_adapter: true"]
)
def test_llavas_projector_is_no_adapter_beside_its_layers(said: str) -> None:
    """`tune_mm_mlp_adapter` in llava/train/train.py trains `mm_projector` alone."""
    answer = _answer(**{**RUN, "tokens": None, **_PICTURED, "framework": said})
    assert "with frozen weights" in answer.summary
    assert "method_from_framework" in _codes(answer)
    told = _answer(**{**RUN, "tokens": None, **_PICTURED, "framework": said, "trained_layers": "projector"})
    assert "framework_contradicted" not in _codes(told)


@pytest.mark.parametrize("said", ["--tune_mm_mlp_adapter False", "--pretrain_mm_mlp_adapter ./mm_projector.bin"])
def test_flags_of_llavas_projector_that_train_nothing_apart_say_nothing(said: str) -> None:
    answer = _answer(**{**RUN, "tokens": None, **_PICTURED, "framework": f"LLaVA {said}"})
    assert "LoRA" not in answer.summary
    assert "frozen" not in answer.summary
