"""How trainers of denoisers count the blocks that they move between host and device."""

from estimator.models.transformer import Transformer
from estimator.models.workload import workload

__all__ = ["counted_blocks"]


def counted_blocks(transformer: Transformer) -> float:
    """Return the blocks of a network, those of a single stream counting half: they have half the weights of others.

    Trainers swap two of them for one of two streams (`double_blocks_to_swap` and `single_blocks_to_swap` of sd-scripts,
    musubi-tuner and diffusion-pipe).
    """
    table = workload(transformer)
    single = sum(gemm.layers for gemm in table.gemms if gemm.name == "single_out")
    return table.n_layers - single / 2.0
