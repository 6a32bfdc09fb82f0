"""Questions that people asked in public, as the calls an assistant would make, and what a good answer must contain.

Authority: the thread named in each case; figures are those of the thread, or follow from datasheets, with room for the
step-time model to be calibrated anew.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from estimator.base.errors import EstimatorError
from server.protocol.registry import TOOLS


def _cases(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return cases


CASES = _cases("cases.json")
OTHERS = _cases("others.json")
"""Of the same kinds, made up here: other models, devices and words; some that must be refused with what would do."""
MOST_CALLS = 3
"""What was asked, and at most two answers that follow up on it."""
_STEP = re.compile(r"(\w+)(?:\[(\w+)=([^\]]+)\])?")


def _found(answer: dict[str, Any], path: str) -> object:
    """Return the value at `path`: names with dots between, `rows[gpu=h100-sxm]` being the one row of that kind."""
    value: Any = answer
    for step in _STEP.finditer(path):
        name, key, wanted = step.groups()
        value = value[name]
        if key is not None:
            (value,) = [row for row in value if row[key] == wanted]
    return value


def _assert_as_expected(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    value = _found(answer, expected["path"])
    if "between" in expected:
        low, high = expected["between"]
        assert isinstance(value, int | float)
        assert low <= value <= high, f"{expected['path']} is {value}"
    elif "contains" in expected:
        text = value if isinstance(value, str) else json.dumps(value)
        assert all(part in text for part in expected["contains"]), f"{expected['path']} is {text[:500]}"
    else:
        assert value == expected["equals"]


@pytest.mark.parametrize("case", [*CASES, *OTHERS], ids=lambda case: case["id"])
def test_a_question_is_answered_by_a_call_or_two(case: dict[str, Any]) -> None:
    assert 1 <= len(case["calls"]) <= MOST_CALLS
    for call in case["calls"]:
        tool = TOOLS.tool(call["tool"])
        assert tool is not None
        if "refused" in call:
            with pytest.raises(EstimatorError) as refused:
                tool.answer(call["arguments"])
            assert all(part in str(refused.value) for part in call["refused"]), str(refused.value)
            continue
        answer = tool.answer(call["arguments"]).structured
        assert answer["summary"]
        for expected in call["expect"]:
            _assert_as_expected(answer, expected)


def _speed(**arguments: object) -> float:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    return float(tool.answer(arguments).structured["training_seconds"])


def test_longer_sequences_cost_little_at_fixed_tokens_and_twice_at_fixed_samples() -> None:
    """sentence-transformers issue 1065: the attention term doubles per token, all else is linear in tokens."""
    run: dict[str, object] = {"model": "7B", "gpu": "A100", "n_gpus": 1, "method": "lora"}
    short = _speed(**run, samples="1M", tokens_per_sample=1024, sequence_length=1024)
    same_tokens = _speed(**run, tokens="1.024B", sequence_length=2048)
    same_samples = _speed(**run, samples="1M", tokens_per_sample=2048, sequence_length=2048)
    assert 0.75 < same_tokens / short < 1.35
    assert 1.7 < same_samples / short < 3.0  # twice as long rows may also have to be recomputed


def test_adapters_save_a_third_of_the_time_at_most_where_both_fit() -> None:
    """PEFT issue 664: 4 of 6 FLOPs at best; the saving is memory."""
    run: dict[str, object] = {"model": "llama-2-7b", "gpu": "A100 80GB", "n_gpus": 8, "tokens": "1B"}
    laid_out = {"activation_recompute": "none", "micro_batch_size": 1, "data_sharding": "zero3", "framework": "fsdp"}
    saved = _speed(**run, **laid_out, method="lora") / _speed(**run, **laid_out)
    assert 0.5 < saved < 1.0


def test_every_case_names_its_thread() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES) == 12
    assert all(case["asked"].strip() and "github.com/" in case["source"] for case in CASES)
    assert len({case["id"] for case in (*CASES, *OTHERS)}) == len(CASES) + len(OTHERS)
