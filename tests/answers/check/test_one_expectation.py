"""One set of facts has one expectation, whichever way the speed is said, and no step is normal by its time alone.

Authority: arithmetic. A step's time is no speed without what a step takes.
"""

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.protocol.tool import Tool
from tools.check_training_speed import check_training_speed

TOOL = Tool(check_training_speed, title="Check training speed")
CARDS: dict[str, Any] = {
    "model": "gpt2-medium",
    "gpu": "RTX 3090",
    "n_gpus": 2,
    "framework": "huggingface, ddp",
    "data_sharding": "ddp",
    "sequence_length": 1024,
}
DETECTOR: dict[str, Any] = {"model": "yolov8n", "gpu": "RTX 3060", "n_gpus": 1, "framework": "ultralytics"}
TUNED: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100",
    "n_gpus": 8,
    "method": "lora",
    "framework": "trl",
    "sequence_length": 2048,
    "packing": "packed",
}
SPREAD: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64, "sequence_length": 8192}
PICTURES: dict[str, Any] = {"model": "sdxl", "gpu": "4090", "n_gpus": 1, "method": "lora", "framework": "kohya"}
SAMPLES: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "t4",
    "n_gpus": 1,
    "method": "qlora",
    "framework": "unsloth",
}
FACTS: dict[str, dict[str, Any]] = {
    "a micro-batch alone": {**CARDS, "micro_batch_size": 4},
    "a micro-batch and accumulation": {**CARDS, "micro_batch_size": 4, "gradient_accumulation": 4},
    "a batch": {**CARDS, "global_batch_sequences": 32},
    "a batch of pictures": {**DETECTOR, "global_batch_sequences": 16, "image_size": "640"},
    "a micro-batch of adapters": {**TUNED, "micro_batch_size": 2},
    "a micro-batch, spread": {**SPREAD, "framework": "torchtitan", "micro_batch_size": 1},
    "a batch, spread": {**SPREAD, "framework": "megatron", "global_batch_sequences": 512},
}
WITHOUT_BATCH = {"detector": DETECTOR, "cards": CARDS, "tuned": TUNED, "spread": SPREAD, "denoiser": PICTURES}


def _answer(asked: dict[str, Any], **seen: object) -> dict[str, Any]:
    return TOOL.answer(asked | seen).structured


def _bar(step_s: float) -> str:
    """Return a log of steps that take so long, and of nothing else."""
    rate = f"{1 / step_s:.6f}it/s" if step_s < 1 else f"{step_s:.6f}s/it"
    clock = "{0:02d}:{1:02d}:{2:02d}"

    def at(seconds: float) -> str:
        whole = int(seconds)
        return clock.format(whole // 3600, whole % 3600 // 60, whole % 60)

    lines = (
        f" {step // 100:3d}%|##  | {step}/9000 [{at(step * step_s)}<{at((9000 - step) * step_s)}, {rate}]"
        for step in range(100, 1100, 100)
    )
    return "\n".join(lines)


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
@pytest.mark.parametrize("step_s", [0.4, 3.0])
def test_one_set_of_facts_has_one_expectation_and_verdict_however_the_speed_is_said(
    facts: dict[str, Any], step_s: float
) -> None:
    by_steps = _answer(facts, observed_step_seconds=step_s)
    ways = (
        {"observed_log": _bar(step_s)},
        {"observed_tokens_per_second": by_steps["observed"]},
        {"observed_tflops_per_gpu": by_steps["tflops_per_gpu"]},
    )
    for way in ways:
        answer = _answer(facts, **way)
        assert answer["expected"] == pytest.approx(by_steps["expected"])
        assert answer["observed"] == pytest.approx(by_steps["observed"], rel=1e-3)
        assert answer["layout"] == by_steps["layout"]
        assert answer["verdict_depends_on"] is None
        # Of a length that nobody told, only what is sure is ruled out.
        assert answer["verdict"] == by_steps["verdict"] or "implausible" in {answer["verdict"], by_steps["verdict"]}


@pytest.mark.parametrize("facts", WITHOUT_BATCH.values(), ids=WITHOUT_BATCH)
def test_without_a_batch_a_log_is_held_against_what_any_other_form_is(facts: dict[str, Any]) -> None:
    """And at the batch that the expectation is for, however long a step takes."""
    plain = _answer(facts, observed_tokens_per_second=1e4)
    for step_s in (0.02, 0.5, 20.0):
        answer = _answer(facts, observed_log=_bar(step_s))
        assert answer["expected"] == pytest.approx(plain["expected"])
        assert answer["layout"] == plain["layout"]


@pytest.mark.parametrize("facts", [*WITHOUT_BATCH.values(), SAMPLES], ids=[*WITHOUT_BATCH, "samples"])
@pytest.mark.parametrize("step_s", [0.3, 15.0])
def test_without_a_batch_a_step_that_is_told_is_judged_as_one_that_a_log_tells(
    facts: dict[str, Any], step_s: float
) -> None:
    told, logged = _answer(facts, observed_step_seconds=step_s), _answer(facts, observed_log=_bar(step_s))
    assert told["observed"] == pytest.approx(logged["observed"], rel=1e-3)
    same = ("expected", "expected_low", "expected_high", "layout", "verdict", "verdict_depends_on")
    assert {name: told[name] for name in same} == {name: logged[name] for name in same}


@settings(max_examples=40)
@given(step_s=st.floats(0.5, 500.0), card=st.sampled_from(["t4", "4090", "h100"]), batch=st.sampled_from([None, 1, 16]))
def test_no_verdict_rests_on_an_assumed_batch_or_length_at_which_the_card_would_exceed_its_ceiling(
    step_s: float, card: str, batch: int | None
) -> None:
    """It is told to depend on what was assumed, unless it is beyond the card with the least of each."""
    given_batch = {} if batch is None else {"global_batch_sequences": batch}
    answer = _answer({**SAMPLES, "gpu": card}, observed_step_seconds=step_s, **given_batch)
    if answer["observed"] <= answer["ceiling"]["tokens_per_second"] or answer["verdict"] == "implausible":
        return
    depends_on = answer["verdict_depends_on"].split(" and ")
    assert "tokens_per_sample" in depends_on
    assert ("global_batch_sequences" in depends_on) is (batch is None)
    assert "Cannot be judged without" in answer["summary"]
    assert answer["likely_causes"] == []


def test_the_length_that_would_be_normal_is_told_and_is() -> None:
    """8 samples in 8 s: of 2,048 tokens beyond a T4, and as samples are, what it does."""
    run = {**SAMPLES, "gpu": "t4", "global_batch_sequences": 8, "observed_step_seconds": 8}
    summary = _answer(run)["summary"]
    found = re.search(r"normal with samples of ([\d,]+) to ([\d,]+) tokens", summary)
    assert found is not None
    low, high = (int(end.replace(",", "")) for end in found.groups())
    assert _answer(run, tokens_per_sample=(low + high) // 2)["verdict"] == "normal"


@settings(max_examples=15)
@given(step_s=st.floats(0.01, 50.0), slower=st.floats(1.5, 20.0))
def test_steps_that_take_longer_are_as_much_slower(step_s: float, slower: float) -> None:
    """None is normal by construction."""
    first, second = (_answer(DETECTOR, observed_log=_bar(each)) for each in (step_s, slower * step_s))
    assert first["observed_over_expected"] / second["observed_over_expected"] == pytest.approx(slower, rel=0.01)


@pytest.mark.parametrize("facts", WITHOUT_BATCH.values(), ids=WITHOUT_BATCH)
@pytest.mark.parametrize("step_s", [0.001, 0.05, 0.3, 2.0, 15.0, 400.0])
def test_a_verdict_without_a_batch_holds_for_every_usual_one_or_is_said_to_depend_on_it(
    facts: dict[str, Any], step_s: float
) -> None:
    answer = _answer(facts, observed_log=_bar(step_s))
    summary, at = answer["summary"], answer["layout"]["global_batch_sequences"]
    assert "batch_assumed" in {warning["code"] for warning in answer["warnings"]}
    assert "global_batch_sequences" in summary
    if answer["verdict_depends_on"] is not None:
        assert "global_batch_sequences" in answer["verdict_depends_on"]
        assert summary.startswith("Cannot be judged without the batch")
        assert answer["likely_causes"] == []
        return
    low, high = answer["expected_low"], answer["expected_high"]
    speeds = [answer["observed"] * share for share in (max(0.25, 1 / at), 1.0, 4.0)]
    assert all(speed < low for speed in speeds) or all(speed > high for speed in speeds)


@pytest.mark.parametrize("facts", WITHOUT_BATCH.values(), ids=WITHOUT_BATCH)
def test_the_batches_that_would_be_normal_are_told_and_are(facts: dict[str, Any]) -> None:
    """What the summary tells as normal lies between the ends of the expected range."""
    answer = _answer(facts, observed_log=_bar(1.0))
    each_s = answer["observed"] / answer["layout"]["global_batch_sequences"]
    low, high = (max(1, round(answer[end] / each_s)) for end in ("expected_low", "expected_high"))
    counted = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    assert f"is normal with {counted} " in answer["summary"]


def test_a_told_batch_leaves_nothing_open() -> None:
    """1.00 it/s of a batch of 16 is slow; of 96, usual: what was told decides."""
    log = _bar(1.0)
    assert _answer(DETECTOR, observed_log=log)["verdict_depends_on"] == "global_batch_sequences"
    slow, usual = (_answer(DETECTOR, observed_log=log, global_batch_sequences=batch) for batch in (16, 96))
    assert (slow["verdict"], slow["verdict_depends_on"]) == ("slow", None)
    assert (usual["verdict"], usual["verdict_depends_on"]) == ("normal", None)


def test_accumulation_that_a_log_tells_is_taken() -> None:
    head = "  Gradient Accumulation steps = 4\n"
    facts = FACTS["a micro-batch alone"]
    told = _answer(facts, observed_log=head + _bar(1.0))
    said = _answer(facts, observed_log=_bar(1.0), gradient_accumulation=4)
    assert told["observed"] == pytest.approx(said["observed"])
    assert told["expected"] == pytest.approx(said["expected"])


def test_steps_that_accumulate_more_than_was_taken_say_so() -> None:
    """With the micro-batch alone, a step four times as long as one takes is most likely four of them."""
    facts = FACTS["a micro-batch alone"]
    once = _answer(facts, observed_step_seconds=1.0)
    seconds = 8.0 * once["observed_over_expected"]
    answer = _answer(facts, observed_step_seconds=seconds)
    assert answer["verdict"] == "slow"
    cause = answer["likely_causes"][0]
    assert cause["code"] == "accumulated"
    assert "8 micro-batches" in cause["what"]
    assert math.isclose(cause["tokens_per_second"], answer["observed"], rel_tol=0.05)


def test_a_batch_of_pairs_is_spoken_of_in_pairs() -> None:
    """As trainers count it, and as global_batch_sequences takes it."""
    answer = _answer({**TUNED, "objective": "dpo"}, observed_log=_bar(2.0))
    assert answer["layout"]["global_batch_sequences"] == 64
    assert "samples of 2 sequences a step takes. At 64, as assumed" in answer["summary"]


def test_a_pipeline_is_not_taken_to_run_one_micro_batch() -> None:
    """All stages but one would be idle."""
    asked = {**SPREAD, "framework": "megatron", "micro_batch_size": 1, "pipeline_parallel": 4}
    answer = _answer(asked, observed_tokens_per_second=3e5)
    assert "nothing_accumulated" not in {warning["code"] for warning in answer["warnings"]}
    assert answer["layout"]["micro_batches"] > 4
