"""Values that widely used libraries get wrong are right here."""

import json
from typing import Any

import pytest

from estimator.base.units import GIGA, TERA
from estimator.catalogue import catalogue
from estimator.catalogue.entries import AcceleratorEntry
from tests.places import PUBLISHED

_PUBLISHED = json.loads((PUBLISHED / "library_mistakes.json").read_text(encoding="utf-8"))
_CHECKS = [
    pytest.param(check, id=f"{mistake['library']}-{check['id']}-{check['field']}")
    for mistake in _PUBLISHED["mistakes"]
    for check in mistake["checks"]
]


@pytest.mark.parametrize("check", _CHECKS)
def test_a_value_that_a_library_gets_wrong_is_right(check: dict[str, Any]) -> None:
    """Authority: tests/published/library_mistakes.json; half a per cent covers the rounding of datasheets."""
    entry = catalogue.accelerator(check["name"]).value
    value = _value(entry, check["field"])
    assert entry.id == check["id"]
    assert value == pytest.approx(check["right"], rel=0.005)
    assert check["wrong"] is None or value != pytest.approx(check["wrong"], rel=0.004)


def test_a_volta_card_has_no_tf32() -> None:
    """Authority: NVIDIA Ampere Architecture In-Depth, where TF32 is introduced (llm.c lists 125 for Volta)."""
    for entry in catalogue.accelerators():
        if entry.accelerator.family in {"kepler", "maxwell", "pascal", "volta", "turing"}:
            assert "tf32" not in entry.accelerator.peak_flop_per_s
            assert "bf16" not in entry.accelerator.peak_flop_per_s


def test_the_pcie_card_of_the_h100_has_hbm2e() -> None:
    """Authority: the name that the driver reports (ml-engineering lists HBM3)."""
    assert catalogue.accelerator("H100 PCIe").value.memory_type == "HBM2e"


@pytest.mark.parametrize("name", ["MI455X", "Rubin", "Ascend 950DT"])
def test_a_device_that_is_only_announced_says_so(name: str) -> None:
    """Authority: the vendors' announcements; ml-engineering halves the MI455X on an argument its own table refutes."""
    entry = catalogue.accelerator(name).value
    assert entry.status == "announced"
    assert any("nnounced" in note for note in entry.notes)


def test_a_rate_that_nobody_published_is_called_an_estimate() -> None:
    """Authority: no vendor page lists the MI308X; Epoch's 653.7 is not credible beside measured limiters."""
    entry = catalogue.accelerator("MI308X").value
    assert entry.facts["bf16_tflops"].confidence == "estimate"
    assert any("estimate" in note for note in entry.notes)


def _value(entry: AcceleratorEntry, field: str) -> float:
    accelerator = entry.accelerator
    match field:
        case "training":
            return accelerator.training_peak_flop_per_s / TERA
        case "scale_out_gb_s":
            return accelerator.scale_out_bytes_per_s / GIGA
        case "reached_gb_s":
            return accelerator.scale_up_bytes_per_s / GIGA
        case _:
            return entry.facts[field].value
