"""Causes between the devices: slower links than the catalogued ones, and layouts that lean on them."""

from collections.abc import Iterator
from dataclasses import replace

from estimator.answers.check.candidate import Candidate, said
from estimator.answers.check.expected import Expected
from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.physics.abilities import shards_states
from estimator.question.cluster import Accelerator
from estimator.question.practice import Transport
from estimator.question.question import LayoutRequest, Question
from estimator.resolve.run import Run

__all__ = ["link_candidates"]

_FEWER_PORTS_GBPS_PER_GPU = (200.0, 100.0, 50.0)
"""Networks made for training of an older generation, or of one to four ports for eight GPUs, as many clouds have them;
or a full one that others use too, or whose routes collide."""
_PLAIN_ETHERNET_GBPS_PER_GPU = (25.0, 12.5, 7.5, 5.0, 2.5, 1.25)
"""One port of 200 to 10 Gb/s for eight GPUs, or a part of it, where the collective library falls back to TCP sockets;
no further apart than a range is wide. The one that comes nearest to what was observed is told."""
_NARROW_PCIE_GB_PER_S = (20.0, 12.0, 8.0, 4.0, 2.0, 1.0)
"""What is left to a device in a slot of fewer lanes or an older generation, 4.0 ×8 down to 3.0 ×1, and of a wide one
whose copies go through the host's memory because peer-to-peer is off, as drivers have it on GeForce cards."""
_SOCKETS = "TCP sockets in place of RDMA"
_RDMA = "rdma"
_GPU_LINKS = frozenset({"nvlink", "xgmi", "pcie"})
_PCIE_BYTES_PER_S = 25e9
"""PCIe 4.0 ×16 as collectives get it, where a device's own link is not listed."""
_UNCOMMON = 0.25
_MUCH_COMMUNICATION = 0.1
"""Share of the expected step from which on a slower link is as likely as any cause."""


def link_candidates(run: Run, asked: Question, pinned: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield slower links within a node and between nodes; none where a device is alone, or has links of its own kind.

    What is told of slots and bridges is priced already, and no other slot is a cause.
    """
    cluster = pinned.cluster
    if cluster.n_gpus == 1 or cluster.accelerator.scale_up_kind not in _GPU_LINKS:
        return
    if cluster.accelerator.scale_up_kind != "pcie":
        yield _over_pcie(pinned)
    else:
        yield from _of_slots(pinned, expected)
        if run.stack.model_parallel:
            yield from _of_unasked_splits(asked, pinned)
    if cluster.n_gpus > cluster.gpus_per_node:
        yield from _of_network(run, asked, pinned)


def _over_pcie(pinned: Question) -> Candidate:
    """Return that a link between GPUs is not used."""
    cluster, chip, tensor = pinned.cluster, pinned.cluster.accelerator, pinned.layout.tensor_parallel or 1
    slow = replace(
        chip,
        scale_up_kind="pcie",
        scale_up_bytes_per_s=min(chip.pcie_bytes_per_s or _PCIE_BYTES_PER_S, _PCIE_BYTES_PER_S),
    )
    return Candidate(
        code="pcie_tensor_parallel" if tensor > 1 else "scale_up_link_unused",
        what=f"tensor parallelism ({tensor}) runs over PCIe" if tensor > 1 else "GPUs of a node talk over PCIe",
        base=pinned,
        question=replace(pinned, cluster=replace(cluster, accelerator=slow)),
        contradicts=chip.segment == "datacenter" or bool(pinned.practice.bridged),
        rarity=_UNCOMMON,
        shared="links",
        why=f"{chip.name} is taken to have {chip.scale_up_bytes_per_s / GIGA:,.0f} GB/s to its neighbours",
        check=_how_to_tell(chip),
    )


def _of_slots(pinned: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield cards without links of their own in slots of fewer lanes, or without peer-to-peer copies."""
    cluster, chip, practice = pinned.cluster, pinned.cluster.accelerator, pinned.practice
    if practice.pcie_lanes is not None or practice.pcie_generation is not None:
        return
    much = expected.shares.get("communication", 0.0) >= _MUCH_COMMUNICATION
    for rate in _NARROW_PCIE_GB_PER_S:
        if rate * GIGA >= chip.scale_up_bytes_per_s:
            continue
        narrow = replace(chip, scale_up_bytes_per_s=rate * GIGA, pcie_bytes_per_s=rate * GIGA)
        yield Candidate(
            code="slow_interconnect",
            what="the GPUs are joined by a slow link (a PCIe slot of few lanes, or no peer-to-peer copies)",
            base=pinned,
            question=replace(pinned, cluster=replace(cluster, accelerator=narrow)),
            rarity=0.0 if much else _UNCOMMON,
            shared="links",
            why=f"{rate:g} GB/s in place of {chip.scale_up_bytes_per_s / GIGA:,.3g}; communication is "
            f"{expected.shares.get('communication', 0.0):.0%} of the expected step",
            check=f"{_how_to_tell(chip)}; accumulate gradients, so that they are exchanged less often",
        )


def _how_to_tell(chip: Accelerator) -> str:
    if chip.vendor == "AMD":
        return (
            "rocm-smi --showtopo shows the links, NCCL_DEBUG=INFO what is used of them, all_reduce_perf of rccl-tests "
            "what they reach"
        )
    return (
        "nvidia-smi topo -m shows the links, NCCL_DEBUG=INFO what is used of them, all_reduce_perf of nccl-tests what "
        "they reach"
    )


def _of_unasked_splits(asked: Question, pinned: Question) -> Iterator[Candidate]:
    """Yield tensor parallelism over PCIe that nobody asked for, which stacks that split models may use."""
    cluster = pinned.cluster
    split = min(cluster.n_gpus, cluster.gpus_per_node)
    if (pinned.layout.tensor_parallel or 1) > 1 or asked.layout.tensor_parallel is not None:
        return
    if asked.transformer.n_heads % split == 0:
        yield Candidate(
            code="pcie_tensor_parallel",
            what=f"tensor parallelism ({split}) runs over PCIe",
            question=replace(
                asked,
                framework="megatron",
                layout=LayoutRequest(tensor_parallel=split, recompute=pinned.layout.recompute),
                global_batch_sequences=None,
            ),
            shared="links",
            check="shard the states (zero3, FSDP) in place of every matrix product",
        )


def _of_network(run: Run, asked: Question, pinned: Question) -> Iterator[Candidate]:
    """Yield a network of fewer ports, or that falls back to sockets; where its rate is told, it is not reached."""
    cluster, told = pinned.cluster, said(run, "network_gbps_per_gpu")
    has = f"{cluster.scale_out_bytes_per_s * BITS_PER_BYTE / GIGA:,.3g}"
    tell = "NCCL_DEBUG=INFO says NET/IB or NET/Socket, all_reduce_perf of nccl-tests what is reached"
    # Users of stacks that split models have their weights gathered only where that is how those shard, or in need.
    own = run.stack.sharding == "zero3" or not run.stack.model_parallel
    may_gather = not said(run, "framework") or (own and shards_states(run.stack.name))
    for gbps in (*_FEWER_PORTS_GBPS_PER_GPU, *_PLAIN_ETHERNET_GBPS_PER_GPU):
        plain = replace(cluster, scale_out_bytes_per_s=gbps * GIGA / BITS_PER_BYTE)
        if plain.scale_out_bytes_per_s >= cluster.scale_out_bytes_per_s:
            continue
        why, sockets = f"{gbps:g} Gb/s per GPU in place of {has}", gbps in _PLAIN_ETHERNET_GBPS_PER_GPU
        yield Candidate(
            code="slow_network",
            what=_slow_network(gbps, has, told=told, transport=pinned.practice.transport),
            base=pinned,
            question=replace(pinned, cluster=plain),
            shared="network",
            why=why,
            check=tell if told else f"{tell}; give network_gbps_per_gpu",
        )
        if sockets and may_gather and asked.layout.data_sharding is None and pinned.layout.data_sharding != "zero3":
            yield Candidate(
                code="sharded_over_network",
                what="weights are gathered in each pass (ZeRO-3, FSDP) over "
                + ("TCP sockets" if pinned.practice.transport == _RDMA else "plain Ethernet"),
                question=replace(asked, cluster=plain, layout=replace(asked.layout, data_sharding="zero3")),
                rarity=_UNCOMMON,
                shared="network",
                why=why,
                check="shard within a node alone (HSDP, hybrid shard, zero_hpz_partition_size), or ZeRO-1",
            )


def _slow_network(gbps: float, has: str, *, told: bool, transport: Transport | None) -> str:
    """Return what is said of a network of `gbps` per GPU where one of `has` was told, or assumed."""
    if gbps in _PLAIN_ETHERNET_GBPS_PER_GPU and transport != "sockets":
        if transport == _RDMA:
            return f"the InfiniBand, RoCE or EFA that was told is not used between nodes ({_SOCKETS})"
        if told:
            return f"the network between nodes does not reach the {has} Gb/s per GPU that were told ({_SOCKETS})"
        return "nodes talk over plain Ethernet (TCP sockets), not over RDMA"
    if told:
        return f"the network between nodes does not reach the {has} Gb/s per GPU that were told (ports that are shared)"
    return f"the network between nodes is slower than the {has} Gb/s per GPU assumed (fewer ports, or shared ones)"
