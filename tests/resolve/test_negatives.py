"""Samples that are one another's negatives share a micro-batch, and what their trainer computes in is doubted.

Authority: van den Oord et al. 2018, section 2.3: the others of a batch are a sample's negatives, and who accumulates
gradients has as many fewer of them; Gao et al. 2021 (GradCache); sentence-transformers' documentation of its losses.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from tools.estimate_training_time import estimate_training_time

PAIRS: dict[str, Any] = {"model": "bert-base", "gpu": "a100", "tokens": "all-nli", "objective": "contrastive"}


def _asked(**given: object) -> Any:  # noqa: ANN401 - the tool's own answer
    run: dict[str, Any] = {"n_gpus": 1, "framework": "sentence-transformers", "detail": "detailed"}
    run |= {**PAIRS, **given}
    return estimate_training_time(**run)


@pytest.mark.parametrize("n_gpus", [1, 2, 8])
@pytest.mark.parametrize("batch", [64, 128, 1024])
@pytest.mark.parametrize("data", ["all-nli", "100M"])
def test_a_stated_batch_is_one_micro_batch_of_each_device(n_gpus: int, batch: int, data: str) -> None:
    layout = _asked(n_gpus=n_gpus, global_batch_sequences=batch, tokens=data, sequence_length=64).layout
    assert (layout.micro_batches, layout.micro_batch_size) == (1, batch // n_gpus)


def test_a_batch_that_is_left_out_is_not_accumulated() -> None:
    assert _asked().layout.micro_batches == 1


def test_a_batch_that_does_not_fit_is_split() -> None:
    layout = _asked(model="qwen3-embedding-8b", tokens="ms-marco", global_batch_sequences=8192, n_gpus=1).layout
    assert layout.micro_batches > 1


def test_cached_gradients_take_a_forward_pass_more_and_any_micro_batch() -> None:
    whole, cached = (
        _asked(global_batch_sequences=1024, framework=f"sentence-transformers{said}") for said in ("", ", GradCache")
    )
    assert cached.layout.activation_recompute == "full"
    assert cached.layout.micro_batch_size <= whole.layout.micro_batch_size


def test_other_objectives_accumulate_as_before() -> None:
    assert _asked(objective="classification", tokens="ag-news", global_batch_sequences=1024).layout.micro_batches > 1


@pytest.mark.parametrize(("said", "doubted"), [({}, True), ({"precision": "bf16"}, False)])
def test_full_precision_is_doubted_of_pairs_as_of_classes(said: dict[str, str], *, doubted: bool) -> None:
    codes = {one.code for one in _asked(global_batch_sequences=512, tokens="ms-marco", **said).warnings}
    assert ("trained_in_fp32" in codes) is doubted


def _texts(**given: object) -> float:
    answer = _asked(tokens=None, samples="10k", tokens_per_sample=100, **given)
    return float(next(told.value for told in answer.assumptions if told.name == "tokens")) / 1e6


@pytest.mark.parametrize(
    ("said", "negatives"),
    [
        ("contrastive", 0),
        ("contrastive with in-batch negatives", 0),
        ("contrastive, no hard negatives", 0),
        ("contrastive with hard negatives", 1),
        ("contrastive --train_group_size 8", 7),
        ("contrastive with 1 hard negative", 1),
        ("InfoNCE, seven mined hard negatives per query", 7),
        ("embedding, 15 negatives", 15),
        ("mnrl num_negatives=3", 3),
        ("contrastive, number of hard negatives: 4", 4),
        ("hard negatives", 1),
    ],
)
def test_a_sample_is_a_query_a_passage_and_its_own_negatives(said: str, negatives: int) -> None:
    """Karpukhin et al. 2020, section 3.2: each hard negative is a passage that is encoded too."""
    assert _texts(objective=said) == pytest.approx(2 + negatives)


@pytest.mark.parametrize("objective", ["contrastive", "next_token"])
def test_negatives_may_be_told_with_the_software(objective: str) -> None:
    """Nobody but who trains by contrast has any."""
    framework = "sentence-transformers, MultipleNegativesRankingLoss with 7 hard negatives per query"
    assert _texts(objective=objective, framework=framework) == pytest.approx(9)
    answer = _asked(objective=objective, framework=framework)
    told = next(told for told in answer.assumptions if told.name == "objective")
    assert (told.value, told.source) == ("contrastive", "user" if objective == "contrastive" else "inferred")
    assert "7 hard negatives beside a query and a passage" in told.note
    assert not any("negatives" in warning.message for warning in answer.warnings)


def test_what_the_objective_says_of_negatives_counts_over_the_software() -> None:
    assert _texts(objective="contrastive with 2 negatives", framework="hard negatives") == pytest.approx(4)


def test_negatives_are_longer_steps_of_as_many_samples() -> None:
    few, many = (_asked(objective=f"contrastive, {n} hard negatives", global_batch_sequences=64) for n in (1, 7))
    assert few.step_seconds < many.step_seconds
    assert many.layout.global_batch_sequences == few.layout.global_batch_sequences == 64


@pytest.mark.parametrize("objective", ["classification", "dpo"])
def test_negatives_of_an_objective_that_has_none_are_not_swallowed(objective: str) -> None:
    answer = _asked(objective=objective, framework="huggingface, 7 hard negatives")
    assert "negatives_not_counted" in {warning.code for warning in answer.warnings}


def test_negatives_that_are_only_kept_are_not_counted() -> None:
    """He et al. 2020 (MoCo): a queue of 65,536 keys, none of which is encoded again."""
    with pytest.raises(InvalidValueError, match=r"^objective: .*leave out those of the batch, of a queue"):
        _asked(objective="contrastive with 65536 negatives")
    assert _asked(objective="next_token", framework="huggingface, 1 negative prompt").summary
