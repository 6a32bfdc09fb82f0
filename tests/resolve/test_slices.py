"""Slices of TPUs and the counts that people give with them."""

import pytest

from estimator.answers.compare.compare import Choices, requests
from estimator.catalogue import catalogue
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.estimate_training_time import estimate_training_time


@pytest.mark.parametrize(
    ("gpu", "n_gpus", "chips"),
    [
        # Google Cloud's documentation: v2, v3, v4 and v5p are called by their cores, two a chip; v5e and v6e by chips.
        ("TPU v3-8", 1, 4),
        ("TPU v3-8", 8, 4),
        ("TPU v3-8", 4, 4),
        ("v2-8", 8, 4),
        ("v4-32", 32, 16),
        ("v4-32", 1, 16),
        ("v5p-128", 128, 64),
        ("v5e-8", 1, 8),
        ("v5e-8", 8, 8),
        ("v6e-1", 1, 1),
        # Another count than the slice has is the caller's own.
        ("TPU v3-8", 64, 64),
        ("TPU v3-8", 2, 2),
        ("v5e-16", 2, 2),
        # Machines of GPUs are no slices: a part of one is rented, too.
        ("p4d.24xlarge", 1, 1),
        ("8x H100", 1, 1),
        ("TPU v3", 8, 8),
        ("TPU v3", 1, 1),
    ],
)
def test_one_slice_and_the_number_in_its_name_are_the_chips_it_has(gpu: str, n_gpus: int, chips: int) -> None:
    run = resolve(Request(model="gpt-2", gpu=gpu, n_gpus=n_gpus, tokens="1B"))
    assert run.n_gpus == chips
    told = next(each for each in run.assumptions if each.name == "n_gpus")
    assert (told.value, told.source) == (chips, "user" if chips == n_gpus else "inferred")
    assert (f"a slice of {chips} chips, and n_gpus {n_gpus} is read" in told.note) == (chips != n_gpus)


@pytest.mark.parametrize(("gpu", "n_gpus", "right"), [("TPU v3-8", 64, 4), ("v5e-16", 2, 16), ("v4-8", 2, 4)])
def test_another_count_is_told_which_would_be_the_slice(gpu: str, n_gpus: int, right: int) -> None:
    answer = estimate_training_time(model="gpt-2", gpu=gpu, n_gpus=n_gpus, tokens="1B")
    (told,) = (each.message for each in answer.warnings if each.code == "gpu_count_disagrees")
    assert f"say n_gpus {right}" in told


@pytest.mark.parametrize(
    "name", ["v3-8", "TPUv3-8", "Cloud TPU v3-8", "TPU VM v3-8", "v3-8 TPU", "tpu-v3-8 pod slice", "Google TPU v3-8 VM"]
)
def test_a_slice_is_known_by_whatever_stands_beside_its_name(name: str) -> None:
    match = catalogue.accelerator(name)
    assert (match.value.id, match.count, match.slice_of) == ("tpu-v3", 4, 8)


def test_of_several_counts_each_counts_chips() -> None:
    """Else one chip and eight would both be the slice of four."""
    common = Request(model="", gpu="", n_gpus=1)
    choices = Choices(models=["gpt-2"], gpus=["v3-8"], n_gpus=[1, 4, 8, 16], tokens=["1B"])
    assert [resolve(each).n_gpus for each in requests(choices, common)] == [1, 4, 8, 16]
