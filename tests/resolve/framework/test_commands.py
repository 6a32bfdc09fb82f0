"""A trainer's command, pasted as it is run, tells what its flags do, and its launcher is no word to complain of.

Authority: the parsers of mlx_lm.lora, AutoTrain, Accelerate, torchrun and DeepSpeed's launcher.
"""

import pytest

from estimator.question.request import Request
from estimator.resolve.framework.configuration import configuration_of
from estimator.resolve.framework.named import named_framework
from estimator.resolve.run import resolve
from tools.estimate_training_time import estimate_training_time

MLX_LORA = (
    "mlx_lm.lora --model mistralai/Mistral-7B-v0.1 --train --data data --iters 600 --batch-size 4 --learning-rate 1e-5 "
    "--max-seq-length 1024 --grad-checkpoint --grad-accumulation-steps 2 --steps-per-eval 50"
)
COMMANDS: list[tuple[str, str, dict[str, float]]] = [
    ("mlx_lm.lora --iters 600 --batch-size 4", "mlx", {"steps": 600, "global_batch_sequences": 4}),
    (MLX_LORA, "mlx", {"steps": 600, "global_batch_sequences": 4, "sequence_length": 1024}),
    (
        "llamafactory-cli train: per_device_train_batch_size 1, gradient_accumulation_steps 8",
        "llama-factory",
        {"micro_batch_size": 1, "gradient_accumulation": 8},
    ),
    ("accelerate launch --num_processes 8 --mixed_precision bf16 train.py", "huggingface", {"n_gpus": 8}),
    ("torchrun --standalone --nproc_per_node 8 train.py", "auto", {"gpus_per_node": 8}),
    ("deepspeed --num_gpus 8 train.py --bf16", "deepspeed", {"n_gpus": 8}),
    ("autotrain --train --batch-size 4 --epochs 3 --lr 2e-4", "trl", {"micro_batch_size": 4, "epochs": 3}),
    ("accelerate launch train.py", "huggingface", {}),
    ("python3 -m axolotl.cli.train", "axolotl", {}),
    ("DeepSpeed, bash finetune.sh", "deepspeed", {}),
    ("Megatron-LM, pretrain.sh", "megatron", {}),
    ("nanochat speedrun.sh", "nanochat", {}),
    ("nanochat speedrun", "nanochat", {}),
]


@pytest.mark.parametrize(("text", "stack", "numbers"), COMMANDS)
def test_a_trainers_own_command_is_read_and_nothing_of_it_complained_of(
    text: str, stack: str, numbers: dict[str, float]
) -> None:
    read = configuration_of(text)
    named = named_framework(text if read is None else read.text)
    assert named.name == stack
    assert named.not_understood == ()
    assert {name: told.value for name, told in read.numbers.items()} == numbers if read else not numbers
    assert read is None or (read.unread, read.unheeded) == ((), ())


def test_a_command_of_mlx_tells_the_batch_and_the_amount() -> None:
    answer = estimate_training_time(
        model="mistral-7b", gpu="m3 max", n_gpus=1, tokens_per_sample=200, framework=MLX_LORA
    )
    assert answer.layout is not None
    assert answer.layout.global_batch_sequences == 4
    assert {"batch_assumed", "framework_not_understood"}.isdisjoint(warning.code for warning in answer.warnings)


@pytest.mark.parametrize(("layers", "trained"), [("8", 8), ("-1", None)])
def test_layers_that_mlx_lays_adapters_beside_are_the_last_so_many(layers: str, trained: int | None) -> None:
    command = f"mlx_lm.lora --iters 600 --num-layers {layers}"
    read = configuration_of(command)
    assert read is not None
    assert read.unheeded == ()
    run = resolve(Request(model="mistral-7b", gpu="m3 max", n_gpus=1, tokens_per_sample=200, framework=command))
    assert run.method.trained_layers == trained
