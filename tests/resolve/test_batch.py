"""The batch of a step, from the arguments that trainers know it by.

Authority: the definitions in the program's contract.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError, MissingValueError
from server.protocol.registry import TOOLS


def _answer(**changes: object) -> dict[str, Any]:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    run: dict[str, object] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8, "method": "lora"}
    return tool.answer(run | changes).structured


def test_gradient_accumulation_sets_the_batch() -> None:
    """Batch = micro-batch × accumulated × replicas, as trainers print it."""
    answer = _answer(tokens="1B", micro_batch_size=2, gradient_accumulation=8)
    assert answer["layout"]["global_batch_sequences"] == 2 * 8 * 8
    assert answer["step_seconds"] is not None
    with pytest.raises(MissingValueError, match="micro_batch_size"):
        _answer(tokens="1B", gradient_accumulation=8)
    with pytest.raises(InvalidValueError, match="both set the batch"):
        _answer(tokens="1B", gradient_accumulation=8, micro_batch_size=1, global_batch_sequences=64)
