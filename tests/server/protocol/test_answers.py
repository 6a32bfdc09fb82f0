"""The published runs, asked of the real server every way a client can ask.

Authority: Narayanan et al. 2021 (Efficient Large-Scale Language Model Training on GPU Clusters), section 5.1, which
gives 34 days for GPT-3 (175B parameters, 300B tokens, 1,024 A100 at 140 TFLOPS each) and 84 days for a model of 1T
parameters (450B tokens, 3,072 A100 at 163 TFLOPS each); its formula gives 33.9 and 83.2 to the digit.
"""

from typing import Any

import pytest
from mcp.types import TextContent

from tests.transports import ERAS, TRANSPORTS, connected

A100_TFLOPS = 312
RUNS: dict[str, tuple[dict[str, Any], float, float]] = {
    "GPT-3": (
        {
            "model": "gpt-3-175b",
            "tokens": "300B",
            "gpu": "A100",
            "n_gpus": 1024,
            "activation_recompute": "full",
            "utilization": 140 / A100_TFLOPS,
        },
        33.9,
        34,
    ),
    "one trillion": (
        {
            "model": "1T",
            "tokens": "450B",
            "gpu": "A100",
            "n_gpus": 3072,
            "activation_recompute": "full",
            "utilization": 163 / A100_TFLOPS,
        },
        83.2,
        84,
    ),
}


async def _answers(transport: str, era: str) -> dict[str, str]:
    """Return each run's answer, asked twice, as the text that crossed the wire."""
    texts: dict[str, str] = {}
    async with connected(transport, era) as client:
        for name, (arguments, _, _) in RUNS.items():
            for _ in range(2):
                result = await client.call_tool("estimate_training_time", arguments)
                assert not result.is_error
                (block,) = result.content
                assert isinstance(block, TextContent)
                assert texts.setdefault(name, block.text) == block.text
    return texts


async def test_published_runs_take_as_long_as_was_published() -> None:
    async with connected("memory", "legacy") as client:
        for arguments, formula_days, published_days in RUNS.values():
            result = await client.call_tool("estimate_training_time", arguments)
            assert result.structured_content is not None
            days = result.structured_content["training_days"]
            assert days == pytest.approx(formula_days, abs=0.05)
            assert days == pytest.approx(published_days, rel=0.01)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_is_the_same_bytes_over_every_transport_and_era(transport: str, era: str) -> None:
    assert await _answers(transport, era) == await _answers("memory", "legacy")
