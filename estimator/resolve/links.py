"""The links of a card as it is plugged in: fewer lanes than it has, an older slot, a bridge to the next card."""

import re
from dataclasses import replace

from estimator.base.units import GIGA
from estimator.catalogue import catalogue
from estimator.question.cluster import Accelerator
from estimator.question.practice import Practice
from estimator.question.question import Assumption

__all__ = ["linked"]

_LANE_GB_PER_S = (0.25, 0.5, 0.985, 1.969, 3.938, 7.563)
"""Of a lane of PCIe each way, by generation from the first on: 2.5 to 32 GT/s less what 8b/10b and 128b/130b add."""
_WIDEST = 16
_JOINED = 2
_FORM = re.compile(r"(\d)\.0 x(\d+)")
"""How the catalogue writes a card's connector."""


def linked(chip: Accelerator, practice: Practice, n_gpus: int) -> tuple[Accelerator, tuple[Assumption, ...]]:
    """Return `chip` with the links that were told of it, and what is assumed of them.

    A slot is no faster than the card's own connector. A bridge joins two cards, and pairs reach each other over PCIe.
    """
    slotted, assumed = _slotted(chip, practice)
    if not practice.bridged or n_gpus == 1:
        return slotted, assumed
    if not chip.bridge_bytes_per_s:
        has_own = chip.scale_up_kind != "pcie"
        note = "its own links are counted" if has_own else f"{chip.name} has no connector for one: not counted"
        return slotted, (*assumed, Assumption(name="nvlink_bridge", value=has_own, source="catalogue", note=note))
    told = Assumption(
        name="nvlink_bridge",
        value=round(chip.bridge_bytes_per_s / GIGA, 2),
        unit="GB/s each way",
        source="user",
        note="joins two cards; others reach each other over PCIe",
    )
    bridged = replace(
        slotted, scale_up_bytes_per_s=chip.bridge_bytes_per_s, scale_up_kind="nvlink", scale_up_domain=_JOINED
    )
    return bridged, (*assumed, told)


def _slotted(chip: Accelerator, practice: Practice) -> tuple[Accelerator, tuple[Assumption, ...]]:
    if practice.pcie_lanes is None and practice.pcie_generation is None:
        return chip, ()
    own = _connector(chip)
    if own is None:
        return chip, ()
    generation, lanes = own
    generation = min(generation, practice.pcie_generation or generation)
    lanes = min(lanes, practice.pcie_lanes or lanes)
    rate = min(chip.pcie_bytes_per_s, GIGA * _LANE_GB_PER_S[generation - 1] * lanes)
    told = Assumption(
        name="pcie",
        value=f"{generation}.0 x{lanes}",
        source="user",
        note=f"{rate / GIGA:.3g} GB/s each way of {chip.pcie_bytes_per_s / GIGA:.3g} that the card has",
    )
    over_pcie = chip.scale_up_kind == "pcie"
    reached = min(chip.scale_up_bytes_per_s, rate) if over_pcie else chip.scale_up_bytes_per_s
    return replace(chip, pcie_bytes_per_s=rate, scale_up_bytes_per_s=reached), (told,)


def _connector(chip: Accelerator) -> tuple[int, int] | None:
    """Return the generation and the lanes of a card's connector; None where it has none, or is not one card."""
    found = next((entry.pcie for entry in catalogue.accelerators() if entry.id == chip.id), "")
    match = _FORM.fullmatch(found)
    return None if match is None else (int(match[1]), min(int(match[2]), _WIDEST))
