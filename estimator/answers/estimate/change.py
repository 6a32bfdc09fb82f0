"""A change of a run that may make it fit, with what says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from estimator.question.question import Question

__all__ = ["ANOTHER_PLACE", "BY_DEGREES", "Change", "Kind"]

Kind = Literal[
    "layout",
    "kernels",
    "optimizer",
    "base",
    "offload",
    "swap",
    "trainer",
    "stack",
    "count",
    "device",
    "sequence",
    "method",
]
ANOTHER_PLACE: frozenset[Kind] = frozenset({"stack", "count", "device"})
"""Kinds that need other software or machines."""
BY_DEGREES: frozenset[Kind] = frozenset({"count", "device", "sequence", "swap"})
"""Kinds of which there are ever larger ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change to be tried, or two together."""

    kinds: tuple[Kind, ...]
    question: Question
    arguments: Mapping[str, str | int | None]
    """What says so, by argument; in `framework` an ellipsis stands for what was said. None: to be left out."""
    times: float = 1.0
    """How many times as many devices, or as short a sequence."""
    note: str = ""
    beside: str = ""
    """What else changes, in words, where this is tried at several sizes beside it."""

    @property
    def words(self) -> str:
        """The arguments as a caller writes them."""
        said: list[str] = []
        left_out: list[str] = []
        for name, value in self.arguments.items():
            if value is None:
                left_out.append(name)
            elif name in {"framework", "gpu", "method"}:
                said.append(f'{name} "{value}"')
            else:
                said.append(f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}")
        if left_out:
            said.append(f"{' and '.join(left_out)} left out")
        return " with ".join(said)
