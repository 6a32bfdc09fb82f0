"""Defaults for power, energy and carbon, by name."""

from collections.abc import Mapping
from functools import cache
from typing import cast

from estimator.base.names import Name, NameIndex, name_index
from estimator.catalogue.entries import EnergyDefault, Match
from estimator.catalogue.files import loaded
from estimator.catalogue.rates import energy_table, grid_names
from estimator.catalogue.shapes import EnergyFile

__all__ = ["energy_default", "energy_defaults", "grid_carbon"]


def energy_default(name: str) -> EnergyDefault:
    """Return the default with exactly this name, e.g. `pue` or `gpu-power-fraction`.

    Raises UnknownNameError with the nearest.
    """
    default = _energy().get(name)
    return default if default is not None else _energy()[_energy_index().resolved(name).id]


def energy_defaults() -> tuple[EnergyDefault, ...]:
    """Return every default for power, energy and carbon."""
    return tuple(_energy().values())


def grid_carbon(region: str) -> Match[EnergyDefault]:
    """Return the carbon intensity of a country (`France`, `FRA`) or cloud region (`gcp us-central1`).

    Raises UnknownNameError with the nearest.
    """
    match = _grid_index().resolved(region)
    return Match(value=_energy()[match.id], matched=match.matched, note=match.note)


@cache
def _energy_file() -> EnergyFile:
    return cast("EnergyFile", loaded("energy.json"))


@cache
def _energy() -> Mapping[str, EnergyDefault]:
    return energy_table(_energy_file())


@cache
def _energy_index() -> NameIndex:
    return name_index("energy_default", (Name(text=name, id=name) for name in _energy()))


@cache
def _grid_index() -> NameIndex:
    return name_index("grid_region", grid_names(_energy_file()))
