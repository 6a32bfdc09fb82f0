"""What a published run lends a question: all that was left open of a training such as it was, and else nothing.

Authority: `estimator/catalogue/data/runs.csv`, what was published; a chip with slower links is no faster; questions
that differ a little differ in their answers a little.
"""

import itertools
import math
from typing import Any

import pytest

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.answers.estimate.wording import summary
from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.precedent import is_whole, published_speed
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.check_training_speed import check_training_speed
from tools.plan_training import plan_training

_FEW_PER_CENT = 1.08
"""What neighbouring counts and lengths may differ by, beside their layouts."""
_BENCHMARKED = (
    ("llama-3.1-8b", "b200", 8),
    ("llama-3.1-8b", "h100", 8),
    ("llama-3.1-70b", "b200", 32),
    ("llama-3.1-70b", "gb200", 32),
    ("llama-3.1-405b", "h100", 512),
    ("qwen3-30b-a3b", "b200", 16),
    ("deepseek-v3", "h800", 512),
    ("deepseek-v3", "h100", 512),
    ("llama-2-70b", "a100", 64),
    ("gpt-3-175b", "h100", 128),
)
_KIN = (("h100", "h800"), ("a100", "a800"), ("h100", "h20"), ("h200", "h100"))
_PROPORTIONATE = 1.03
_LENT = (
    ("deepseek-v3", "h800", 2048, 14.8e12, "60 days"),
    ("bloom-176b", "a100", 384, 366e9, "100 days"),
    ("opt-175b", "a100", 992, 300e9, "30 days"),
    ("llama-3.1-70b", "h100", 1024, 15e12, "90 days"),
)
"""Trainings whose own terms and the usual ones differ, and one whose differ little."""


def _asked(model: str, gpu: str, n_gpus: int, **given: Any) -> Estimate:  # noqa: ANN401 - arguments of any type
    asked: dict[str, Any] = {"tokens": "1T"} | given
    return estimate_of(resolve(Request(model=model, gpu=gpu, n_gpus=n_gpus, **asked)), advised=False)


def _terms(estimate: Estimate) -> tuple[str, str]:
    return estimate.run.device.precision, estimate.run.stack.name


def _gpu_s(estimate: Estimate) -> float:
    """Return device-seconds of a token."""
    return estimate.run.n_gpus / estimate.tokens_per_second


def _whole() -> list[PublishedRun]:
    found = {
        (run.transformer.name, run.accelerator_id): run
        for run in catalogue.runs()
        if is_whole(run)
        and run.stack != "mlperf"
        and run.method == "full"
        and published_speed(run) is not None
        # Of a run that cannot be named nobody can ask.
        and catalogue.model_id(run.transformer.name) is not None
        and not run.offloaded
        and not run.packed_short
    }
    return [run for run in found.values() if run.stack not in {"llmq", "maxtext"} and not run.details.disclaimed]


@pytest.mark.parametrize(("model", "gpu", "fewest"), _BENCHMARKED)
def test_precision_stack_and_length_are_those_of_model_and_device_on_however_many(
    model: str, gpu: str, fewest: int
) -> None:
    asked = [_asked(model, gpu, fewest * times) for times in (1, 2, 3, 4, 5, 8, 16)]
    assert len({(*_terms(estimate), estimate.run.sequence_length) for estimate in asked}) == 1
    # DeepSeek's own is in 8 bits; what else is published so on these chips are speeds, not trainings.
    assert _terms(asked[0])[0] in ({"fp8"} if model == "deepseek-v3" else {"bf16", "fp16"})


@pytest.mark.parametrize(("model", "gpu", "fewest"), _BENCHMARKED)
def test_neighbouring_counts_differ_little_where_their_layouts_do(model: str, gpu: str, fewest: int) -> None:
    asked = [_asked(model, gpu, fewest * times) for times in (4, 5, 6, 7, 8)]
    for one, other in itertools.pairwise(asked):
        layouts = [
            (estimate.layout and estimate.layout.pinned, estimate.memory and estimate.memory.fits)
            for estimate in (one, other)
        ]
        if layouts[0] == layouts[1]:
            assert 1 / _FEW_PER_CENT < _gpu_s(other) / _gpu_s(one) < _FEW_PER_CENT


@pytest.mark.parametrize(("model", "gpu", "fewest"), _BENCHMARKED)
def test_a_longer_sequence_changes_neither_precision_nor_stack(model: str, gpu: str, fewest: int) -> None:
    asked = [_asked(model, gpu, 2 * fewest, sequence_length=length) for length in (1024, 2048, 4096, 8192, 16384)]
    assert len({_terms(estimate) for estimate in asked}) == 1
    # Attention grows with the length, and nothing else does.
    assert all(_gpu_s(other) / _gpu_s(one) < 1.4 for one, other in itertools.pairwise(asked))


@pytest.mark.parametrize(("whole", "cut"), _KIN)
@pytest.mark.parametrize(
    ("model", "n_gpus", "tokens"),
    [
        ("deepseek-v3", 512, "100B"),
        ("deepseek-v3", 1024, "100B"),
        ("deepseek-v3", 2048, "14.8T"),
        ("llama-3.1-8b", 8, "1T"),
        ("llama-3.1-70b", 64, "1T"),
        ("llama-2-70b", 64, "2T"),
        ("llama-2-70b", 2048, "2T"),
        ("qwen3-30b-a3b", 64, "1T"),
        ("llama-3.1-405b", 1024, "15.6T"),
        ("opt-175b", 1024, "300B"),
        ("bloom-176b", 384, "450B"),
    ],
)
def test_a_chip_with_less_of_something_is_never_faster(
    whole: str, cut: str, model: str, n_gpus: int, tokens: str
) -> None:
    """An H800 is an H100 with half its links, an A800 an A100 with two thirds; an H20 has a seventh of its products."""
    one, other = (_asked(model, gpu, n_gpus, tokens=tokens) for gpu in (whole, cut))
    if one.memory is not None and one.memory.fits:
        assert _gpu_s(other) > 0.999 * _gpu_s(one)


@pytest.mark.parametrize("run", _whole(), ids=lambda run: str(run.id))
def test_the_very_training_is_as_it_was_and_its_range_holds_its_time(run: PublishedRun) -> None:
    speed = published_speed(run)
    assert speed is not None
    assert run.total_tokens is not None
    for times in (1, 2):
        asked = _asked(run.transformer.name, run.accelerator_id, run.n_gpus * times, tokens=run.total_tokens)
        assert asked.run.device.precision == run.precision
        assert asked.run.sequence_length == run.sequence_length
        told = {one.name: one.note for one in asked.assumptions}
        assert told["precision"] == f"as in {run.id}"
        assert run.id in {one.value for one in asked.assumptions if one.name == "published_run"}
        if times == 1:
            published_s = run.total_tokens / (speed * run.n_gpus)
            assert asked.training_low_s <= published_s * 1.2
            assert published_s <= asked.training_high_s


@pytest.mark.parametrize("run", _whole(), ids=lambda run: str(run.id))
def test_time_grows_with_tokens_and_no_more_than_in_proportion(run: PublishedRun) -> None:
    """From half to twice those of the training: how much is trained on changes nothing of a step."""
    assert run.total_tokens is not None
    asked = [
        _asked(run.transformer.name, run.accelerator_id, run.n_gpus, tokens=run.total_tokens * 0.5 * 1.05**step)
        for step in range(29)
    ]
    for less, more in itertools.pairwise(asked):
        assert 1.0 < more.training_s / less.training_s < 1.05 * _PROPORTIONATE
        for low, high in ((less.training_low_s, more.training_low_s), (less.training_high_s, more.training_high_s)):
            assert 0.95 < high / low < 1.05 * 1.1


@pytest.mark.parametrize(("model", "gpu", "n_gpus", "tokens", "deadline"), _LENT)
def test_plan_check_and_estimate_take_the_same_of_a_training(
    model: str, gpu: str, n_gpus: int, tokens: float, deadline: str
) -> None:
    run: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": n_gpus}
    plan = plan_training(solve_for="tokens", deadline=deadline, **run).solution
    assert plan.training_days * 86400 == pytest.approx(_asked(**run, tokens=plan.tokens).training_s, rel=0.01)
    assert plan.training_days == pytest.approx(float(deadline.partition(" ")[0]), rel=0.02)
    its = _asked(**run, tokens=tokens)
    run["observed_tokens_per_second"] = its.tokens_per_second
    told, untold = check_training_speed(**run, tokens=tokens), check_training_speed(**run)
    assert told.verdict == untold.verdict == "normal"
    assert untold.expected == pytest.approx(told.expected, rel=0.01)


@pytest.mark.parametrize(("model", "gpu", "n_gpus", "tokens"), [lent[:4] for lent in _LENT])
def test_the_range_of_another_amount_holds_the_usual_way(model: str, gpu: str, n_gpus: int, tokens: float) -> None:
    """A training's own is as narrow as what is known of it; elsewhere others' stacks may as well be used."""
    its, other = (_asked(model, gpu, n_gpus, tokens=amount) for amount in (tokens, tokens / 4))
    its_codes, codes = ({caution.code for caution in one.warnings} for one in (its, other))
    assert "trained_as_published" not in its_codes
    assert "trained_as_published" in codes
    widths = [one.training_high_s / one.training_low_s for one in (its, other)]
    assert widths[0] < widths[1]
    named = _asked(model, gpu, n_gpus, tokens=tokens / 4, framework="nemo", precision="bf16")
    assert other.training_low_s < named.training_s < other.training_high_s


def test_what_a_model_is_tuned_on_is_not_trained_as_its_makers_did() -> None:
    for n_gpus in (64, 512, 2048):
        pretrained, tuned = (_asked("deepseek-v3", "h800", n_gpus, tokens=tokens) for tokens in ("1T", "5B"))
        assert (pretrained.run.device.precision, tuned.run.device.precision) == ("fp8", "bf16")
        assert pretrained.run.sequence_length == tuned.run.sequence_length == 4096


def test_formats_are_the_silicons_whatever_memory_it_has() -> None:
    asked = [_asked("qwen3-235b", gpu, 1024, framework="megatron") for gpu in ("h100", "h800", "h200", "gh200-144gb")]
    assert all("precision_unsaid" in {caution.code for caution in one.warnings} for one in asked)


@pytest.mark.parametrize(("model", "gpu", "n_gpus"), [("llama-3.1-8b", "b200", 32), ("llama-3.1-70b", "b200", 64)])
def test_the_range_holds_the_precision_that_was_not_taken(model: str, gpu: str, n_gpus: int) -> None:
    """The factor is that of asking again with the other."""
    unsaid, wide, narrow = (_asked(model, gpu, n_gpus, precision=each) for each in ("auto", "bf16", "fp8"))
    assert unsaid.training_s == pytest.approx(wide.training_s)
    assert unsaid.training_low_s < min(wide.training_low_s, narrow.training_s)
    (told,) = (caution.message for caution in unsaid.warnings if caution.code == "precision_unsaid")
    factor = float(told.partition("take about ")[2].split()[0])
    assert math.log(factor) == pytest.approx(math.log(narrow.training_s / unsaid.training_s), abs=0.1)


def test_every_tool_takes_the_same() -> None:
    """A plan's answer asked again is the plan's, and a check expects what an estimate does."""
    run: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "b200", "n_gpus": 32}
    tokens = plan_training(solve_for="tokens", deadline="16 days", **run).solution
    device = plan_training(solve_for="gpu", deadline="16 days", **run, tokens=tokens.tokens).solution
    alone = _asked(**run, tokens=tokens.tokens)
    assert tokens.training_days * 86400 == pytest.approx(alone.training_s, rel=0.01)
    assert device.training_days == pytest.approx(tokens.training_days, rel=0.01)
    expected = check_training_speed(**run, observed_tokens_per_second=alone.tokens_per_second)
    assert expected.verdict == "normal"


def test_the_precision_is_said_where_it_is_not_16_bits() -> None:
    assert " in fp8 takes" in summary(_asked("deepseek-v3", "h800", 2048, tokens="14.8T"))
    assert " in bf16" not in summary(_asked("deepseek-v3", "h800", 2048, precision="bf16"))
