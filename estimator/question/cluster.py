"""Accelerators, their links, and clusters of them, in SI units."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["MATRIX_UNIT", "Accelerator", "Cluster"]

MATRIX_UNIT = 128
"""Width of a head that fills the matrix units of most devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One catalogued device. Rates are dense; nothing here assumes sparsity."""

    id: str
    name: str
    vendor: str
    architecture: str
    """Chip as the vendor calls it, e.g. `Hopper GH100`."""
    chip: str
    """Id of the device that its chip and memory were first sold as: an H800 is an H100 with slower links."""
    chip_year: int
    """When that was: software is as old as the chip."""
    family: str
    """Calibration family: volta, turing, ampere, ada, hopper, blackwell, cdna2 to cdna4, tpu, gaudi, trainium, …."""
    segment: str
    """`datacenter`, `workstation` or `consumer`."""
    year: int
    memory_bytes: float
    memory_bandwidth_bytes_per_s: float
    peak_flop_per_s: Mapping[str, float]
    """Dense rate with FP32 accumulation by precision: fp32, tf32, fp16, bf16, fp8, mxfp8, nvfp4 where supported."""
    training_peak_flop_per_s: float
    """What mixed-precision training gets: dense, FP32 accumulate."""
    training_precision: str
    measured_matmul_flop_per_s: Mapping[str, float]
    """Best measured matmul rate by precision; empty where nobody published one."""
    fp16_accumulate_flop_per_s: float | None
    """FP16 tensor rate with FP16 accumulation; not what training gets."""
    shader_fp16_flop_per_s: float | None
    """Non-tensor FP16 rate; not what training gets."""
    scale_up_bytes_per_s: float
    """Unidirectional bandwidth of one device inside its scale-up domain (NVLink, xGMI, ICI), else PCIe."""
    scale_up_kind: str
    """`nvlink`, `xgmi`, `ici`, `neuronlink`, `ethernet` or `pcie`."""
    scale_up_domain: int
    """Devices that reach each other at `scale_up_bytes_per_s`."""
    gpus_per_node: int
    """Devices in the usual node."""
    pcie_bytes_per_s: float
    scale_out_bytes_per_s: float
    """Unidirectional network bandwidth of one device in the reference system."""
    tdp_w: float
    n_sm: int
    """Streaming multiprocessors or compute units; 0 where the term does not apply."""
    matrix_unit: int = MATRIX_UNIT
    """Side of a systolic matrix unit, of which narrower heads leave a part idle."""
    bridge_bytes_per_s: float = 0.0
    """Unidirectional bandwidth of a bridge that joins two cards, where they can be had with one; 0 elsewhere."""
    host_link_bytes_per_s: float = 0.0
    """Unidirectional bandwidth of a coherent link to the host's memory (NVLink-C2C); 0 where there is only PCIe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """`n_gpus` equal accelerators and the network between their nodes."""

    accelerator: Accelerator
    n_gpus: int
    gpus_per_node: int
    scale_out_bytes_per_s: float

    @property
    def outgrows_slots(self) -> bool:
        """Whether it is of several nodes, or of a board with links of its own: no place for cards in PCIe slots."""
        on_board = self.n_gpus > 1 and self.accelerator.scale_up_kind != "pcie"
        return on_board or self.n_gpus > self.gpus_per_node

    @property
    def spans_network(self) -> bool:
        """Whether devices reach some others over the network alone: they fill more than a node, or than a rack."""
        return self.n_gpus > max(self.gpus_per_node, self.scale_up_domain)

    @property
    def scale_up_domain(self) -> int:
        """Devices that reach each other at scale-up speed.

        The link's domain. One that spans nodes (NVL72, a TPU's slice) does so whatever their size. One that ends with
        the node has the devices of the node that a caller names: machines are cut smaller, or made larger (four GH200
        on a board).
        """
        domain, usual = max(self.accelerator.scale_up_domain, 1), self.accelerator.gpus_per_node
        if domain <= usual and self.gpus_per_node < min(usual, self.n_gpus):
            domain = min(domain, self.gpus_per_node)
        elif domain == usual:
            domain = max(domain, self.gpus_per_node)
        return min(domain, self.n_gpus)
