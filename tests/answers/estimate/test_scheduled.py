"""What was told of evaluations and checkpoints is in the time of a run, by arithmetic that can be done by hand.

Authority: a forward pass has a third of the FLOPs of training with all weights, half with adapters (Kaplan et al. 2020,
section 2.1); mixed precision has 14 bytes a weight beside gradients (Rajbhandari et al. 2020, section 3.1).
"""

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.answers.estimate.scheduled import SAVING_S, WRITING_BYTES_PER_S, Recurring
from estimator.question.request import Request
from estimator.question.schedule import Times
from estimator.resolve.run import resolve

_TUNED: dict[str, Any] = {
    "model": "mistral-7b",
    "gpu": "a10g",
    "n_gpus": 1,
    "method": "qlora",
    "samples": "8000",
    "tokens_per_sample": "exactly 500",
    "epochs": 2,
    "global_batch_sequences": 16,
    "activation_recompute": "none",
}
_WHOLE: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100",
    "n_gpus": 8,
    "tokens": "100M",
    "global_batch_sequences": 64,
    "sequence_length": 2048,
    "activation_recompute": "full",
}
_STEPS = 1000


def _estimate(asked: dict[str, Any], framework: str, **more: str | float | None) -> Estimate:
    given: dict[str, Any] = asked | more
    return estimate_of(resolve(Request(**given, framework=framework)), told=False)


def _recurring(estimate: Estimate, name: str) -> Recurring:
    predicted = estimate.timing.predicted
    assert predicted is not None
    assert predicted.scheduled is not None
    found: Recurring | None = getattr(predicted.scheduled, name)
    assert found is not None
    return found


def _codes(estimate: Estimate) -> set[str]:
    return {caution.code for caution in estimate.warnings}


def test_an_evaluation_takes_its_share_of_training_on_as_much() -> None:
    """A thousand steps of 16 samples, an evaluation of 1,000 every tenth: 100 · 1,000 / 16,000 · 1/2 of the steps."""
    found = _estimate(_TUNED, "TRL, evaluation every 10 steps on 1000 samples")
    assert found.overhead is not None
    assert found.overhead.evaluation == pytest.approx(100 * 1000 / 16_000 / 2, rel=0.01)
    assert "evaluation_takes_long" in _codes(found)
    again = _estimate(_TUNED, "TRL, evaluation every 10 steps on 1000 samples", activation_recompute="full")
    assert again.overhead is not None
    assert again.overhead.evaluation == pytest.approx(100 * 1000 / 16_000 / 3, rel=0.01)


def test_all_weights_trained_a_forward_token_is_a_quarter_of_one_that_is_recomputed() -> None:
    found = _estimate(_WHOLE, "fsdp, evaluation every 50 steps on 640 samples")
    assert found.overhead is not None
    assert found.overhead.evaluation == pytest.approx(15 * 10 / (100e6 / 2048 / 64) / 4, rel=0.01)


@pytest.mark.parametrize(
    ("words", "evaluated"),
    [
        ("10% held out", 0.1 * 8000),
        ("held out 400 samples", 400),
        ("axolotl, val_set_size: 0.25, sample_packing: false", 0.25 * 8000),
    ],
)
def test_what_is_held_out_is_evaluated_on_and_not_trained_on(words: str, evaluated: float) -> None:
    """Once an epoch where nothing else is said."""
    whole, less = (_estimate(_TUNED, f"TRL, {text}") for text in ("no evaluation", words))
    assert less.run.amount.tokens == pytest.approx(whole.run.amount.tokens * (1 - evaluated / 8000))
    assert less.overhead is not None
    assert less.overhead.evaluation == pytest.approx(evaluated / (8000 - evaluated) / 2, rel=0.01)


def test_more_than_there_are_are_of_another_set() -> None:
    told, alone = (_estimate(_TUNED, text) for text in ("TRL, 9000 samples held out", "TRL"))
    assert told.run.amount.tokens == alone.run.amount.tokens
    assert told.training_s > alone.training_s


def test_steps_that_were_told_are_all_trained() -> None:
    asked = _WHOLE | {"tokens": None, "steps": 500}
    told, alone = (_estimate(asked, text) for text in ("axolotl, val_set_size: 0.2", "axolotl"))
    assert told.run.amount.tokens == alone.run.amount.tokens


def test_none_takes_nothing_and_nothing_said_what_is_usual() -> None:
    none, usual = (_estimate(_TUNED, text) for text in ("TRL, eval_strategy=no", "TRL"))
    assert none.overhead is not None
    assert usual.overhead is not None
    assert none.overhead.evaluation == 0.0
    assert usual.overhead.fraction - none.overhead.fraction == pytest.approx(usual.overhead.evaluation)


def test_a_checkpoint_has_fourteen_bytes_a_weight_or_two_of_the_weights_alone() -> None:
    parameters = 8.03e9
    for words, per_weight in (("save_steps=10", 14), ("save_steps=10, save_only_model=True", 2)):
        found = _recurring(_estimate(_WHOLE, f"TRL, DeepSpeed ZeRO-3, {words}"), "saving")
        written_s = per_weight * parameters / WRITING_BYTES_PER_S.mode
        assert found.each_s.mode == pytest.approx(SAVING_S.mode + written_s, rel=0.01)
        assert found.count(7630.0 * found.step_s / 10) == 76


def test_checkpoints_of_all_states_take_long_and_those_of_adapters_hardly_anything() -> None:
    """100M tokens in 763 steps, 76 checkpoints of 112 GB at 1.5 GB/s: an hour and a half."""
    whole = _estimate(_WHOLE, "TRL, DeepSpeed ZeRO-3, save_steps=10")
    usual = _estimate(_WHOLE, "TRL, DeepSpeed ZeRO-3")
    assert whole.training_s - usual.training_s == pytest.approx(76 * 8.03e9 * 14 / 1.5e9, rel=0.05)
    assert "saving_takes_long" in _codes(whole)
    adapters = _estimate(_WHOLE, "TRL, save_steps=10", method="lora")
    assert adapters.training_s < 1.1 * _estimate(_WHOLE, "TRL", method="lora").training_s
    assert "saving_takes_long" not in _codes(adapters)


def test_nodes_write_what_is_sharded_together() -> None:
    one, two = (
        _recurring(_estimate(_WHOLE, "TRL, DeepSpeed ZeRO-3, save_steps=10", n_gpus=count), "saving")
        for count in (8, 16)
    )
    assert one.each_s.mode - SAVING_S.mode == pytest.approx(2 * (two.each_s.mode - SAVING_S.mode))


def test_in_the_background_training_waits_for_less() -> None:
    waited, beside = (
        _recurring(_estimate(_WHOLE, f"fsdp, {words} every 10 steps"), "saving")
        for words in ("saving", "async checkpointing")
    )
    assert beside.each_s.mode < 0.2 * waited.each_s.mode


@settings(max_examples=25, deadline=None)
@given(
    every=st.integers(1, 2000),
    fewer=st.integers(2, 10),
    what=st.sampled_from(
        ["evaluation every {0} steps on 100 samples", "evaluation every {0} steps", "saving every {0} steps"]
    ),
)
def test_more_often_never_takes_less(every: int, fewer: int, what: str) -> None:
    often, rare = (_estimate(_TUNED, f"TRL, {what.format(steps)}") for steps in (every, every * fewer))
    assert often.training_s >= rare.training_s * (1 - 1e-9)
    for found in (often, rare):
        assert 0 < found.training_low_s <= found.training_s <= found.training_high_s < math.inf


@settings(max_examples=25, deadline=None)
@given(samples=st.integers(1, 100_000), more=st.integers(2, 10))
def test_on_more_never_takes_less(samples: int, more: int) -> None:
    less, much = (
        _estimate(_TUNED, f"TRL, evaluation each epoch on {count} samples") for count in (samples, samples * more)
    )
    assert less.training_s <= much.training_s


@pytest.mark.parametrize(
    "words", ["0% held out", "evaluation on 0 samples", "evaluation every 0 steps", "0 evaluations in all"]
)
def test_nothing_of_it_takes_no_time(words: str) -> None:
    found, usual = (_estimate(_TUNED, text) for text in (f"TRL, {words}", "TRL"))
    assert found.training_s <= usual.training_s


def test_a_size_that_nobody_said_widens_the_range() -> None:
    said, unsaid = (_estimate(_TUNED, f"TRL, evaluation every 10 steps{words}") for words in (" on 400 samples", ""))
    assert said.training_s == pytest.approx(unsaid.training_s, rel=0.02)
    assert unsaid.training_high_s > 1.1 * said.training_high_s
    assert any(told.name == "evaluation" and "assumed" in str(told.value) for told in unsaid.assumptions)


def test_a_given_speed_is_of_steps_and_the_rest_is_told() -> None:
    found = _estimate(_TUNED, "TRL, evaluation every 10 steps on 1000 samples", observed_tokens_per_second=700)
    assert found.training_s == pytest.approx(found.run.amount.tokens / 700)
    assert "evaluation_not_counted" in _codes(found)
    unknown = _estimate(_WHOLE | {"global_batch_sequences": None}, "TRL, eval_steps=10", utilization=0.4)
    assert "evaluation_not_counted" in _codes(unknown)


@pytest.mark.parametrize(
    "words", ["predict_with_generate", "predict_with_generate: true", "evaluate on GSM8K each epoch"]
)
def test_what_is_generated_is_told_and_not_counted(words: str) -> None:
    found, usual = (_estimate(_TUNED, text) for text in (f"TRL, {words}", "TRL"))
    assert found.training_s == usual.training_s
    assert "generation_not_counted" in _codes(found)


def test_help_that_is_told_leaves_about_a_tenth() -> None:
    found = _estimate(_TUNED, "TRL, evaluation every 10 steps on 1000 samples")
    message = next(caution.message for caution in found.warnings if caution.code == "evaluation_takes_long")
    told = re.search(r"evaluating every (\d+) steps, or on (\d+) samples,", message)
    assert told is not None
    for words in (f"every {told[1]} steps on 1000 samples", f"every 10 steps on {told[2]} samples"):
        helped = _estimate(_TUNED, f"TRL, evaluation {words}")
        assert helped.overhead is not None
        assert helped.overhead.evaluation <= 0.1
        assert "evaluation_takes_long" not in _codes(helped)


@given(every=st.floats(0.5, 1e6), steps=st.floats(1, 1e7))
def test_occasions_are_whole_and_at_most_one_a_step(every: float, steps: float) -> None:
    count = Times(steps=every).occasions(steps=steps, epochs=1.0, seconds=steps)
    assert 0 <= count <= max(steps, 1)
    assert count * every <= max(steps, every) * (1 + 1e-6)
