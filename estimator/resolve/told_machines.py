"""How many devices a machine holds as told in words, and where that is not what the arguments say."""

from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.question.practice import Practice
from estimator.question.question import Caution
from estimator.question.request import Request
from estimator.resolve.cluster import told_per_node
from estimator.resolve.device import resolved_device

__all__ = ["told_machine"]

_LARGEST = 16
"""Devices of the largest usual node, unless the catalogue has a larger one of its kind."""


def told_machine(request: Request, practice: Practice) -> tuple[int | None, tuple[Caution, ...]]:
    """Return the devices of a node that `practice` tells where no argument does, and what contradicts it.

    Told are they, or follow from the nodes and the devices in all.
    """
    nodes, devices = practice.nodes, practice.node_devices
    if nodes is None and devices is None:
        return None, _contradicted_count(request, practice.devices)
    n_gpus = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    given = told_per_node(request)
    each = devices or given
    if given is not None and devices not in {None, given}:
        return None, (_contradicted(_words(nodes, devices), f"the argument's gpus_per_node {given:,} is taken"),)
    if nodes is None:
        return (None if given else devices), ()
    if each is not None:
        fits = nodes * each == n_gpus or (nodes == 1 and n_gpus < each)
        in_all = f"{_words(nodes, each)}, {nodes * each:,} in all"
        doubts = () if fits else (_contradicted(in_all, f"the argument's n_gpus {n_gpus:,} are counted"),)
        return (None if given else each), doubts
    if n_gpus % nodes or n_gpus // nodes > _largest(request):
        why = f"the argument's n_gpus {n_gpus:,} are no such number of equal nodes; say gpus_per_node"
        return None, (_contradicted(_words(nodes, None), why),)
    return n_gpus // nodes, ()


def _contradicted_count(request: Request, devices: int | None) -> tuple[Caution, ...]:
    """Return what to beware of where devices in all are told, and are not as many as are counted."""
    if devices is None:
        return ()
    n_gpus = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    if devices == n_gpus:
        return ()
    told = f"{devices:,} GPU{'' if devices == 1 else 's'}"
    return (_contradicted(told, f"the argument's n_gpus {n_gpus:,} are counted"),)


def _largest(request: Request) -> int:
    device = resolved_device(request)
    usual = 0 if device.accelerator is None else device.accelerator.gpus_per_node
    return max(_LARGEST, device.node or usual)


def _words(nodes: int | None, devices: int | None) -> str:
    if nodes is None:
        return f"{devices:,} GPUs a node"
    named = f"{nodes:,} node{'' if nodes == 1 else 's'}"
    return named if devices is None else f"{named} of {devices:,} GPU{'' if devices == 1 else 's'}"


def _contradicted(told: str, why: str) -> Caution:
    return Caution(code="framework_contradicted", message=f"framework says {told}, but {why}")
