"""On a cluster whose stack nobody names it may be its owner's: the answer lies between, and its range holds both.

Authority: steps that ten labs besides NVIDIA published, asked as if no stack were named.
"""

import math
from dataclasses import replace
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.estimate.best_step import best_step
from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.mixture import Doubt
from estimator.evidence.stack_doubts import with_own_stacks
from estimator.physics.choice import nearest_setting, setting_of
from estimator.physics.stacks import auto_stack
from estimator.question.practice import NOTHING_SAID
from estimator.question.question import LayoutRequest, Question
from estimator.resolve.published import published_question
from tests.evidence.unsaid import answer, codes
from tests.physics_cases import catalogued_cluster

FEWEST = 32
"""Devices from which on the steps of other labs are asked."""


def _question(n_gpus: int, framework: str = "auto", model: str = "llama-3.1-8b", gpu: str = "h100-sxm") -> Question:
    cluster = catalogued_cluster(gpu, n_gpus)
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=cluster,
        precision=cluster.accelerator.training_precision,
        sequence_length=2048,
        global_batch_sequences=None,
        framework=framework,
        unsaid=frozenset({"framework"}) if framework == "auto" else frozenset(),
    )


def _share(n_gpus: int) -> float:
    return sum(share for doubt in with_own_stacks(setting_of(_question(n_gpus)), ()) for _, share in doubt.ways)


@pytest.mark.parametrize(
    ("gpu", "framework", "n_gpus"),
    [("h100-sxm", "nemo", 512), ("h100-sxm", "fsdp", 512), ("tpu-v5p", "auto", 512), ("h100-sxm", "auto", 8)],
)
def test_a_named_stack_one_node_and_a_chip_of_one_stack_leave_no_doubt(gpu: str, framework: str, n_gpus: int) -> None:
    assert with_own_stacks(setting_of(_question(n_gpus, framework, gpu=gpu)), ()) == ()


def test_it_is_one_more_way_of_a_doubt_about_the_stack_and_told_once() -> None:
    general = Doubt(argument="framework", ways=((2.0, 0.25),), code="framework_unsaid", words=str)
    (both,) = with_own_stacks(setting_of(_question(16)), (general,))
    assert (both.code, both.words) == (general.code, general.words)
    assert both.ways[0] == general.ways[0]
    assert len(both.ways) == 2
    assert sum(share for _, share in both.ways) < 1.0


@given(n_gpus=st.integers(1, 2048).map(lambda nodes: 8 * nodes))
def test_the_doubt_grows_with_the_cluster_without_a_jump(n_gpus: int) -> None:
    here, more = _share(n_gpus), _share(n_gpus + 8)
    assert 0.0 <= here <= more <= 0.6
    assert more - here < 0.21


def test_who_names_the_assumed_stack_is_told_of_less_time_in_a_narrower_range() -> None:
    unsaid, said = (best_step(setting_of(_question(512, name)), committed_calibration()) for name in ("auto", "nemo"))
    assert said.factor < unsaid.factor
    assert said.span.high / said.span.low < unsaid.span.high / unsaid.span.low


def _off_log(run: PublishedRun) -> float:
    """Return the log of predicted over published time of a step, asked without its stack, layout and practice."""
    open_question = replace(
        published_question(run),
        framework="auto",
        practice=NOTHING_SAID,
        layout=LayoutRequest(),
        published=False,
        unsaid=frozenset({"framework"}),
    )
    prediction = best_step(nearest_setting(open_question), committed_calibration()).prediction
    assert run.tokens_per_second_per_gpu is not None
    return math.log(prediction.step_s / prediction.tokens_per_step * run.n_gpus * run.tokens_per_second_per_gpu)


def _on_a_cluster(run: PublishedRun) -> bool:
    chip = catalogue.accelerator(run.accelerator_id).value.accelerator
    trains = run.method == "full" and run.id in committed_calibration().ratios
    return trains and run.n_gpus >= FEWEST and (chip.vendor, chip.segment) == ("NVIDIA", "datacenter")


def test_other_labs_steps_asked_without_a_stack_are_off_to_neither_side() -> None:
    """As if everybody trained as the vendor does, they would be predicted a sixth too fast. The first of each lab."""
    first: dict[str, PublishedRun] = {}
    for run in catalogue.runs():
        if run.lab != "NVIDIA" and _on_a_cluster(run):
            first.setdefault(run.lab, run)
    assert len(first) >= 8
    assert abs(mean(map(_off_log, first.values()))) < 0.1


@pytest.mark.parametrize("said", ["in-house", "our proprietary training stack", "FooTrain"])
@pytest.mark.parametrize(("model", "n_gpus"), [("kimi-k2", 4096), ("glm-4.5", 2048), ("qwen3-30b-a3b", 64)])
def test_a_stack_of_ones_own_splits_models_as_the_vendors_does(said: str, model: str, n_gpus: int) -> None:
    """Nobody trains experts on a cluster without spreading them, whatever their code is called."""
    own = answer(model=model, gpu="h800", n_gpus=n_gpus, tokens="1T", framework=said)
    vendors = answer(model=model, gpu="h800", n_gpus=n_gpus, tokens="1T", framework="nemo")
    assert own["memory"]["fits"]
    assert own["layout"]["expert_parallel"] > 1
    assert "own_stack" in codes(own)
    assert vendors["training_days"] < own["training_days"] < 1.6 * vendors["training_days"]
    assert own["training_days_low"] < vendors["training_days"]


def test_a_labs_own_stack_is_no_reason_to_doubt_its_own_run() -> None:
    asked = {"model": "deepseek-v3", "gpu": "h800", "n_gpus": 2048, "tokens": "14.8T"}
    said, unsaid = answer(**asked, framework="in-house"), answer(**asked)
    assert said["training_days"] == pytest.approx(unsaid["training_days"], rel=1e-6)


@pytest.mark.parametrize(
    ("gpu", "vendors"), [("mi300x", "primus"), ("ascend-910b", "mindspeed"), ("h100", "nemo"), ("mi250x", "megatron")]
)
def test_where_no_stack_is_named_it_is_what_the_chips_vendor_publishes_with(gpu: str, vendors: str) -> None:
    chip = catalogued_cluster(catalogue.accelerator(gpu).value.id, 8).accelerator
    assert auto_stack(chip, "full").name == vendors


def test_the_run_that_is_asked_about_is_sure_of_its_own_speed() -> None:
    """What runs of its kind reach is no doubt of it, nor is a stack that has no other name."""
    asked = answer(model="llama-3.1-405b", gpu="h100", n_gpus=16384, tokens="15.6T")
    assert asked["training_days_high"] < 2.1 * asked["training_days_low"]
    assert not {"opinions_part", "tuned_stack_assumed"} & codes(asked)


def test_one_process_for_all_devices_is_slower_than_one_for_each() -> None:
    asked = {"model": "bert-base-uncased", "gpu": "v100", "n_gpus": 4, "tokens": "100M"}
    copied, apart = (answer(**asked, framework=f"PyTorch {how}") for how in ("nn.DataParallel", "DDP"))
    assert "one_process" in codes(copied)
    assert "one_process" not in codes(apart)
    assert 1.1 * apart["training_days"] < copied["training_days"] < 2.5 * apart["training_days"]
    assert copied["training_days_high"] > 3.0 * apart["training_days"]
    alone = answer(**asked | {"n_gpus": 1}, framework="PyTorch nn.DataParallel")
    assert "one_process" not in codes(alone)
