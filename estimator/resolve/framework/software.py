"""What is known of the software that trains: the stack that was named, its release, and how it runs a step."""

from dataclasses import dataclass, replace

from estimator.models.training import AdapterKind, MethodName, Projection, Recompute
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.question import Sharding
from estimator.question.schedule import NOTHING_SCHEDULED, Schedule

__all__ = ["AUTO", "NOTHING_NAMED", "NamedFramework"]

AUTO = "auto"
_OF_MACHINES = ("network_gbps", "network_ports", "network_of", "transport", "devices", "nodes", "node_devices")
"""What is told of a run's machines, whatever software is on them."""
_OF_NONE = (*_OF_MACHINES, "at_defaults")
"""What tells of no software where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFramework:
    """A stack that was named, and all that was said of it."""

    name: str
    """A stack of STACKS, or auto where none was named."""
    released: float | None
    """When the named release came out, in years; None where none was named."""
    practice: Practice
    sharding: Sharding | None
    recompute: Recompute | None
    precision: str | None
    method: MethodName | None
    """What is trained; None where nothing tells."""
    adapters: AdapterKind | None = None
    """What kind of adapters, likewise."""
    adapted: frozenset[Projection] = frozenset()
    """What they lie beside; empty where nothing tells."""
    trained_layers: str | None = None
    """Which layers learn at a time, all else being frozen; None where nothing tells."""
    degrees: tuple[tuple[str, int], ...] = ()
    """Degrees of parallelism by argument, and `data_parallel`, as far as they are told."""
    objective: str = ""
    """What is trained towards, in the words of that argument; empty where nothing tells."""
    usual_objective: str = ""
    """What nearly all who name such software train towards, likewise."""
    crops: str = ""
    """What is cut of each picture, likewise."""
    schedule: Schedule = NOTHING_SCHEDULED
    """How often is evaluated and saved, and on how much, or what."""
    understood: tuple[str, ...]
    """Parts of the text with a meaning, as written."""
    not_understood: tuple[str, ...]
    implied: bool = False
    """Whether no stack was named, and this is that of nearly all who say what was said."""
    note: str
    """What was taken, where that is not what was written."""

    @property
    def of_software(self) -> "NamedFramework":
        """The same without what is told of machines, between steps, or has an argument of its own: any has these."""
        practice = replace(self.practice, **dict.fromkeys(_OF_NONE))
        return replace(self, practice=practice, precision=None, schedule=NOTHING_SCHEDULED)

    @property
    def says_something(self) -> bool:
        """Whether anything was said of how a step is run."""
        return (
            self.practice != NOTHING_SAID
            or any((self.sharding, self.recompute, self.precision, self.method, self.trained_layers, self.degrees))
            or self.schedule != NOTHING_SCHEDULED
        )


NOTHING_NAMED = NamedFramework(
    name=AUTO,
    released=None,
    practice=NOTHING_SAID,
    sharding=None,
    recompute=None,
    precision=None,
    method=None,
    understood=(AUTO,),
    not_understood=(),
    note="",
)
