"""The true cause is among the first four, and a normal run has none.

Authorities: what the asker of each thread found out in the end, the thread named per row; for the causes of physics,
the same run priced as it would be with the cause, which is then what was observed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from estimator.answers.check.check import SpeedCheck, speed_check
from estimator.answers.check.observation import Observed
from estimator.question.request import Request

FIRST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A question that people asked, with the cause that was found."""

    name: str
    asked: Request
    observed: Observed
    causes: frozenset[str]


THREADS = (
    Thread(
        name="pytorch/torchtitan#708: the network was misconfigured",
        asked=Request(
            model="llama-3-8b",
            gpu="h100",
            n_gpus=32,
            sequence_length=8192,
            micro_batch_size=1,
            global_batch_sequences=32,
            network_gbps_per_gpu=400,
            activation_recompute="selective",
            framework="torchtitan",
        ),
        observed=Observed(tokens_per_second=57_152),
        causes=frozenset({"slow_network"}),
    ),
    Thread(
        name="foundation-model-stack/fms-fsdp#78: between nodes",
        asked=Request(
            model="llama-2-7b",
            gpu="h100",
            n_gpus=64,
            sequence_length=4096,
            micro_batch_size=2,
            activation_recompute="none",
            framework="fms-fsdp",
        ),
        observed=Observed(tokens_per_second=64_000),
        causes=frozenset({"slow_network"}),
    ),
    Thread(
        name="jingyaogong/minimind#772: it ran on the CPU",
        asked=Request(
            model="63.9M",
            gpu="4070 Ti",
            n_gpus=1,
            samples=1_270_238,
            tokens_per_sample=512,
            sequence_length=512,
            micro_batch_size=32,
            framework="pytorch",
        ),
        observed=Observed(hours=78.3),
        causes=frozenset({"runs_on_cpu"}),
    ),
    Thread(
        name="huggingface/alignment-handbook#126: the job was not set up right",
        asked=Request(
            model="mistral-7b",
            gpu="A100 80GB",
            n_gpus=8,
            samples=60_000,
            tokens_per_sample=500,
            epochs=3,
            framework="trl",
        ),
        observed=Observed(hours=72),
        causes=frozenset({"device_waits"}),
    ),
    Thread(
        name="hiyouga/LLaMA-Factory#5014: ZeRO-3 over 10 Gb/s Ethernet",
        asked=Request(
            model="llama-3-8b",
            gpu="a800-sxm",
            n_gpus=16,
            method="lora",
            lora_rank=8,
            sequence_length=1024,
            micro_batch_size=1,
            gradient_accumulation=2,
            data_sharding="zero3",
            framework="llama-factory",
            network_gbps_per_gpu=200,
        ),
        observed=Observed(step_seconds=90),
        causes=frozenset({"slow_network"}),
    ),
    Thread(
        name="huggingface/blog#1649: a slow network between two nodes",
        asked=Request(
            model="llama-2-70b",
            gpu="A100 80GB",
            n_gpus=16,
            sequence_length=2048,
            micro_batch_size=1,
            global_batch_sequences=16,
            activation_recompute="full",
            data_sharding="zero3",
            framework="trl, fsdp",
            network_gbps_per_gpu=200,
        ),
        observed=Observed(step_seconds=97.2),
        causes=frozenset({"slow_network"}),
    ),
    Thread(
        name="foundation-model-stack/fms-fsdp#89: the sparse peak",
        asked=Request(model="llama-2-7b", gpu="h100", n_gpus=64, framework="fms-fsdp"),
        observed=Observed(mfu=0.24),
        causes=frozenset({"sparse_peak"}),
    ),
    Thread(
        name="unslothai/unsloth#1631: sampling is most of the time",
        asked=Request(
            model="qwen2.5-1.5b",
            gpu="a100",
            n_gpus=1,
            objective="grpo",
            method="lora",
            framework="unsloth",
            samples=7_473,
            tokens_per_sample=400,
        ),
        observed=Observed(hours=4),
        causes=frozenset({"rollouts"}),
    ),
    Thread(
        name="artidoro/qlora#77: micro-batches of one sample, padded",
        asked=Request(
            model="llama-30b",
            gpu="A100 80GB",
            n_gpus=1,
            method="qlora",
            framework="huggingface",
            samples=52_002,
            tokens_per_sample=130,
            epochs=3,
            global_batch_sequences=16,
        ),
        observed=Observed(hours=85),
        causes=frozenset({"tiny_micro_batch", "padding"}),
    ),
)


def _first(check: SpeedCheck) -> list[str]:
    return [cause.code for cause in check.causes[:FIRST]]


@pytest.mark.parametrize("thread", THREADS, ids=lambda thread: thread.name)
def test_what_the_thread_found_is_among_the_first_three(thread: Thread) -> None:
    check = speed_check(thread.asked, thread.observed)
    assert check.verdict == "slow"
    assert thread.causes & set(_first(check))


def test_a_tpu_is_told_nothing_of_links_that_it_does_not_have() -> None:
    """erfanzar/EasyDeL#205."""
    asked = Request(
        model="qwen2.5-3b", gpu="tpu-v4", n_gpus=32, sequence_length=8192, global_batch_sequences=1024, framework="jax"
    )
    codes = {cause.code for cause in speed_check(asked, Observed(tokens_per_second=49_345)).causes}
    assert not codes & {"scale_up_link_unused", "pcie_tensor_parallel", "slow_network"}


TUNED = Request(
    model="llama-3.1-8b",
    gpu="h100-sxm",
    n_gpus=64,
    framework="torchtitan",
    sequence_length=8192,
    global_batch_sequences=512,
    micro_batch_size=2,
    activation_recompute="selective",
    data_sharding="zero3",
    precision="bf16",
    network_gbps_per_gpu=400.0,
)
TUNER = Request(
    model="llama-3.1-8b",
    gpu="a100-sxm-80gb",
    n_gpus=8,
    framework="huggingface",
    method="lora",
    sequence_length=2048,
    global_batch_sequences=64,
    micro_batch_size=4,
    activation_recompute="none",
)
ONE_CARD = Request(
    model="qwen2.5-1.5b",
    gpu="rtx-4090",
    n_gpus=1,
    framework="huggingface",
    method="lora",
    sequence_length=1024,
    global_batch_sequences=16,
    micro_batch_size=4,
    precision="bf16",
)
MIXTURE = replace(TUNED, model="qwen3-30b-a3b", framework="megatron", sequence_length=4096, data_sharding="auto")
LOOPED = replace(TUNER, model="qwen3-30b-a3b", gpu="h100-sxm", framework="torchtune")


@pytest.mark.parametrize(
    ("asked", "changes", "code"),
    [
        (TUNED, {"precision": "fp32"}, "runs_in_fp32"),
        (TUNED, {"precision": "tf32"}, "runs_in_tf32"),
        (TUNED, {"network_gbps_per_gpu": 12.5}, "slow_network"),
        (TUNED, {"network_gbps_per_gpu": 5.0}, "slow_network"),
        (TUNED, {"network_gbps_per_gpu": 2.0}, "slow_network"),
        (replace(TUNED, micro_batch_size=1), {"framework": "huggingface"}, "untuned_stack"),
        (TUNER, {"precision": "fp32"}, "runs_in_fp32"),
        (TUNER, {"precision": "tf32"}, "runs_in_tf32"),
        (
            # Kept for all layers, score matrices of such a length would have no room.
            replace(
                TUNER,
                model="qwen2.5-0.5b",
                method="full",
                sequence_length=16_384,
                micro_batch_size=1,
                activation_recompute="full",
            ),
            {"framework": "huggingface, eager attention"},
            "unfused_attention",
        ),
        # Else FP32 would need recomputation, which is another cause.
        (replace(ONE_CARD, precision="auto", activation_recompute="full"), {"precision": "fp32"}, "runs_in_fp32"),
        (replace(ONE_CARD, micro_batch_size=None, sequence_length=256), {"micro_batch_size": 1}, "tiny_micro_batch"),
        (LOOPED, {"framework": "torchtune, experts in a loop"}, "expert_loop"),
    ],
)
def test_a_run_as_slow_as_a_cause_makes_it_is_told_of_that_cause(
    asked: Request, changes: Mapping[str, object], code: str
) -> None:
    """Priced with it, and asked about without: among the first four, wherever it makes a run slow at all."""
    with_it = replace(asked, **changes)  # type: ignore[arg-type]
    speed = speed_check(with_it, Observed(tokens_per_second=1e3)).expected.tokens_per_second
    check = speed_check(asked, Observed(tokens_per_second=speed))
    assert check.verdict == "slow"
    assert code in _first(check)


@pytest.mark.parametrize("times", [2, 4, 8])
def test_steps_of_longer_sequences_than_assumed_are_told_of_their_length(times: int) -> None:
    """A step's time tells a speed by the length of its sequences: a wrong one makes every token too slow."""
    asked = replace(TUNER, sequence_length=None, micro_batch_size=None, packing="packed")
    usual = speed_check(asked, Observed(step_seconds=1))
    length = usual.run.sequence_length
    longer = speed_check(replace(asked, sequence_length=times * length), Observed(step_seconds=1)).expected
    seconds = 64 * times * length / longer.tokens_per_second
    check = speed_check(asked, Observed(step_seconds=seconds))
    assert check.verdict == "slow"
    assert "longer_sequence" in _first(check)


@pytest.mark.parametrize("model", ["convnextv2-huge", "vit-large", "dit-xl-2", "whisper-large-v3"])
@pytest.mark.parametrize("seconds", [0.01, 1.0, 30.0])
def test_nobody_is_asked_how_long_a_picture_or_a_sound_is_in_tokens(model: str, seconds: float) -> None:
    """An argument that is named can be given: here the size of a sample says how long its sequence is."""
    asked = Request(model=model, gpu="h100", n_gpus=8, global_batch_sequences=64)
    check = speed_check(asked, Observed(step_seconds=seconds))
    told = [cause.check for cause in check.causes] + [warning.message for warning in check.warnings]
    assert told
    assert not [text for text in told if "sequence_length" in text]


XTUNER = (
    "06/01 10:00:00 - mmengine - INFO - Iter(train) [  20/1000]  lr: 2.0000e-05  eta: 1:00:26  time: {time}  "
    "data_time: {data}  memory: 12345  loss: 1.2000  tflops: 21.0  tokens_per_sec: {tokens}\n"
    "06/01 10:00:37 - mmengine - INFO - Iter(train) [  30/1000]  lr: 2.0000e-05  eta: 0:59:49  time: {time}  "
    "data_time: {data}  memory: 12345  loss: 1.1000  tflops: 21.0  tokens_per_sec: {tokens}"
)


def test_a_log_that_waits_for_data_says_so_first_and_one_that_does_not_says_it_late() -> None:
    """XTuner prints `data_time` beside `time`."""
    asked = replace(TUNER, framework="xtuner")
    usual = speed_check(asked, Observed(tokens_per_second=1e3)).expected.tokens_per_second / 8
    starved = XTUNER.format(time=8.0, data=6.0, tokens=usual / 4)
    assert _first(speed_check(asked, Observed(log=starved)))[0] == "starved_loader"
    fed = XTUNER.format(time=8.0, data=0.01, tokens=usual / 4)
    assert "starved_loader" not in _first(speed_check(asked, Observed(log=fed)))[:1]


@pytest.mark.parametrize(
    ("share", "code"), [(1 / 3, "several_epochs"), (1 / 8, "one_gpu_works"), (0.55, "evaluation_between")]
)
def test_hours_may_hold_more_than_the_steps_that_were_counted(share: float, code: str) -> None:
    """Three epochs counted as one; one of eight GPUs at work; evaluation in between."""
    asked = replace(TUNER, tokens="100M")
    hours = 100e6 / speed_check(asked, Observed(hours=1)).expected.tokens_per_second / 3600
    check = speed_check(asked, Observed(hours=hours / share))
    assert check.verdict == "slow"
    assert code in _first(check)


@pytest.mark.parametrize("asked", [TUNED, TUNER, ONE_CARD, MIXTURE], ids=["tuned", "tuner", "one card", "mixture"])
def test_a_normal_run_has_no_cause(asked: Request) -> None:
    expected = speed_check(asked, Observed(tokens_per_second=1e3)).expected
    for speed in (1.01 * expected.low, expected.tokens_per_second, 0.99 * expected.high):
        check = speed_check(asked, Observed(tokens_per_second=speed))
        assert (check.verdict, check.causes) == ("normal", ())


@pytest.mark.parametrize("share", [0.3, 0.1, 0.03, 0.005])
def test_one_card_is_spoken_of_as_one(share: float) -> None:
    """Whoever has one wonders who the others are."""
    usual = speed_check(ONE_CARD, Observed(tokens_per_second=1e3)).expected.tokens_per_second
    causes = speed_check(ONE_CARD, Observed(tokens_per_second=share * usual)).causes
    assert causes
    assert not [cause.what for cause in causes if "GPUs" in cause.what]


@pytest.mark.parametrize(
    ("changes", "share", "code"),
    [
        # Sampling takes most of the time of such a run, and nobody else has the card.
        ({"objective": "grpo", "samples": 7_500, "tokens_per_sample": 800}, 0.01, "device_waits"),
        # A pre-training's tokens are those that were trained on.
        ({"method": "full", "tokens": "15T"}, 1 / 3, "several_epochs"),
    ],
)
def test_a_cause_that_cannot_be_is_none(changes: Mapping[str, object], share: float, code: str) -> None:
    asked = replace(TUNER, **changes)  # type: ignore[arg-type]
    right = speed_check(asked, Observed(hours=1))
    hours = right.run.amount.tokens / right.expected.tokens_per_second / 3600
    check = speed_check(asked, Observed(hours=hours / share))
    assert check.verdict == "slow"
    assert code not in {cause.code for cause in check.causes}


@pytest.mark.parametrize(("factor", "code"), [(8.0, "smaller_pictures"), (1 / 8, "larger_pictures")])
def test_pictures_whose_size_nobody_told_may_be_of_another(factor: float, code: str) -> None:
    """Steps that take as long as those of an eighth of the positions; not where their size is told."""
    asked = Request(model="resnet50", gpu="h100", n_gpus=1, global_batch_sequences=64)
    usual = speed_check(asked, Observed(step_seconds=1)).expected
    seconds = 64 * speed_check(asked, Observed(step_seconds=1)).run.sequence_length / usual.tokens_per_second / factor
    assert code in _first(speed_check(asked, Observed(step_seconds=seconds)))
    told = speed_check(replace(asked, image_size="224"), Observed(step_seconds=seconds))
    assert code not in {cause.code for cause in told.causes}


SHORT_OF_MEMORY = [
    ("llama-3.1-8b", "rtx-4090", "lora", {"runs_in_fp32", "runs_in_tf32"}),
    ("qwen2.5-14b", "a100-sxm-40gb", "lora", {"runs_in_fp32", "runs_in_tf32"}),
]


@pytest.mark.parametrize(("model", "gpu", "method", "without_room"), SHORT_OF_MEMORY)
def test_no_cause_is_offered_that_the_device_has_no_room_for(
    model: str, gpu: str, method: str, without_room: set[str]
) -> None:
    """Weights of 8B in FP32 take 32 GB: a run on 24 GB would have ended, not gone slowly."""
    asked = Request(
        model=model, gpu=gpu, n_gpus=1, method=method, framework="unsloth", sequence_length=2048, packing="packed"
    )
    expected = speed_check(asked, Observed(tokens_per_second=1)).expected.tokens_per_second
    for share in (0.3, 0.4, 0.5):
        check = speed_check(asked, Observed(tokens_per_second=share * expected))
        assert check.verdict == "slow"
        assert without_room.isdisjoint(cause.code for cause in check.causes)
