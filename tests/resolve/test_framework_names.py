"""Stacks by the names people give them: exact, through aliases, never a silent fallback.

Authority: the projects' own names; NVIDIA names its containers by year and month.
"""

from typing import Any

import pytest

from estimator.base.errors import UnknownNameError
from estimator.physics.stacks import STACKS
from estimator.question.request import FRAMEWORK_CHOICES
from estimator.resolve.framework_names import named_framework
from tools.estimate_training_time import estimate_training_time

RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64, "tokens": "1T"}


def test_every_stack_can_be_named() -> None:
    assert set(FRAMEWORK_CHOICES) == {"auto", *STACKS}


@pytest.mark.parametrize(
    ("given", "stack", "released"),
    [
        ("Megatron-LM", "megatron", None),
        ("megatron 2021", "megatron", 2021.5),
        ("nemo 25.09", "nemo", 2025 + 8 / 12),
        ("NeMo 26.04.01", "nemo", 2026.25),
        ("Megatron-Bridge", "nemo", None),
        ("Hugging Face", "huggingface", None),
        ("FSDP2", "fsdp", None),
        ("llm.c", "llm.c", None),
        ("pytorch_lightning", "lightning", None),
    ],
)
def test_a_stack_is_found_by_what_people_call_it(given: str, stack: str, released: float | None) -> None:
    found = named_framework(given)
    assert found.name == stack
    assert found.released == (None if released is None else pytest.approx(released))


@pytest.mark.parametrize("given", ["unsloth", "axolotl", "LLaMA-Factory", "olmo-core"])
def test_a_stack_without_runs_of_its_own_says_which_stands_in(given: str) -> None:
    answer = estimate_training_time(**RUN, framework=given)
    note = next(one.note for one in answer.assumptions if one.name == "framework")
    assert given.casefold() in note
    assert "stands in" in note


@pytest.mark.parametrize("given", ["megatorn", "nemo-25.13", "h100", ""])
def test_an_unknown_stack_is_refused_with_names_that_would_do(given: str) -> None:
    with pytest.raises(UnknownNameError, match="framework"):
        named_framework(given)


def test_an_older_release_is_no_faster() -> None:
    """Kernels improve: the same run on what NVIDIA shipped in 2023 and in 2026."""
    old, new = (estimate_training_time(**RUN, framework=f"nemo {release}") for release in ("23.08", "26.04"))
    assert old.training_days > new.training_days
    assert {"software_release"} <= {one.name for one in old.assumptions}
    assert old.estimate_id != new.estimate_id
