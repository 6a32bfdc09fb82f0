"""Recomputation that nobody told: the range of a run that keeps all holds the step that runs all again.

Authority: arithmetic on the answers themselves.
"""

from typing import Any

import pytest

from tests.evidence.unsaid import answer, codes

CODE = "recompute_unsaid"
PRETRAINED = {"n_gpus": 64, "sequence_length": 4096, "tokens": "10B"}


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "llama-2-7b", "gpu": "a100", "framework": "Colossal-AI"},
        {"model": "llama-2-7b", "gpu": "a100", "framework": "Megatron-LM"},
        {"model": "mistral-7b", "gpu": "h100", "framework": "FSDP"},
    ],
    ids=lambda asked: str(asked["framework"]),
)
def test_the_range_holds_full_recomputation_until_it_is_said(asked: dict[str, Any]) -> None:
    unsaid = answer(**PRETRAINED, **asked)
    again = answer(**PRETRAINED, **asked, activation_recompute="full")
    kept = answer(**PRETRAINED, **asked, activation_recompute="none")
    assert unsaid["layout"]["activation_recompute"] == "none"
    assert CODE in codes(unsaid)
    assert unsaid["training_days_low"] < again["training_days"] < unsaid["training_days_high"]
    assert CODE not in codes(kept) | codes(again)
    assert kept["training_days"] == pytest.approx(unsaid["training_days"], rel=0.02)
    width = unsaid["training_days_high"] / unsaid["training_days_low"]
    assert kept["training_days_high"] / kept["training_days_low"] < width
    (narrowing,) = (each for each in unsaid["narrow_by"] if each["argument"] == "activation_recompute")
    assert narrowing["narrows_by"] > 0


OF_THEN = [
    {"model": "gpt2-xl", "gpu": "v100", "framework": "Megatron-LM", "sequence_length": 1024},
    {"model": "gpt2-xl", "gpu": "v100", "sequence_length": 1024},
    {"model": "gpt-3-13b", "gpu": "v100 32gb", "framework": "Megatron-DeepSpeed", "sequence_length": 2048},
]


@pytest.mark.parametrize("asked", OF_THEN, ids=lambda asked: str(asked.get("framework")))
def test_of_devices_older_than_partial_recomputation_the_range_holds_a_step_that_runs_all_again(
    asked: dict[str, Any],
) -> None:
    """Korthikanti et al. 2022; what recipes do since says nothing of those before."""
    unsaid = answer(**{**PRETRAINED, **asked})
    assert CODE in codes(unsaid)
    again = answer(**{**PRETRAINED, **asked}, activation_recompute="full")
    assert unsaid["training_days_low"] < again["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize("model", ["gpt2-xl", "gpt-3-13b"])
@pytest.mark.parametrize("framework", ["Megatron-LM", "Megatron-DeepSpeed"])
@pytest.mark.parametrize(("gpu", "years"), [("v100 32gb", (2019, 2020, 2021)), ("a100", (2020, 2021))])
def test_a_year_before_partial_recomputation_runs_all_again(
    model: str, framework: str, gpu: str, years: tuple[int, ...]
) -> None:
    run = {**PRETRAINED, "sequence_length": 1024, "model": model, "gpu": gpu}
    for year in years:
        told = answer(**run, framework=f"{framework} {year}")
        assert told["layout"]["activation_recompute"] == "full"
        assert CODE not in codes(told)


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "llama-2-7b", "gpu": "a100", "framework": "NeMo"},
        {"model": "llama-2-7b", "gpu": "a100", "framework": "GPT-NeoX"},
        {"model": "llama-2-7b", "gpu": "a100", "framework": "torchtitan"},
        {"model": "gpt2", "gpu": "b200", "framework": "Megatron-LM", "global_batch_sequences": 64},
        {"model": "llama-2-7b", "gpu": "a100", "framework": "axolotl", "method": "lora"},
    ],
    ids=lambda asked: str(asked["framework"]),
)
def test_it_is_not_doubted_where_users_of_a_stack_run_one_way_or_memory_is_plenty(asked: dict[str, Any]) -> None:
    assert CODE not in codes(answer(**PRETRAINED, **asked))
