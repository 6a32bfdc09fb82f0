"""What holds whatever the constants are: nothing beats its device, a name is its configuration, and miracles are none.

Authorities: the measured matmul rates of estimator/catalogue/data; models' public configurations; arithmetic.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.answers.estimate.predict import prediction
from estimator.base.errors import InfeasibleError
from estimator.catalogue import catalogue
from estimator.models.training import Method
from estimator.physics.ceilings import matmul_ceiling_flop_per_s
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.question import Question
from estimator.question.request import FRAMEWORK_CHOICES
from tests.places import PUBLISHED
from tools.check_training_speed import check_training_speed
from tools.estimate_training_time import estimate_training_time

CONFIGS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((PUBLISHED / "hf_configs").glob("*.json"))
}
DEVICES = [entry.accelerator for entry in catalogue.accelerators()]

PRECISIONS = {"bf16", "fp16", "fp8", "mxfp8", "nvfp4", "int8", "tf32", "fp32"}


@given(
    chip=st.sampled_from(DEVICES),
    model=st.sampled_from(["gpt2", "llama-3.1-8b", "llama-3.1-405b", "mixtral-8x7b", "deepseek-v3"]),
    n_gpus=st.sampled_from([1, 8, 96, 512]),
    batch=st.sampled_from([None, 96, 4096]),
    framework=st.sampled_from(FRAMEWORK_CHOICES),
    method=st.sampled_from(
        [Method(), Method(name="lora", lora_rank=4096), Method(name="qlora"), Method(name="frozen")]
    ),
    data=st.data(),
)
@settings(max_examples=80, deadline=None)
def test_no_searched_layout_computes_faster_than_its_device_was_ever_measured_to(
    *,
    chip: Accelerator,
    model: str,
    n_gpus: int,
    batch: int | None,
    framework: str,
    method: Method,
    data: st.DataObject,
) -> None:
    """All FLOPs that are executed, attention and recomputation among them, after the calibrated effects."""
    precision = data.draw(st.sampled_from(sorted(PRECISIONS & {*chip.peak_flop_per_s, "bf16"})))
    cluster = Cluster(
        accelerator=chip,
        n_gpus=n_gpus,
        gpus_per_node=min(n_gpus, chip.gpus_per_node),
        scale_out_bytes_per_s=chip.scale_out_bytes_per_s,
    )
    question = Question(
        transformer=catalogue.transformer(model).value,
        cluster=cluster,
        precision=precision,
        method=method,
        sequence_length=4096,
        global_batch_sequences=batch,
        framework=framework,
    )
    try:
        predicted = prediction(question)
    except InfeasibleError:
        return
    rate = predicted.hardware_flop_per_token * predicted.tokens_per_step / predicted.step_s / n_gpus
    # Attention, logits and adapters stay in 16 bit where matmuls are in 8 or 4, which few chips are slower in.
    rates = {precision} if precision in {"bf16", "fp16", "tf32", "fp32"} else {precision, "bf16"}
    ceiling = max(matmul_ceiling_flop_per_s(chip, one) for one in rates)
    # The calibrated factor on a step may take it a little past what its matrices alone reach.
    assert rate <= 1.02 * ceiling


@pytest.mark.parametrize("model_id", [name for name, config in CONFIGS.items() if "vision_config" not in config])
def test_a_preset_and_its_configuration_are_answered_alike(model_id: str) -> None:
    """tests/published/hf_configs holds the models' own files."""
    common: dict[str, Any] = {"tokens": "1T", "gpu": "h100", "n_gpus": 256, "sequence_length": 4096}
    named = estimate_training_time(model=model_id, **common)
    configured = estimate_training_time(model="mine", hf_config=CONFIGS[model_id], **common)
    assert configured.training_seconds == named.training_seconds
    assert configured.training_days_low == named.training_days_low
    assert configured.training_days_high == named.training_days_high
    assert configured.step_seconds == named.step_seconds
    assert configured.model_flops == named.model_flops
    # A preset is known by the count its publisher prints, which may be rounded.
    assert configured.coefficient == pytest.approx(named.coefficient, rel=0.01)
    assert configured.layout == named.layout
    assert configured.memory == named.memory
    assert configured.time_breakdown == named.time_breakdown


@pytest.mark.parametrize(("n_gpus", "hours"), [(1, 104 * 24), (8, 104 * 3), (104, 24), (64, 39)])
@pytest.mark.parametrize("model", ["7B", "llama-2-7b"])
def test_two_trillion_tokens_of_a_7b_model_in_104_a100_days_are_impossible(
    model: str, n_gpus: int, hours: float
) -> None:
    """6 · 7e9 · 2e12 = 8.4e22 FLOPs; 104 A100-days at the dense peak of 312e12 are 2.8e21, a thirtieth."""
    answer = check_training_speed(model=model, gpu="a100", n_gpus=n_gpus, tokens="2T", observed_hours=hours)
    assert answer.verdict == "implausible"
    assert answer.observed > 10 * answer.ceiling.tokens_per_second
    assert answer.model_flops_utilization > 10


def test_what_a_large_cluster_really_took_is_not_called_impossible() -> None:
    """Llama 2 7B: 184,320 A100-hours for 2T tokens (Touvron et al. 2023, table 2)."""
    answer = check_training_speed(
        model="llama-2-7b", gpu="a100", n_gpus=1024, tokens="2T", observed_hours=184_320 / 1024
    )
    assert answer.verdict != "implausible"
