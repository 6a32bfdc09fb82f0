"""Ranges are wider on what no published run, or hardly any, was of.

Authority: which lengths and generations of devices have published runs.
"""

import math
from dataclasses import replace
from typing import Any

import pytest

from estimator.catalogue import catalogue
from estimator.evidence import uncertainty
from estimator.evidence.calibration import committed_calibration, standing_in
from tools.estimate_training_time import estimate_training_time


def _answer(**asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the tool's arguments
    return estimate_training_time(tokens="100M", **asked).model_dump()


def _codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


def _width(answer: dict[str, Any]) -> float:
    return float(answer["training_days_high"] / answer["training_days_low"])


def test_a_range_is_wider_where_sequences_are_longer_than_nearly_all_that_were_published() -> None:
    """At 131,072 tokens four labs have published speeds, at 262,144 two (data/runs.csv)."""
    labs = {length: {run.lab for run in catalogue.runs() if run.sequence_length >= length} for length in (2**17, 2**18)}
    assert len(labs[2**17]) > 2 >= len(labs[2**18])
    run = {"model": "qwen3-8b", "gpu": "h100", "n_gpus": 8, "framework": "trl", "context_parallel": 8}
    run |= {"global_batch_sequences": 1, "activation_recompute": "full", "data_sharding": "zero3"}
    near, far = (_answer(**run, sequence_length=length) for length in (2**17, 2**20))
    assert "unseen_length" in _codes(far) - _codes(near)
    assert _width(far) > 1.2 * _width(near)


@pytest.mark.parametrize(("length", "by_factor"), [(2**18, True), (2**20, False)])
def test_a_length_is_widened_for_once(length: int, by_factor: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two labs have measured 262,144 tokens; far beyond, how far it is says more than a factor for all lengths."""
    run = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 1024, "framework": "nemo", "sequence_length": length}
    widened = _width(_answer(**run))
    monkeypatch.setattr(uncertainty, "_UNSEEN_LENGTH", 1.0)
    alone = _width(_answer(**run))
    assert (widened > 1.1 * alone) if by_factor else (widened == alone)


@pytest.mark.parametrize("hidden", ["hopper", ""])
def test_a_family_between_measured_generations_is_less_unknown_than_one_beyond_them(hidden: str) -> None:
    """Hopper lies between Ampere and Blackwell; with every device hidden no generation is measured on either side."""
    known = committed_calibration()
    effects = {key: effect for key, effect in known.effects.items() if not key.startswith(f"device:{hidden}")}
    run = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "framework": "torchtitan"}
    widths: list[float] = []
    for calibration in (known, replace(known, effects=effects)):
        with standing_in(calibration):
            widths.append(math.log(_width(_answer(**run))))
    assert widths[1] == pytest.approx((1.2 if hidden else 1.4) * widths[0], rel=0.06)
