"""What was published of memory, as questions that the memory model can be held to.

Authority: the sources named in data/memory.json.
"""

import inspect
import json
from typing import Any

import pytest

from estimator.base.units import GIBI, GIGA
from estimator.catalogue import catalogue
from estimator.catalogue.asked_faults import memory_faults
from tests.places import ROOT
from tools.estimate_training_time import estimate_training_time

FILE = ROOT / "estimator" / "catalogue" / "data" / "memory.json"
OBSERVATIONS = catalogue.memory_observations()


def _file() -> Any:  # noqa: ANN401 - a test breaks it on purpose
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_each_observation_says_one_thing() -> None:
    for one in OBSERVATIONS:
        said = {"peak": one.peak_bytes, "longest_context": one.longest_context, "fits": one.fits}
        assert [kind for kind, value in said.items() if value is not None] == [one.kind], one.id


def test_a_peak_is_no_more_than_its_device_holds() -> None:
    for one in OBSERVATIONS:
        if one.peak_bytes is not None:
            device = catalogue.accelerator(one.arguments["gpu"]).value.accelerator
            most = max(device.memory_bytes, (one.card_gb or 0.0) * GIGA)
            assert 0.1 * most < one.peak_bytes < most, one.id


def test_a_card_that_stands_in_has_the_size_its_source_names() -> None:
    """But for torchtitan's H100s, whose peaks are more than one of 80 GB holds."""
    for one in OBSERVATIONS:
        if one.card_gb is not None and "torchtitan" not in one.source:
            device = catalogue.accelerator(one.arguments["gpu"]).value.accelerator
            assert device.memory_bytes / GIGA == pytest.approx(one.card_gb, rel=0.08), one.id


def test_longer_contexts_fit_larger_cards() -> None:
    """Unsloth's README, Llama 3.1 8B with Hugging Face and FlashAttention 2: 932 tokens in 12 GB, 28,454 in 80 GB."""
    table = [one for one in OBSERVATIONS if one.id.startswith("unsloth-8b-")]
    found = {one.card_gb: one.longest_context or 0 for one in table}
    assert found[12] == 932
    assert found[80] == 28_454
    assert sorted(found.values()) == [found[size] for size in sorted(found, key=lambda size: size or 0)]


def test_a_peak_in_gib_is_more_than_as_many_gb() -> None:
    """Torchtitan prints GiB: 82.4 for Llama 3.1 8B on eight H100s."""
    (one,) = (one for one in OBSERVATIONS if one.id == "torchtitan-8b-8")
    assert one.peak_bytes == pytest.approx(82.4 * GIBI)


def test_a_question_is_asked_with_arguments_that_the_tool_has() -> None:
    known = set(inspect.signature(estimate_training_time).parameters)
    for one in OBSERVATIONS:
        assert set(one.arguments) <= known, one.id


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("source", "hearsay", "unknown source hearsay"),
        ("published", {"value": 932, "unit": "GB"}, "a longest_context in GB"),
        ("published", {"value": True, "unit": "tokens"}, "published True"),
        ("arguments", {"model": "7B", "gpu": "t4", "sequence_length": 512}, "was found, not asked"),
        ("arguments", {"gpu": "t4"}, "lacks model"),
    ],
)
def test_a_slip_in_an_observation_is_named_with_it(field: str, value: object, fault: str) -> None:
    file = _file()
    file["observations"][0][field] = value
    assert any(fault in found and file["observations"][0]["id"] in found for found in memory_faults(file))
