"""What people say of the slots and bridges that join their cards: `PCIe 3.0 x4`, `NVLink bridge`."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning, folded

__all__ = ["LINKS"]

_LANES = (1, 2, 4, 8, 16)
_GENERATIONS = range(1, 7)
_OF_A_GENERATION = ("pcie {0}", "pcie {0} 0", "pcie gen {0}", "gen {0} pcie", "pcie {0} slot", "pcie {0} 0 slot")
_NARROW = ("{0} x {1}", "{0} x {1} slot", "{0} x {1} slots", "{0} x {1} riser", "{0} x {1} risers", "{0} x {1} lanes")
_ALONE = ("x {1} {0}", "{0} {1} lanes", "{0} {1} x", "{1} {0} lanes", "x {1} slot", "x {1} slots", "x {1} riser")
_BRIDGED = (
    "nvlink | nvlink bridge | nvlink bridges | nv link | nv link bridge | nvlink bridged | bridged | nvlinked | "
    "2 way nvlink | nvlink pair | nvlink pairs | sli bridge"
)
_HARMLESS = "pcie | riser | risers | riser cable | riser cables | pcie riser | pcie risers | bifurcated"
"""Without lanes beside it, a riser is a cable as wide as its slot."""


def _slots() -> Iterator[tuple[str, Practice]]:
    for form in _OF_A_GENERATION:
        for generation in _GENERATIONS:
            of_it = form.format(generation)
            yield of_it, Practice(pcie_generation=generation)
            for lanes in _LANES:
                both = Practice(pcie_generation=generation, pcie_lanes=lanes)
                yield from ((narrow.format(of_it, lanes), both) for narrow in _NARROW)
    for lanes in _LANES:
        yield from ((form.format("pcie", lanes), Practice(pcie_lanes=lanes)) for form in (*_NARROW, *_ALONE))


LINKS: Mapping[str, Meaning] = MappingProxyType(
    {
        **{folded(phrase): Meaning() for phrase in _HARMLESS.split("|")},
        **{
            folded(phrase): Meaning(
                says=Facts(practice=Practice(bridged=True)), denies=Facts(practice=Practice(bridged=False))
            )
            for phrase in _BRIDGED.split("|")
        },
        **{folded(phrase): Meaning(says=Facts(practice=practice)) for phrase, practice in _slots()},
    }
)
"""By folded phrase."""
