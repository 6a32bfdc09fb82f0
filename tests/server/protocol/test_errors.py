"""Bad questions, asked of the real server every way a client can ask: each gets one clear sentence, none harms it.

Authority: the program's public contract, section on errors.
"""

from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, TextContent

from tests.transports import connected

LONGEST_ECHO = 80
LONGEST_SENTENCE = 400
GOOD: dict[str, Any] = {"model": "llama-3.1-8b", "tokens": "15T", "gpu": "h100-sxm", "n_gpus": 512, "utilization": 0.4}
PREDICTED = {"utilization": None}

# What differs from the good question, and what the sentence must say: the argument, what was given, what would do.
BAD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "misspelt gpu": ({"gpu": "h100-smx"}, ("unknown gpu 'h100-smx'; did you mean h100-sxm",)),
    "unlike any gpu": ({"gpu": "~~~"}, ("gpu", "~~~")),
    "misspelt model": ({"model": "lama-3.1-8b"}, ("unknown model 'lama-3.1-8b'; did you mean llama-3.1-8b",)),
    "empty model": ({"model": ""}, ("model", "empty")),
    "misspelt argument": ({"n_gpu": 8}, ("unknown argument 'n_gpu'; did you mean n_gpus",)),
    "misspelt choice": ({"precision": "bf61"}, ("unknown precision 'bf61'; did you mean bf16",)),
    "missing argument": ({"gpu": None}, ("gpu is missing",)),
    "no gpus": ({"n_gpus": 0}, ("n_gpus: 0", "must")),
    "negative gpus": ({"n_gpus": -8}, ("n_gpus: -8", "must")),
    "fractional gpus": ({"n_gpus": 8.5}, ("n_gpus: 8.5", "whole number")),
    "true gpus": ({"n_gpus": True}, ("n_gpus: true", "must be a number")),
    "absurdly many gpus": ({"n_gpus": 10**12}, ("n_gpus", "must")),
    "wordy gpus": ({"n_gpus": "many"}, ("n_gpus: 'many'", "number")),
    "no tokens": ({"tokens": 0}, ("tokens: 0", "must")),
    "negative tokens": ({"tokens": "-15T"}, ("tokens: '-15T'", "must")),
    "tokens that are no number": ({"tokens": "nan"}, ("tokens: 'nan'", "must")),
    "infinite tokens": ({"tokens": "inf"}, ("tokens: 'inf'", "must")),
    "absurdly many tokens": ({"tokens": "1e40"}, ("tokens: '1e40'", "at most")),
    "wordy tokens": ({"tokens": "a lot"}, ("tokens: 'a lot'", "15T")),
    "per cent": ({"utilization": 45}, ("utilization: 45", "0.45")),
    "no utilization": ({"utilization": 0}, ("utilization: 0", "above zero")),
    "negative peak": ({"peak_tflops": -1}, ("peak_tflops: -1", "above zero")),
    "no epochs": ({"epochs": 0}, ("epochs: 0", "above zero")),
    "wordy price": ({"price_per_gpu_hour": "free"}, ("price_per_gpu_hour: 'free'",)),
    "tensor parallel that divides nothing": ({"tensor_parallel": 7, **PREDICTED}, ("tensor_parallel: 7", "would do")),
    "micro-batch that does not divide": (
        {"global_batch_sequences": 100, "micro_batch_size": 7, **PREDICTED},
        ("micro_batch_size: 7", "100", "would do"),
    ),
    "experts of a dense model": ({"expert_parallel": 8, **PREDICTED}, ("expert_parallel: 8", "dense")),
    "data twice": ({"samples": "1M", "tokens_per_sample": 500}, ("tokens", "samples", "give either")),
    "no data": ({"tokens": None}, ("tokens", "samples", "missing")),
    "speed twice": ({"observed_tokens_per_second": "1M"}, ("utilization", "observed_tokens_per_second", "one of them")),
    "empty config": ({"hf_config": {}}, ("hf_config", "empty")),
    "wrong config": ({"hf_config": {"a": 1}}, ("hf_config", "model_type")),
    "text for a config": ({"hf_config": "llama"}, ("hf_config: 'llama'", "JSON object")),
    "other architecture": (
        {"hf_config": {"model_type": "retnet"}},
        ("hf_config", "'retnet'", "state-space"),
    ),
    "100 kB of model": ({"model": "x" * 100_000}, ("model", "characters")),
    "100 kB of gpu": ({"gpu": "x" * 100_000}, ("gpu", "characters")),
    "100 kB of choice": ({"precision": "x" * 100_000}, ("precision", "characters")),
    "100 kB of argument": ({"x" * 100_000: 1}, ("unknown argument 'xxx",)),
}
BAD_OF_OTHERS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "misspelt order": ("list_gpus", {"sort_by": "prize"}, ("unknown sort_by 'prize'; did you mean price",)),
    "no rows": ("list_gpus", {"limit": 0}, ("limit: 0", "at least 1")),
    "unknown vendor": ("list_gpus", {"vendor": "nvdia"}, ("vendor", "'nvdia'", "nvidia")),
    "unknown precision": ("list_gpus", {"precision": "fp7"}, ("precision", "'fp7'")),
    "negative memory": ("list_gpus", {"min_memory_gb": -1}, ("min_memory_gb: -1", "at least 0")),
}
QUESTIONS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    name: ("estimate_training_time", {key: value for key, value in (GOOD | change).items() if value is not None}, said)
    for name, (change, said) in BAD.items()
} | BAD_OF_OTHERS


async def _refusal(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, f"answered: {result.structured_content}"
    assert result.structured_content is None
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@pytest.mark.parametrize(("tool", "arguments", "said"), QUESTIONS.values(), ids=QUESTIONS)
async def test_a_bad_question_is_refused_in_a_sentence_that_says_what_would_do(
    tool: str, arguments: dict[str, Any], said: tuple[str, ...]
) -> None:
    async with connected("memory", "legacy") as client:
        text = await _refusal(client, tool, arguments)
    for words in said:
        assert words in text
    assert len(text) <= LONGEST_SENTENCE
    assert "\n" not in text
    assert "pydantic" not in text.lower()
    assert "x" * (LONGEST_ECHO + 1) not in text


@pytest.mark.parametrize(("transport", "era"), [("stdio", "legacy"), ("http", "2026-07-28")])
async def test_after_all_bad_questions_the_server_still_answers(transport: str, era: str) -> None:
    async with connected("memory", "legacy") as beside, connected(transport, era) as client:
        for tool, arguments, _ in QUESTIONS.values():
            assert await _refusal(client, tool, arguments) == await _refusal(beside, tool, arguments)
        with pytest.raises(MCPError, match="unknown tool 'estimate_training'; did you mean") as caught:
            await client.call_tool("estimate_training", GOOD)
        assert caught.value.error.code == INVALID_PARAMS
        answer = await client.call_tool("estimate_training_time", GOOD)
        assert answer.content == (await beside.call_tool("estimate_training_time", GOOD)).content
        assert not answer.is_error
