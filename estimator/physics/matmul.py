"""Seconds of matrix products: their shape against the device's tiles, multiprocessors and memory."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from estimator.physics.case import BROADCAST, Case, Matrix, is_anywhere
from estimator.physics.constants import Constants
from estimator.physics.layout import Floats, Layouts
from estimator.physics.network import where
from estimator.physics.uneven import busiest_share, longest_tokens

__all__ = ["Products", "matmul_s", "matrices_s", "products_s"]

_TILE_ROWS, _TILE_COLUMNS = 128.0, 256.0
"""Output tile of a large matmul on tensor cores (CUTLASS' default for 16-bit inputs)."""
_SHADER_TILE_COLUMNS = 128.0
"""The same outside matrix units, where registers hold no more (cuBLAS' SGEMM: 128 by 128)."""
_WINOGRAD_TAPS = 9.0
"""Of filters for which libraries have Winograd's algorithm in FP32; strided ones, which are few, go without."""
_OUTPUT_BYTES = 2.0
"""Bytes per element of a product: 16 bits, whatever its inputs have."""
_SIXTEEN_BIT = frozenset({"router", "expert_dispatch", "expert_combine"})
"""Products by which tokens find experts, which no recipe narrows."""
_TALL = 32.0
"""Length over both other sides from which on libraries choose kernels for tall and narrow products."""
_NARROWEST, _SPLIT_DEPTH = 64.0, 2048.0
"""Of such kernels: the narrowest tile's side, and the summands that each part of a split sum has at least."""
_PASSES = ((0, 1, 2), (0, 2, 1), (2, 1, 0))
"""Places of the forward product's m, n and k in its own, in that of its input's gradient, and of its weight's."""
_FEW, _AT_ONCE = 512, 16
"""Array size up to which NumPy's call overhead dominates, and how many matrices are then stacked in one call, each in
its three passes: of so many the arrays stay in a core's second-level cache."""


def matmul_s(
    case: Case,
    constants: Constants,
    m: BROADCAST,
    n: BROADCAST,
    k: BROADCAST,
    *,
    written: BROADCAST = _OUTPUT_BYTES,
    half: BROADCAST = 0.0,
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
    `groups` of channels apart. Outside matrix units tiles are smaller, and filters of three by three are multiplied
    fewer times (Lavin and Gray 2016).
    Holds for shapes of a transformer layer; below about 1e8 FLOPs launches govern.
    """
    sms = np.maximum(case.n_sm, 1.0)
    convolutions = is_anywhere(taps - 1.0)
    shaders = where(taps - 1.0, case.shader_convolutions, case.shaders) if convolutions else case.shaders
    rows: BROADCAST = _TILE_ROWS
    columns: BROADCAST = _TILE_COLUMNS
    efficiency: BROADCAST = constants["gemm_efficiency"]
    if is_anywhere(shaders):
        columns = where(shaders, _SHADER_TILE_COLUMNS, columns)
        efficiency = where(shaders, constants["shader_efficiency"], efficiency)
    broadest = columns
    splits: BROADCAST = 1.0
    tiles = np.ceil(m / rows) * np.ceil(n / columns)
    tall = np.greater_equal(np.maximum(m, k), _TALL * np.maximum(n, np.minimum(m, k)))
    if tall.any():
        rows, columns = where(tall, _tile(m, _TILE_ROWS), rows), where(tall, _tile(n, broadest), columns)
        tiles = np.ceil(m / rows) * np.ceil(n / columns)
        parts = np.maximum(np.floor(np.minimum(sms / tiles, k / _SPLIT_DEPTH)), 1.0)
        splits = where(tall, parts, splits)
    waves = np.ceil(tiles * splits / sms) * sms
    filled = where(case.n_sm, m * n * splits / (waves * rows * columns), 1.0)
    efficiency = efficiency * filled ** constants["gemm_tail_power"]
    # What starts and ends a tile takes as long for narrow operands, the loop between them does not.
    wide = where(taps - 1.0, 1.0, half) if convolutions else half
    depth = 1.0 + constants["gemm_depth"] * case.balance * where(wide, 1.0, case.narrowness) / k
    low = (constants["eight_bit_efficiency"] - 1.0) * (case.low_bit - case.four_bit)
    four = (constants["four_bit_efficiency"] - 1.0) * case.four_bit
    rate = where(half, case.half_flop_per_s, case.gemm_flop_per_s * (1.0 + low + four))
    size = where(half, np.maximum(2.0, case.gemm_bytes), case.gemm_bytes)
    moved = size * (m * k + k * n) + written * m * n
    if convolutions:
        share = where(case.channels_last, constants["channels_last_convolution"], constants["convolution_efficiency"])
        share = where(shaders * (taps == _WINOGRAD_TAPS), share * constants["winograd_gain"], share)
        share = where(groups - 1.0, constants["grouped_convolution"], share)
        rate = where(taps - 1.0, case.convolution_flop_per_s, rate)
        rate = where(groups - 1.0, case.grouped_flop_per_s, rate)
        efficiency = efficiency * where(taps - 1.0, share, 1.0)
        moved = moved - 2.0 * inputs * (1.0 - 1.0 / taps)
    compute = 2.0 * m * n * k * depth / (rate * efficiency)
    traffic = moved / (case.bandwidth_bytes_per_s * constants["gemm_bandwidth"])
    return np.maximum(compute, traffic)


def _tile(size: BROADCAST, usual: BROADCAST) -> BROADCAST:
    """Return the side of the tiles of a tall product's output: the power of two that it fills, at most the usual."""
    return np.clip(2.0 ** np.ceil(np.log2(np.maximum(size, 1.0))), _NARROWEST, usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """Seconds of the matrix products of a micro-batch, those of all layers added up, each of shape (L,)."""

    forward: BROADCAST
    in_full: BROADCAST
    """What of it full recomputation runs again …"""
    where_named: BROADCAST
    """… selective recomputation, where its parts are known by name …"""
    passed: BROADCAST
    """… or all of which it runs a share, where they are not: what gradients pass through."""
    backward: BROADCAST
    logits_forward: BROADCAST
    """Of the last stage alone; the others are without."""
    logits_backward: BROADCAST


def products_s(case: Case, constants: Constants, lay: Layouts) -> Products:
    """Return the seconds of all matrix products on a rank of one micro-batch, were all layers on one stage."""
    tokens = longest_tokens(case, lay)
    sums: dict[str, BROADCAST] = {field.name: 0.0 for field in fields(Products)}
    for matrix, forward, backward in matrices_s(case, constants, case.matrices, lay, tokens):
        if matrix.part == "logits":
            of_matrix = {"logits_forward": forward * matrix.layers, "logits_backward": backward * matrix.layers}
        else:
            in_layers = forward * matrix.layers
            passed = in_layers * matrix.passed
            of_matrix = {
                "forward": in_layers,
                "in_full": passed * matrix.again_full,
                "where_named": passed * matrix.again_named,
                "passed": passed,
                "backward": backward * matrix.layers,
            }
        for name, seconds in of_matrix.items():
            sums[name] = sums[name] + seconds
    return Products(**sums)


def matrices_s(
    case: Case, constants: Constants, matrices: Sequence[Matrix], lay: Layouts, tokens: BROADCAST
) -> Iterator[tuple[Matrix, BROADCAST, BROADCAST]]:
    """Yield each weight matrix with forward and backward seconds of its GEMMs on a rank, per layer and micro-batch."""
    for start in range(0, len(matrices), _AT_ONCE):
        some = matrices[start : start + _AT_ONCE]
        for matrix, passes_s in zip(some, _passes_s(case, constants, some, lay, tokens), strict=True):
            forward, of_input, of_weight = passes_s
            times: BROADCAST = 1.0
            if matrix.shard == "expert":
                times = matrix.copies / lay.expert / constants["expert_efficiency"]
                times = times * busiest_share(case, constants, lay)
            yield matrix, forward * times, (matrix.passed * of_input + matrix.trained * of_weight) * times


def _passes_s(
    case: Case, constants: Constants, matrices: Sequence[Matrix], lay: Layouts, tokens: BROADCAST
) -> Iterator[Iterable[BROADCAST]]:
    """Yield for each matrix the seconds of one of its products forward, for its input's and its weight's gradient."""
    sizes = [_sizes(matrix, lay, tokens) for matrix in matrices]
    # A sum of gradients is read and written where the product adds to it.
    summed = _OUTPUT_BYTES + (2.0 * case.gradient_bytes - _OUTPUT_BYTES) * case.fused_accumulation
    written = (_OUTPUT_BYTES, _OUTPUT_BYTES, summed)
    shape = np.broadcast_shapes(*map(np.shape, sizes[0]), lay.expert.shape, np.shape(summed))
    if math.prod(shape) > _FEW:
        # A pass at a time: what few knobs change is then worked out for few layouts.
        for matrix, each in zip(matrices, sizes, strict=True):
            m, _, k = each
            half, taps, groups = _is_half(matrix), matrix.taps, matrix.groups
            yield [
                matmul_s(
                    case,
                    constants,
                    *(each[i] for i in mnk),
                    written=bytes_each,
                    half=half,
                    taps=taps,
                    inputs=m * k,
                    groups=groups,
                )
                for mnk, bytes_each in zip(_PASSES, written, strict=True)
            ]
        return
    mnk = np.empty((3, len(matrices), *shape))
    for place, of_one in enumerate(sizes):
        mnk[0, place], mnk[1, place], mnk[2, place] = of_one
    outputs = np.empty((3, 1, *shape))
    for place, bytes_each in enumerate(written):
        outputs[place] = bytes_each

    def column(values: list[BROADCAST]) -> Floats:
        stack = np.array(values, dtype=np.float64)
        return stack.reshape(len(matrices), *[1] * (1 + len(shape) - stack.ndim), *stack.shape[1:])

    seconds = matmul_s(
        case,
        constants,
        *mnk[np.array(_PASSES).T],
        written=outputs,
        half=column([_is_half(matrix) for matrix in matrices]),
        taps=column([matrix.taps for matrix in matrices]),
        inputs=mnk[0] * mnk[2],
        groups=column([matrix.groups for matrix in matrices]),
    )
    yield from np.moveaxis(np.asarray(seconds), 1, 0)


def _sizes(matrix: Matrix, lay: Layouts, tokens: BROADCAST) -> tuple[BROADCAST, BROADCAST, BROADCAST]:
    """Return m, n and k of a matrix's forward product on a rank: positions, outputs and inputs."""
    n = matrix.outputs / lay.tensor if matrix.shard == "column" else matrix.outputs
    k = matrix.inputs / lay.tensor if matrix.shard == "row" else matrix.inputs
    tokens = tokens * matrix.rate
    m = tokens / lay.tensor if matrix.shard in {"none", "expert"} else tokens
    if matrix.shard == "expert":
        m = np.maximum(m * matrix.visits * lay.expert / matrix.copies, 1.0)
    return m, n, k


def _is_half(matrix: Matrix) -> float:
    sixteen = matrix.part == "logits" or matrix.name in _SIXTEEN_BIT or matrix.adapter or matrix.half
    return 1.0 if sixteen else 0.0
