"""What the readers of hybrid models decide, and what they refuse."""

import json
from contextlib import suppress
from typing import Any

import pytest

from estimator.base.errors import EstimatorError, InvalidValueError, UnsupportedModelError
from estimator.models.huggingface.config import configured_model
from estimator.models.parameters import parameter_counts
from tests.places import PUBLISHED

_CONFIGS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((PUBLISHED / "hf_configs" / "hybrids").glob("*.json"))
}
_IMPOSSIBLE: tuple[object, ...] = (None, "x", -1, 0, 1e300, [], {}, ["x"], True)
_MAMBA_SSM: dict[str, Any] = {
    "d_model": 2560,
    "n_layer": 64,
    "vocab_size": 50_277,
    "ssm_cfg": {},
    "pad_vocab_size_multiple": 8,
}


def _total(config: dict[str, Any]) -> int:
    return parameter_counts(configured_model(config).transformer).total


def test_the_authors_own_file_of_mamba_is_read_as_the_published_one() -> None:
    """Authority: state-spaces/mamba-2.8b beside state-spaces/mamba-2.8b-hf, which hold the same weights."""
    assert _total(_MAMBA_SSM) == _total(_CONFIGS["mamba-2.8b"])


def test_the_authors_own_file_of_mamba_2_is_read_as_the_published_one() -> None:
    """Authority: state-spaces/mamba2-2.7b, whose vocabulary is padded to 16."""
    config = {**_MAMBA_SSM, "ssm_cfg": {"layer": "Mamba2"}, "pad_vocab_size_multiple": 16}
    assert _total(config) == _total(_CONFIGS["mamba2-2.7b"])


def test_a_family_is_known_by_its_class_where_its_name_is_left_out() -> None:
    bare = {key: value for key, value in _CONFIGS["mamba-130m"].items() if key != "model_type"}
    assert _total({**bare, "architectures": ["MambaForCausalLM"]}) == _total(_CONFIGS["mamba-130m"])


@pytest.mark.parametrize(
    ("name", "attending", "mixing"),
    [
        ("jamba-v0.1", 4, 28),
        ("bamba-9b", 3, 29),
        ("granite-4.0-h-small", 4, 36),
        ("granite-4.0-micro", 40, 0),
        ("nemotron-3-nano-30b-a3b", 6, 23),
        ("qwen3-next-80b-a3b", 12, 36),
        ("falcon-h1-34b", 72, 72),
        ("minimax-text-01", 10, 70),
        ("lfm2-1.2b", 6, 10),
        ("recurrentgemma-2b", 8, 18),
        ("mamba-2.8b", 0, 64),
    ],
)
def test_layers_are_counted_by_kind(name: str, attending: int, mixing: int) -> None:
    """Authority: each model's card or report."""
    transformer = configured_model(_CONFIGS[name]).transformer
    assert transformer.n_attention_layers == attending
    assert sum(mixer.layers for mixer in transformer.mixers) == mixing


def test_the_layers_of_kimi_linear_may_be_listed_by_number() -> None:
    """Authority: its publisher's file lists seven of 27 layers as full attention."""
    bare = {key: value for key, value in _CONFIGS["kimi-linear-48b-a3b"].items() if key != "layer_types"}
    listed = {"full_attn_layers": [4, 8, 12, 16, 20, 24, 27], "kda_layers": [1, 2, 3], "head_dim": 128}
    transformer = configured_model({**bare, "linear_attn_config": listed}).transformer
    assert transformer.n_attention_layers == 7
    assert transformer.mixers[0].layers == 20


def test_plamo_2_has_about_the_parameters_it_is_published_with() -> None:
    """Authority: pfnet/plamo-2-8b, 9.1B in its card; half of its layers attend, to 2,048 keys."""
    shape = {"hidden_size": 4096, "num_hidden_layers": 32, "intermediate_size": 16_384, "vocab_size": 100_000}
    heads = {"num_attention_heads": 32, "num_key_value_heads": 4, "hidden_size_per_head": 128, "mamba_num_heads": 64}
    config = {"model_type": "plamo2", **shape, **heads, "mamba_step": 2, "attention_window_size": 2048}
    transformer = configured_model(config).transformer
    assert (transformer.n_attention_layers, transformer.windowed_layers) == (16, 16)
    assert parameter_counts(transformer).total == pytest.approx(9.1e9, rel=0.01)


def test_the_experts_of_nemotron_3_super_work_in_a_narrower_width() -> None:
    """Authority: its report: 512 experts, 22 visited, between 4,096 and a latent width of 1,024."""
    experts = configured_model(_CONFIGS["nemotron-3-super-120b-a12b"]).transformer.experts
    assert experts is not None
    assert (experts.n_experts, experts.top_k, experts.latent) == (512, 22, 1024)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("qwen3-next-80b-a3b", {"layer_types": ["full_attention"] * 47}, "must name all 48"),
        ("nemotron-h-8b", {"hybrid_override_pattern": ""}, "lacks hybrid_override_pattern"),
        ("mamba2-130m", {"state_size": 0}, "state_size: 0 must be a whole number"),
        ("zamba2-2.7b", {"n_mamba_heads": "many"}, "n_mamba_heads: 'many' must be a whole number"),
    ],
)
def test_what_contradicts_itself_is_refused(name: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        configured_model({**_CONFIGS[name], **changes})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("nemotron-h-8b", {"hybrid_override_pattern": "M-X*"}),
        ("granite-4.0-h-small", {"layer_types": ["hyena"] * 40}),
    ],
)
def test_a_layer_of_no_known_kind_is_refused_by_name(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedModelError, match=r"layers of type '(X|hyena)'"):
        configured_model({**_CONFIGS[name], **changes})


@pytest.mark.parametrize("name", _CONFIGS)
def test_a_value_no_model_can_have_never_crashes(name: str) -> None:
    """Any key may be broken in a file that somebody wrote by hand."""
    for key in _CONFIGS[name]:
        for bad in _IMPOSSIBLE:
            with suppress(EstimatorError):
                configured_model({**_CONFIGS[name], key: bad})
