"""Which parts learn, as callers say it."""

from dataclasses import replace

import pytest

from estimator.base.errors import InvalidValueError
from estimator.catalogue import catalogue
from estimator.models.transformer import Tower, Transformer
from estimator.resolve.trained_parts import trained_parts, with_trained_towers

_MODEL = catalogue.transformer("llama-3.1-8b").value
_TOWER = replace(catalogue.transformer("qwen-2.5-1.5b").value, vocab=0, causal=False)
_SEEING = replace(
    _MODEL,
    towers=(
        Tower(name="vision", network=_TOWER, rate=0.5, length=576.0),
        Tower(name="projector", network=replace(_TOWER, n_layers=1), rate=0.5, length=1.0),
    ),
)

_SAID: list[tuple[str | int, int | None, int | None, bool, bool]] = [
    # what is said, layers that learn, layers that gradients reach, embedding, output layer
    (8, 8, 8, False, False),
    ("8", 8, 8, False, False),
    ("top 8", 8, 8, False, False),
    ("the last 8 of 32 layers", 8, 8, False, False),
    ("24-31", 8, 8, False, False),
    ("layers 24 to 31", 8, 8, False, False),
    ("0-7", 8, 32, False, False),
    ("first 4 layers", 4, 32, False, False),
    ("0, 1, 30, 31", 4, 32, False, False),
    ("[30, 31]", 2, 2, False, False),
    ("31, lm_head", 1, 1, False, True),
    ("top 2, embeddings", 2, 2, True, False),
    ("lm_head", 0, 0, False, True),
    ("linear probe", 0, 0, False, True),
    ("0, 1", 2, 32, False, False),
    ("embeddings", 0, 0, True, False),
    ("all", None, None, True, True),
    ("all but embeddings", None, None, False, True),
    ("freeze embeddings and lm_head", None, None, False, False),
    ("everything except the embeddings", None, None, False, True),
]


@pytest.mark.parametrize(("said", "layers", "reached", "embeddings", "output"), _SAID)
def test_parts_are_understood_as_people_say_them(
    said: str | int, layers: int | None, reached: int | None, embeddings: bool, output: bool
) -> None:
    """A number is of the top layers; embedding and output layer learn where they are named."""
    parts = trained_parts(said, _MODEL)
    assert parts is not None
    assert (parts.layers, parts.reached, parts.embeddings, parts.output) == (layers, reached, embeddings, output)


@pytest.mark.parametrize(
    ("said", "towers", "layers"),
    [
        ("projector", {"projector"}, 0),
        ("only the projector", {"projector"}, 0),
        ("mm_projector", {"projector"}, 0),
        ("language, projector", {"projector"}, None),
        ("vision tower", {"vision"}, 0),
        ("all but vision", {"projector"}, None),
        ("all", {"vision", "projector"}, None),
        ("top 4, projector", {"projector"}, 4),
    ],
)
def test_towers_learn_where_they_are_named(said: str, towers: set[str], layers: int | None) -> None:
    """LLaVA's stages: the projector alone, then language model and projector."""
    parts = trained_parts(said, _SEEING)
    assert parts is not None
    assert parts.layers == layers
    trained: Transformer = with_trained_towers(_SEEING, parts)
    assert {tower.name for tower in trained.towers if tower.trained} == towers


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (33, "1 to 32 layers"),
        (0, "1 to 32 layers"),
        ("30-40", "layers 0 to 31"),
        ("9-3", "3-9 would do"),
        ("projector", "no tower beside its layers"),
        ("the spleen", "not understood"),
        ("all but", "does not say what is frozen"),
        ("", "names nothing"),
    ],
)
def test_parts_that_the_model_lacks_are_refused_with_what_would_do(said: str | int, told: str) -> None:
    """Each error names the argument."""
    with pytest.raises(InvalidValueError, match=told) as caught:
        trained_parts(said, _MODEL)
    assert caught.value.argument == "trained_layers"


def test_nothing_said_is_nothing_chosen() -> None:
    """Then the method decides."""
    assert trained_parts(None, _MODEL) is None
