"""The default answer: predicted from the step, with a layout, a range and what it rests on.

Authorities: the program's contract for names and meanings; arithmetic and published runs for figures. No predicted
figure is pinned: a better calibration changes them all.
"""

import math
from dataclasses import replace
from typing import Any

import pytest

from estimator.answers.estimate.predict import prediction
from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import committed_calibration
from estimator.models.flops import flop_counts
from estimator.models.parameters import parameter_counts
from estimator.models.training import Method
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.question import Question
from estimator.resolve.framework.named import named_framework
from server.protocol.registry import TOOLS

ASKED: dict[str, Any] = {"model": "llama-3.1-8b", "tokens": "15T", "gpu": "h100-sxm", "n_gpus": 512}
PARTS = {"compute", "attention", "memory_bound", "communication", "bubble", "optimizer", "other"}


def _answer(**changes: object) -> dict[str, Any]:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    return tool.answer({"detail": "detailed"} | ASKED | changes).structured


def _codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


def test_the_shares_of_a_step_sum_to_one() -> None:
    shares = _answer(detail="detailed")["time_breakdown"]
    assert set(shares) == PARTS
    assert math.fsum(shares.values()) == pytest.approx(1.0)
    assert min(shares.values()) >= 0.0


def test_the_layout_uses_every_gpu_and_the_whole_batch() -> None:
    answer = _answer(global_batch_sequences=2048)
    lay = answer["layout"]
    degrees = ("data_parallel", "tensor_parallel", "pipeline_parallel", "context_parallel")
    assert math.prod(lay[degree] for degree in degrees) == 512
    assert lay["data_parallel"] * lay["micro_batch_size"] * lay["micro_batches"] == 2048
    assert lay["global_batch_sequences"] == 2048


def test_time_speed_and_batch_of_an_answer_agree() -> None:
    """Tokens a step over its seconds is the speed; run-level overhead is in the days and not in the step."""
    answer = _answer(global_batch_sequences=1024, sequence_length=4096)
    rate = answer["tokens_per_second_per_gpu"]
    assert answer["basis"] == "predicted"
    assert 1024 * 4096 / answer["step_seconds"] / 512 == pytest.approx(rate, rel=1e-6)
    assert answer["training_seconds"] >= 15e12 / (512 * rate)


def test_what_memory_is_used_for_adds_up_and_fits() -> None:
    used = _answer(detail="detailed")["memory"]
    parts = ("weights_gb", "gradients_gb", "optimizer_gb", "activations_gb", "other_gb")
    assert math.fsum(used[part] for part in parts) == pytest.approx(used["per_gpu_gb"])
    assert used["fits"]
    assert used["per_gpu_gb"] <= used["capacity_gb"]


def test_runner_ups_are_other_layouts_hardly_slower() -> None:
    answer = _answer(global_batch_sequences=2048, detail="detailed")
    ups = answer["runner_up_layouts"]
    seconds = [up["step_seconds"] for up in ups]
    assert ups
    assert seconds == sorted(seconds)
    assert all(up["layout"] != answer["layout"] for up in ups)
    assert answer["step_seconds"] <= seconds[0] * (1 + 1e-9)
    assert seconds[-1] <= 1.06 * answer["step_seconds"]


def test_the_range_is_around_the_answer_and_says_how_sure_it_is() -> None:
    answer = _answer()
    assert answer["training_days_low"] < answer["training_days"] < answer["training_days_high"]
    assert answer["interval_coverage"] == committed_calibration().coverage


def test_a_13b_model_does_not_train_in_full_on_one_h100() -> None:
    """Rajbhandari et al. 2020: 13e9 parameters at 16 to 18 bytes are over 200 GB, and it has 80."""
    answer = _answer(model="llama-2-13b", tokens="1B", n_gpus=1)
    assert not answer["memory"]["fits"]
    assert answer["memory"]["per_gpu_gb"] > 200
    assert "does_not_fit" in _codes(answer)
    (message,) = [warning["message"] for warning in answer["warnings"] if warning["code"] == "does_not_fit"]
    assert "lora" in message
    assert "n_gpus" in message


def test_the_same_model_fits_with_adapters_on_four_bits() -> None:
    """Dettmers et al. 2023: 13B in 4 bit takes some 7 GB."""
    answer = _answer(model="llama-2-13b", tokens="1B", n_gpus=1, method="qlora")
    assert answer["memory"]["fits"]
    assert "does_not_fit" not in _codes(answer)
    assert answer["memory"]["weights_gb"] == pytest.approx(13e9 * 0.52 / 1e9 + 2 * 2 * 32_000 * 5_120 / 1e9, rel=0.1)


def test_an_observed_speed_replaces_the_prediction() -> None:
    answer = _answer(observed_tokens_per_second=4e6)
    assert answer["basis"] == "observed"
    assert answer["training_seconds"] == pytest.approx(15e12 / 4e6, rel=0.1)
    predicted = _answer()
    width = answer["training_days_high"] / answer["training_days_low"]
    assert width < predicted["training_days_high"] / predicted["training_days_low"]


def test_what_would_narrow_the_range_is_what_was_not_said() -> None:
    named = {one["argument"]: one["narrows_by"] for one in _answer()["narrow_by"]}
    assert "observed_tokens_per_second" in named
    assert all(0 <= share < 1 for share in named.values())
    said = _answer(
        framework="megatron",
        activation_recompute="selective",
        micro_batch_size=2,
        tensor_parallel=1,
        pipeline_parallel=1,
        global_batch_sequences=1024,
    )
    assert {one["argument"] for one in said["narrow_by"]} <= {"observed_tokens_per_second"}


def test_a_searched_knob_is_an_assumption_and_a_given_one_is_the_callers() -> None:
    sources = {one["name"]: one["source"] for one in _answer(tensor_parallel=4, detail="detailed")["assumptions"]}
    assert sources["pipeline_parallel"] == "searched"
    assert sources.get("tensor_parallel", "user") == "user"
    assert _answer(tensor_parallel=4)["layout"]["tensor_parallel"] == 4


def test_comparable_runs_are_published_runs_with_our_own_left_out_prediction() -> None:
    ids = {run.id for run in catalogue.runs()}
    runs = _answer()["comparable_runs"]
    assert runs
    for run in runs:
        assert run["name"].partition(":")[0] in ids
        assert run["predicted_over_published"] == committed_calibration().ratios.get(run["name"].partition(":")[0])
        assert run["source"]


def test_the_nearest_run_is_of_the_same_chip_and_size_where_there_is_one() -> None:
    """NVIDIA publishes Llama 3.1 8B, and a GPT of 7.1B on about as many H100."""
    nearest = _answer()["comparable_runs"][0]
    assert nearest["gpu"] == "h100-sxm"
    (run,) = (run for run in catalogue.runs() if run.id == nearest["name"].partition(":")[0])
    assert 1 / 1.2 < parameter_counts(run.transformer).total / 8.03e9 < 1.2


@pytest.mark.parametrize(
    ("gpu", "called"),
    [
        ("K80", "kepler (datacenter)"),
        ("Tesla M40", "maxwell (datacenter)"),
        ("M60", "maxwell (datacenter)"),
        ("Tesla P40", "pascal (datacenter)"),
        ("GTX 1080 Ti", "pascal (consumer)"),
        ("GTX 1660 Ti", "turing (consumer)"),
        ("RTX 2080 Ti", "turing (consumer)"),
    ],
)
def test_an_unpublished_family_is_called_as_its_maker_does(gpu: str, called: str) -> None:
    warnings = _answer(model="gpt-2", gpu=gpu, n_gpus=1, tokens="10M")["warnings"]
    (told,) = (each["message"] for each in warnings if each["code"] == "unseen_device_family")
    assert f"no published run is on {called} devices" in told


def test_an_unpublished_family_of_device_is_warned_about() -> None:
    published = {key for key in committed_calibration().effects if key.startswith("device:")}
    unseen = next(
        entry.accelerator
        for entry in catalogue.accelerators()
        if f"device:{entry.accelerator.family}-{entry.accelerator.segment}" not in published
        and entry.accelerator.memory_bytes > 30e9
    )
    assert "unseen_device_family" in _codes(_answer(gpu=unseen.id, n_gpus=64))
    assert "unseen_device_family" not in _codes(_answer())


def test_an_untuned_stack_is_slower_than_a_tuned_one() -> None:
    """Published: Hugging Face runs reach about half of what NeMo does on the same devices."""
    tuned, untuned = (_answer(framework=name, n_gpus=64) for name in ("nemo", "huggingface"))
    assert untuned["training_seconds"] > tuned["training_seconds"]


def test_recomputation_costs_time_and_saves_memory() -> None:
    """Chen et al. 2016: at most one more forward pass, a third of the arithmetic."""
    fixed = {"framework": "megatron", "tensor_parallel": 1, "pipeline_parallel": 1, "micro_batch_size": 1}
    none, full = (_answer(**fixed, activation_recompute=how) for how in ("none", "full"))
    assert 1.0 < full["step_seconds"] / none["step_seconds"] < 1.4
    assert full["memory"]["activations_gb"] < none["memory"]["activations_gb"]
    assert full["hardware_flops_utilization"] > full["model_flops_utilization"]


@pytest.mark.parametrize(
    ("asked", "published_days"),
    [
        # Narayanan et al. 2021, section 5.1: 175B, 300B tokens, 1,024 A100, estimated from measured throughput.
        (
            {
                "model": "gpt-3-175b",
                "tokens": "300B",
                "gpu": "a100-sxm-80gb",
                "n_gpus": 1024,
                "activation_recompute": "full",
                "global_batch_sequences": 1536,
                "tensor_parallel": 8,
                "pipeline_parallel": 8,
            },
            34.0,
        ),
        # Touvron et al. 2023, section 4: Llama 65B, 1.4T tokens, 2,048 A100, "approximately 21 days".
        ({"model": "llama-65b", "tokens": "1.4T", "gpu": "a100-sxm-80gb", "n_gpus": 2048}, 21.0),
    ],
)
def test_a_published_run_took_a_time_that_is_nearly_in_our_range(asked: dict[str, Any], published_days: float) -> None:
    """Old stacks against today's: their time lies in the range or up to two fifths above it."""
    answer = _answer(**asked)
    assert answer["training_days_low"] <= published_days <= 1.4 * answer["training_days_high"]


@pytest.mark.parametrize("length", [4096, 8192])
@pytest.mark.parametrize("model", ["qwen3-30b-a3b", "gpt-oss-120b"])
def test_an_assumed_release_is_warned_of_where_a_newer_one_is_faster(model: str, length: int) -> None:
    """The warning's own words, given back, make it true, and about as much as they say."""
    chip = catalogue.accelerator("h100-sxm").value.accelerator
    question = Question(
        transformer=catalogue.transformer(model).value,
        cluster=Cluster(accelerator=chip, n_gpus=64, gpus_per_node=8, scale_out_bytes_per_s=chip.scale_out_bytes_per_s),
        precision="bf16",
        sequence_length=length,
        global_batch_sequences=1024,
        framework="nemo",
    )
    assumed = prediction(question)
    message = next(one.message for one in assumed.warnings if one.code == "newer_release_is_faster")
    named = named_framework(message.split('"')[1])
    told = prediction(replace(question, framework=named.name, released=named.released))
    less = int(message.partition("about ")[2].partition("%")[0]) / 100
    assert told.step_s == pytest.approx((1.0 - less) * assumed.step_s, rel=0.1)
    assert "newer_release_is_faster" not in {one.code for one in told.warnings}


LORA: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "rtx-4090", "n_gpus": 1, "method": "lora", "tokens": "1M"}


@pytest.mark.parametrize(
    ("said", "warned"),
    [
        ({"framework": "trl"}, True),
        ({"framework": "trl", "gpu": "h100"}, False),
        ({"framework": "trl", "method": "qlora"}, False),
        ({"framework": "trl, bf16 weights"}, False),
        ({"framework": "axolotl"}, False),
    ],
)
def test_a_base_that_fits_only_in_16_bit_is_told_to_be_loaded_so(said: dict[str, Any], warned: bool) -> None:
    """TRL's create_model_from_path: dtype is float32 unless given; 8B are 32 GB, and a 4090 has 24."""
    answer = _answer(**{**LORA, "sequence_length": 512, "micro_batch_size": 1, **said})
    assert answer["memory"]["fits"]
    assert ("loaded_in_fp32" in _codes(answer)) == warned


OF_ITS_KIND = 1.35
"""Chips whose peak was cut, but not their memory (H20, B100), reach a larger share of it than their relatives."""
OLD_TPUS = 0.5
"""Above what anyone published of TPU v2 and v3: Gopher 32.5 % (Chowdhery et al. 2022, table 3), GPT-J about 40 %."""


def _reached(run: PublishedRun) -> float:
    chip = catalogue.accelerator(run.accelerator_id).value.accelerator
    flop = flop_counts(run.transformer, sequence_length=run.sequence_length, method=Method(), recompute="none").model
    return (run.tokens_per_second_per_gpu or 0.0) * flop / chip.training_peak_flop_per_s


def _family(run: PublishedRun) -> str:
    return catalogue.accelerator(run.accelerator_id).value.accelerator.family


IN_16_BIT = [run for run in catalogue.runs() if run.method == "full" and run.precision in {"bf16", "fp16"}]
BEST = {
    family: max(_reached(run) for run in IN_16_BIT if _family(run) == family) for family in {*map(_family, IN_16_BIT)}
}
"""Largest share of a 16-bit peak that anyone published, by family of chips."""
CHIPS = [
    entry.accelerator
    for entry in catalogue.accelerators()
    if entry.accelerator.family in BEST and entry.accelerator.segment == "datacenter"
]


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.name)
def test_nothing_is_expected_by_default_that_nobody_ever_reached(chip: Accelerator) -> None:
    """Of the peak, by more than a chip's peak may have been cut."""
    answer = _answer(gpu=chip.name, n_gpus=64, tokens="100B")
    old = chip.family == "tpu" and chip.year < 2021
    assert answer["model_flops_utilization"] < (OLD_TPUS if old else OF_ITS_KIND * BEST[chip.family])


@pytest.mark.parametrize(
    ("framework", "warned"), [("trl", True), ("trl, grouped experts", False), ("torchtune", False), ("auto", False)]
)
def test_a_model_whose_code_multiplies_all_experts_is_told_so_and_how_much_slower_it_is(
    framework: str, warned: bool
) -> None:
    """The factor is that of the same layout with each token at its own expert, to which no doubt drags the range."""
    asked = {"model": "llama-4-scout", "gpu": "h100", "n_gpus": 8, "tokens": "10M", "sequence_length": 2048}
    answer = _answer(**{**asked, "framework": framework})
    assert ("all_experts_multiplied" in _codes(answer)) == warned
    if warned:
        routed = _answer(**{**asked, "framework": f"{framework}, grouped experts"})
        assert answer["training_days_low"] > routed["training_days"]
