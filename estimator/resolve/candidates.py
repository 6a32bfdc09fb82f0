"""Which devices stand for "all" of them."""

from estimator.catalogue import catalogue

__all__ = ["DESKTOP", "means_all", "priced_devices"]

_ALL = frozenset({"", "all", "any"})
_DATACENTER = "datacenter"
DESKTOP = 8
"""Up to as many, cards for desktops are candidates too."""


def means_all(given: object) -> bool:
    """Return whether a name leaves open which device: none, `all` or `any`."""
    return given is None or str(given).strip().casefold() in _ALL


def priced_devices(n_gpus: int | None) -> tuple[str, ...]:
    """Return the ids of all that have a dated price; of many, or where no count is told, see `DESKTOP`."""
    desktop = n_gpus is None or n_gpus <= DESKTOP
    chips = [entry.accelerator for entry in catalogue.accelerators()]
    return tuple(chip.id for chip in chips if catalogue.prices(chip.id) and (desktop or chip.segment == _DATACENTER))
