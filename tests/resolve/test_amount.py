"""How much data a run trains on, and what that does to its time and its range.

Authority: the definitions in the program's contract.
"""

from typing import Any

import pytest

from server.protocol.registry import TOOLS


def _answer(**changes: object) -> dict[str, Any]:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    run: dict[str, object] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8, "method": "lora"}
    return tool.answer(run | {"detail": "detailed"} | changes).structured


def _assumption(answer: dict[str, Any], name: str) -> dict[str, Any]:
    (assumption,) = [each for each in answer["assumptions"] if each["name"] == name]
    return dict(assumption)


def test_megabytes_of_text_widen_the_range_of_the_time() -> None:
    """Two independent errors are wider than one of them, and narrower than both together."""
    text = _answer(tokens="500 MB of German text", epochs=3)
    tokens = _assumption(text, "tokens")
    counted = _answer(tokens=tokens["value"])
    assert "german" in tokens["note"]
    assert text["training_days"] == pytest.approx(counted["training_days"])
    assert text["training_days_low"] < counted["training_days_low"]
    assert text["training_days_high"] > counted["training_days_high"]


def test_padding_costs_tokens_and_says_how_many() -> None:
    said: dict[str, object] = {"samples": "50k", "tokens_per_sample": 400, "sequence_length": 2048}
    packed, padded = (_answer(**said, packing=packing) for packing in ("packed", "padded"))
    assert _answer(**said)["training_days"] == padded["training_days"]
    # Eight GPUs wait for the longest of all their samples.
    assert 1.2 < padded["training_days"] / packed["training_days"] < 4
    assert (
        padded["training_days_high"] / padded["training_days"] > packed["training_days_high"] / packed["training_days"]
    )
    assert _assumption(padded, "packing")["source"] == "user"
