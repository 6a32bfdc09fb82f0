"""What would do where a run does not fit: changes are tried on the model of time and memory, and those that work named.

What is likeliest to suit comes first: what changes little of the run, and costs little time and money.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from estimator.answers.estimate.change import ANOTHER_PLACE, BY_DEGREES, Change, Kind
from estimator.answers.estimate.changes import changes_of_place, changes_together, single_changes
from estimator.answers.estimate.host_memory import host_memory
from estimator.answers.estimate.selection import usd_per_gpu_hour
from estimator.base.errors import InfeasibleError
from estimator.base.units import format_bytes
from estimator.physics.choice import Setting, ranked_layouts, setting_of
from estimator.physics.constants import Constants
from estimator.physics.memory import host_bytes_of
from estimator.question.question import Caution, MemoryUse

__all__ = ["Remedy", "does_not_fit", "remedies"]

_RELUCTANCE: Mapping[Kind, float] = MappingProxyType(
    {
        "layout": 1.0,
        "kernels": 1.0,
        "optimizer": 1.1,
        "base": 1.1,
        "offload": 1.1,
        "swap": 1.1,
        "trainer": 1.2,
        "stack": 1.4,
        "count": 1.4,
        "device": 1.6,
        "sequence": 2.0,
        "method": 2.5,
    }
)
"""How much more a run may cost before one of this kind is named first: another layout or kernel trains the same,
another optimizer nearly; another trainer is installed, another stack or machine is to be had first; another length or
method is another training."""
_TUNED_OTHERWISE = 1.2
"""The same of another method on a small set: adapters are what most such runs train."""
_MAY_LACK = 1.3
"""The same of what is offloaded where only some machines of its class have the memory: it is to be looked up first."""
_FURTHER = 0.2
"""Power of how many times as many devices, or as short a sequence, on the same: a little more is had sooner."""
_MOST_NAMED = 4
_COUNT = "n_gpus"
_WORTH_SAYING = 1.1
"""How much dearer a token must be to be told."""
_NOTED = 1.02
"""How much more than the smallest the layout that is timed must take to be told of."""
_DEAR = 1.5
"""How much dearer a token may become before two cheaper changes together are looked for."""
_ANOTHER_TRAINING: frozenset[Kind] = frozenset({"sequence", "method"})
_TO_THE_HOST: frozenset[Kind] = frozenset({"offload", "swap"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A change with which the run fits."""

    change: Change
    cost: float
    """Cost of a token over that of the run as asked, as though it fitted; at least 1."""
    or_else: str = ""
    """Another value of the same argument that would do."""
    priced: bool = True
    """Whether the cost is one of money: the price of its device, and of the one asked about, are known."""
    host_bytes: float = 0.0
    """What a node's own memory must hold of what the change offloads."""
    upgrades: bool = False
    """Whether that is more than machines of its class usually have."""
    may_lack: bool = False
    """Whether it is more than some of them have."""

    @property
    def words(self) -> str:
        """What to say, and what to know of it."""
        dearer = f"{self.cost:.1f} times the cost per token" if self.cost >= _WORTH_SAYING else ""
        unknown = "" if self.priced else "no prices to compare"
        more = ", more than is usual" if self.upgrades else ""
        host = f"{format_bytes(self.host_bytes)} of host memory{more}" if self.host_bytes else ""
        notes = ", ".join(note for note in (self.change.note, host, dearer, unknown) if note)
        return f"{self.change.words}{self.or_else}{f' ({notes})' if notes else ''}"

    @property
    def rank(self) -> tuple[bool, float]:
        """What remedies are ordered by, the least first; those whose cost nobody knows last."""
        reluctance = math.prod(_reluctance(kind, self.change) for kind in self.change.kinds)
        reluctance *= _RELUCTANCE["device"] if self.upgrades else _MAY_LACK if self.may_lack else 1.0
        return not self.priced, self.cost * reluctance * math.pow(self.change.times, _FURTHER)


def _reluctance(kind: Kind, change: Change) -> float:
    return _TUNED_OTHERWISE if kind == "method" and change.question.small_set else _RELUCTANCE[kind]


def does_not_fit(setting: Setting, memory: MemoryUse, found: Sequence[Remedy]) -> Caution:
    """Return the warning that the smallest layout of `setting` does not fit, with what was found that would do."""
    chip = setting.question.cluster.accelerator
    ways = "; or ".join(remedy.words for remedy in found)
    # The smallest of all is seldom one that anybody would run.
    larger = memory.total_bytes > _NOTED * memory.least_bytes
    timed = f", the one that is timed {format_bytes(memory.total_bytes)}" if larger else ""
    would = f": what would do, the likeliest to suit first: {ways}" if found else ""
    return Caution(
        code="does_not_fit",
        message=f"the smallest layout {_as_laid_out(setting)} takes {format_bytes(memory.least_bytes)} on each "
        f"{chip.name}{timed}, and a run "
        f"can fill {format_bytes(memory.usable_bytes)} of its {format_bytes(memory.capacity_bytes)}{would}",
    )


def _as_laid_out(setting: Setting) -> str:
    """Return of what layouts the smallest is told: of those of a stack, or of those that agree with what was stated."""
    stated = any(value is not None for value in setting.question.layout.by_argument().values())
    return f"of {setting.stack.name} as asked" if stated else f"of {setting.stack.name}"


def remedies(setting: Setting, constants: Constants, physical_s: float) -> tuple[Remedy, ...]:
    """Return changes with which the run of `setting`, whose layout takes `physical_s` a step, fits.

    Each is tried alone; where that would only do on another machine or stack, for another training or at a high price,
    also two together; where nothing would, more of the largest devices. One of a kind is named.
    """
    base_s = _token_device_s(setting, physical_s)
    alone = [*single_changes(setting)]
    found = [*_working(alone, constants, setting, base_s)]
    if all(remedy.change.kinds[0] in ANOTHER_PLACE | _ANOTHER_TRAINING or remedy.cost > _DEAR for remedy in found):
        failing = [change for change in alone if not _does(change, found)]
        found += _working(changes_together(setting, failing), constants, setting, base_s)
    if not found:
        found += _working(changes_of_place(setting), constants, setting, base_s)
    named: dict[Kind, Remedy] = {}
    for remedy in sorted(_needed(found), key=lambda remedy: remedy.rank):
        first = named.setdefault(remedy.change.kinds[0], remedy)
        both = {each.change.arguments.get("method"): each for each in (first, remedy) if _is_method_alone(each)}
        if {"lora", "qlora"} <= {*both}:
            # A base in 16 bits is the lesser change, whichever costs less.
            named["method"] = replace(both["lora"], or_else=' or "qlora"')
    return tuple(named.values())[:_MOST_NAMED]


def _is_method_alone(remedy: Remedy) -> bool:
    return {*remedy.change.arguments} == {"method"}


def _needed(found: Sequence[Remedy]) -> Iterator[Remedy]:
    """Yield those of `found` of which no part alone does, nor a part with fewer devices."""
    said = [remedy.change.arguments for remedy in found]
    yield from (remedy for remedy in found if not any(_is_less(less, remedy.change.arguments) for less in said))


def _is_less(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Return whether `one` asks for a part of what `other` does, or for the same on fewer devices."""
    return one != other and all(
        name in other and (value == other[name] or (name == _COUNT and _whole(value) <= _whole(other[name])))
        for name, value in one.items()
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _does(change: Change, found: Sequence[Remedy]) -> bool:
    """Return whether a change is among those that were found to be enough, or further than one of them."""
    return any(
        remedy.change.kinds == change.kinds
        and (change.kinds[0] in BY_DEGREES or remedy.change.arguments == change.arguments)
        for remedy in found
    )


def _working(changes: Iterable[Change], constants: Constants, asked: Setting, base_s: float) -> Iterator[Remedy]:
    """Yield a remedy for each of `changes` that fits; of counts, devices and lengths the first beside the same rest."""
    settled: set[tuple[Kind, str]] = set()
    for change in changes:
        size = (change.kinds[-1], change.beside)
        if size in settled:
            continue
        try:
            posed = setting_of(change.question)
        except InfeasibleError:
            continue
        if not posed.fits:
            continue
        if change.kinds[-1] in BY_DEGREES:
            settled.add(size)
        priced = ranked_layouts(posed, constants)
        first = priced.order[:1]
        host_bytes = float(host_bytes_of(posed.case, posed.layouts.taken(first))[0]) if _offloads(change) else 0.0
        has = host_memory(change.question)
        if not has.takes(host_bytes, float(priced.memory_bytes[first[0]])):
            continue
        dearness = _dearness(asked, posed)
        cost = _token_device_s(posed, float(priced.seconds[priced.order[0]])) / base_s * (dearness or 1.0)
        yield Remedy(
            change=change,
            cost=max(1.0, cost),
            priced=dearness is not None,
            host_bytes=host_bytes,
            upgrades=host_bytes > has.high_bytes,
            may_lack=host_bytes > has.low_bytes,
        )


def _offloads(change: Change) -> bool:
    return not _TO_THE_HOST.isdisjoint(change.kinds)


def _dearness(asked: Setting, posed: Setting) -> float | None:
    """Return the hourly price of a device over that of the one asked about; None where either is not known."""
    other, own = posed.question.cluster.accelerator.id, asked.question.cluster.accelerator.id
    if other == own:
        return 1.0
    others, owns = usd_per_gpu_hour(other), usd_per_gpu_hour(own)
    return None if others is None or owns is None else others / owns


def _token_device_s(setting: Setting, step_s: float) -> float:
    """Return the seconds of all devices that a token takes."""
    tokens = setting.global_batch * setting.question.sequence_length
    return step_s * setting.question.cluster.n_gpus / tokens
