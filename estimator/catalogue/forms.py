"""What accelerators are sold as: cards, modules of a board, a part of a laptop."""

from functools import cache

from estimator.catalogue import catalogue

__all__ = ["form_factor"]


def form_factor(accelerator_id: str) -> str:
    """Return what one accelerator is sold as, such as `SXM5` or `laptop`; empty where it is not catalogued."""
    return _forms().get(accelerator_id, "")


@cache
def _forms() -> dict[str, str]:
    return {entry.id: entry.form_factor for entry in catalogue.accelerators()}
