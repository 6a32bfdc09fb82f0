"""From what was told while measuring to a profile's document."""

from collections.abc import Mapping
from typing import Any

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue
from server.profiles.document import VERSION, ProfileDocument

__all__ = ["Gathered"]

_LISTS = ("matmul", "steps")
_LONGEST = 200


class Gathered:
    """What was told so far."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.left_out: list[str] = []
        self.doing = ""
        self._lists: dict[str, list[Any]] = {name: [] for name in _LISTS}

    @property
    def anything(self) -> bool:
        """Whether a rate or a step was measured."""
        return any(self._lists.values())

    def hear(self, name: str, fields: Mapping[str, Any]) -> None:
        """Take in one thing told."""
        if name == "doing":
            self.doing = fields["what"]
        elif name == "left_out":
            self.left_out.append(str(fields["why"])[:_LONGEST])
        elif name == "facts":
            self.facts |= {key: value for key, value in fields.items() if value is not None}
        elif name in self._lists:
            self._lists[name].append(dict(fields))
        elif name:
            self.facts[name] = dict(fields)

    def document(self, *, date: str, seconds: float) -> ProfileDocument:
        """Return the profile of what was told."""
        told = str(self.facts["device"])
        devices = self.facts["devices"]
        gpu = told if self.facts["kind"] == "cpu" else _catalogued(told)
        return ProfileDocument.model_validate(
            {
                "version": VERSION,
                "name": f"{devices} × {told}"[:_LONGEST],
                "date": date,
                "machine": {"gpu": gpu, "n_gpus": devices, "gpus_per_node": devices},
                "measured": {**self.facts, **self._lists, "seconds": seconds, "left_out": self.left_out},
            }
        )


def _catalogued(name: str) -> str:
    """Return the catalogue's id of a device, or the driver's name where it has none."""
    try:
        return catalogue.accelerator(name).value.accelerator.id
    except UnknownNameError:
        return name
