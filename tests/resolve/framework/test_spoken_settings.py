"""Settings said in running words are read as the keys that they stand for, of the trainer that is named.

Authority: Transformers' TrainingArguments (`per_device_train_batch_size`, a batch of each device), mlx_lm.lora (a batch
in all), peft's LoraConfig (`r`), CUDA's and ROCm's programming guides (devices that a process is shown).
"""

from typing import Any

import pytest

from estimator.question.request import Request
from estimator.resolve.framework.configuration import configuration_of
from estimator.resolve.framework.named import named_framework
from estimator.resolve.settings import with_settings
from tools.estimate_training_time import estimate_training_time

SAID: list[tuple[str, str, dict[str, float]]] = [
    ("HF Trainer fp16, batch size 8", "huggingface", {"micro_batch_size": 8}),
    ("HF Trainer, bs=8", "huggingface", {"micro_batch_size": 8}),
    ("transformers, batch_size=8", "huggingface", {"micro_batch_size": 8}),
    ("TRL, train batch size of 8", "trl", {"micro_batch_size": 8}),
    (
        "LLaMA-Factory: batch 2, gradient accumulation 8",
        "llama-factory",
        {"micro_batch_size": 2, "gradient_accumulation": 8},
    ),
    ("sentence-transformers, batch size 64", "huggingface", {"micro_batch_size": 64}),
    ("pytorch lightning, batch size 16", "lightning", {"micro_batch_size": 16}),
    ("mlx_lm.lora, batch size 4", "mlx", {"global_batch_sequences": 4}),
    ("trl, global batch 64", "trl", {"global_batch_sequences": 64}),
    ("trl, effective batch size of 1,024 sequences", "trl", {"global_batch_sequences": 1024}),
    ("Megatron-LM, mbs 2 gbs 512", "megatron", {"micro_batch_size": 2, "global_batch_sequences": 512}),
    ("DDP, 8 nodes, per-GPU batch size 4", "pytorch", {"micro_batch_size": 4}),
    ("FSDP, batch size 4 per device", "fsdp", {"micro_batch_size": 4}),
    ("HF Trainer, 3 epochs, lr 2e-5, warmup 100 steps, seed 42", "huggingface", {"epochs": 3}),
    ("TRL DPO, beta 0.1", "trl", {}),
    ("QLoRA r=16 alpha 32 dropout 0.05, TRL", "trl", {"lora_rank": 16}),
    ("axolotl, DoRA rank 8", "axolotl", {"lora_rank": 8}),
    ("unsloth, LoRA r 64", "unsloth", {"lora_rank": 64}),
    ('peft LoraConfig(r=16, target_modules=["q_proj","v_proj"])', "huggingface", {"lora_rank": 16}),
    ('trl, LoraConfig(r=8, lora_alpha=16, bias="none", task_type="CAUSAL_LM")', "trl", {"lora_rank": 8}),
    ("trl DPOConfig(beta=0.1, loss_type='ipo')", "trl", {}),
    (
        "trl DPOConfig(max_prompt_length=512, max_completion_length=256)",
        "trl",
        {"sequence_length": 768},
    ),
    (
        "trl DPOConfig(max_length=512, max_prompt_length=512, max_completion_length=256)",
        "trl",
        {"sequence_length": 512},
    ),
    ("trl DPOConfig(max_prompt_length=512)", "trl", {}),
    ("trl sft --per_device_eval_batch_size 1", "trl", {}),
    ("trl sft --per_device_eval_batch_size 1 --per_device_train_batch_size 4", "trl", {"micro_batch_size": 4}),
    ("trl --pad_to_multiple_of 8", "trl", {}),
    ("Seq2SeqTrainer(predict_with_generate=True, generation_max_length=128)", "huggingface", {}),
    ("OMP_NUM_THREADS=8 torchrun --nproc_per_node=8 train.py", "auto", {"gpus_per_node": 8}),
    ("TOKENIZERS_PARALLELISM=false python train.py", "auto", {}),
    ("PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True accelerate launch train.py", "huggingface", {}),
]
SHOWN = [
    ("CUDA_VISIBLE_DEVICES=0,1 python sft.py", 2),
    ("CUDA_VISIBLE_DEVICES=3 python sft.py --bf16", 1),
    ('CUDA_VISIBLE_DEVICES="0,1,2,3" torchrun --nproc_per_node 4 train.py --per_device_train_batch_size 2', 4),
    ("HIP_VISIBLE_DEVICES=0,1 accelerate launch train.py", 2),
]
NO_SETTING = [
    "Megatron-LM, batch of 0.5M tokens",
    "TRL, batch size 512k tokens",
    "HF Trainer, large batch training",
    "DeepSpeed, batched generation",
    "torchtitan, rank 0 logs",
    "our own stack, batch size 8",
]
ASKED: dict[str, Any] = {"model": "llama-3.2-1b", "gpu": "a100", "n_gpus": 8, "samples": 2e4, "tokens_per_sample": 500}


@pytest.mark.parametrize(("text", "stack", "numbers"), SAID)
def test_what_is_said_is_read_and_nothing_of_it_complained_of(text: str, stack: str, numbers: dict[str, float]) -> None:
    read = configuration_of(text)
    assert read is not None
    named = named_framework(read.text)
    assert named.name == stack
    assert named.not_understood == ()
    assert {name: told.value for name, told in read.numbers.items()} == numbers
    assert (read.unread, read.unheeded) == ((), ())


@pytest.mark.parametrize("text", [text for text, _, numbers in SAID if "micro_batch_size" in numbers])
def test_a_batch_said_in_words_is_answered_as_the_argument_would_be(text: str) -> None:
    read = configuration_of(text)
    assert read is not None
    numbers: dict[str, Any] = {name: int(told.value) for name, told in read.numbers.items()}
    said = estimate_training_time(**ASKED, framework=text)
    given = estimate_training_time(**ASKED, framework=read.text, **numbers)
    assert said.training_seconds == given.training_seconds


@pytest.mark.parametrize("text", NO_SETTING)
def test_words_that_tell_no_number_of_a_known_kind_are_no_settings(text: str) -> None:
    read = configuration_of(text)
    assert read is None or not read.numbers


def test_a_batch_of_nobody_knows_what_is_said_to_belong_in_an_argument() -> None:
    """And names no stack."""
    answer = estimate_training_time(**ASKED, framework="batch size 8")
    told = next(one for one in answer.warnings if one.code == "framework_not_understood")
    assert "micro_batch_size or global_batch_sequences" in told.message
    assert "untuned" not in told.message


@pytest.mark.parametrize(("text", "shown"), SHOWN)
@pytest.mark.parametrize("n_gpus", [1, 2, 4, 8])
def test_devices_that_a_process_is_shown_are_held_against_their_number(text: str, shown: int, n_gpus: int) -> None:
    asked: dict[str, Any] = {**ASKED, "n_gpus": n_gpus}
    request = with_settings(Request(**asked, framework=text))
    told = [] if request.settings is None else [one.message for one in request.settings.cautions]
    assert any("VISIBLE_DEVICES" in one for one in told) is (shown != n_gpus)
    assert named_framework(request.framework).not_understood == ()


def test_devices_that_a_process_is_shown_are_those_of_one_machine() -> None:
    text = "CUDA_VISIBLE_DEVICES=0,1,2,3,4,5,6,7 torchrun --nnodes 2 train.py"
    asked: dict[str, Any] = {**ASKED, "n_gpus": 16}
    request = with_settings(Request(**asked, framework=text))
    assert request.settings is not None
    assert not any("VISIBLE" in one.message for one in request.settings.cautions)
