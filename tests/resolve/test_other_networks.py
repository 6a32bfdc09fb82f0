"""A name of a family that reads pictures means its member of that size, and what is refused is told its nearest.

Authority: the publishers' model cards; Zhu et al. 2023 (MiniGPT-4), section 3: BLIP-2's encoder on Vicuna.
"""

import re

import pytest

from estimator.base.errors import UnsupportedModelError
from estimator.question.request import Request
from estimator.resolve.subject import Subject, resolved_subject


def _subject(name: str) -> Subject:
    return resolved_subject(Request(model=name, gpu="h100", n_gpus=8))


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ("llava-13b", "llava-1.5-13b"),
        ("liuhaotian/LLaVA-13b-delta-v1", "llava-1.5-13b"),
        ("llava-7b", "llava-1.5-7b"),
        ("llava-34b", "llava-next-34b"),
        ("qwen-vl-7b", "qwen2.5-vl-7b"),
        ("internvl-8b", "internvl3.5-8b"),
        ("qwen-audio-7b", "qwen2-audio-7b"),
    ],
)
def test_a_size_of_a_family_is_its_member_of_that_size(given: str, means: str) -> None:
    """The newest of those that leave only a version open; never a language model without what sees."""
    subject = _subject(given)
    assert subject.transformer is not None
    assert subject.transformer.id == means
    assert subject.assumptions[0].note.startswith(f"read as {means}, of its family")


@pytest.mark.parametrize(
    ("given", "first"),
    [
        ("llava-onevision-13b", "llava-1.5-13b"),
        ("llava-vicuna-13b", "llava-next-vicuna-13b"),
        ("llava-next-7b-foo", "llava-next-"),
        ("yolov8n-seg", "yolov8n"),
        ("qwen-vl-99b", "qwen2-vl-72b"),
        ("minigpt4", "instructblip-vicuna-7b"),
        ("Vision-CAIR/MiniGPT-4", "instructblip-vicuna-7b"),
        ("minigpt4-7b", "instructblip-vicuna-7b"),
        ("glm-4v-9b", "glm-4.1v-9b"),
        ("cogvlm-17b", "llama-3.2-11b-vision"),
    ],
)
def test_what_is_refused_is_told_its_own_family_first_and_the_nearest_in_size(given: str, first: str) -> None:
    with pytest.raises(UnsupportedModelError, match=re.escape(f"of its kind are {first}")):
        _subject(given)
