"""What lies in host memory or on drives is read in whatever order it is said, and what is left over is named.

Authority: options and file names of DeepSpeed, Accelerate, FSDP, axolotl (deepspeed_configs/), LLaMA-Factory
(examples/deepspeed/), ms-swift and Lightning; Rajbhandari et al. 2021 (ZeRO-Infinity is stage 3 alone).
"""

from itertools import product
from typing import Any

import pytest

from estimator.resolve.framework.named import named_framework
from tools.estimate_training_time import estimate_training_time

_OPTIMIZERS = ("optimizer", "optimizer states", "optim", "the optimizer")
_WEIGHTS = ("params", "parameters", "weights", "model", "model weights")
_JOINTS = (" and ", " & ", " + ", "/")
_OF_BOTH = (
    "{} offload",
    "{} offloaded",
    "{} are offloaded to CPU",
    "{} CPU offload",
    "offload {}",
    "offload {} to host memory",
    "CPU offload of {}",
    "cpu_offload: {}",
    "{} on CPU",
    "{} kept in host RAM",
    "{} in system memory",
)
_ON_DRIVES = ("{} on NVMe", "offload {} to NVMe", "NVMe offload of {}", "{} offloaded to disk")
BOTH, OPTIMIZER, WEIGHTS, NEITHER = (True, True), (True, None), (None, True), (False, False)
PHRASES = (
    ("FSDP, fsdp_offload_params: true", BOTH),
    ("FSDP cpu offload", BOTH),
    ("FSDP(cpu_offload=CPUOffload(offload_params=True))", BOTH),
    ("FSDP2, CPUOffloadPolicy", BOTH),
    ("DeepSpeed, model and optimizer offloaded", BOTH),
    ("DeepSpeed, optimizer states, gradients and parameters offloaded", BOTH),
    ("DeepSpeed, offload all", BOTH),
    ("DeepSpeed, offload: both", BOTH),
    ("DeepSpeed, everything offloaded to CPU", BOTH),
    ("DeepSpeed, offload_optimizer, offload_param", BOTH),
    ("DeepSpeed, offload_optimizer_device: cpu, offload_param_device: cpu", BOTH),
    ("axolotl, deepspeed_configs/zero3_bf16_cpuoffload_all.json", BOTH),
    ("axolotl, deepspeed_configs/zero3_bf16_cpuoffload_params.json", WEIGHTS),
    ("LLaMA-Factory, ds_z3_offload_config.json", BOTH),
    ("LLaMA-Factory, ds_z2_offload_config.json", OPTIMIZER),
    ("ms-swift, --deepspeed zero3_offload", BOTH),
    ("ms-swift, --deepspeed zero2_offload", OPTIMIZER),
    ("Lightning, deepspeed_stage_3_offload", BOTH),
    ("DeepSpeed ZeRO-3, CPU offload", OPTIMIZER),
    ("DeepSpeed ZeRO-3, optimizer offload", OPTIMIZER),
    ("DeepSpeed, optimizer states on CPU", OPTIMIZER),
    ("DeepSpeed, weights in RAM", WEIGHTS),
    ("DeepSpeed, offload_optimizer_device: cpu, offload_param_device: none", (True, False)),
    ("DeepSpeed, no CPU offload of parameters and optimizer", NEITHER),
    ("DeepSpeed, offload_optimizer=False, offload_param=False", NEITHER),
    ("ms-swift, zero3_offload: false", NEITHER),
    ("ZeRO-Infinity", BOTH),
    ("ZeRO-Infinity, optimizer on CPU", OPTIMIZER),
    ("ZeRO-Infinity, no param offload", (True, False)),
)
DRIVES = (
    ("ZeRO-Infinity with NVMe offload", BOTH),
    ("zero infinity nvme", BOTH),
    ("ZeRO-Infinity, optimizer on NVMe", OPTIMIZER),
    ("ZeRO-Infinity, params on NVMe", BOTH),
    ("DeepSpeed, offload_optimizer_device: nvme", OPTIMIZER),
    ("DeepSpeed, disk offload", OPTIMIZER),
)


def _read(text: str) -> tuple[bool | None, bool | None, bool | None]:
    found = named_framework(text)
    assert found.not_understood == (), text
    practice = found.practice
    return practice.offload_optimizer, practice.offload_parameters, practice.states_on_disk


@pytest.mark.parametrize("joint", _JOINTS)
@pytest.mark.parametrize(("form", "on_drives"), [(way, None) for way in _OF_BOTH] + [(way, True) for way in _ON_DRIVES])
def test_both_are_offloaded_whatever_the_order(form: str, on_drives: bool | None, joint: str) -> None:
    for optimizer, weights in product(_OPTIMIZERS, _WEIGHTS):
        for pair in ((optimizer, weights), (weights, optimizer)):
            assert _read(f"DeepSpeed, {form.format(joint.join(pair))}") == (True, True, on_drives)


@pytest.mark.parametrize(("text", "said"), PHRASES)
def test_words_for_offloading_mean_what_their_authors_do(text: str, said: tuple[bool | None, bool | None]) -> None:
    assert _read(text) == (*said, None)


@pytest.mark.parametrize(("text", "said"), DRIVES)
def test_words_for_drives_mean_those(text: str, said: tuple[bool | None, bool | None]) -> None:
    assert _read(text) == (*said, True)


@pytest.mark.parametrize("text", ["activations offloaded to CPU", "TRL, activation offloading"])
def test_activations_are_no_states(text: str) -> None:
    assert _read(text) == (None, None, None)
    assert named_framework(text).practice.offload_activations


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("TRL, text encoder offloaded", "text encoder offloaded"),
        ("DeepSpeed, gradients offloaded", "gradients offloaded"),
        ("DeepSpeed, offload optimizer, tokenizer on CPU", "tokenizer"),
    ],
)
def test_what_is_not_read_of_it_is_named(text: str, left: str) -> None:
    assert left in named_framework(text).not_understood


@pytest.mark.parametrize("model", ["llama-3.1-8b", "llama-2-13b"])
@pytest.mark.parametrize("text", ["ZeRO-Infinity", "ZeRO-Infinity, optimizer on NVMe", "zero infinity nvme"])
def test_zero_infinity_is_stage_3_of_any_model(model: str, text: str) -> None:
    asked: dict[str, Any] = {"gpu": "rtx 3090", "n_gpus": 2, "tokens": "1M", "sequence_length": 2048}
    answer = estimate_training_time(model=model, framework=text, **asked)
    assert answer.layout is not None
    assert answer.layout.data_sharding == "zero3"
