"""Every published decoder is read to the unit: total and active parameters as its own class has them."""

import json
from typing import Any

import pytest

from estimator.models.huggingface.config import language_model
from estimator.models.parameters import parameter_counts
from tests.places import PUBLISHED

_FOLDER = PUBLISHED / "hf_configs"
_REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (PUBLISHED / "reference_parameters.json").read_text(encoding="utf-8")
)["models"]
_BESIDE = ("vision", "audio", "projector")
# Language models inside multimodal ones that no other file has, alone.
_WITHIN = frozenset({"gemma-3n-e4b", "gemma-4-26b-a4b", "gemma-4-31b", "gemma-4-e2b-no-audio", "minimax-m3-default"})
_FILES = {
    path.stem: path
    for path in sorted(_FOLDER.rglob("*.json"))
    if path.parent == _FOLDER or path.parent.name == "decoders" or path.stem in _WITHIN
}


def _config(name: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(_FILES[name].read_text(encoding="utf-8"))
    return config


@pytest.mark.parametrize("name", _FILES)
def test_a_decoder_has_the_parameters_of_its_class_to_the_unit(name: str) -> None:
    """Authority: the class of `transformers` that the file names, or the publisher's own sum where there is none.

    A router's bias is a parameter in some classes and a buffer in others; both stand in a checkpoint.
    """
    reference = _REFERENCE[name]
    if "total" not in reference:
        pytest.skip("no class has it, and no count is published to the unit")
    counts = parameter_counts(language_model(_config(name)).transformer)
    beside = sum(reference.get("by_module", {}).get(part, 0) for part in _BESIDE)
    for found, stated in (
        (counts.total, reference["total"]),
        (counts.active, reference.get("active", counts.active + beside)),
    ):
        assert found in {stated - beside, stated - beside + reference.get("persistent_buffers", 0)}


def test_hardly_any_decoder_is_without_a_count() -> None:
    """A test that skips all would pass."""
    assert sum("total" in _REFERENCE[name] for name in _FILES) >= 225


_CLASSES: dict[str, dict[str, Any]] = json.loads((PUBLISHED / "class_configs.json").read_text(encoding="utf-8"))[
    "models"
]


@pytest.mark.parametrize("model_type", _CLASSES)
def test_a_family_without_a_published_file_has_the_parameters_of_its_class(model_type: str) -> None:
    """Authority: the class of `transformers` 5.24, with the values it has where nothing is said."""
    reference = _CLASSES[model_type]
    total = parameter_counts(language_model(reference["config"]).transformer).total
    assert total in {reference["total"], reference["total"] + reference["buffers"]}
