"""Rates follow from units, clock and operations per clock, and stand in the relations their chips allow."""

from collections.abc import Mapping

import pytest

from estimator.base.units import GIBI
from estimator.catalogue import catalogue
from estimator.catalogue.entries import AcceleratorEntry
from tests.every import of_every

_FLOP_PER_CLOCK: Mapping[tuple[str, str], int] = {
    # Tensor or matrix FLOPs with FP32 accumulation per clock and multiprocessor (compute unit), by segment.
    # NVIDIA whitepapers of each architecture; GeForce halves the rate when it sums in FP32.
    ("volta", "datacenter"): 1024,
    ("volta", "consumer"): 1024,
    ("turing", "datacenter"): 1024,
    ("turing", "workstation"): 1024,
    ("turing", "consumer"): 512,
    ("ampere", "datacenter"): 1024,
    ("ampere", "workstation"): 1024,
    ("ampere", "consumer"): 512,
    ("ada", "datacenter"): 1024,
    ("ada", "workstation"): 1024,
    ("ada", "consumer"): 512,
    ("hopper", "datacenter"): 4096,
    ("blackwell", "datacenter"): 8192,
    ("blackwell", "workstation"): 1024,
    ("blackwell", "consumer"): 512,
    # AMD CDNA and RDNA instruction set guides.
    ("cdna1", "datacenter"): 1024,
    ("cdna2", "datacenter"): 1024,
    ("cdna3", "datacenter"): 2048,
    ("cdna4", "datacenter"): 4096,
    ("rdna2", "consumer"): 256,
    ("rdna3", "consumer"): 512,
    ("rdna3", "workstation"): 512,
    ("rdna3.5", "consumer"): 512,
    ("rdna4", "consumer"): 1024,
    ("rdna4", "workstation"): 1024,
}
_OTHER_FLOP_PER_CLOCK = {
    # The GA100 die does twice a GA10x.
    **dict.fromkeys(("a30", "a100-pcie-40gb", "a100-pcie-80gb", "a100-sxm-40gb", "a100-sxm-80gb"), 2048),
    **dict.fromkeys(("a800-sxm-80gb", "a800-pcie-80gb"), 2048),
    # Half-rate accumulation in data-centre cards: measured 170 on an L40, and the A10G datasheet's 70.
    **dict.fromkeys(("l40", "l20", "a10g"), 512),
    "titan-rtx": 1024,
    # Jetson modules do at full rate what their data-centre kin do: half of 85 dense INT8 TOPS at 1.3 GHz on 16 SMs,
    # a quarter of 1035 dense FP4 TFLOPS at 1.57 GHz on 20.
    **dict.fromkeys(("jetson-agx-orin-64gb", "jetson-agx-orin-32gb", "jetson-orin-nx-16gb"), 2048),
    "jetson-orin-nano-8gb": 2048,
    "jetson-thor": 8192,
}
_CLOCK_DIFFERS = {
    "titan-v": "110 is what NVIDIA states, below 119 at the boost clock",
    "b200-sxm": "2250 corresponds to 1.856 GHz, below the boost clock that is listed",
}


def _countable() -> list[AcceleratorEntry]:
    return [
        entry
        for entry in catalogue.accelerators()
        if {"n_sm", "boost_mhz"} <= set(entry.facts)
        and (entry.accelerator.family, entry.accelerator.segment) in _FLOP_PER_CLOCK
        and entry.id not in _CLOCK_DIFFERS
    ]


@of_every(_countable())
def test_a_peak_is_units_times_clock_times_operations(entry: AcceleratorEntry) -> None:
    """Authority: the whitepapers' operations per clock; 1.5 % covers the rounding of clocks on datasheets."""
    accelerator = entry.accelerator
    per_clock = _OTHER_FLOP_PER_CLOCK.get(entry.id, _FLOP_PER_CLOCK[accelerator.family, accelerator.segment])
    expected = accelerator.n_sm * per_clock * entry.facts["boost_mhz"].value * 1e6
    assert accelerator.training_peak_flop_per_s == pytest.approx(expected, rel=0.015)


def test_most_gpus_are_checked_by_their_clock() -> None:
    """The test above would pass on an empty list."""
    assert len(_countable()) >= 85


@of_every(catalogue.accelerators())
def test_rates_stand_in_the_relations_that_chips_allow(entry: AcceleratorEntry) -> None:
    """Authority: summing in FP32 is never faster than in FP16; no dense FP8 rate is 5 times BF16 (Rubin: 4.4)."""
    accelerator = entry.accelerator
    peaks = accelerator.peak_flop_per_s
    assert accelerator.training_peak_flop_per_s == peaks[accelerator.training_precision]
    if accelerator.fp16_accumulate_flop_per_s is not None and "fp16" in peaks:
        assert accelerator.fp16_accumulate_flop_per_s >= peaks["fp16"]
    if {"fp8", "bf16"} <= set(peaks):
        assert 1 <= peaks["fp8"] / peaks["bf16"] < 5
    if {"tf32", "bf16"} <= set(peaks):
        assert peaks["tf32"] <= peaks["bf16"]


@of_every(catalogue.accelerators())
def test_a_measured_matmul_stays_near_its_peak(entry: AcceleratorEntry) -> None:
    """Authority: cards boost above their rated clock by up to a third; more would be the wrong peak or a slip.

    One that is capped at 70 W, the T4, falls to 37 % of its peak.
    """
    accelerator = entry.accelerator
    for precision, measured in accelerator.measured_matmul_flop_per_s.items():
        assert 0.35 < measured / accelerator.peak_flop_per_s[precision] < 1.35


@of_every(catalogue.accelerators())
def test_software_gets_a_little_less_memory_than_is_sold(entry: AcceleratorEntry) -> None:
    """Authority: sizes as sold count GiB; macOS, and the firmware of a Ryzen AI Max, give a GPU three quarters."""
    share = entry.accelerator.memory_bytes / GIBI / entry.nominal_memory_gb
    assert (0.74 if entry.accelerator.family in {"apple", "rdna3.5"} else 0.9) < share < 1.01


def test_the_usual_cards_have_the_memory_that_drivers_report() -> None:
    """Authority: total_memory as PyTorch prints it, within a per cent."""
    for name, gib in {
        "A100 80GB": 79.2,
        "H200": 139.8,
        "RTX 4090": 23.64,
        "RTX 5090": 31.37,
        "MI355X": 287.98,
        "H100": 79.2,
    }.items():
        assert catalogue.accelerator(name).value.accelerator.memory_bytes / GIBI == pytest.approx(gib, rel=0.01)


@of_every(catalogue.accelerators())
def test_links_are_those_of_one_direction_and_a_node_fits_its_domain(entry: AcceleratorEntry) -> None:
    """Authority: no memory is slower than the device's own links, and no link exceeds 2 TB/s each way (Rubin: 1.8)."""
    accelerator = entry.accelerator
    assert accelerator.scale_up_bytes_per_s <= accelerator.memory_bandwidth_bytes_per_s
    assert accelerator.scale_up_bytes_per_s <= 2e12
    assert accelerator.scale_out_bytes_per_s <= accelerator.scale_up_bytes_per_s or accelerator.gpus_per_node == 1
    assert accelerator.scale_up_domain >= 1
    if accelerator.scale_up_kind == "pcie":
        assert accelerator.scale_up_domain == accelerator.gpus_per_node
        assert accelerator.scale_up_bytes_per_s == accelerator.pcie_bytes_per_s
