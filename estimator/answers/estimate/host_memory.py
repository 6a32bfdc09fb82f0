"""What is offloaded to a machine's own memory, against what machines of its class have."""

from dataclasses import dataclass

from estimator.base.prior import Prior
from estimator.base.units import format_bytes
from estimator.catalogue.forms import form_factor
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.question import Caution, MemoryUse, Question

__all__ = ["HostMemory", "fitting_words", "host_memory", "host_memory_needed", "usual_host_memory"]

_LAPTOP = Prior(low=32e9, mode=32e9, high=64e9, why="Laptops with a card to train on are sold with 32 or 64 GB")
_DESKTOP = Prior(
    low=64e9,
    mode=96e9,
    high=128e9,
    why="Desktop boards have four slots; two modules of 32 GB are usual beside a card to train on, four the most that "
    "most run stably",
)
_WORKSTATION = Prior(
    low=128e9,
    mode=192e9,
    high=256e9,
    why="Vendors' workstations for one or two professional cards are sold with 128 to 256 GB",
)
_RIG = Prior(
    low=256e9,
    mode=384e9,
    high=512e9,
    why="What holds three cards and more has a server's board, whose eight slots take 32 to 64 GB each",
)
_TIMES_OF_BOARD = Prior(
    low=2.0,
    mode=3.0,
    high=4.0,
    why="Host memory over the devices': AWS's g4dn, g5 and g6e have 3 to 4 times, its p4d 3.6, Azure's NC A100 v4 2.8, "
    "a DGX H100 3.2",
)
_MOST_OF_BOARD = Prior(
    low=128e9,
    mode=192e9,
    high=256e9,
    why="The most for each device of a datacenter's board: nodes of eight have 1 TB (p4d) to 2 TB (p5, DGX H100), "
    "however large their devices",
)
_SUPERCHIP = Prior(
    low=120e9,
    mode=240e9,
    high=480e9,
    why="Grace is soldered beside 120, 240 or 480 GB of LPDDR5X, which one or two devices share (GH200 and GB200)",
)
_FEW_CARDS = 2
"""What a desktop's or workstation's case and board take."""
_MOST_TAKEN = 2.0
"""Times what is usual at most that boards take, with the largest modules."""
_SHARED = frozenset({"SoC", "SH5 socket"})
"""Forms whose host and device have one memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """Bytes that a node of a class usually has for its processes."""

    low_bytes: float
    """From here on a usual one may have too little …"""
    high_bytes: float
    """… and above this it has."""
    shared: bool = False
    """Whether they are its device's, too."""
    told: bool = False
    """Whether that is what the caller's own has."""

    def holds(self, host_bytes: float, device_bytes: float) -> bool:
        """Return whether any such node holds what is offloaded, and its device's part where that is shared."""
        return host_bytes + self.shared * device_bytes <= self.low_bytes

    def takes(self, host_bytes: float, device_bytes: float) -> bool:
        """Return whether one does with all that its board takes."""
        most = self.high_bytes * (1.0 if self.shared or self.told else _MOST_TAKEN)
        return host_bytes + self.shared * device_bytes <= most


def host_memory(question: Question) -> HostMemory:
    """Return what the caller's nodes have where that is told, else what such nodes usually have."""
    usual, told_bytes = usual_host_memory(question.cluster), question.practice.host_memory_bytes
    if told_bytes is None:
        return usual
    if question.practice.host_memory_of == "device":
        told_bytes *= _devices(question.cluster)
    return HostMemory(low_bytes=told_bytes, high_bytes=told_bytes, shared=usual.shared, told=True)


def usual_host_memory(cluster: Cluster) -> HostMemory:
    """Return what a node with the devices of `cluster` usually has; judgements, each with its reason."""
    chip, devices = cluster.accelerator, _devices(cluster)
    form = form_factor(chip.id)
    if form in _SHARED:
        return HostMemory(low_bytes=chip.memory_bytes, high_bytes=chip.memory_bytes, shared=True)
    if chip.segment == "datacenter":
        low, high = _of_board(chip)
        return HostMemory(low_bytes=devices * low, high_bytes=devices * high)
    few = _WORKSTATION if chip.segment == "workstation" else _DESKTOP
    usual = _LAPTOP if form == "laptop" else few if devices <= _FEW_CARDS else _RIG
    return HostMemory(low_bytes=usual.low, high_bytes=usual.high)


def host_memory_needed(question: Question, memory: MemoryUse) -> tuple[Caution, ...]:
    """Return a warning where what is offloaded is or may be more than the node's memory; none where nothing is."""
    cluster, has, needed = question.cluster, host_memory(question), memory.host_node_bytes
    if not needed or has.holds(needed, memory.total_bytes):
        return ()
    takes = f"what is offloaded takes {format_bytes(needed)} of host memory{_on_each(cluster)}"
    chip, instead = cluster.accelerator.name, "DeepSpeed can offload to NVMe drives instead"
    if has.shared:
        have = f"; that of {chip} is the GPU's, too, {format_bytes(has.high_bytes)} in all: offloading saves none of it"
    elif has.told:
        have = f" and does not fit in the host's {format_bytes(has.high_bytes)}, which framework tells; {instead}"
    else:
        have = (
            f"; machines with {_devices(cluster)} × {chip} usually have {_span(has)}: see that yours has as much; "
            f"{instead}"
        )
    return (Caution(code="host_memory_needed", message=f"{takes}{have}"),)


def fitting_words(question: Question | None, memory: MemoryUse) -> str:
    """Return the sentence that a run fits its devices, and whether their host has what is offloaded."""
    fits = f"It fits: {format_bytes(memory.total_bytes)} of {format_bytes(memory.capacity_bytes)} per GPU"
    if question is None or not host_memory_needed(question, memory):
        return f"{fits}."
    has, on_each = host_memory(question), _on_each(question.cluster)
    needed = format_bytes(memory.host_node_bytes)
    if has.told and not has.shared:
        gpus = fits.replace("It fits:", "It fits the GPUs:")
        host = (
            f"it does not fit in the host's {format_bytes(has.high_bytes)}: what is offloaded takes {needed}{on_each}"
        )
        return f"{gpus}, but {host}."
    have = "which is the GPU's, too" if has.shared else f"where such machines usually have {_span(has)}"
    return f"{fits}, but with {needed} of host memory{on_each}, {have}."


def _devices(cluster: Cluster) -> int:
    return min(cluster.gpus_per_node, cluster.n_gpus)


def _on_each(cluster: Cluster) -> str:
    return " on each node" if cluster.n_gpus > cluster.gpus_per_node else ""


def _span(usual: HostMemory) -> str:
    low, high = format_bytes(usual.low_bytes), format_bytes(usual.high_bytes)
    number, _, unit = low.partition(" ")
    return f"{number if high.endswith(unit) else low} to {high}"


def _of_board(chip: Accelerator) -> tuple[float, float]:
    """Return the least and the most for each device of a datacenter's board."""
    if chip.host_link_bytes_per_s:
        return _SUPERCHIP.mode, _SUPERCHIP.high
    least = min(_TIMES_OF_BOARD.low * chip.memory_bytes, _MOST_OF_BOARD.low)
    return least, min(_TIMES_OF_BOARD.high * chip.memory_bytes, _MOST_OF_BOARD.high)
