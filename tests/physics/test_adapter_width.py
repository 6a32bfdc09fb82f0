"""Adapters are in FP32, and what is not quantised beside them, save where a trainer casts them to BF16.

Authority: PEFT's `prepare_model_for_kbit_training` and `autocast_adapter_dtype`; the wheels of TRL 0.7.4 to 1.0
(`peft_module_casting_to_bf16`, and from 0.26 on `param.data.to(torch.bfloat16)` of whatever learns).
"""

import pytest

from estimator.physics.choice import Setting, setting_of
from estimator.question.request import Request
from estimator.resolve.run import resolve

NARROW, WIDE = 6.0, 12.0
"""Bytes of an adapter's weight and its two moments; its gradient comes on top."""


def _setting(framework: str, *, gpu: str = "a100-sxm-80gb", method: str = "qlora", precision: str = "bf16") -> Setting:
    request = Request(
        model="llama-3.1-8b",
        gpu=gpu,
        n_gpus=1,
        tokens="10M",
        sequence_length=2048,
        micro_batch_size=1,
        method=method,
        precision=precision,
        framework=framework,
    )
    run = resolve(request)
    assert run.question is not None
    return setting_of(run.question)


@pytest.mark.parametrize(
    "framework", ["TRL", "TRL DPOTrainer", "TRL 0.8", "TRL 0.26", "autotrain", "alignment handbook"]
)
def test_trl_casts_adapters_and_ends_to_bf16_beside_a_base_of_4_bits(framework: str) -> None:
    """Eight bytes an adapter's parameter: 2 of its own, 2 of its gradient, 4 of moments."""
    case = _setting(framework).case
    assert (case.optimizer_bytes, case.gradient_bytes, case.ends_bytes) == (NARROW, 2.0, 2.0)
    assert 2.0 * case.checkpoint_bytes == _setting(framework, precision="fp16").case.checkpoint_bytes


@pytest.mark.parametrize("framework", ["TRL 0.9", "TRL 0.12", "TRL 0.20"])
def test_releases_of_trl_that_name_no_adapters_cast_the_ends_alone(framework: str) -> None:
    case = _setting(framework).case
    assert (case.optimizer_bytes, case.ends_bytes) == (WIDE, 2.0)


@pytest.mark.parametrize(
    ("framework", "told"),
    [
        ("TRL 0.7", {}),
        ("TRL", {"gpu": "t4", "precision": "fp16"}),
        ("TRL", {"gpu": "v100-sxm2-32gb", "precision": "fp16"}),
        ("HF Trainer, PEFT", {}),
        ("open-instruct", {}),
    ],
)
def test_without_that_cast_both_are_in_fp32(framework: str, told: dict[str, str]) -> None:
    case = _setting(framework, **told).case
    assert (case.optimizer_bytes, case.ends_bytes) == (WIDE, 4.0)


def test_a_base_of_8_bits_is_not_cast() -> None:
    case = _setting("TRL, load_in_8bit", method="lora").case
    assert (case.optimizer_bytes, case.ends_bytes) == (WIDE, 4.0)


@pytest.mark.parametrize("framework", ["HF Trainer, transformers 5.17, PEFT", "HF Trainer, transformers 4.57, PEFT"])
@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_pefts_adapters_are_in_fp32_however_a_checkpoint_is_loaded(framework: str, method: str) -> None:
    """`autocast_adapter_dtype` is True; who says `pure BF16` has them so."""
    assert _setting(framework, method=method).case.optimizer_bytes == WIDE
    assert _setting(f"{framework}, pure BF16", method=method).case.optimizer_bytes == NARROW


def test_deepspeeds_engine_copies_what_trl_casts() -> None:
    assert _setting("TRL + DeepSpeed ZeRO-2").case.optimizer_bytes == WIDE


def test_adapters_of_all_matrices_at_rank_256_fit_on_24_gb() -> None:
    """A CodeLlama 7B of 4 bits with 640M of them, three sequences of 3,072 at a time, ran on an A10G with TRL."""
    request = Request(
        model="codellama-7b",
        gpu="a10g",
        n_gpus=1,
        tokens="30M",
        sequence_length=3072,
        micro_batch_size=3,
        method="qlora",
        trainable_params="640M",
        framework="TRL, gradient checkpointing, flash attention 2",
    )
    run = resolve(request)
    assert run.question is not None
    assert setting_of(run.question).fits
