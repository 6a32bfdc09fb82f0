"""How often is evaluated and saved is read in words and in trainers' own keys, and nothing else is taken for it."""

import pytest

from estimator.question.request import Request
from estimator.question.schedule import NOTHING_SCHEDULED, Schedule, Times
from estimator.resolve.framework.named import named_framework
from estimator.resolve.settings import with_settings

NEVER = Times(count=0)
EACH_EPOCH = Times(epochs=1)
SPOKEN = [
    ("evaluation every 10 steps on 1000 samples", Schedule(evaluated=Times(steps=10), evaluated_samples=1000)),
    ("on 1000 samples, evaluation every 10 steps", Schedule(evaluated=Times(steps=10), evaluated_samples=1000)),
    ("evaluation each epoch on 1000 samples", Schedule(evaluated=EACH_EPOCH, evaluated_samples=1000)),
    ("validated on 2k held-out samples every epoch", Schedule(evaluated=EACH_EPOCH, held_samples=2000)),
    ("eval 4 times per epoch", Schedule(evaluated=Times(epochs=0.25))),
    ("evaluate twice per epoch", Schedule(evaluated=Times(epochs=0.5))),
    ("20 evaluations per epoch, 10% held out", Schedule(evaluated=Times(epochs=0.05), held_share=0.1)),
    ("5 evaluations in all", Schedule(evaluated=Times(count=5))),
    ("evaluation at the end of training", Schedule(evaluated=Times(count=1))),
    ("evaluation every 5% of the run", Schedule(evaluated=Times(share=0.05))),
    ("validation split of 10%", Schedule(held_share=0.1)),
    ("validation on 5 % of the data every 50 steps", Schedule(evaluated=Times(steps=50), evaluated_share=0.05)),
    ("evaluation on 50 batches every 1,000 steps", Schedule(evaluated=Times(steps=1000), evaluated_batches=50)),
    ("eval set of 5000 samples", Schedule(evaluated_samples=5000)),
    ("no evaluation", Schedule(evaluated=NEVER)),
    ("without evaluation", Schedule(evaluated=NEVER)),
    ("evaluation off", Schedule(evaluated=NEVER)),
    ("disable evaluation", Schedule(evaluated=NEVER)),
    ("no evaluation or checkpoints", Schedule(evaluated=NEVER, saved=NEVER)),
    ("no evaluation and save every 200 steps", Schedule(evaluated=NEVER, saved=Times(steps=200))),
    ("evaluate and save every 500 steps", Schedule(evaluated=Times(steps=500), saved=Times(steps=500))),
    ("evaluate every 10 steps and save every 50 steps", Schedule(evaluated=Times(steps=10), saved=Times(steps=50))),
    ("checkpoints every 30 minutes", Schedule(saved=Times(seconds=1800))),
    ("save a checkpoint every 1k steps", Schedule(saved=Times(steps=1000))),
    ("async checkpointing every 500 steps", Schedule(saved=Times(steps=500), saves_in_background=True)),
    ("save only the model every epoch", Schedule(saved=EACH_EPOCH, saves_weights_alone=True)),
    ("saving weights alone", Schedule(saves_weights_alone=True)),
    ("predict_with_generate", Schedule(generated="predict_with_generate")),
    ("evaluate on MMLU every 500 steps", Schedule(generated="evaluate on MMLU every 500 steps")),
    ("sample images every 250 steps", Schedule(generated="sample images every 250 steps")),
    ("evaluation", NOTHING_SCHEDULED),
]
GENERATING = "evaluation by generating"
KEYS = [
    ("TRL, eval_steps=10 on 1000 samples", Schedule(evaluated=Times(steps=10), evaluated_samples=1000)),
    ("HF Trainer --eval_strategy steps --eval_steps 10", Schedule(evaluated=Times(steps=10))),
    ("TrainingArguments(eval_strategy='steps', logging_steps=20)", Schedule(evaluated=Times(steps=20))),
    ("TRL, eval_strategy=steps, do_eval=true", Schedule(evaluated=Times(steps=500))),
    ("TRL, eval_strategy=epoch, eval_steps=10", Schedule(evaluated=EACH_EPOCH)),
    ("TRL, eval_strategy=no, eval_steps=10", Schedule(evaluated=NEVER)),
    ("evaluation_strategy: no", Schedule(evaluated=NEVER)),
    ("TRL, do_eval=False", Schedule(evaluated=NEVER)),
    ("TRL, eval_steps=0.1 save_steps=0.2", Schedule(evaluated=Times(share=0.1), saved=Times(share=0.2))),
    ("val_size: 0.2 / eval_steps: 10", Schedule(evaluated=Times(steps=10), held_share=0.2)),
    ("axolotl, evals_per_epoch: 20, val_set_size: 0.1", Schedule(evaluated=Times(epochs=0.05), held_share=0.1)),
    ("axolotl, val_set_size: 500, saves_per_epoch: 2", Schedule(held_samples=500, saved=Times(epochs=0.5))),
    ("axolotl, val_set_size: 0.0, sequence_len: 2048", Schedule(evaluated=NEVER)),
    ("run_clm.py --validation_split_percentage 5", Schedule(held_share=0.05)),
    ("LLaMA-Factory, predict_with_generate: true", Schedule(generated=GENERATING)),
    (
        "pretrain_gpt.py --eval-interval 1000 --eval-iters 10 --save-interval 500",
        Schedule(evaluated=Times(steps=1000), evaluated_batches=10, saved=Times(steps=500)),
    ),
    (
        "mlx_lm.lora --steps-per-eval 200 --val-batches 25 --save-every 100",
        Schedule(evaluated=Times(steps=200), evaluated_batches=25, saved=Times(steps=100)),
    ),
    (
        "litgpt finetune --eval.interval 100 --train.save_interval 200",
        Schedule(evaluated=Times(steps=100), saved=Times(steps=200)),
    ),
    (
        "eval_interval: 500ba\nsave_interval: 1ep\nglobal_train_batch_size: 64",
        Schedule(evaluated=Times(steps=500), saved=EACH_EPOCH),
    ),
    ("nemo trainer.val_check_interval=0.25", Schedule(evaluated=Times(epochs=0.25))),
    ("TRL, save_steps=10, save_only_model=True", Schedule(saved=Times(steps=10), saves_weights_alone=True)),
    ('{"save_strategy": "epoch", "per_device_train_batch_size": 4}', Schedule(saved=EACH_EPOCH)),
    ("TRL, save_strategy=no, bf16=True", Schedule(saved=NEVER)),
    ("kohya, save_every_n_epochs=2", Schedule(saved=Times(epochs=2))),
    ("TRL, per_device_eval_batch_size 8", NOTHING_SCHEDULED),
]
OF_ANOTHER_THING = [
    "TRL, gradient checkpointing",
    "Megatron, full checkpointing every 2 layers",
    "no checkpointing, DDP",
    "GRPO, 8 generations, vLLM",
    "8 samples per device",
    "sync every 500 steps",
    "axolotl, sample_packing: true, micro_batch_size: 2",
]


@pytest.mark.parametrize(("text", "schedule"), SPOKEN)
def test_words_are_understood(text: str, schedule: Schedule) -> None:
    found = named_framework(f"TRL, {text}")
    assert found.schedule == schedule
    assert found.name == "trl"
    assert not found.not_understood


@pytest.mark.parametrize(("text", "schedule"), KEYS)
def test_trainers_keys_are_understood(text: str, schedule: Schedule) -> None:
    asked = Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, tokens="1B", framework=text)
    found = named_framework(with_settings(asked).framework)
    assert found.schedule == schedule
    assert not {word for word in found.not_understood if "eval" in word or "sav" in word}


@pytest.mark.parametrize("text", OF_ANOTHER_THING)
def test_what_is_said_of_other_things_is_not_taken_for_it(text: str) -> None:
    asked = Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, tokens="1B", framework=text)
    assert named_framework(with_settings(asked).framework).schedule == NOTHING_SCHEDULED


def test_a_schedule_names_no_software() -> None:
    found = named_framework("evaluation every 10 steps")
    assert found.name == "auto"
    assert found.says_something
    assert not found.of_software.says_something
