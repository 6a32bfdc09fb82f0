"""A script that Python alone starts is one process, which Transformers' Trainer spreads by nn.DataParallel.

Authority: `Trainer._wrap_model` and `TrainingArguments._setup_devices` (`n_gpu` is what `torch.cuda.device_count` says
where no launcher set a local rank); LLaMA-Factory's parser, which refuses several devices in one process.
"""

from typing import Any

import pytest

from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.starts import is_started_plainly
from tools.estimate_training_time import TrainingTime, estimate_training_time

PLAIN = (
    "python run_glue.py --fp16",
    "python3 examples/run_glue.py --fp16 --per_device_train_batch_size 32",
    "CUDA_VISIBLE_DEVICES=0,1,2,3 python run_glue.py --fp16",
    "nohup python -u run_glue.py --fp16 &",
    "$ python run_glue.py --fp16",
    "HF Trainer, bf16, python train.py",
    "python -m trl.scripts.sft --bf16",
)
LAUNCHED = (
    "torchrun --nproc_per_node 4 run_glue.py --fp16",
    "python -m torch.distributed.run --nproc_per_node 4 run_glue.py --fp16",
    "python -m torch.distributed.launch --nproc_per_node 4 run_glue.py --fp16",
    "python -m accelerate.commands.launch run_glue.py --fp16",
    "accelerate launch run_glue.py --fp16",
    "deepspeed --num_gpus 4 run_glue.py --fp16",
    "srun python run_glue.py --fp16",
    "accelerate launch --num_processes 4 run_glue.py --fp16, then python eval.py",
    "python run_glue_no_trainer.py --fp16",
    "HF Trainer, python 3.11, fp16",
    "HF Trainer, a python script, fp16",
    "run_glue.py, fp16",
)
ASKED: dict[str, Any] = {"model": "bert-base", "gpu": "v100", "samples": "100000", "tokens_per_sample": "128"}


def _answer(framework: str, n_gpus: int = 4, **other: Any) -> TrainingTime:  # noqa: ANN401 - any argument
    return estimate_training_time(**{**ASKED, **other}, n_gpus=n_gpus, framework=framework, detail="detailed")


def _is_one_process(answer: TrainingTime) -> bool:
    return any(warning.code == "one_process" for warning in answer.warnings)


@pytest.mark.parametrize("command", PLAIN)
def test_a_command_of_python_alone_is_read(command: str) -> None:
    assert is_started_plainly(command)
    assert named_framework(command).practice.started_plainly
    assert _is_one_process(_answer(command))


@pytest.mark.parametrize("command", LAUNCHED)
def test_a_launcher_starts_a_process_for_each_device(command: str) -> None:
    assert not is_started_plainly(command)
    assert not _is_one_process(_answer(command))


@pytest.mark.parametrize("rest", ["run_glue.py --fp16", "sft.py, TRL SFTTrainer, bf16"])
def test_one_process_takes_longer_than_as_many_as_devices(rest: str) -> None:
    plain, launched = _answer(f"python {rest}", gpu="a100"), _answer(f"torchrun {rest}", gpu="a100")
    said = _answer(f"python {rest}, nn.DataParallel", gpu="a100")
    assert plain.training_seconds > 1.1 * launched.training_seconds
    assert plain.training_seconds == pytest.approx(said.training_seconds)
    assert any("started by python alone" in warning.message for warning in plain.warnings)


@pytest.mark.parametrize(
    ("framework", "other"),
    [
        ("python run_glue.py --fp16", {"n_gpus": 1}),
        # Of two nodes no process sees all.
        ("python run_glue.py --fp16", {"n_gpus": 16}),
        ("python src/train.py, LLaMA-Factory, bf16", {}),
        ("python train.py, pytorch", {}),
        ("python train.py, HF Trainer, DeepSpeed ZeRO-2", {}),
        ("python train.py, HF Trainer, DDP", {}),
        # Quantised bases are not copied, nor is what no device holds.
        ("python sft.py, TRL", {"model": "llama-3.1-8b", "method": "qlora", "gpu": "a100"}),
        ("python sft.py, TRL", {"model": "llama-3.1-70b", "method": "lora", "gpu": "a100"}),
        ("python train_text_to_image.py, diffusers", {"model": "sdxl", "tokens_per_sample": None}),
    ],
)
def test_where_no_trainer_copies_the_model_nothing_is_said_of_it(framework: str, other: dict[str, Any]) -> None:
    assert not _is_one_process(_answer(framework, **other))
