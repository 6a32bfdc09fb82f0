"""What a run costs and what energy it draws: each a value with its range, and where the rates come from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import median

from estimator.base.units import KILO, format_counted
from estimator.catalogue import catalogue
from estimator.catalogue.energy import energy_default
from estimator.catalogue.entries import Price
from estimator.question.cluster import Accelerator
from estimator.question.pools import Pool
from estimator.question.question import Assumption
from estimator.resolve.run import Run

__all__ = [
    "Market",
    "Spread",
    "at_median_price",
    "catalogued_market",
    "cost_usd",
    "energy_kwh",
    "hourly_prices",
    "market",
    "pooled_market",
    "run_cost",
]

_HOURLY = ("on_demand", "marketplace", "reserved")
"""Kinds of price that a long run pays; a spot machine may be taken away."""
_TOGETHER = "the range takes price and time as independent; with price_per_gpu_hour it is that of the time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A value with its range; all None where nothing is known to reckon with."""

    value: float | None
    low: float | None
    high: float | None
    note: str


def hourly_prices(prices: Sequence[Price]) -> tuple[Price, ...]:
    """Return the prices a long run pays, cheapest first: on demand where there are any, else the others."""
    for kinds in (_HOURLY[:1], _HOURLY[1:], ("spot",)):
        kept = sorted((price for price in prices if price.pricing in kinds), key=lambda price: price.usd_per_gpu_hour)
        if kept:
            return tuple(kept)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What an hour of one accelerator costs at those who rent it out."""

    usd_low: float
    usd_median: float
    usd_high: float
    note: str


def market(prices: Sequence[Price]) -> Market | None:
    """Return the lowest, median and highest of the prices a long run pays; None where there is none."""
    kept = hourly_prices(prices)
    if not kept:
        return None
    usd = [price.usd_per_gpu_hour for price in kept]
    cheapest, dearest = kept[0], kept[-1]
    # A lone price comes from one day and one provider; others exist, and nothing here says how far away.
    n_providers = len({price.provider for price in kept})
    asked = format_counted(len(kept), f"{cheapest.pricing.replace('_', '-')} prices")
    return Market(
        usd_low=usd[0],
        usd_median=median(usd),
        usd_high=usd[-1],
        note=f"median ${median(usd):.2f} per GPU-hour of {asked} at {format_counted(n_providers, 'providers')}, "
        f"{_dates(kept)}: ${usd[0]:.2f} ({cheapest.provider}) to ${usd[-1]:.2f} ({dearest.provider})",
    )


@cache
def catalogued_market(accelerator_id: str) -> Market | None:
    """Return the market of a catalogued accelerator."""
    return market(catalogue.prices(accelerator_id))


def pooled_market(pools: Sequence[Pool]) -> Market | None:
    """Return what an hour of one of unlike accelerators costs in the mean; None where one has no price."""
    markets = [(pool, rented) for pool in pools if (rented := catalogued_market(pool.accelerator.id)) is not None]
    if len(markets) < len(pools):
        return None
    total = sum(pool.count for pool in pools)

    def mean(usd: Callable[[Market], float]) -> float:
        return sum(pool.count * usd(rented) for pool, rented in markets) / total

    each = ", ".join(f"{pool.accelerator.name} ${rented.usd_median:.2f}" for pool, rented in markets)
    return Market(
        usd_low=mean(lambda rented: rented.usd_low),
        usd_median=mean(lambda rented: rented.usd_median),
        usd_high=mean(lambda rented: rented.usd_high),
        note=f"medians per GPU-hour: {each}",
    )


def cost_usd(
    gpu_hours: tuple[float, float, float], rented: Market | None, usd_per_gpu_hour: float | None, device: str
) -> Spread:
    """Return the cost of `gpu_hours` (point, low, high) in US dollars.

        point hours · median price, and from it to each end √(log share of hours² + log share of price²)

    The prices' ends are the lowest and the highest listed; whoever is dear has no slower machines, so that the ends of
    both hardly meet. A price the caller gave is used alone. Storage, network and staff are not counted.
    """
    point, low, high = gpu_hours
    if usd_per_gpu_hour is not None:
        return Spread(
            value=point * usd_per_gpu_hour,
            low=low * usd_per_gpu_hour,
            high=high * usd_per_gpu_hour,
            note=f"at ${usd_per_gpu_hour:g} per GPU-hour; the range is that of the time",
        )
    if rented is None:
        return Spread(
            value=None,
            low=None,
            high=None,
            note=f"no dated price of {device} is catalogued; give price_per_gpu_hour to get a cost",
        )
    prices = [(rented.usd_median, rented.usd_low, rented.usd_high)]
    return _independent((point, low, high), prices, note=f"{rented.note}; {_TOGETHER}")


def run_cost(run: Run, gpu_hours: tuple[float, float, float]) -> Spread:
    """Return what `gpu_hours` (point, low, high) of the devices of `run` cost."""
    return cost_usd(gpu_hours, _market_of(run), run.usd_per_gpu_hour, run.device.name)


def at_median_price(run: Run) -> Run:
    """Return `run` with the median price as its own where it has none and its devices have one.

    Whoever holds a run to a budget pays one price and knows it: that others are cheaper or dearer is no risk of theirs.
    """
    rented = None if run.usd_per_gpu_hour is not None else _market_of(run)
    if rented is None:
        return run
    value = round(rented.usd_median, 4)
    price = Assumption(name="price_per_gpu_hour", value=value, unit="USD", source="catalogue", note=rented.note)
    return replace(run, usd_per_gpu_hour=rented.usd_median, assumptions=(*run.assumptions, price))


def _market_of(run: Run) -> Market | None:
    device = run.device
    if device.pools:
        return pooled_market(device.pools)
    return catalogued_market(device.accelerator.id) if device.accelerator else None


def _independent(
    gpu_hours: tuple[float, float, float], factors: Sequence[tuple[float, float, float]], note: str
) -> Spread:
    """Return the product of quantities, each as point, low and high, whose log errors are independent.

    To each end: √(Σ log share²), as of step, overhead and amount of data in the time itself.
    """
    quantities = (gpu_hours, *factors)
    value = math.prod(point for point, _, _ in quantities)
    if value == 0.0:
        return Spread(value=0.0, low=0.0, high=0.0, note=note)
    below = math.hypot(*(math.log(point / low) for point, low, _ in quantities))
    above = math.hypot(*(math.log(high / point) for point, _, high in quantities))
    return Spread(value=value, low=value * math.exp(-below), high=value * math.exp(above), note=note)


def energy_kwh(gpu_hours: tuple[float, float, float], accelerator: Accelerator | None) -> Spread:
    """Return the energy that `gpu_hours` (point, low, high) draw, in kWh at the meter of the site.

        GPU-hours · TDP · fraction of TDP drawn · node over GPU power · PUE      all but TDP independent

    A desktop has no PUE. Fails for runs that wait a lot: idle devices draw less.
    """
    if accelerator is None or accelerator.tdp_w <= 0:
        return Spread(value=None, low=None, high=None, note="no power of this GPU is catalogued")
    drawn = _power(accelerator.tdp_w, datacenter=accelerator.segment == "datacenter")
    rated_kw = accelerator.tdp_w / KILO
    return _independent(gpu_hours, [(rated_kw, rated_kw, rated_kw), *drawn.factors], note=drawn.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Power:
    """What one accelerator and its share of everything around it draw, over its rated power."""

    factors: tuple[tuple[float, float, float], ...]
    """Each as value, low and high."""
    note: str


@cache
def _power(tdp_w: float, *, datacenter: bool) -> _Power:
    drawn = energy_default("gpu-power-fraction")
    node = energy_default("node-power-over-gpu-tdp" if datacenter else "node-power-over-gpu-tdp-workstation")
    site = energy_default("pue")
    factors = (drawn, node, site) if datacenter else (drawn, node)
    pue = f" × PUE {site.value:g} ({site.low:g} to {site.high:g})" if datacenter else ""
    return _Power(
        factors=tuple((factor.value, factor.low, factor.high) for factor in factors),
        note=f"TDP {tdp_w:g} W × {drawn.value:g} drawn ({drawn.low:g} to {drawn.high:g}) × node over GPU "
        f"{node.value:g} ({node.low:g} to {node.high:g}; {node.source}){pue}; the range takes time and all "
        "factors as independent",
    )


def _dates(prices: Sequence[Price]) -> str:
    dates = sorted(price.date for price in prices if price.date)
    if not dates:
        return "undated"
    return dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
