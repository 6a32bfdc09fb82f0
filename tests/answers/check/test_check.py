"""What `check_training_speed` answers: the verdict, its grounds, and what else may be so.

Authorities: the program's contract for names and meanings; definitions of MFU and HFU (Korthikanti et al. 2022,
section 6); datasheets for peaks; each case names its own.
"""

import json
import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.base.errors import InvalidValueError, MissingValueError
from server.protocol.errors import ArgumentError
from server.protocol.tool import Tool
from tools.check_training_speed import check_training_speed

TOOL = Tool(check_training_speed, title="Check training speed")
RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 64}


def _answer(**changes: object) -> dict[str, Any]:
    asked = {name: value for name, value in (RUN | changes).items() if value is not None}
    return TOOL.answer(asked).structured


def _codes(answer: dict[str, Any]) -> list[str]:
    return [cause["code"] for cause in answer["likely_causes"]]


def _expected() -> float:
    return float(_answer(observed_tokens_per_second=1e5)["expected"])


def test_the_answer_is_what_its_schema_says() -> None:
    jsonschema.validate(_answer(observed_tokens_per_second="400k", tokens="1T"), TOOL.output_schema)
    jsonschema.validate(_answer(observed_mfu=0.1, gpu="mystery", peak_tflops=500), TOOL.output_schema)


def test_the_verdict_goes_up_with_the_speed() -> None:
    """Slow below the range, normal in it, faster above, implausible above the ceiling."""
    # A tuned stack's range ends at the ceiling.
    untuned = {"framework": "huggingface"}
    at = _answer(observed_tokens_per_second=1e5, **untuned)
    steps = [
        0.5 * at["expected_low"],
        at["expected"],
        math.sqrt(at["expected_high"] * at["ceiling"]["tokens_per_second"]),
        1.01 * at["ceiling"]["tokens_per_second"],
    ]
    verdicts = [_answer(observed_tokens_per_second=speed, **untuned)["verdict"] for speed in steps]
    assert verdicts == ["slow", "normal", "faster", "implausible"]


def test_every_form_of_one_observation_is_the_same_speed() -> None:
    """Definitions: batch over step time, tokens over hours, FLOPs over peak."""
    said = {"global_batch_sequences": 512, "sequence_length": 8192, "tokens": "100B"}
    speed = 512 * 8192 / 8.0
    base = _answer(observed_tokens_per_second=speed, **said)
    forms = {
        "observed_step_seconds": 8.0,
        "observed_hours": 100e9 / speed / 3600,
        "observed_mfu": base["model_flops_utilization"],
        "observed_tflops_per_gpu": base["tflops_per_gpu"],
    }
    for name, value in forms.items():
        assert _answer(**said, **{name: value})["observed"] == pytest.approx(speed, rel=1e-9)
    assert base["step_seconds"] == pytest.approx(8.0)
    assert base["model_flops_utilization"] == pytest.approx(base["tflops_per_gpu"] / base["peak_tflops"])
    assert base["hardware_flops_utilization"] >= base["model_flops_utilization"]


def test_hours_hold_evaluation_and_failures_too() -> None:
    """Published wall-clock times are of runs, not of steps."""
    steady = _answer(observed_tokens_per_second=1e5)
    hours = _answer(observed_hours=1000, tokens="1T")
    assert hours["expected"] < steady["expected"]


def test_half_the_utilization_of_a_readme_may_be_the_sparse_peak() -> None:
    """foundation-model-stack/fms-fsdp issue 89: 24 % against 1979, where the README divides by 989."""
    run = {"model": "llama-2-7b", "n_gpus": 8}
    whole = _answer(**run, observed_mfu=0.24)
    half = 0.5 * 0.24 / whole["observed_over_expected"]
    answer = _answer(**run, observed_mfu=half)
    assert answer["verdict"] == "slow"
    cause = answer["likely_causes"][0]
    assert cause["code"] == "sparse_peak"
    assert cause["explains"]
    assert "1,979" in cause["evidence"]
    assert "989.4" in cause["evidence"]


def test_a_peak_that_the_caller_names_is_the_one_divided_by() -> None:
    """The H100's headline 1,979 TFLOPS assumes 2:4 sparsity."""
    answer = _answer(model="llama-2-7b", n_gpus=8, observed_mfu=0.24, peak_tflops=1979)
    assert answer["peak_tflops"] == 989.4
    assert answer["model_flops_utilization"] == pytest.approx(0.48, rel=1e-3)
    assert "sparse_peak_suspected" in [warning["code"] for warning in answer["warnings"]]


def test_a_4090_may_have_been_divided_by_its_fp16_accumulate_rate() -> None:
    """NVIDIA Ada whitepaper: 330.3 TFLOPS with FP16 accumulation, 165.2 with FP32."""
    answer = _answer(gpu="RTX 4090", n_gpus=1, model="1B", method="lora", observed_mfu=0.1, detail="detailed")
    assert "accumulate_peak" in _codes(answer)


def test_an_8_bit_utilization_may_be_of_the_16_bit_peak() -> None:
    """NVIDIA's datasheet of the H100: 1,979 TFLOPS in FP8, 989.4 in BF16, both dense."""
    run = {"precision": "fp8", "detail": "detailed"}
    usual = _answer(**run, observed_mfu=0.3)
    answer = _answer(**run, observed_mfu=2 * 0.3 / usual["observed_over_expected"])
    cause = next(cause for cause in answer["likely_causes"] if cause["code"] == "half_precision_peak")
    assert cause["tokens_per_second"] == pytest.approx(2 * answer["expected"], rel=1e-3)
    assert "accumulate_peak" not in _codes(answer)


def test_the_speed_of_one_gpu_is_told_from_that_of_all() -> None:
    answer = _answer(observed_tokens_per_second=_expected() / 64)
    assert answer["likely_causes"][0]["code"] in {"speed_of_one_gpu", "runs_in_fp32"}
    assert "speed_of_one_gpu" in _codes(answer)


def test_a_run_that_is_too_fast_may_be_of_lower_precision_or_counted_twice() -> None:
    at = _answer(observed_tokens_per_second=1e5)
    assert "runs_in_fp8" in _codes(_answer(observed_tokens_per_second=1.02 * at["expected_high"], detail="detailed"))
    twice = _answer(observed_tokens_per_second=64 * _expected())
    assert twice["verdict"] == "implausible"
    assert twice["likely_causes"][0]["code"] == "multiplied_twice"


def test_an_implausible_claim_is_told_the_bound_it_breaks() -> None:
    """794.5 TFLOPS is the best bf16 matmul rate measured on an H100 SXM; 989.4 is the datasheet's."""
    answer = _answer(observed_tflops_per_gpu=900)
    assert answer["verdict"] == "implausible"
    assert answer["ceiling"]["tflops_per_gpu"] < 900
    assert answer["ceiling"]["name"] in answer["summary"]
    assert "989.4" in answer["summary"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("recomputation", {"framework": "torchtitan"}),
        ("untuned_stack", {}),
        ("tiny_micro_batch", {"n_gpus": 8, "method": "lora", "sequence_length": 512, "global_batch_sequences": 512}),
        ("slow_network", {}),
        ("runs_in_fp32", {"precision": "bf16"}),
    ],
)
def test_each_cause_is_the_run_priced_again_with_it(code: str, told: dict[str, object]) -> None:
    """Every cause that is listed moves the speed towards what was observed, and says by how much."""
    expected = _answer(observed_tokens_per_second=1e5, **told)["expected"]
    for share in (0.7, 0.5, 0.3, 0.1):
        found = {
            cause["code"]: cause
            for cause in _answer(observed_tokens_per_second=share * expected, detail="detailed", **told)[
                "likely_causes"
            ]
        }
        if code in found:
            assert found[code]["tokens_per_second"] < 0.96 * expected
            assert "×" in found[code]["evidence"]
            return
    pytest.fail(f"{code} was never listed")


def test_padding_is_priced_by_the_lengths_that_were_told() -> None:
    """Samples of 512 tokens padded to 2,048 leave a quarter of the tokens."""
    said = {"samples": "1M", "tokens_per_sample": 512, "sequence_length": 2048, "method": "lora", "n_gpus": 8}
    at = _answer(observed_tokens_per_second=1e3, **said)["expected"]
    answer = _answer(observed_tokens_per_second=at / 4, **said)
    padding = next(cause for cause in answer["likely_causes"] if cause["code"] == "padding")
    assert padding["tokens_per_second"] == pytest.approx(at / 4, rel=1e-6)
    assert padding["explains"]


def test_experts_on_a_stack_that_loops_over_them_are_warned_of() -> None:
    """hiyouga/LlamaFactory issue 7921: LoRA of a 30B-A3B slower than of a dense model."""
    answer = _answer(
        model="qwen3-30b-a3b",
        n_gpus=8,
        method="lora",
        framework="huggingface",
        sequence_length=2048,
        global_batch_sequences=16,
        observed_step_seconds=2,
        detail="detailed",
    )
    assert "experts_on_untuned_stack" in [warning["code"] for warning in answer["warnings"]]


def test_time_left_is_what_is_left_over_the_speed() -> None:
    answer = _answer(observed_tokens_per_second="500k", tokens="1T", tokens_done="400B")
    assert answer["remaining_days"] == pytest.approx(600e9 / 500e3 / 86_400)
    assert answer["remaining_days_low"] < answer["remaining_days"] < answer["remaining_days_high"]
    assert _answer(observed_tokens_per_second="500k")["remaining_days"] is None


def test_nothing_is_left_of_a_run_whose_hours_are_of_all_its_tokens() -> None:
    assert _answer(observed_hours=1000, tokens="1T")["remaining_days"] is None
    part = _answer(observed_hours=1000, tokens="1T", tokens_done="400B")
    assert part["remaining_days"] == pytest.approx(1000 * 600 / 400 / 24)


def test_a_speed_in_sequences_of_unsaid_length_is_doubted_for_their_length_first() -> None:
    """A fine-tune on 1,024 tokens a sequence, its log read as if of the model's usual ones."""
    told = {"n_gpus": 8, "global_batch_sequences": 128}
    step = 1024 * 128 / _answer(observed_step_seconds=9, **told)["expected"]
    answer = _answer(observed_step_seconds=step, **told)
    assert answer["verdict_depends_on"] == "sequence_length"
    assert "is normal with sequences of" in answer["summary"]
    assert "sequence_length_assumed" in [warning["code"] for warning in answer["warnings"]]
    said = _answer(observed_step_seconds=step, sequence_length=1024, **told)
    assert "sequence_length_assumed" not in [warning["code"] for warning in said["warnings"]]


def test_where_no_usual_cause_is_enough_several_together_are_named() -> None:
    """Padding and gradient checkpointing, each usual on such stacks."""
    told: dict[str, Any] = {
        "model": "llama-3.1-8b",
        "precision": "bf16",
        "n_gpus": 8,
        "method": "lora",
        "framework": "huggingface",
        "sequence_length": 2048,
        "global_batch_sequences": 16,
    }
    answer = _answer(**told, observed_tokens_per_second=1e3)
    # A little slower than padding alone would explain, which halves the speed.
    usual = _answer(**told, observed_tokens_per_second=0.9 * 0.5 * answer["expected_low"], detail="detailed")
    together = usual["summary"].partition("together")[2]
    named = [cause for cause in usual["likely_causes"] if cause["what"] in together]
    assert "padding" in [cause["code"] for cause in named]
    assert len(named) > 1


def test_a_cause_that_changes_nothing_is_not_named_for_stating_the_layout() -> None:
    """What is compared is one layout with and without the cause, and not a stated layout with one left open."""
    expected = _expected()
    slow = _answer(observed_tokens_per_second=0.6 * expected, detail="detailed")
    layout = {name: slow["layout"][name] for name in ("tensor_parallel", "pipeline_parallel", "data_sharding")}
    stated = _answer(
        observed_tokens_per_second=0.6 * expected,
        micro_batch_size=slow["layout"]["micro_batch_size"],
        global_batch_sequences=slow["layout"]["global_batch_sequences"],
        detail="detailed",
        **layout,
    )

    def share(answer: dict[str, Any], code: str) -> float:
        cause = next(cause for cause in answer["likely_causes"] if cause["code"] == code)
        return float(cause["tokens_per_second"] / answer["expected"])

    assert share(slow, "recomputation") == pytest.approx(share(stated, "recomputation"))


def test_a_log_tells_speed_batch_and_what_is_left() -> None:
    """Megatron-LM's line; the steps left times the step time."""
    lines = [
        f" iteration {i}/ 1000 | consumed samples: {512 * i} | elapsed time per iteration (ms): 8000.0 | "
        "throughput per GPU (TFLOP/s/GPU): 400.0 | global batch size: 512 |"
        for i in range(1, 201)
    ]
    answer = _answer(observed_log="\n".join(lines), sequence_length=8192)
    assert answer["observed"] == pytest.approx(512 * 8192 / 8)
    assert answer["remaining_days"] == pytest.approx(800 * 8 / 86_400)
    assert answer["log"]["format"] == "megatron"
    assert answer["step_seconds"] == pytest.approx(8.0)


def test_a_log_of_steps_alone_tells_the_time_left_and_says_what_batch_its_verdict_assumes() -> None:
    """Time left needs steps alone; a speed needs what a step takes."""
    bar = " 10%|█ | {}/1000 [0:{:02d}:00<1:23:45, 3.00s/it]"
    answer = _answer(observed_log="\n".join(bar.format(20 * i, i) for i in range(1, 30)))
    assert answer["remaining_days"] == pytest.approx(420 * 3 / 86_400)
    assert answer["log"]["seconds_left"] == pytest.approx(420 * 3)
    assert answer["log"]["tokens_per_second"] is None
    assert "batch_assumed" in [warning["code"] for warning in answer["warnings"]]
    assert "global_batch_sequences" in answer["summary"]


def test_what_log_and_arguments_say_differently_is_the_first_cause() -> None:
    """Above a third; below, neither errs."""
    lines = [
        f" iteration {i}/ 1000 | consumed samples: {512 * i} | elapsed time per iteration (ms): 8000.0 | "
        "global batch size: 512 |"
        for i in range(1, 201)
    ]
    for batch, apart in ((128, True), (2048, True), (480, False)):
        answer = _answer(observed_log="\n".join(lines), sequence_length=8192, global_batch_sequences=batch)
        codes = [cause["code"] for cause in answer["likely_causes"][:1]]
        assert (codes == ["log_contradicts_arguments"]) == apart
        assert ("log_contradicts_arguments" in [warning["code"] for warning in answer["warnings"]]) == apart


def test_what_the_log_tells_of_the_run_is_taken_where_the_caller_is_silent() -> None:
    """Batch, length and framework; the answer says that they are the log's."""
    lines = [
        (
            "Training starts at step 1, with local batch size 1, global batch size 64, sequence length 4096, "
            "total steps 900"
        ),
        *(
            f"step: {i}  loss: 7.0  memory: 42GiB(53%)  tps: 6,543  tflops: 380.2  mfu: 38.4%"
            for i in range(10, 500, 10)
        ),
    ]
    answer = _answer(observed_log="\n".join(lines))
    told = {entry["name"]: (entry["value"], entry["source"]) for entry in answer["assumptions"]}
    assert told["sequence_length"] == (4096, "inferred")
    assert told["global_batch_sequences"] == (64, "inferred")
    assert told["framework"] == ("torchtitan", "inferred")
    assert answer["log"]["trainer"] == "torchtitan"
    assert answer["log"]["tokens_per_second"] == pytest.approx(6543 * RUN["n_gpus"])
    assert answer["log"]["tokens_per_second_per_gpu"] == pytest.approx(6543)
    assert answer["log"]["quoted"].startswith("step: 490")


@pytest.mark.parametrize(
    ("given_wrong", "said"),
    [
        ({}, "observed_tokens_per_second is missing"),
        ({"observed_mfu": 0.3, "observed_tflops_per_gpu": 300}, "observed_mfu"),
        ({"observed_mfu": 38}, "0.38"),
        ({"observed_step_seconds": -3, "global_batch_sequences": 8}, "observed_step_seconds"),
        ({"observed_hours": 10}, "tokens"),
        ({"observed_tokens_per_second": "fast"}, "observed_tokens_per_second"),
        ({"observed_log": "/var/log/train.log"}, "path"),
        ({"observed_log": "step: 1  loss: 1.0  tps: 5\n" * 170_000}, "at most 4000000 characters"),
        ({"observed_log": "é" * 2_200_000}, "the last few hundred lines"),
        ({"observed_tokens_per_second": 1e5, "tokens": "1B", "tokens_done": "2B"}, "tokens_done"),
        ({"observed_tokens_per_second": 1e5, "precision": "bf17"}, "precision"),
    ],
)
def test_a_bad_question_is_told_what_would_do(given_wrong: dict[str, object], said: str) -> None:
    with pytest.raises((InvalidValueError, MissingValueError, ArgumentError)) as refused:
        _answer(**given_wrong)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 400


@settings(max_examples=40)
@given(
    speed=st.floats(1e-3, 1e14),
    n_gpus=st.sampled_from([1, 2, 3, 8, 64, 1000]),
    gpu=st.sampled_from(["h100-sxm", "RTX 4090", "a100-80gb", "mi300x", "tpu-v5p", "t4"]),
    method=st.sampled_from(["full", "lora", "qlora"]),
)
def test_any_speed_has_a_verdict_and_finite_figures(speed: float, n_gpus: int, gpu: str, method: str) -> None:
    answer = _answer(observed_tokens_per_second=speed, n_gpus=n_gpus, gpu=gpu, method=method, model="3B")
    assert answer["expected_low"] < answer["expected"] < answer["expected_high"]
    slow, fast = speed < answer["expected_low"], speed > answer["ceiling"]["tokens_per_second"]
    assert (answer["verdict"] == "implausible") == fast
    assert (answer["verdict"] == "slow") == (slow and not fast)
    assert math.isfinite(json.loads(json.dumps(answer))["observed_over_expected"])


@pytest.mark.parametrize("model", ["resnet50", "convnext-tiny", "llama-3.1-8b", "sd-1.5"])
def test_adapters_are_a_cause_only_where_there_is_something_for_them_to_lie_beside(model: str) -> None:
    """Networks without attention have none; a speed far above what is expected asks for every cause that there is."""
    asked = {"model": model, "gpu": "h100-sxm", "n_gpus": 8, "global_batch_sequences": 512, "framework": "pytorch"}
    expected = TOOL.answer(asked | {"observed_step_seconds": 1.0}).structured["observed_over_expected"]
    answer = TOOL.answer(asked | {"observed_step_seconds": expected / 3.0}).structured
    assert answer["observed_over_expected"] == pytest.approx(3.0)
    assert "adapters" not in _codes(answer) or model in {"llama-3.1-8b", "sd-1.5"}


LOGGED = "{'loss': 1.2, 'train_runtime': 100, 'train_steps_per_second': 0.5, 'train_samples_per_second': 32}"


@pytest.mark.parametrize(
    "seen", [{"observed_step_seconds": 2}, {"observed_tokens_per_second": "20k"}, {"observed_log": LOGGED}]
)
@pytest.mark.parametrize("framework", [None, "huggingface", "unsloth", "torchtune, packed"])
def test_lengths_of_samples_are_taken_without_their_number(seen: dict[str, Any], framework: str | None) -> None:
    """A speed depends on how long samples are, and not on how many there are."""
    run = {"model": "mistral-7b", "n_gpus": 8, "method": "lora", "tokens_per_sample": "400", "framework": framework}
    alone, numbered = (_answer(**run, **seen, global_batch_sequences=64, samples=n) for n in (None, "52k"))
    assert alone["expected"] == pytest.approx(numbered["expected"])
    assert alone["verdict"] == numbered["verdict"]
    # The log ends with what its trainer tells of a whole run.
    assert alone["remaining_days"] == (0.0 if "observed_log" in seen else None)
    assert not {"tokens", "processed_tokens"} & {told["name"] for told in alone["assumptions"]}
