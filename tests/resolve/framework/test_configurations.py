"""A configuration pasted into `framework` fills what was left out, says what differs, and is silent on what is idle.

Authority: the keys as axolotl, DeepSpeed, Accelerate, Transformers, LLaMA-Factory, torchtune and Megatron-LM document
them.
"""

import json
from typing import Any

import pytest

from estimator.question.request import NOT_ASKED, Request
from estimator.resolve.framework.configuration import configuration_of
from estimator.resolve.framework.named import named_framework
from estimator.resolve.run import Run, resolve
from estimator.resolve.settings import with_settings
from tools.check_training_speed import check_training_speed
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import plan_training

AXOLOTL = """\
base_model: mistralai/Mistral-7B-v0.1
model_type: MistralForCausalLM
load_in_8bit: false
load_in_4bit: true
strict: false
datasets:
  - path: mhenrichsen/alpaca_2k_test
    type: alpaca
dataset_prepared_path:
val_set_size: 0.1
output_dir: ./outputs/lora-out
adapter: qlora
sequence_len: 8192
sample_packing: true
eval_sample_packing: false
pad_to_sequence_len: true
lora_r: 32
lora_alpha: 16
lora_target_modules:
  - q_proj
  - v_proj
wandb_project:
gradient_accumulation_steps: 4
micro_batch_size: 2
num_epochs: 3
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 0.0002
bf16: auto
fp16:
tf32: false
gradient_checkpointing: true   # saves memory
flash_attention: true
warmup_steps: 10
evals_per_epoch: 4
weight_decay: 0.0
"""
DEEPSPEED = json.dumps(
    {
        "fp16": {"enabled": False, "loss_scale": 0},
        "bf16": {"enabled": True},
        "zero_optimization": {
            "stage": 2,
            "offload_optimizer": {"device": "cpu", "pin_memory": True},
            "overlap_comm": True,
            "reduce_bucket_size": 5e8,
        },
        "optimizer": {"type": "AdamW", "params": {"lr": 1e-5}},
        "gradient_accumulation_steps": 4,
        "train_micro_batch_size_per_gpu": 2,
        "gradient_clipping": 1.0,
    }
)
ACCELERATE = """\
compute_environment: LOCAL_MACHINE
distributed_type: FSDP
downcast_bf16: 'no'
fsdp_config:
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_backward_prefetch: BACKWARD_PRE
  fsdp_offload_params: false
  fsdp_sharding_strategy: FULL_SHARD
  fsdp_transformer_layer_cls_to_wrap: LlamaDecoderLayer
machine_rank: 0
main_process_port: 29500
mixed_precision: bf16
num_machines: 1
num_processes: 8
use_cpu: false
"""
FLAGS = (
    "--per_device_train_batch_size 2 --gradient_accumulation_steps 8 --max_seq_length 2048 --num_train_epochs 3 --bf16 "
    "--gradient_checkpointing --learning_rate 2e-5 --output_dir out --report_to wandb"
)
KEYWORDS = (
    'SFTConfig(output_dir="out", per_device_train_batch_size=2, gradient_accumulation_steps=8, num_train_epochs=3, '
    'bf16=True, max_seq_length=2048, gradient_checkpointing=True, report_to="none", seed=42)'
)
LLAMA_FACTORY = """\
### method
stage: sft
finetuning_type: lora
lora_rank: 8
deepspeed: examples/deepspeed/ds_z3_offload_config.json
cutoff_len: 2048
preprocessing_num_workers: 16
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
num_train_epochs: 3.0
bf16: true
ddp_timeout: 180000000
"""
TORCHTUNE = """\
tokenizer:
  _component_: torchtune.models.llama3.llama3_tokenizer
  max_seq_len: 4096
dataset:
  _component_: torchtune.datasets.alpaca_dataset
  packed: True
seed: null
batch_size: 2
epochs: 1
optimizer:
  _component_: bitsandbytes.optim.PagedAdamW8bit
  lr: 2e-5
gradient_accumulation_steps: 8
enable_activation_checkpointing: True
dtype: bf16
"""
MEGATRON = (
    "torchrun --nproc_per_node 8 pretrain_gpt.py --tensor-model-parallel-size 2 --num-layers 32 --seq-length 8192 "
    "--micro-batch-size 1 --global-batch-size 256 --bf16 --use-flash-attn --recompute-granularity selective"
)
RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 8, "samples": 52e3, "tokens_per_sample": 400}
FILLED: list[tuple[str, str, dict[str, Any]]] = [
    (
        AXOLOTL,
        "axolotl",
        {"epochs": 3, "micro_batch_size": 2, "gradient_accumulation": 4, "sequence_length": 8192, "lora_rank": 32},
    ),
    (DEEPSPEED, "deepspeed", {"micro_batch_size": 2, "gradient_accumulation": 4}),
    (ACCELERATE, "huggingface", {}),
    (
        FLAGS,
        "huggingface",
        {"epochs": 3, "micro_batch_size": 2, "gradient_accumulation": 8, "sequence_length": 2048},
    ),
    (
        KEYWORDS,
        "trl",
        {"epochs": 3, "micro_batch_size": 2, "gradient_accumulation": 8, "sequence_length": 2048},
    ),
    (
        LLAMA_FACTORY,
        "llama-factory",
        {"epochs": 3, "micro_batch_size": 1, "gradient_accumulation": 8, "sequence_length": 2048, "lora_rank": 8},
    ),
    (
        TORCHTUNE,
        "torchtune",
        {"epochs": 1, "micro_batch_size": 2, "gradient_accumulation": 8, "sequence_length": 4096},
    ),
    (
        MEGATRON,
        "megatron",
        {
            "tensor_parallel": 2,
            "sequence_length": 8192,
            "micro_batch_size": 1,
            "global_batch_sequences": 256,
        },
    ),
]
PRACTISED: list[tuple[str, dict[str, Any]]] = [
    (AXOLOTL, {"method": "qlora", "recompute": "full", "precision": None}),
    (DEEPSPEED, {"sharding": "zero2", "precision": "bf16"}),
    (ACCELERATE, {"sharding": "zero3", "precision": "bf16"}),
    (FLAGS, {"recompute": "full", "precision": "bf16"}),
    (LLAMA_FACTORY, {"method": "lora", "sharding": "zero3", "precision": "bf16"}),
    (TORCHTUNE, {"recompute": "full", "precision": "bf16"}),
    (MEGATRON, {"recompute": "selective", "precision": "bf16"}),
    ("bf16: false\nfp16: false\nper_device_train_batch_size: 4", {"precision": "fp32"}),
    ("bf16: false\nfp16: true\nper_device_train_batch_size: 4", {"precision": "fp16"}),
    ('{"fp16": {"enabled": "auto"}, "zero_optimization": {"stage": 1}}', {"precision": None, "sharding": "zero1"}),
    ("fsdp: full_shard auto_wrap offload\nnum_train_epochs: 1", {"sharding": "zero3"}),
    ("--fsdp_sharding_strategy SHARD_GRAD_OP --num_train_epochs 1", {"sharding": "zero2"}),
    ("adapter:\nlora_r: 32\nsequence_len: 2048\nload_in_4bit: false", {"method": None}),
    ("--gradient_checkpointing False --num_train_epochs 1", {"recompute": "none"}),
]
KEPT: list[tuple[str, dict[str, Any]]] = [
    (AXOLOTL, {"packing": "packed", "optimizer": "adamw_8bit", "attention": "flash_2"}),
    (DEEPSPEED, {"offload_optimizer": True, "optimizer": "adamw"}),
    (ACCELERATE, {"offload_parameters": None, "offload_optimizer": None}),
    (LLAMA_FACTORY, {"offload_optimizer": True}),
    (TORCHTUNE, {"packing": "packed", "optimizer": "paged_adamw_8bit"}),
    ("sample_packing: false\npad_to_sequence_len: true\nsequence_len: 512", {"packing": "padded", "padding": "limit"}),
    ("--use_liger_kernel true --num_train_epochs 1", {"fused_loss": True}),
    ("plugins:\n  - axolotl.integrations.liger.LigerPlugin\nsequence_len: 512", {"fused_kernels": True}),
    ("dataloader_num_workers: 4\nnum_train_epochs: 1", {"loader_workers": 4}),
]


def _request(text: str, **given: object) -> Request:
    asked: dict[str, Any] = {**RUN, "framework": text, **given}
    return Request(**asked)


def _run(text: str, **given: object) -> Run:
    return resolve(_request(text, **given))


def _codes(run: Run) -> list[str]:
    return [caution.code for caution in run.warnings]


@pytest.mark.parametrize(("text", "stack", "filled"), FILLED)
def test_keys_fill_the_arguments_that_were_left_out(text: str, stack: str, filled: dict[str, Any]) -> None:
    request = with_settings(_request(text))
    assert {name: getattr(request, name) for name in filled} == filled
    assert named_framework(request.framework).name == stack
    told = [one.value for one in request.settings.assumptions] if request.settings else []
    assert all(name in str(told) for name in filled)


@pytest.mark.parametrize("text", [text for text, _, _ in FILLED])
def test_what_a_configuration_is_full_of_and_no_step_waits_for_is_not_reported(text: str) -> None:
    assert {"framework_not_understood", "settings_not_counted"}.isdisjoint(_codes(_run(text)))


@pytest.mark.parametrize("text", [" ".join(text.split()) for text in (AXOLOTL, LLAMA_FACTORY, FLAGS)])
def test_line_ends_are_no_part_of_what_is_read(text: str) -> None:
    """Hosts fold what is pasted into one line."""
    whole = next(whole for whole in (AXOLOTL, LLAMA_FACTORY, FLAGS) if " ".join(whole.split()) == text)
    folded, read = configuration_of(text), configuration_of(whole)
    assert folded is not None
    assert read is not None
    assert {name: told.value for name, told in folded.numbers.items()} == {
        name: told.value for name, told in read.numbers.items()
    }


@pytest.mark.parametrize(("text", "said"), PRACTISED)
def test_keys_tell_how_a_step_is_run(text: str, said: dict[str, Any]) -> None:
    named = named_framework(with_settings(_request(text)).framework)
    assert {name: getattr(named, name) for name in said} == said


@pytest.mark.parametrize(("text", "kept"), KEPT)
def test_keys_tell_kernels_optimizers_and_where_states_lie(text: str, kept: dict[str, Any]) -> None:
    practice = named_framework(with_settings(_request(text)).framework).practice
    assert {name: getattr(practice, name) for name in kept} == kept


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ("--num_train_epochs 3 --bf16", {"epochs": 1.0}, "num_train_epochs 3"),
        ("--num_train_epochs 3 --bf16", {"samples": "alpaca x2", "tokens_per_sample": None}, "num_train_epochs 3"),
        ("--max_seq_length 2048 --bf16", {"sequence_length": 4096}, "max_seq_length 2048"),
        ("--max_steps 100 --bf16", {}, "max_steps 100"),
        (
            "--per_device_train_batch_size 2 --gradient_accumulation_steps 4",
            {"global_batch_sequences": 128},
            "64 sequences",
        ),
        ("num_processes: 4\nmixed_precision: bf16", {}, "num_processes 4"),
        ("--model_name_or_path meta-llama/Llama-3.1-70B --bf16 --num_train_epochs 1", {}, "Llama-3.1-70B"),
    ],
)
def test_an_argument_wins_over_a_key_and_the_answer_says_so(text: str, given: dict[str, Any], said: str) -> None:
    run = _run(text, **given)
    assert any(one.code == "framework_contradicted" and said in one.message for one in run.warnings)
    asked = {**RUN, **given}
    fields = {name: value for name, value in asked.items() if value is not None and name not in NOT_ASKED}
    taken = with_settings(_request(text, **given))
    assert all(getattr(taken, name) == value for name, value in fields.items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--deepspeed my_config.json --num_train_epochs 1", "my_config.json"),
        ("--optim ao_adamw_4bit --num_train_epochs 1", "ao_adamw_4bit"),
        ("num_epochs: {{ epochs }}\nsequence_len: 2048", "num_epochs"),
    ],
)
def test_what_changes_the_time_and_cannot_be_taken_is_said_first(text: str, said: str) -> None:
    first = _run(text).warnings[0]
    assert first.code == "settings_not_counted"
    assert said in first.message


def test_a_key_that_nobody_knows_is_named() -> None:
    run = _run("--num_train_epochs 1 --mystery_option 7")
    assert any("mystery_option" in one.message for one in run.warnings if one.code == "framework_not_understood")


def test_a_batch_follows_from_micro_batch_accumulation_and_gpus() -> None:
    assert _run(FLAGS).global_batch_sequences == 2 * 8 * 8


def test_steps_of_a_configuration_are_an_amount_where_none_is_told() -> None:
    run = _run(f"{FLAGS} --max_steps 500", samples=None, tokens_per_sample=None)
    assert run.amount.tokens == 500 * 128 * 2048


def test_tokens_with_passes_from_a_configuration_say_that_they_are_of_one() -> None:
    run = _run("--num_train_epochs 3 --bf16", samples=None, tokens_per_sample=None, tokens=1e9)
    assert run.amount.tokens == 3e9
    assert "epochs_from_framework" in _codes(run)


def test_an_answer_tells_what_it_read() -> None:
    answer = estimate_training_time(**RUN, framework=AXOLOTL)
    told = next(one for one in answer.assumptions if one.name == "framework_settings")
    assert "epochs 3 (num_epochs)" in str(told.value)
    assert "read from framework" in told.note


@pytest.mark.parametrize(
    "text",
    [
        "auto",
        "HF Trainer + DeepSpeed ZeRO-3, Liger, adamw_8bit, offload",
        "torchtitan: full AC, packing=false, bf16: true",
        "DiLoCo, H=500 over 4 sites",
        "rocm/megatron-lm:v25.6",
        "NCCL_IB_DISABLE=1, NeMo 25.09",
        "zero_stage 3",
        "{bf16, zero3}",
    ],
)
def test_running_text_is_no_configuration(text: str) -> None:
    read = configuration_of(text)
    assert read is None or not read.numbers


@pytest.mark.parametrize("text", [AXOLOTL, DEEPSPEED, FLAGS, MEGATRON])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_configuration_that_was_cut_off_is_read_as_far_as_it_goes(text: str, share: float) -> None:
    cut = with_settings(_request(text[: int(share * len(text))]))
    whole = with_settings(_request(text))
    for name in ("epochs", "micro_batch_size", "sequence_length"):
        assert getattr(cut, name) in {None, getattr(whole, name)}


def test_a_plan_for_tokens_takes_no_amount_from_a_configuration() -> None:
    common: dict[str, Any] = {"solve_for": "tokens", "model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8}
    plain = plan_training(**common, deadline="2 days", framework="HF Trainer, bf16")
    pasted = plan_training(**common, deadline="2 days", framework="--num_train_epochs 3 --bf16")
    assert pasted.solution.tokens == pytest.approx(plain.solution.tokens)


def test_a_check_is_of_the_batch_that_a_configuration_tells() -> None:
    checked = check_training_speed(
        model="llama-3.1-8b", gpu="a100", n_gpus=8, observed_step_seconds=20, framework=f"{FLAGS} --packing true"
    )
    assert checked.observed == pytest.approx(128 * 2048 / 20)
