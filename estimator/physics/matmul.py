"""Seconds of matrix products: their shape against the device's tiles, multiprocessors and memory."""

import math

import numpy as np

from estimator.physics.case import BROADCAST, Case, Matrix
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts
from estimator.physics.network import where

__all__ = ["matmul_s", "matrix_s"]

_TILE_ROWS, _TILE_COLUMNS = 128.0, 256.0
"""Output tile of a large matmul on tensor cores (CUTLASS' default for 16-bit inputs)."""
_OUTPUT_BYTES = 2.0
"""Bytes per element of a product: 16 bits, whatever its inputs have."""
_SIXTEEN_BIT = frozenset({"router", "expert_dispatch", "expert_combine"})
"""Products by which tokens find experts, which no recipe narrows."""
_TALL = 32.0
"""Length over both other sides from which on libraries choose kernels for tall and narrow products."""
_NARROWEST, _SPLIT_DEPTH = 64.0, 2048.0
"""Of such kernels: the narrowest tile's side, and the summands that each part of a split sum has at least."""
_FEW = 512
"""Array size up to which NumPy's call overhead dominates: the three passes of a matmul are then stacked in one call."""


def matmul_s(
    case: Case,
    constants: Constants,
    m: BROADCAST,
    n: BROADCAST,
    k: BROADCAST,
    *,
    written: BROADCAST = _OUTPUT_BYTES,
    half: bool = False,
    taps: BROADCAST = 1.0,
    inputs: BROADCAST = 0.0,
    groups: BROADCAST = 1.0,
) -> BROADCAST:
    """Return seconds of an (m, k) by (k, n) matmul: roofline with wave quantisation and a K-loop prologue.

        max(2mnk / (ceiling · e · q^p / (1 + k0/k)),  (bytes·(mk + kn) + written·mn) / (bandwidth · eb))
        q = mn · splits / (waves · SMs · tile)      k0 grows with the machine's balance

    Tall and narrow products, those of convolutions at high resolution, have tiles as narrow as their outputs, and
    sums that are split over multiprocessors which would else be idle, as in the gradient of a narrow weight (split-K).

    A convolution is the product that implicit GEMM makes of it (Chetlur et al. 2014, section 3): its `inputs` elements
    are read once, not once for each of its filter's `taps`, and its rate is that of convolutions, or of such as keep
    `groups` of channels apart.
    Holds for shapes of a transformer layer; below about 1e8 FLOPs launches govern.
    """
    sms = np.maximum(case.n_sm, 1.0)
    rows: BROADCAST = _TILE_ROWS
    columns: BROADCAST = _TILE_COLUMNS
    splits: BROADCAST = 1.0
    tiles = np.ceil(m / rows) * np.ceil(n / columns)
    tall = np.greater_equal(np.maximum(m, k), _TALL * np.maximum(n, np.minimum(m, k)))
    if np.any(tall):
        rows, columns = where(tall, _tile(m, _TILE_ROWS), rows), where(tall, _tile(n, _TILE_COLUMNS), columns)
        tiles = np.ceil(m / rows) * np.ceil(n / columns)
        parts = np.maximum(np.floor(np.minimum(sms / tiles, k / _SPLIT_DEPTH)), 1.0)
        splits = where(tall, parts, splits)
    waves = np.ceil(tiles * splits / sms) * sms
    filled = where(case.n_sm, m * n * splits / (waves * rows * columns), 1.0)
    efficiency = constants["gemm_efficiency"] * filled ** constants["gemm_tail_power"]
    depth = 1.0 + constants["gemm_depth"] * case.balance / k
    low = (constants["eight_bit_efficiency"] - 1.0) * (case.low_bit - case.four_bit)
    four = (constants["four_bit_efficiency"] - 1.0) * case.four_bit
    rate = case.half_flop_per_s if half else case.gemm_flop_per_s * (1.0 + low + four)
    size = np.maximum(2.0, case.gemm_bytes) if half else case.gemm_bytes
    moved = size * (m * k + k * n) + written * m * n
    # One question's matrices are asked about thousands of times, and NumPy's calls on scalars are dear.
    if taps > 1.0 if isinstance(taps, float) else np.any(np.greater(taps, 1.0)):
        share = where(case.channels_last, constants["channels_last_convolution"], constants["convolution_efficiency"])
        share = where(groups - 1.0, constants["grouped_convolution"], share)
        rate = where(groups - 1.0, case.grouped_flop_per_s, rate)
        efficiency = efficiency * where(taps - 1.0, share, 1.0)
        moved = moved - 2.0 * inputs * (1.0 - 1.0 / taps)
    compute = 2.0 * m * n * k * depth / (rate * efficiency)
    traffic = moved / (case.bandwidth_bytes_per_s * constants["gemm_bandwidth"])
    return np.maximum(compute, traffic)


def _tile(size: BROADCAST, usual: float) -> BROADCAST:
    """Return the side of the tiles of a tall product's output: the power of two that it fills, at most the usual."""
    return np.clip(2.0 ** np.ceil(np.log2(np.maximum(size, 1.0))), _NARROWEST, usual)


def matrix_s(
    case: Case, constants: Constants, matrix: Matrix, lay: Layouts, tokens: BROADCAST
) -> tuple[BROADCAST, BROADCAST]:
    """Return forward and backward seconds of one weight matrix's GEMMs on a rank, per layer and micro-batch."""
    n = matrix.outputs / lay.tensor if matrix.shard == "column" else matrix.outputs
    k = matrix.inputs / lay.tensor if matrix.shard == "row" else matrix.inputs
    tokens = tokens * matrix.rate
    m = tokens / lay.tensor if matrix.shard in {"none", "expert"} else tokens
    times: BROADCAST = 1.0
    if matrix.shard == "expert":
        m = np.maximum(m * matrix.visits * lay.expert / matrix.copies, 1.0)
        times = matrix.copies / lay.expert / constants["expert_efficiency"]
    half = matrix.part == "logits" or matrix.name in _SIXTEEN_BIT or matrix.adapter or matrix.half
    taps, groups = matrix.taps, matrix.groups
    # A sum of gradients is read and written where the product adds to it.
    summed = _OUTPUT_BYTES + (2.0 * case.gradient_bytes - _OUTPUT_BYTES) * case.fused_accumulation
    # Forward, gradient of the input, gradient of the weight; of each, rows, columns, depth, and bytes an output takes.
    passes = ((m, n, k, _OUTPUT_BYTES), (m, k, n, _OUTPUT_BYTES), (k, n, m, summed))
    shape = np.broadcast_shapes(np.shape(m), np.shape(n), np.shape(k), np.shape(summed))
    if math.prod(shape) <= _FEW:
        together = np.empty((4, 3, *shape))
        for place, values in enumerate(passes):
            together[0, place], together[1, place], together[2, place], together[3, place] = values
        rows, columns, depth, written = together
        seconds = matmul_s(
            case, constants, rows, columns, depth, written=written, half=half, taps=taps, inputs=m * k, groups=groups
        )
        forward, of_input, of_weight = np.asarray(seconds)
    else:
        forward, of_input, of_weight = (
            matmul_s(case, constants, a, b, c, written=written, half=half, taps=taps, inputs=m * k, groups=groups)
            for a, b, c, written in passes
        )
    return forward * times, (matrix.passed * of_input + matrix.trained * of_weight) * times
