"""No cause is told that what was said rules out: each has its statement, and stands where that is not made.

Authority: the meaning of each argument, and what trainers do unless told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from estimator.answers.check.check import SpeedCheck, speed_check
from estimator.answers.check.observation import Observed
from estimator.question.request import Request

ANY = Observed(tokens_per_second=1e3)
PRETRAINED = Request(model="llama-3.1-8b", gpu="h100-sxm", n_gpus=64, sequence_length=8192)
NARROW = Request(model="gpt2", gpu="a100", n_gpus=8, sequence_length=1024, framework="huggingface", packing="packed")
TUNED = Request(model="llama-3.1-8b", gpu="h100-sxm", n_gpus=8, method="lora", sequence_length=2048)
PADDED = replace(TUNED, framework="trl", samples=50_000, tokens_per_sample=500)
UNSAID_LENGTH = replace(
    TUNED, sequence_length=None, global_batch_sequences=64, framework="huggingface", packing="packed"
)
TWO_CARDS = Request(
    model="gpt2-medium",
    gpu="RTX 3090",
    n_gpus=2,
    framework="huggingface",
    sequence_length=1024,
    micro_batch_size=4,
    gradient_accumulation=1,
)
ONE_CARD = {
    "model": "gpt2-medium",
    "gpu": "RTX 3090",
    "n_gpus": 1,
    "framework": "huggingface",
    "sequence_length": 1024,
    "micro_batch_size": 4,
    "gradient_accumulation": 1,
}
SHORT = Request(
    model="qwen2.5-1.5b", gpu="rtx-4090", n_gpus=1, framework="huggingface", method="lora", sequence_length=256
)
WHOLE = Request(model="llama-3.1-8b", gpu="h100-sxm", n_gpus=1, framework="huggingface", sequence_length=2048)
PICTURES = Request(model="resnet50", gpu="h100", n_gpus=1, global_batch_sequences=64)
MIXTURE = replace(TUNED, model="qwen3-30b-a3b", framework="torchtune", global_batch_sequences=64)


def _of_tokens(asked: Request, share: float, count: str = "") -> Observed:
    speed = share * speed_check(asked, ANY).expected.tokens_per_second
    return Observed(tokens_per_second=f"{speed:.0f} {count}" if count else speed)


def _of_hours(asked: Request, share: float) -> Observed:
    right = speed_check(asked, Observed(hours=1))
    return Observed(hours=right.run.amount.tokens / right.expected.tokens_per_second / 3600 / share)


def _of_steps(asked: Request, share: float) -> Observed:
    right = speed_check(asked, Observed(step_seconds=1))
    return Observed(step_seconds=right.ratio / share)


def _of_utilization(asked: Request, share: float) -> Observed:
    return Observed(mfu=share * 0.3 / speed_check(asked, Observed(mfu=0.3)).ratio)


def _of_flops(asked: Request, share: float) -> Observed:
    return Observed(tflops_per_gpu=share * 100.0 / speed_check(asked, Observed(tflops_per_gpu=100)).ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A cause, where it may be so, and a statement after which it may not."""

    code: str
    asked: Request
    share: float
    """Of the expected speed, that is observed."""
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])
    seen: str = "tokens"
    """What was observed: tokens a second, steps, hours, a utilization or FLOPs."""
    said_of_it: str = ""
    """Words beside the observed speed that rule it out."""


ROWS = (
    Told(code="sparse_peak", asked=PRETRAINED, share=0.5, seen="utilization", said={"peak_tflops": 989.4}),
    Told(
        code="accumulate_peak",
        asked=Request(model="1B", gpu="RTX 4090", n_gpus=1, method="lora", sequence_length=2048),
        share=0.4,
        seen="utilization",
        said={"peak_tflops": 165.2},
    ),
    Told(
        code="half_precision_peak",
        asked=replace(PRETRAINED, precision="fp8"),
        share=2.0,
        seen="utilization",
        said={"peak_tflops": 1979},
    ),
    Told(
        code="all_experts_counted",
        asked=replace(MIXTURE, method="full", framework="auto"),
        share=4.7,
        seen="flops",
        said={"model": "qwen3-8b"},
    ),
    Told(
        code="recomputed_flops_counted",
        asked=PRETRAINED,
        share=1.6,
        seen="utilization",
        said={"activation_recompute": "none"},
    ),
    Told(code="speed_of_one_gpu", asked=PRETRAINED, share=1 / 64, said_of_it="tok/s total"),
    Told(code="speed_of_one_gpu", asked=TWO_CARDS, share=0.5, said_of_it="tok/s all gpus"),
    Told(code="multiplied_twice", asked=PRETRAINED, share=64.0, said_of_it="tok/s total"),
    Told(code="padding", asked=PADDED, share=0.4, said={"packing": "packed"}),
    Told(code="padding", asked=PADDED, share=0.4, said={"framework": "trl, packing"}),
    Told(code="padding_counted", asked=replace(TUNED, framework="axolotl"), share=1.9, said={"packing": "packed"}),
    Told(code="padding_counted", asked=PADDED, share=1.9, said={"packing": "padded"}),
    Told(code="several_epochs", asked=replace(TUNED, tokens="100M"), share=1 / 3, seen="hours", said={"epochs": 1}),
    Told(
        code="one_gpu_works",
        asked=replace(TUNED, tokens="100M"),
        share=1 / 8,
        seen="hours",
        said={"tensor_parallel": 8},
    ),
    Told(code="starved_loader", asked=PADDED, share=0.5, said={"framework": "trl, synthetic data"}),
    Told(
        code="recompilation",
        asked=replace(PADDED, framework="trl, torch.compile"),
        share=0.5,
        said={"packing": "packed"},
    ),
    Told(code="larger_model", asked=replace(PADDED, model="qwen2.5"), share=0.3, said={"model": "qwen2.5-7b"}),
    Told(
        code="recomputation",
        asked=replace(TUNED, framework="torchtitan"),
        share=0.7,
        said={"activation_recompute": "none"},
    ),
    Told(code="no_recomputation", asked=PADDED, share=2.0, said={"activation_recompute": "full"}),
    Told(
        code="unfused_attention",
        asked=replace(
            TUNED,
            method="full",
            model="qwen2.5-0.5b",
            sequence_length=16_384,
            micro_batch_size=1,
            framework="huggingface",
        ),
        share=0.5,
        said={"framework": "huggingface, flash attention 2"},
    ),
    Told(
        code="offloaded",
        asked=replace(TUNED, method="full", framework="deepspeed"),
        share=0.4,
        said={"data_sharding": "ddp", "model": "qwen2.5-0.5b"},
    ),
    Told(code="expert_loop", asked=MIXTURE, share=0.4, said={"framework": "torchtune, grouped gemm"}),
    Told(code="tiny_micro_batch", asked=SHORT, share=0.3, said={"micro_batch_size": 8}),
    Told(
        code="tiny_batch",
        asked=replace(TWO_CARDS, gradient_accumulation=None, micro_batch_size=None),
        share=0.5,
        said={"global_batch_sequences": 128},
    ),
    Told(
        code="larger_batch",
        asked=replace(PRETRAINED, n_gpus=2048, framework="torchtitan"),
        share=1.7,
        said={"global_batch_sequences": 512},
    ),
    Told(code="slow_interconnect", asked=TWO_CARDS, share=0.5, said={"framework": "huggingface, PCIe 4.0 x16"}),
    Told(code="slow_interconnect", asked=TWO_CARDS, share=0.5, said={"framework": "huggingface, NVLink bridge"}),
    Told(
        code="pcie_tensor_parallel",
        asked=replace(PRETRAINED, gpu="rtx-4090", n_gpus=4, model="qwen2.5-1.5b", framework="megatron"),
        share=0.2,
        said={"tensor_parallel": 1},
    ),
    Told(code="slow_network", asked=PRETRAINED, share=0.5, said={"n_gpus": 8}),
    Told(
        code="sharded_over_network",
        asked=replace(PRETRAINED, framework="huggingface"),
        share=0.5,
        said={"data_sharding": "zero1"},
    ),
    Told(code="sharded_over_network", asked=PRETRAINED, share=0.4, said={"framework": "megatron"}),
    Told(code="sharded_over_network", asked=PRETRAINED, share=0.4, said={"framework": "nanogpt"}),
    Told(code="recomputation", asked=NARROW, share=0.55, said={"framework": "nanogpt"}),
    Told(code="unfused_attention", asked=NARROW, share=0.6, said={"framework": "nanogpt"}),
    Told(code="unfused_attention", asked=NARROW, share=0.6, said={"framework": "nanogpt, PyTorch 2.4"}),
    Told(code="runs_in_fp8", asked=PRETRAINED, share=1.45, said={"precision": "bf16"}),
    Told(code="runs_in_fp8", asked=PRETRAINED, share=1.45, said={"framework": "trl"}),
    Told(code="adapters", asked=WHOLE, share=4.0, said={"tokens": "1T"}),
    Told(code="adapters", asked=WHOLE, share=4.0, said={"framework": "megatron"}),
    Told(
        code="rollouts",
        asked=replace(PADDED, objective="grpo"),
        share=0.1,
        seen="hours",
        said={"objective": "next_token"},
    ),
    Told(
        code="untuned_stack",
        asked=replace(PRETRAINED, framework="torchtitan"),
        share=0.5,
        said={"framework": "huggingface"},
    ),
    Told(code="tuned_stack", asked=PADDED, share=2.0, said={"framework": "nemo"}),
    Told(
        code="short_documents",
        asked=replace(PRETRAINED, sequence_length=32_768),
        share=1.5,
        said={"samples": "1M", "tokens_per_sample": 40_000},
    ),
    Told(code="smaller_pictures", asked=PICTURES, share=8.0, seen="steps", said={"image_size": "224"}),
    Told(
        code="accumulated",
        asked=replace(TWO_CARDS, gradient_accumulation=None),
        share=0.25,
        seen="steps",
        said={"gradient_accumulation": 1},
    ),
    Told(
        code="longer_sequence",
        asked=UNSAID_LENGTH,
        share=0.25,
        seen="steps",
        said={"sequence_length": 2048},
    ),
    Told(
        code="shorter_sequence",
        asked=UNSAID_LENGTH,
        share=1.6,
        seen="steps",
        said={"sequence_length": 2048},
    ),
    Told(
        code="micro_step_timed",
        asked=replace(TUNED, micro_batch_size=1, gradient_accumulation=8, framework="huggingface", packing="packed"),
        share=8.0,
        seen="steps",
        said={"gradient_accumulation": 1},
    ),
)


def _check(row: Told, asked: Request, words: str = "") -> SpeedCheck:
    forms = {"hours": _of_hours, "steps": _of_steps, "utilization": _of_utilization, "flops": _of_flops}
    if row.seen in forms:
        return speed_check(asked, forms[row.seen](asked, row.share))
    return speed_check(asked, _of_tokens(asked, row.share, words))


def _codes(check: SpeedCheck) -> set[str]:
    assert check.verdict != "normal"
    return {cause.code for cause in check.causes}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code} {row.said or row.said_of_it}")
def test_a_cause_is_told_until_something_that_was_said_rules_it_out(row: Told) -> None:
    assert row.code in _codes(_check(row, row.asked))
    assert row.code not in _codes(_check(row, replace(row.asked, **row.said), row.said_of_it))


def test_gpu_hours_are_of_each_gpu_however_many_there_are() -> None:
    """Divided by a whole cluster, hours are too few; GPU-hours are not divided by anything."""
    asked = replace(PRETRAINED, n_gpus=1024, framework="torchtitan", tokens="1T")
    hours = _of_hours(asked, 2.0).hours
    assert isinstance(hours, float)
    assert "gpu_hours_divided" in _codes(speed_check(asked, Observed(hours=hours)))
    assert "gpu_hours_divided" not in _codes(speed_check(asked, Observed(gpu_hours=1024 * hours)))


OF_THE_MACHINE = frozenset(
    {
        "runs_in_tf32",
        "runs_in_fp32",
        "unfused_attention",
        "recomputation",
        "starved_loader",
        "offloaded",
        "untuned_stack",
    }
)
OF_THE_LINKS = frozenset({"slow_interconnect", "one_gpu_works"})


def _beside(share: float, **own: object) -> set[str]:
    """Return the causes of two cards at half their speed, beside a run of the same person's at a share of its own."""
    run: dict[str, Any] = {**ONE_CARD, **own}
    usual = speed_check(Request(**run), ANY).expected.tokens_per_second
    told = replace(TWO_CARDS, my_runs=({**run, "tokens_per_second": share * usual},))
    return _codes(speed_check(told, _of_tokens(told, 0.5, "tok/s total")))


def test_what_a_run_of_ones_own_shows_to_be_in_order_is_no_cause() -> None:
    """One card as fast as it should be has precision, kernels and loader right; its link it has not used."""
    alone = _codes(speed_check(TWO_CARDS, _of_tokens(TWO_CARDS, 0.5, "tok/s total")))
    assert {"runs_in_tf32", "starved_loader", "slow_interconnect"} <= alone
    for share in (0.85, 1.0, 1.2):
        beside = _beside(share)
        assert not beside & OF_THE_MACHINE
        assert "slow_interconnect" in beside


def test_a_run_of_ones_own_on_as_many_cards_shows_their_links_to_be_in_order() -> None:
    assert not _beside(1.0, n_gpus=2) & (OF_THE_MACHINE | OF_THE_LINKS)


@pytest.mark.parametrize(
    "own",
    [
        {"framework": "unsloth", "method": "lora"},
        {"gpu": "RTX 4090"},
        {"precision": "fp32"},
    ],
    ids=str,
)
def test_a_run_of_ones_own_on_other_terms_shows_nothing(own: dict[str, Any]) -> None:
    assert _beside(1.0, **own) & OF_THE_MACHINE


def test_a_run_of_ones_own_that_is_as_slow_clears_nothing() -> None:
    """What makes both slow is in both."""
    for share in (0.2, 0.3, 0.4):
        assert _beside(share) & OF_THE_MACHINE


def test_communication_that_takes_much_of_a_step_is_suspected_first() -> None:
    """Two cards without NVLink that exchange gradients after every micro-batch; with their check."""
    check = speed_check(TWO_CARDS, _of_tokens(TWO_CARDS, 0.5, "tok/s total"))
    assert check.expected.shares["communication"] > 0.1
    first = check.causes[0]
    assert first.code == "slow_interconnect"
    for tool in ("nvidia-smi topo -m", "NCCL_DEBUG=INFO", "all_reduce_perf"):
        assert tool in first.check
