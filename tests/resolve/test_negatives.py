"""Samples that are one another's negatives share a micro-batch, and what their trainer computes in is doubted.

Authority: van den Oord et al. 2018, section 2.3: the others of a batch are a sample's negatives, and who accumulates
gradients has as many fewer of them; Gao et al. 2021 (GradCache); sentence-transformers' documentation of its losses.
"""

from typing import Any

import pytest

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
