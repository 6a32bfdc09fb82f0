"""Causes in which devices wait, held against what a monitor shows of their load."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from estimator.answers.check.candidate import Candidate
from estimator.answers.check.monitor import DeviceLoad, LoadKind
from estimator.question.question import Caution

__all__ = ["load_caution", "weighed"]

_FOR_THE_HOST = frozenset({"starved_loader", "device_waits", "expert_loop", "offloaded", "recompilation"})
"""Causes that leave a device without a kernel for much of the time, whenever it is looked at."""
_FOR_OTHERS = frozenset(
    {"slow_network", "sharded_over_network", "slow_interconnect", "scale_up_link_unused", "pcie_tensor_parallel"}
)
"""Causes in which a kernel of the collective library runs, and waits, at little power."""
_ON_NO_DEVICE = "runs_on_cpu"
_ONE_WORKS = frozenset({"one_gpu_works"})
_SHOWN_BY: Mapping[LoadKind, frozenset[str]] = {"waiting": _FOR_THE_HOST | _ONE_WORKS, "uneven": _ONE_WORKS}
_SHOWN = -0.3
"""Log distance of a cause that the load shows, as of one that a log shows."""


def weighed(candidates: Iterable[Candidate], load: DeviceLoad | None, *, n_gpus: int) -> Iterator[Candidate]:
    """Yield candidates without those that the load rules out; what it shows comes first.

    What a log itself shows is not ruled out by a moment's load. One of several devices may wait for another, whose
    data are late, in a kernel.
    """
    kind = "open" if load is None else load.kind
    out = frozenset[str]()
    if kind == "working":
        out = _FOR_THE_HOST | _FOR_OTHERS | {_ON_NO_DEVICE}
    elif kind == "running" and n_gpus == 1:
        out = _FOR_THE_HOST | {_ON_NO_DEVICE}
    for candidate in candidates:
        if candidate.code in out and candidate.rarity >= 0.0:
            continue
        if candidate.code in _SHOWN_BY.get(kind, ()):
            why = "; ".join(part for part in (f"the log shows {load}", candidate.why) if part)
            yield replace(candidate, rarity=min(candidate.rarity, _SHOWN), why=why)
        else:
            yield candidate


def load_caution(load: DeviceLoad | None, *, n_gpus: int, explained: bool) -> tuple[Caution, ...]:
    """Return what was read of the devices' load, and what it was used for, where a slow run is explained."""
    if load is None:
        return ()
    several = n_gpus > 1
    they, wait, work = ("they", "wait", "work") if several else ("it", "waits", "works")
    links = ", host or each other" if several else " or host"
    meant: dict[LoadKind, str] = {
        "working": f"{they} {work} nearly all the time, so causes in which {they} {wait} for data{links} are left out",
        "running": "a kernel runs nearly all the time, at little power: one that waits for other GPUs looks so too, so "
        "no cause is left out"
        if several
        else f"a kernel runs nearly all the time, so causes in which {they} {wait} for data or host are left out",
        "waiting": f"{they} {wait} for much of the time, so causes in which {they} do{'' if several else 'es'} come "
        "first",
        "uneven": f"{they} {work} unevenly: some wait for others, or are not used",
        "open": f"that neither shows nor rules out that {they} {wait}",
    }
    use = meant[load.kind] if explained else "that tells no speed, and was not used"
    return (
        Caution(
            code="device_load_read",
            message=f"observed_log shows the GPU{'s' if several else ''} at {load}: {use}",
        ),
    )
