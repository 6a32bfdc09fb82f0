"""Names, shapes and lookups of the catalogue."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue
from estimator.catalogue.energy import energy_default, energy_defaults, grid_carbon
from estimator.catalogue.entries import AcceleratorEntry
from estimator.catalogue.validation import checked_files
from tests.every import of_every

_IDS = [entry.id for entry in catalogue.accelerators()]


def test_every_data_file_has_its_shape_and_agrees_with_the_others() -> None:
    """Authority: the shapes in estimator/catalogue/shapes.py and the rules in estimator/catalogue/validation.py."""
    checked_files(catalogue.data_files(), catalogue.run_rows())


def test_at_least_ninety_accelerators_are_catalogued() -> None:
    """Authority: the project's scope; every kind people train on is among them."""
    entries = catalogue.accelerators()
    assert len(entries) >= 90
    assert {entry.accelerator.vendor for entry in entries} >= {"NVIDIA", "AMD", "Google", "AWS", "Intel"}


@of_every(catalogue.accelerators())
def test_every_number_carries_a_source_and_how_far_to_trust_it(entry: AcceleratorEntry) -> None:
    """Authority: the project's rule that a number without a source is none."""
    for fact in entry.facts.values():
        assert fact.confidence
        assert all(source.title for source in fact.sources)
        assert fact.sources


@of_every(catalogue.accelerators())
def test_every_name_of_a_device_finds_that_device(entry: AcceleratorEntry) -> None:
    """An alias that another device's name shadows would answer about the wrong one."""
    for name in (entry.id, entry.accelerator.name, *entry.aliases):
        match = catalogue.accelerator(name)
        assert match.value.id == entry.id
        assert not match.note


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NVIDIA H100 80GB HBM3", "h100-sxm"),
        ("H100 SXM5", "h100-sxm"),
        ("Lambda H100 SXM5", "h100-sxm"),
        ("Colab T4", "t4"),
        ("runpod 4090", "rtx-4090"),
        ("h100_sxm", "h100-sxm"),
        ("NVIDIA H100 PCIe", "h100-pcie"),
        ("4090", "rtx-4090"),
        ("RTX 4090", "rtx-4090"),
        ("GeForce RTX 4090", "rtx-4090"),
        ("nvidia geforce rtx4090", "rtx-4090"),
        ("A100-SXM4-80GB", "a100-sxm-80gb"),
        ("NVIDIA A100-SXM4-40GB", "a100-sxm-40gb"),
        ("NVIDIA A100 80GB PCIe", "a100-pcie-80gb"),
        ("AMD Instinct MI300X", "mi300x"),
        ("TPU v5p", "tpu-v5p"),
        ("v5e", "tpu-v5e"),
        ("Trillium", "tpu-v6e"),
        ("Trainium 2", "trainium2"),
        ("Gaudi 3", "gaudi3"),
        ("B200", "b200-sxm"),
        ("GB200 Superchip", "gb200"),
        ("B300", "b300-sxm"),
        ("L40S", "l40s"),
        ("Tesla T4", "t4"),
        ("A6000", "rtx-a6000"),
        ("6000 Ada", "rtx-6000-ada"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada"),
        ("Tesla V100-SXM2-32GB", "v100-sxm2-32gb"),
        ("Apple M2 Ultra", "apple-m2-ultra"),
        ("RTX 5060 Ti 16GB", "rtx-5060-ti-16gb"),
    ],
)
def test_what_people_and_drivers_call_a_device_finds_it_without_a_choice(name: str, expected: str) -> None:
    """Authority: the names that nvidia-smi, rocm-smi, cloud consoles and people use."""
    match = catalogue.accelerator(name)
    assert match.value.id == expected
    assert not match.note


@pytest.mark.parametrize(
    ("name", "expected", "other"),
    [
        ("H100", "h100-sxm", "h100-pcie"),
        ("A100", "a100-sxm-80gb", "a100-sxm-40gb"),
        ("A100 80GB", "a100-sxm-80gb", "a100-pcie-80gb"),
        ("a100-40gb", "a100-sxm-40gb", "a100-pcie-40gb"),
        ("V100", "v100-sxm2-16gb", "v100-sxm2-32gb"),
        ("H200", "h200-sxm", "h200-nvl"),
        ("5060 Ti", "rtx-5060-ti-16gb", "rtx-5060-ti-8gb"),
        ("RTX PRO 6000", "rtx-pro-6000-blackwell-ws", "rtx-pro-6000-blackwell-server"),
        ("RTX 6000", "rtx-6000-ada", "quadro-rtx-6000"),
        ("MI300", "mi300x", "mi300a"),
        ("Trainium", "trainium1", "trainium2"),
        ("DGX H100", "h100-sxm", "8 H100"),
        ("p4d.24xlarge", "a100-sxm-40gb", "8 A100"),
    ],
)
def test_a_name_that_could_mean_several_is_the_commonest_and_says_so(name: str, expected: str, other: str) -> None:
    """Authority: which of them clouds rent out and papers use most."""
    match = catalogue.accelerator(name)
    assert match.value.id == expected
    assert other in match.note


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("h100-smx", ("h100-sxm", "h100-nvl", "h100-pcie")),
        ("rtx 4090ti", ("rtx-4090",)),
        ("a100-81", ("a100-sxm-80gb",)),
        ("MI300Z", ("mi300x",)),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(name: str, nearest: tuple[str, ...]) -> None:
    """Authority: the public contract's example for gpu 'h100-smx'."""
    with pytest.raises(UnknownNameError) as caught:
        catalogue.accelerator(name)
    assert caught.value.nearest[: len(nearest)] == nearest
    assert str(caught.value) == f"unknown gpu {name!r}; did you mean {', '.join(caught.value.nearest)}?"


@pytest.mark.parametrize(
    "part", ["H10", "H1000", "L4S", "4090s", "A4", "RTX", "NVIDIA", "GPU", "", " ", "80GB", "H100H100"]
)
def test_part_of_a_name_is_no_name(part: str) -> None:
    """Substring matching is how L40 became L4 elsewhere; see library_mistakes.json."""
    with pytest.raises(UnknownNameError):
        catalogue.accelerator(part)


@pytest.mark.parametrize("text", ["h100" * 25_000, "\0" * 100_000, "ѣ" * 100_000, "🔥" * 50_000])
def test_a_very_long_name_is_refused_in_a_short_sentence(text: str) -> None:
    """Authority: the public contract: no echo longer than 80 characters."""
    with pytest.raises(UnknownNameError) as caught:
        catalogue.accelerator(text)
    assert len(str(caught.value)) < 250


@given(st.text(max_size=200))
def test_any_text_is_either_a_device_or_refused(text: str) -> None:
    """No input may end in another kind of error."""
    with suppress(UnknownNameError):
        assert catalogue.accelerator(text).value.id in _IDS


@given(st.sampled_from(_IDS), st.sampled_from([" ", "-", "_", " - "]))
def test_case_spaces_and_hyphens_do_not_matter(accelerator_id: str, separator: str) -> None:
    """Authority: people write h100-sxm, H100 SXM and H100_SXM alike."""
    written = separator.join(accelerator_id.split("-")).upper()
    assert catalogue.accelerator(written).value.id == accelerator_id


def test_prices_are_dated_and_the_newest_comes_first() -> None:
    """Authority: data/prices.json; prices move by a third within months."""
    dates = [price.date for price in catalogue.prices("h100-sxm")]
    assert len(dates) >= 20
    assert dates == sorted(dates, reverse=True)
    assert all(price.source and 0 < price.usd_per_gpu_hour < 20 for price in catalogue.prices("h100-sxm"))


def test_a_device_without_a_known_price_has_none() -> None:
    """No price may be made up."""
    assert catalogue.prices("p40") == ()


def test_whole_systems_have_a_list_price_per_device() -> None:
    """Authority: NVIDIA price list of September 2026: a DGX B200 with 8 GPUs at 485,000 USD."""
    (purchase,) = catalogue.purchases("b200-sxm")
    assert purchase.usd_per_gpu * purchase.n_gpus == pytest.approx(485_000)


def test_energy_defaults_have_a_range_around_their_value() -> None:
    """Authority: data/energy.json; each has its own low and high."""
    for default in energy_defaults():
        assert 0 < default.low <= default.value <= default.high
        assert default.source
    assert energy_default("pue").value == pytest.approx(1.2)


def test_an_unknown_energy_default_is_refused_with_the_nearest() -> None:
    """A misspelt name must not fall back to another default."""
    with pytest.raises(UnknownNameError) as caught:
        energy_default("pue-hyperscaler")
    assert "pue-hyperscale" in caught.value.nearest


@pytest.mark.parametrize(
    ("region", "g_per_kwh"), [("France", 56.0), ("SWE", 40.7), ("us-central1", 430), ("UK", 237.6)]
)
def test_a_grid_is_found_by_country_or_cloud_region(region: str, g_per_kwh: float) -> None:
    """Authority: Our World in Data 2023 and Google Cloud's region table, as codecarbon carries them."""
    assert grid_carbon(region).value.value == pytest.approx(g_per_kwh, rel=0.01)


def test_the_data_version_is_short_and_stable() -> None:
    """The same data must give the same answer id."""
    assert catalogue.data_version() == catalogue.data_version()
    assert len(catalogue.data_version()) == 12
