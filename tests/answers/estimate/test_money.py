"""Cost and energy follow from GPU-hours, dated prices and rated power, and say so."""

import math

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


def test_cost_is_hours_times_the_median_price_and_its_range_takes_both_as_independent() -> None:
    """By hand: log shares of time and price to each end, in quadrature."""
    prices = [_price(2.0), _price(3.0, provider="B"), _price(7.0, provider="C", date="2026-10-01")]
    cost = cost_usd(HOURS, market(prices), None, "H100")
    assert cost.value == 300.0
    assert cost.low == pytest.approx(300 * math.exp(-math.hypot(math.log(100 / 80), math.log(3 / 2))))
    assert cost.high == pytest.approx(300 * math.exp(math.hypot(math.log(150 / 100), math.log(7 / 3))))
    for told in ("$3.00", "2026-09-01 to 2026-10-01", "$2.00 (A)", "$7.00 (C)"):
        assert told in cost.note


def test_a_price_the_caller_gave_replaces_the_catalogue() -> None:
    """The contract: `price_per_gpu_hour`."""
    cost = cost_usd(HOURS, market([_price(9.0)]), 2.0, "H100")
    assert (cost.value, cost.low, cost.high) == (200.0, 160.0, 300.0)


@pytest.mark.parametrize(("usd", "listed"), [((3.0,), True), ((2.0, 3.0, 7.0), False)])
def test_a_range_of_cost_is_no_narrower_than_that_of_time_and_no_wider_than_all_ends_at_once(
    usd: tuple[float, ...], *, listed: bool
) -> None:
    """With one price listed it is the time's alone."""
    cost = cost_usd(HOURS, market([_price(each) for each in usd]), None, "H100")
    assert cost.value is not None
    assert cost.low is not None
    assert cost.high is not None
    assert (cost.low / cost.value == pytest.approx(80 / 100)) is listed
    assert min(usd) * 80 <= cost.low * (1 + 1e-9) <= 0.8 * cost.value * (1 + 2e-9)
    assert 1.5 * cost.value <= cost.high * (1 + 1e-9) <= max(usd) * 150 * (1 + 2e-9)


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
    below = math.hypot(*(math.log(part) for part in (80 / 100, 0.6 / 0.8, 1.3 / 1.6, 1.08 / 1.2)))
    above = math.hypot(*(math.log(part) for part in (150 / 100, 0.95 / 0.8, 1.82 / 1.6, 1.56 / 1.2)))
    assert energy.value is not None
    assert energy.low == pytest.approx(energy.value * math.exp(-below))
    assert energy.high == pytest.approx(energy.value * math.exp(above))


def test_a_desktop_has_no_machine_room() -> None:
    """By hand: 100 h · 0.45 kW · 0.8 drawn · 1.35 for the rest of the machine."""
    energy = energy_kwh(HOURS, catalogue.accelerator("rtx-4090").value.accelerator)
    assert energy.value == pytest.approx(100 * 0.45 * 0.8 * 1.35)
    assert "PUE" not in energy.note
