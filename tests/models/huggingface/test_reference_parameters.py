"""Parameters of published configurations, against what each family's own class allots.

Authority: tests/published/reference_parameters.json, which scripts/reference_parameters counts. A family that is
learnt to be read is to be taken off the lists below; the tests fail until it is.
"""

import contextlib
import json
from typing import Any

import pytest

from estimator.base.errors import EstimatorError
from estimator.models.huggingface.config import configured_model
from estimator.models.parameters import ParameterCounts, parameter_counts
from tests.every import of_every
from tests.places import PUBLISHED

_REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (PUBLISHED / "reference_parameters.json").read_text(encoding="utf-8")
)["models"]
_CONFIGS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((PUBLISHED / "hf_configs").rglob("*.json"), key=lambda path: path.stem)
}
_VECTORS_OF_IDLE_EXPERTS = 0.007
"""See `parameter_counts`: the vectors of experts that a token does not visit are counted as active."""

# By `model_type`, or by the class name that Diffusers writes.
_NOT_READ = frozenset({
    "AutoencoderKL", "csm",
    "ernie4_5_vl_moe", "flava", "fnet", "glm5_next",
    "kosmos-2", "moonshine",
    "pegasus_x", "prophetnet",
    "squeezebert", "t5gemma2", "timesfm",
    "vjepa2", "zaya",
})  # fmt: skip


def _family(config: dict[str, Any]) -> str:
    """Return the name that a configuration's family is listed by."""
    return str(config.get("_class_name") or config["model_type"])


def _counts(name: str) -> ParameterCounts:
    return parameter_counts(configured_model(_CONFIGS[name]).transformer)


_COUNTED = [name for name in _CONFIGS if "total" in _REFERENCE[name]]


def _agrees(name: str) -> bool:
    """Return whether a configuration has the parameters of its class.

    A router's correction bias is a parameter to some checkpoints and a buffer to its class.
    """
    reference = _REFERENCE[name]
    counts = _counts(name)
    active = pytest.approx(reference.get("active", reference["total"]), rel=_VECTORS_OF_IDLE_EXPERTS)
    return counts.total - reference["total"] in {0, reference.get("persistent_buffers", 0)} and counts.active == active


@of_every([name for name in _COUNTED if _family(_CONFIGS[name]) not in _NOT_READ])
def test_a_configurations_parameters_are_those_of_its_own_class(name: str) -> None:
    assert _agrees(name)


@of_every([name for name in _COUNTED if _family(_CONFIGS[name]) in _NOT_READ])
def test_a_family_that_is_said_not_to_be_read_is_not(name: str) -> None:
    """One that is learnt is to be taken off the list."""
    with contextlib.suppress(EstimatorError):
        assert not _agrees(name)


def test_every_configuration_has_a_reference_or_says_why_not() -> None:
    """scripts/reference_parameters writes both; a file added without it is found here."""
    assert set(_REFERENCE) == set(_CONFIGS)
    assert all("total" in found or "cannot" in found for found in _REFERENCE.values())


def test_the_lists_name_only_families_that_there_are() -> None:
    """A name misspelt would excuse nothing and never be missed."""
    families = {_family(config) for config in _CONFIGS.values()}
    assert families >= _NOT_READ
