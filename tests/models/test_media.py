"""Pictures, clips and sounds as positions, and towers at the rates of a sample."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import InvalidValueError
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.media import Media, Picture, picture_of, seen
from estimator.models.parameters import parameter_counts
from estimator.models.towers import usual_parts, with_sample, with_trained_parts
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from tests.places import PUBLISHED


def _network(name: str) -> Transformer:
    path = next((PUBLISHED / "hf_configs").rglob(f"{name}.json"))
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return configured_model(config).transformer


def _media(name: str) -> Media:
    media = _network(name).media
    assert media is not None
    return media


@pytest.mark.parametrize(
    ("name", "size", "tokens", "positions"),
    [
        ("llava-1.5-7b", "1024x768", 576, 577),
        ("gemma-3-12b", "1024x768", 258, 4096),
        ("paligemma-3b-pt-224", "640x480", 256, 256),
        ("paligemma-3b-pt-448", "640x480", 1024, 1024),
        ("qwen2.5-vl-7b", "1024x768", 999, 3996),
        ("qwen2.5-vl-7b", "28x28", 4, 16),
        ("qwen3-vl-8b", "1024x768", 768, 3072),
        ("internvl3-8b", "448", 256, 1025),
        ("internvl3-8b", "896x896", 1280, 5125),
        ("idefics2-8b", "980", 64, 4900),
        ("idefics3-8b-llama3", "364", 17 * 172, 17 * 676),
        ("pixtral-12b", "1024", 64 * 64 + 64, 4096),
        ("llama-3.2-11b-vision-instruct", "560", 1, 4 * 1608),
        ("vit-base-patch16-224", "384", 577, 577),
        ("dinov2-base", "518", 1370, 1370),
        ("whisper-small", None, 1500, 1500),
        ("qwen2-audio-7b", None, 750, 1500),
        ("qwen2.5-vl-7b", "576 tokens", 576, 2304),
    ],
)
def test_a_picture_is_as_many_positions_as_its_processor_makes_of_it(
    name: str, size: str | None, tokens: float, positions: float
) -> None:
    """Authority: the models' processors in Transformers 5.24, worked by hand."""
    one = seen(_media(name), None if size is None else picture_of(size))
    assert one.tokens == pytest.approx(tokens)
    assert one.positions == pytest.approx(positions)


@pytest.mark.parametrize(
    ("given_size", "picture"),
    [
        ("336", Picture(width=336, height=336)),
        (224.0, Picture(width=224, height=224)),
        ("1024x768", Picture(width=1024, height=768)),
        ("1280 × 720 × 81", Picture(width=1280, height=720, frames=81)),
        ("576 tokens", Picture(width=0, height=0, tokens=576.0)),
        ("1k tokens per image", Picture(width=0, height=0, tokens=1000.0)),
    ],
)
def test_a_size_is_pixels_frames_or_tokens(given_size: str | float, picture: Picture) -> None:
    assert picture_of(given_size) == picture


@pytest.mark.parametrize("given_size", ["", "large", "0x0", "99999999", "x", "-5", "nan tokens", "1x2x3x4"])
def test_what_is_no_size_is_refused_by_name(given_size: str) -> None:
    with pytest.raises(InvalidValueError, match="image_size"):
        picture_of(given_size)


@given(width=st.integers(28, 4000), height=st.integers(28, 4000))
def test_a_picture_turned_on_its_side_is_as_many_tokens(width: int, height: int) -> None:
    """Native proportions know no upright."""
    media = _QWEN
    upright = seen(media, Picture(width=width, height=height))
    lying = seen(media, Picture(width=height, height=width))
    assert upright.tokens == lying.tokens


@given(side=st.integers(56, 2000))
def test_a_larger_picture_is_no_fewer_tokens(side: int) -> None:
    smaller, larger = (seen(_QWEN, Picture(width=size, height=size)) for size in (side, side * 2))
    assert larger.tokens >= smaller.tokens


_QWEN = _media("qwen2.5-vl-7b")


def test_a_clip_is_its_frames_in_pairs() -> None:
    """Qwen-VL: two frames share a patch, and pairs do not see one another in the encoder."""
    still, clip = seen(_QWEN, picture_of("448x448")), seen(_QWEN, picture_of("448x448x16"))
    assert clip.tokens == 8 * still.tokens
    assert clip.length == still.length


def test_without_pictures_towers_are_held_and_idle() -> None:
    """A model with towers costs as much on text alone as without them, and holds their weights."""
    network = _network("llava-1.5-7b")
    assert network.media is not None
    idle = with_sample(network, network.media, None, 0.0, 300.0).transformer
    alone = replace(network, towers=())
    assert flop_counts(idle, sequence_length=2048).model == flop_counts(alone, sequence_length=2048).model
    assert parameter_counts(idle).total - parameter_counts(alone).total == 303_507_456 + 20_979_712


def test_the_vision_tower_costs_what_it_does_for_each_picture() -> None:
    """LLaVA 1.5: 577 positions of CLIP for 576 + 224 tokens of the sequence."""
    network = _network("llava-1.5-7b")
    assert network.media is not None
    sample = with_sample(network, network.media, None, 1.0, 224.0)
    tower = next(tower for tower in sample.transformer.towers if tower.name == "vision")
    assert sample.tokens == 800
    assert tower.rate * sample.tokens == pytest.approx(577)
    forward = sum(gemm.flop_per_token for gemm in workload(sample.transformer).gemms if gemm.group == "vision")
    assert forward * 800 == pytest.approx(2 * 302e6 * 577, rel=0.01)


def test_a_frozen_encoder_is_run_forward_alone() -> None:
    network = _network("llava-1.5-7b")
    assert network.media is not None
    sample = with_sample(network, network.media, None, 1.0, 224.0).transformer
    frozen = flop_counts(with_trained_parts(sample, frozenset({"language", "projector"})), sequence_length=800)
    whole = flop_counts(with_trained_parts(sample, frozenset({"all"})), sequence_length=800)
    vision = [operation for operation in frozen.operations if operation.name.startswith("vision")]
    assert vision
    assert sum(operation.input_gradient + operation.weight_gradient for operation in vision) == 0
    assert frozen.forward == whole.forward
    assert frozen.backward < whole.backward


def test_recipes_freeze_encoders_under_adapters_and_on_small_sets() -> None:
    """LLaMA-Factory and ms-swift freeze encoder and projector under adapters; LLaVA trains its projector."""
    assert usual_parts("lora", small_set=True) == {"language"}
    assert usual_parts("full", small_set=True) == {"language", "projector"}
    assert usual_parts("full", small_set=False) == {"language", "projector", "vision"}


def test_layers_that_look_at_pictures_cost_more_with_more_of_them() -> None:
    """Llama 3.2 Vision: pictures are keys of its cross-attention, not tokens of its sequence."""
    network = _network("llama-3.2-11b-vision-instruct")
    assert network.media is not None
    one, two = (with_sample(network, network.media, None, count, 200.0) for count in (1.0, 2.0))
    assert (one.tokens, two.tokens) == (201, 202)
    costs = [flop_counts(sample.transformer, sequence_length=200).forward for sample in (one, two)]
    assert costs[1] > 1.5 * costs[0]
