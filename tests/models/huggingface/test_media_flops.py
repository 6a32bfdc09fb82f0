"""Forward FLOPs of encoders, encoder–decoders and models with towers, against PyTorch's own counter.

Authority: tests/published/torch_flops_media.json, which scripts/reference_flops_media counts on small models of
Transformers' own classes, with every score computed.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.huggingface.gemma_sounds import gemma3n_sound, gemma4_sound
from estimator.models.media import picture_of
from estimator.models.parameters import parameter_counts
from estimator.models.towers import with_sample, with_text_ratio
from estimator.models.transformer import Transformer
from tests.places import PUBLISHED

_COUNTED: dict[str, dict[str, dict[str, Any]]] = json.loads(
    (PUBLISHED / "torch_flops_media.json").read_text(encoding="utf-8")
)
_ROWS = _COUNTED["rows"]
_POSITIONS_APART = {
    "deberta": 0.04,
    "deberta-v2": 0.01,
    "layoutlmv3": 0.0015,
    "lfm2_vl": 0.04,
    "swinv2": 0.002,
    "timesformer": 0.008,
    "wav2vec2-conformer relative": 0.004,
}
"""DeBERTa, Swin V2 and the conformer project their relative positions once a batch; that is not counted, and shows in a
batch of eight. TimeSformer's class token is one of every frame's, and of no patch's frames. LayoutLMv3 is told of two
positions more than its texts have. LFM2-VL's encoder resamples its table of positions by a product, in no layer."""
_TOLERANCE = 0.0005
_ROW_OF_PADDING = {"roberta", "xlm-roberta"}
"""Written without the two rows that their position tables have beyond the sequence: one less of the types."""


def _as_run(name: str) -> tuple[Transformer, float]:
    """Return the model at the rates of the inputs it was run on, and the positions of one sequence."""
    row = _ROWS[name]
    network = configured_model(row["config"]).transformer
    if "ratio" in row:
        network = replace(network, towers=tuple(with_text_ratio(tower, row["ratio"]) for tower in network.towers))
    if "text" not in row:
        return network, row.get("sequence_length") or network.native_sequence_length
    assert network.media is not None
    # The inputs held pictures and text, and no tokens that frame them.
    media = replace(network.media, row_breaks=False, tile_breaks=0)
    picture = picture_of(row["image_size"]) if "image_size" in row else None
    sample = with_sample(network, media, picture, row["images"], row["text"])
    assert sample.tokens == row["sequence_length"]
    return sample.transformer, sample.tokens


@pytest.mark.parametrize("name", _ROWS)
def test_forward_flops_are_those_that_pytorch_counts(name: str) -> None:
    network, length = _as_run(name)
    counted = flop_counts(network, sequence_length=length, causal=False).forward * _ROWS[name]["tokens"]
    assert counted == pytest.approx(_ROWS[name]["forward"], rel=_POSITIONS_APART.get(name, _TOLERANCE))


@pytest.mark.parametrize("name", sorted(set(_ROWS) - _ROW_OF_PADDING))
def test_a_small_model_has_the_parameters_of_its_class(name: str) -> None:
    total = parameter_counts(configured_model(_ROWS[name]["config"]).transformer).total
    assert total == _ROWS[name]["parameters"]


@pytest.mark.parametrize("name", _COUNTED["towers"])
def test_an_encoder_of_sounds_beside_a_language_model_is_counted_as_alone(name: str) -> None:
    """All but what takes its positions to the text, and but the few relative positions' projection, once a batch."""
    row, text = _COUNTED["towers"][name], 8
    tower = {"gemma3n_audio": gemma3n_sound, "gemma4_audio": gemma4_sound}[name](row["config"], text)
    width = row["config"].get("output_proj_dims", tower.hidden)
    counted = flop_counts(tower, sequence_length=row["sequence_length"], causal=False).forward - 2 * width * text
    assert counted * row["tokens"] == pytest.approx(row["forward"], rel=0.001)
    # A scale for what is heard and one for tokens of sound, which are embedded.
    embedded = (128 + 2) * tower.hidden if name == "gemma3n_audio" else 0
    assert parameter_counts(tower).total - width * text - embedded == row["parameters"]
