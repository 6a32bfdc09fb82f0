"""How a frozen base is held: in how many bits, what widens them, and how much of it lies in host memory."""

from dataclasses import replace

from estimator.models.diffusion.blocks import counted_blocks
from estimator.models.kinds import kind_of
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.question.practice import Dequantization, Practice
from estimator.question.question import Question

__all__ = ["EIGHT_BITS", "fetched_share", "held_bits", "usual_kernels"]

EIGHT_BITS = 8
"""Of a weight of a quantised base whose products are of 8 bits, or expanded from them."""
_OF_BITSANDBYTES = frozenset({4, EIGHT_BITS})
_HALF_BITS = 16
_LARGE_BASE = 4e9
"""Parameters from which on trainers with a habit of it quantise a denoiser: ai-toolkit's defaults do so of FLUX.1
(12 billion), Stable Diffusion 3.5 Large (8) and Z-Image (6), and not of Lumina 2 and SDXL (2.6) or the Wan of 1.3."""


def held_bits(question: Question, said: Practice) -> int | None:
    """Return the bits of a quantised frozen base: as told, else as trainers hold one that is too large for a card.

    None where it is held as wide as it is used.
    """
    if question.method.name == "qlora":
        return 4
    if question.method.name == "full":
        return None
    bits = said.base_bits
    if bits is None and said.large_base_bits is not None:
        bits = said.large_base_bits if _own_parameters(question.transformer) >= _LARGE_BASE else None
    return None if bits == _HALF_BITS else bits


def fetched_share(question: Question, said: Practice) -> float:
    """Return the share of the weights that lies in host memory: all, or that of as many blocks as are swapped."""
    if said.offload_parameters:
        return 1.0
    if not said.swapped_blocks:
        return 0.0
    swapped = min(1.0, said.swapped_blocks / counted_blocks(question.transformer))
    return swapped * _own_parameters(question.transformer) / workload(question.transformer).parameters


def usual_kernels(question: Question, base_bits: int | None) -> Dequantization:
    """Return what expands a quantised base unless told.

    Trainers of denoisers hold weights alone in 8 bits, by quanto or torchao: products are of 16, nothing is rounded.
    bitsandbytes has formats of 4 and 8 bits.
    """
    weights_alone = base_bits == EIGHT_BITS and kind_of(question.transformer) == "diffusion"
    return "quanto" if weights_alone or base_bits not in {None, *_OF_BITSANDBYTES} else "bitsandbytes"


def _own_parameters(transformer: Transformer) -> int:
    """Return a network's parameters without those of the frozen ones before it."""
    return workload(replace(transformer, towers=(), conditioners=())).parameters
