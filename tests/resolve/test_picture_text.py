"""How much text is taken to stand beside pictures where nobody says.

Authority: reason, as `estimator/resolve/picture_text.py` states it; data/datasets.json for what sets have.
"""

from typing import Any

import pytest

from estimator.catalogue import catalogue
from estimator.models.media import Media
from estimator.question.request import Request
from estimator.resolve.run import resolve

_USUAL = Media().usual_text
_PICTURE = 576
"""Tokens of a picture in LLaVA 1.5: 24 × 24 patches of 14 pixels."""
_CAPTIONED = sorted(entry.id for entry in catalogue.datasets() if entry.text_tokens is not None)


_CONVERSED = sorted(entry.id for entry in catalogue.datasets() if entry.kind == "image-instruction")
"""Conversations, whatever of a model is trained on them."""


def _text(**asked: Any) -> float:  # noqa: ANN401 - the arguments of a request
    """Return the tokens of text beside the picture of a sample."""
    given: dict[str, Any] = {"model": "llava-1.5-7b", "gpu": "a100", "n_gpus": 8, "samples": "500K", **asked}
    request = Request(**given)
    amount = resolve(request).amount
    assert amount.tokens_per_sample is not None
    return amount.tokens_per_sample - _PICTURE


@pytest.mark.parametrize(
    "trained",
    [
        {"trained_layers": "projector"},
        {"trained_layers": "projector", "method": "frozen"},
        {"trained_layers": "vision, projector"},
        {"method": "frozen"},
        {"samples": "500k captions", "trained_layers": "projector"},
    ],
)
def test_what_is_trained_about_a_frozen_language_model_is_trained_on_bare_captions(trained: dict[str, Any]) -> None:
    """Twenty to fifty tokens, as the first stage of LLaVA, MiniGPT-4 and BLIP-2 has them."""
    assert 20 <= _text(**trained) <= 50


@pytest.mark.parametrize(
    "trained",
    [
        {},
        {"method": "lora"},
        {"trained_layers": "language, projector"},
        {"trained_layers": "8"},
        {"trained_layers": "projector, head"},
        {"samples": "llava-665k"},
        *({"samples": name, "trained_layers": "projector", "method": "frozen"} for name in _CONVERSED),
    ],
)
def test_a_language_model_that_learns_to_answer_has_the_usual_text(trained: dict[str, Any]) -> None:
    assert _text(**trained) == _USUAL


@pytest.mark.parametrize("method", ["full", "lora"])
def test_captions_that_a_language_model_learns_to_write_have_a_template_about_them(method: str) -> None:
    assert _text(trained_layers="projector") < _text(samples="500k captions", method=method) < _USUAL / 2


@pytest.mark.parametrize("name", _CAPTIONED)
def test_a_set_whose_captions_are_known_has_those(name: str) -> None:
    entry = catalogue.dataset(name)
    assert entry.kind == "image-text"
    assert entry.text_tokens is not None
    assert _text(samples=name, trained_layers="projector") == pytest.approx(entry.text_tokens, abs=0.5)
    assert _text(samples=name, method="lora") > entry.text_tokens


def test_a_set_that_a_projector_is_aligned_on_says_so_and_has_its_captions() -> None:
    assert _text(samples="liuhaotian/LLaVA-Pretrain") == _text(samples="LCS-558K", trained_layers="projector") < 50


@pytest.mark.parametrize("trained", [{}, {"trained_layers": "projector"}, {"samples": "LLaVA-Pretrain"}])
def test_what_is_told_of_the_text_stands(trained: dict[str, Any]) -> None:
    assert _text(tokens_per_sample=100, **trained) == 100


def test_steps_hold_as_many_captions_as_samples_do() -> None:
    counted = {"samples": None, "steps": 1000, "global_batch_sequences": 500}
    assert _text(trained_layers="projector", **counted) == _text(trained_layers="projector")


def test_a_model_of_short_texts_keeps_them() -> None:
    """BLIP-2's are as short by its recipes."""
    request = Request(model="blip-2-opt-2.7b", gpu="a100", n_gpus=8, samples="500K")
    assert resolve(request).amount.tokens_per_sample == pytest.approx(64)
