"""What a word means: a stack, facts about how a step is run, or nothing that the time depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType

from estimator.models.training import AdapterKind, MethodName, Projection, Recompute
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.question import Sharding
from estimator.question.schedule import NOTHING_SCHEDULED, Schedule

__all__ = ["NO_FACTS", "Facts", "Meaning", "Rank", "by_phrase", "folded", "practised"]


class Rank(IntEnum):
    """Which name counts where there are several: a front end over a trainer over its engine over its library.

    Scripts are named by what they trained, which may be data or a model to others; an engine is what they run on.
    """

    OPEN = -2
    SOMETHING = -1
    LIBRARY = 0
    ENGINE = 1
    SCRIPT = 2
    CORE = 3
    TRAINER = 4
    RECIPE = 5
    FRONT_END = 6
    OWN = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was said of a run; None where it was not."""

    practice: Practice = NOTHING_SAID
    sharding: Sharding | None = None
    recompute: Recompute | None = None
    precision: str | None = None
    method: MethodName | None = None
    adapters: AdapterKind | None = None
    trained_layers: str | None = None
    """Which layers learn, in the words of that argument, where all else is frozen meanwhile."""
    degrees: tuple[tuple[str, int], ...] = ()
    """Over how many devices what is shared, by argument, and `data_parallel`."""
    objective: str | None = None
    """What is trained towards, in the words of that argument."""
    usual_objective: str | None = None
    """Likewise, where nearly all who say it mean that."""
    crops: str | None = None
    """What is cut of each picture, as it was written."""
    schedule: Schedule = NOTHING_SCHEDULED
    """How often is evaluated and saved, and on how much, or what."""

    def over(self, other: "Facts") -> "Facts":
        """Return `other` with all that is said here in its place."""
        return Facts(
            practice=self.practice.over(other.practice),
            sharding=self.sharding or other.sharding,
            recompute=self.recompute or other.recompute,
            precision=self.precision or other.precision,
            method=self.method or other.method,
            adapters=self.adapters or other.adapters,
            trained_layers=self.trained_layers or other.trained_layers,
            degrees=tuple({**dict(other.degrees), **dict(self.degrees)}.items()),
            objective=self.objective or other.objective,
            usual_objective=self.usual_objective or other.usual_objective,
            crops=self.crops or other.crops,
            schedule=self.schedule.over(other.schedule),
        )

    def yielding(self, other: "Facts") -> "Facts":
        """Return these denials less what `other` affirms of kernels and launches.

        `no CUDA graphs` beside `compile` leaves it compiled; `no flash attention` beside `SDPA` leaves SDPA.
        """
        said = other.practice
        return replace(
            self,
            practice=replace(
                self.practice,
                launch=None if said.launch else self.practice.launch,
                attention=None if said.attention else self.practice.attention,
            ),
        )


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What one word or phrase tells."""

    stack: str = ""
    """The stack it names, if it is a name."""
    rank: Rank = Rank.LIBRARY
    """Which of several names counts: `HF Trainer + DeepSpeed` is Hugging Face's trainer on an engine."""
    says: Facts = NO_FACTS
    """What the phrase tells; a name only where its stack is the one in use."""
    beside: Facts = NO_FACTS
    """What a name tells where it is not the stack itself: FSDP beside Hugging Face's trainer is its sharding."""
    denies: Facts = NO_FACTS
    """What the phrase tells with a `no` before it, or an `off` behind."""
    adapts: frozenset[Projection] = frozenset()
    """Of adapters, what they lie beside."""
    implies: str = ""
    """The stack of nearly all who say it, where none is named."""
    stores_8_bits: bool = False
    """Whether a bare `fp8` beside a name is how weights are stored, and not how they are multiplied."""
    project: str = ""
    """Whose versions follow it: `torch` in `torch 2.8`."""
    note: str = ""


def folded(phrase: str) -> str:
    """Return `phrase` as tables hold it: letters and digits only, in lower case."""
    return "".join(character for character in phrase.casefold() if character.isalnum() or character == "+")


def by_phrase(*rows: tuple[str, Meaning]) -> Mapping[str, Meaning]:
    """Return a table by folded phrase of rows that each tell what several mean, apart by bars."""
    return MappingProxyType({folded(phrase): meaning for words, meaning in rows for phrase in words.split("|")})


def practised(words: str, said: Practice, denied: Practice = NOTHING_SAID) -> tuple[str, Meaning]:
    """Return words, apart by bars, with what they say of how a step is run, and what their denial says."""
    return words, Meaning(says=Facts(practice=said), denies=Facts(practice=denied))
