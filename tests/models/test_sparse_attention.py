"""Attention to selected and compressed keys: what the indexer costs, and what it saves."""

import json
from collections import defaultdict
from typing import Any

import pytest

from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.transformer import Transformer
from tests.places import PUBLISHED

_FOLDER = PUBLISHED / "hf_configs"


def _model(name: str) -> Transformer:
    config: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return configured_model(config).transformer


def _forward(transformer: Transformer, sequence_length: int) -> dict[str, float]:
    counts = flop_counts(transformer, sequence_length=sequence_length)
    forward: defaultdict[str, float] = defaultdict(float)
    for operation in counts.operations:
        forward[operation.name] += operation.forward
    return forward


@pytest.mark.parametrize("length", [4096, 32_768, 131_072])
def test_an_indexer_scores_every_key_and_attention_uses_those_it_selects(length: int) -> None:
    """Authority: DeepSeek-V3.2: 64 heads of 128 score all keys, 128 heads of 192 + 128 use 2,048 of them."""
    forward = _forward(_model("decoders/deepseek-v3.2"), length)
    assert forward["index_scores"] == pytest.approx(2 * (length / 2) * 64 * 128 * 61)
    keys = 2048 - 2048**2 / (2 * length)
    assert forward["attention"] == pytest.approx(2 * keys * 128 * (192 + 128) * 61)


def test_selection_saves_much_at_length_and_costs_little_when_short() -> None:
    """Authority: all else is DeepSeek-V3's, whose attention grows with the sequence."""
    sparse, dense = _model("decoders/deepseek-v3.2"), _model("deepseek-v3")
    at = {
        length: flop_counts(sparse, sequence_length=length).model / flop_counts(dense, sequence_length=length).model
        for length in (1024, 131_072)
    }
    assert 1.0 < at[1024] < 1.1
    assert at[131_072] < 0.5


def test_compressed_keys_are_as_few_as_their_rate_says() -> None:
    """Authority: DeepSeek-V4-Flash: 64 heads of 512; near keys 128, far ones of 128 and, 512 selected, of 4 tokens."""
    length, fine, coarse = 65_536, 21, 20
    forward = _forward(_model("decoders/deepseek-v4-flash"), length)
    near = 128 - 128**2 / (2 * length)
    selected = 512 - 512**2 / (2 * length / 4)
    per_key = 2 * 64 * (512 + 512)
    assert forward["windowed_attention"] == pytest.approx(per_key * near * 43)
    assert forward["attention"] == pytest.approx(per_key * (selected * fine + length / 128 / 2 * coarse))
    assert forward["index_scores"] == pytest.approx(2 * (length / 4 / 2) * 64 * 128 * fine)
