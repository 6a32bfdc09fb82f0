"""A family with a size that it has only as a mixture of experts is that one, and no dense model of the size.

Authority: the catalogued configurations, whose names tell their parameters in all.
"""

import pytest

from estimator.question.request import Request
from estimator.resolve.subject import Subject, resolved_subject


def _subject(name: str) -> Subject:
    return resolved_subject(Request(model=name, gpu="h100", n_gpus=64))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Qwen3 80B", "qwen3-next-80b-a3b"),
        ("qwen3.5 35b", "qwen3.5-35b-a3b"),
        ("glm 4.5 106b", "glm-4.5-air-106b-a12b"),
        ("llama 4 109b", "llama-4-scout"),
        ("kimi 1t", "kimi-k2"),
        ("ernie 4.5 300b", "ernie-4.5-300b-a47b"),
    ],
)
def test_a_family_and_a_size_that_it_has_as_experts_alone_are_that_model(name: str, found: str) -> None:
    subject = _subject(name)
    assert subject.transformer is not None
    assert subject.transformer.id == found
    assert subject.active_parameters < 0.5 * subject.total_parameters
    assert "mixture of experts" in subject.assumptions[0].note


@pytest.mark.parametrize("name", ["mystery 80B", "qwen3 lemon 80b", "80B"])
def test_another_name_of_the_size_is_no_model_of_that_family(name: str) -> None:
    subject = _subject(name)
    assert subject.transformer is not None
    assert subject.transformer.experts is None


def test_a_size_that_stands_for_a_network_is_warned_of_before_all_else() -> None:
    (warning,) = _subject("mystery 80B").warnings
    assert "typical 80B dense model" in warning.message.partition(":")[2].partition(";")[0]
