"""Cost and energy follow from GPU-hours, dated prices and rated power, and say so."""

import pytest

from estimator.answers.estimate.money import cost_usd, energy_kwh, hourly_prices, market
from estimator.catalogue import catalogue
from estimator.catalogue.entries import Price

HOURS = (100.0, 80.0, 150.0)


def _price(usd: float, pricing: str = "on_demand", provider: str = "A", date: str = "2026-09-01") -> Price:
    return Price(
        accelerator_id="h100-sxm",
        provider=provider,
        sku="",
        n_gpus=8,
        usd_per_gpu_hour=usd,
        pricing=pricing,
        region="",
        date=date,
        source="a price list",
    )


def test_cost_is_hours_times_the_median_price_and_its_range_takes_both_ends() -> None:
    """The definition: the cheapest provider and the shortest time, the dearest and the longest."""
    prices = [_price(2.0), _price(3.0, provider="B"), _price(7.0, provider="C", date="2026-10-01")]
    cost = cost_usd(HOURS, market(prices), None, "H100")
    assert (cost.value, cost.low, cost.high) == (300.0, 160.0, 1050.0)
    for told in ("$3.00", "2026-09-01 to 2026-10-01", "$2.00 (A)", "$7.00 (C)"):
        assert told in cost.note


def test_a_price_the_caller_gave_replaces_the_catalogue() -> None:
    """The contract: `price_per_gpu_hour`."""
    cost = cost_usd(HOURS, market([_price(9.0)]), 2.0, "H100")
    assert (cost.value, cost.low, cost.high) == (200.0, 160.0, 300.0)


def test_a_long_run_pays_no_spot_price_where_another_is_known() -> None:
    """A spot machine may be taken away at any time."""
    assert [price.usd_per_gpu_hour for price in hourly_prices([_price(1.0, "spot"), _price(4.0)])] == [4.0]
    assert [price.usd_per_gpu_hour for price in hourly_prices([_price(1.0, "spot")])] == [1.0]


def test_without_a_price_the_note_says_how_to_get_a_cost() -> None:
    """Nothing is guessed."""
    cost = cost_usd(HOURS, market([]), None, "Some GPU")
    assert cost.value is None
    assert "price_per_gpu_hour" in cost.note


def test_energy_of_an_h100_node_is_what_its_parts_multiply_to() -> None:
    """By hand: 100 h · 0.7 kW · 0.8 drawn · 1.6 node over GPU · 1.2 PUE."""
    energy = energy_kwh(HOURS, catalogue.accelerator("h100-sxm").value.accelerator)
    assert energy.value == pytest.approx(100 * 0.7 * 0.8 * 1.6 * 1.2)
    assert energy.low == pytest.approx(80 * 0.7 * 0.6 * 1.3 * 1.08)
    assert energy.high == pytest.approx(150 * 0.7 * 0.95 * 1.82 * 1.56)


def test_a_desktop_has_no_machine_room() -> None:
    """By hand: 100 h · 0.45 kW · 0.8 drawn · 1.35 for the rest of the machine."""
    energy = energy_kwh(HOURS, catalogue.accelerator("rtx-4090").value.accelerator)
    assert energy.value == pytest.approx(100 * 0.45 * 0.8 * 1.35)
    assert "PUE" not in energy.note
