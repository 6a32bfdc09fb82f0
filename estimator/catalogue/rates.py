"""Turn rows of data/prices.json and data/energy.json into prices and defaults, each with its source."""

from collections.abc import Iterator, Mapping

from estimator.base.names import Name
from estimator.catalogue.entries import EnergyDefault, Price, Purchase
from estimator.catalogue.shapes import EnergyFile, PriceFile

__all__ = ["energy_table", "grid_names", "price_table", "purchase_table"]

_GRID = "grid-"
"""What names of grid carbon intensities begin with."""


def price_table(rows: PriceFile) -> Mapping[str, tuple[Price, ...]]:
    """Return all dated prices by accelerator id, newest first."""
    by_accelerator: dict[str, list[Price]] = {}
    for row in rows["prices"]:
        price = Price(
            accelerator_id=row["accelerator_id"],
            provider=row["provider"],
            sku=row["sku"],
            n_gpus=row["n_gpus"],
            usd_per_gpu_hour=row["usd_per_gpu_hour"],
            pricing=row["pricing"],
            region=row["region"],
            date=row["date"],
            source=rows["sources"][row["source"]]["title"],
            note=row.get("note", ""),
        )
        by_accelerator.setdefault(price.accelerator_id, []).append(price)
    return {
        key: tuple(sorted(some, key=lambda price: price.date, reverse=True)) for key, some in by_accelerator.items()
    }


def purchase_table(rows: PriceFile) -> Mapping[str, tuple[Purchase, ...]]:
    """Return the list prices of whole systems by accelerator id."""
    by_accelerator: dict[str, list[Purchase]] = {}
    for row in rows["purchases"]:
        purchase = Purchase(
            accelerator_id=row["accelerator_id"],
            provider=row["provider"],
            sku=row["sku"],
            n_gpus=row["n_gpus"],
            usd_per_gpu=row["usd_per_gpu"],
            date=row["date"],
            source=rows["sources"][row["source"]]["title"],
        )
        by_accelerator.setdefault(purchase.accelerator_id, []).append(purchase)
    return {key: tuple(some) for key, some in by_accelerator.items()}


def energy_table(rows: EnergyFile) -> Mapping[str, EnergyDefault]:
    """Return every default for power, energy and carbon by name."""
    return {
        row["name"]: EnergyDefault(
            name=row["name"],
            value=row["value"],
            low=row["low"],
            high=row["high"],
            unit=row["unit"],
            source=rows["sources"][row["source"]]["title"],
            date=row.get("date", "") or rows["sources"][row["source"]].get("date", ""),
            note=row.get("note", ""),
        )
        for row in rows["defaults"]
    }


def grid_names(rows: EnergyFile) -> Iterator[Name]:
    """Yield what people call the regions whose carbon intensity is known: `fra`, `France`, `us-central1`."""
    for row in rows["defaults"]:
        if row["name"].startswith(_GRID):
            for text in (row["name"].removeprefix(_GRID), *row.get("aliases", ())):
                yield Name(text=text, id=row["name"])
