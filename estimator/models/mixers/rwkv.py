"""RWKV: a recurrence of each head's state with decays of each channel, and mixing with the token before."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations, mixer_gemm
from estimator.models.operations import Gemm, Scan, Stream

__all__ = ["Rwkv", "RwkvRanks"]

_FLOP_PER_STATE = {5: 7.0, 6: 7.0, 7: 9.0}
"""Outer product, bonus, decay, two sums, product with the receptance and its sum; 7 corrects its state as well."""
_FLOP_PER_CHANNEL = 20.0
"""RWKV-4 keeps a numerator, a denominator and their common exponent for each channel."""
_SHIFTS = {4: 3, 5: 4, 6: 5, 7: 6}
"""Streams that are mixed with the token before, and projected."""
_HEADED = 5
"""First version with heads."""
_CORRECTING = 7
"""First version whose state is corrected, and whose channel mix has no receptance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RwkvRanks:
    """Ranks of the low-rank projections: of mixing and decay (6), and of correction, values and gate too (7)."""

    mix: int = 0
    decay: int = 0
    correction: int = 0
    value: int = 0
    gate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rwkv:
    """Time mixing of `layers` layers, with what channel mixing has beside a plain MLP.

    Source: Peng et al. 2023 (RWKV-4), 2024 (Eagle and Finch: 5 and 6) and 2025 (Goose: 7).
    """

    layers: int
    version: int
    inner: int
    """Width of receptance, keys and values."""
    head_dim: int = 64
    """Width of a head; RWKV-4 has none."""
    ranks: RwkvRanks = RwkvRanks()

    def operations(self, hidden: int) -> Operations:
        """Return projections and the recurrence, which its kernels step through in FP32 outside matrix units.

        A token costs 20 · width (RWKV-4), 7 · width · head width (5, 6), 9 · width · head width (7).
        Source: Peng et al. 2024, equations 18 to 20; 2025, equations 16 to 18; their CUDA kernels.
        """
        gated = self.version in {5, 6}
        inputs = self.inner * (3 + gated)
        gemms = [
            mixer_gemm("rwkv_in", hidden, inputs, self.layers, "column", fused=(self.inner,) * (3 + gated)),
            mixer_gemm("rwkv_out", self.inner, hidden, self.layers, "row"),
        ]
        if self.version < _CORRECTING:
            gemms.append(Gemm(name="channel_receptance", part="mlp", inputs=hidden, outputs=hidden, layers=self.layers))
        gemms += self._low_rank(hidden)
        per_channel = _FLOP_PER_STATE[self.version] * self.head_dim if self.version >= _HEADED else _FLOP_PER_CHANNEL
        shifts = _SHIFTS[self.version]
        return Operations(
            gemms=tuple(gemms),
            scans=(
                Scan(
                    name="rwkv",
                    layers=self.layers,
                    vector_flop=per_channel * self.inner,
                    elements=float((shifts + 2) * self.inner + (shifts + 1) * hidden),
                ),
            ),
            streams=(
                Stream(name="heads", width=inputs + self.inner + shifts * hidden, layers=self.layers, shard="column"),
            ),
        )

    def vectors(self, hidden: int) -> int:
        """Return mixing weights, decays, bonuses, norms of heads and biases of low-rank projections, all layers."""
        mixing = {4: 3 + 2, 5: 4 + 2, 6: 6 + 2, 7: 6 + 1}[self.version] * hidden
        # Decay and bonus; 7 adds the correction's and the value's biases and two scales of keys.
        decays = (6 if self.version >= _CORRECTING else 2) * self.inner
        norm = 2 * self.inner if self.version >= _HEADED else 0
        # The first layer's values are mixed with none before it.
        first = self.inner if self.version >= _CORRECTING else 0
        return (mixing + decays + norm) * self.layers - first

    def _low_rank(self, hidden: int) -> list[Gemm]:
        """Return pairs of matrices down to a rank and up again."""
        ranks = self.ranks
        mixed = 5
        pairs = [
            ("decay", ranks.decay, self.inner, self.layers),
            ("correction", ranks.correction, self.inner, self.layers),
            ("value", ranks.value, self.inner, self.layers - 1),
            ("gate", ranks.gate, self.inner, self.layers),
        ]
        gemms = [
            gemm
            for name, rank, outputs, layers in pairs
            if rank and layers
            for gemm in (
                mixer_gemm(f"{name}_down", hidden, rank, layers),
                mixer_gemm(f"{name}_up", rank, outputs, layers, "column"),
            )
        ]
        if ranks.mix:
            down = mixer_gemm("mix_down", hidden, mixed * ranks.mix, self.layers, "column")
            gemms += [down, mixer_gemm("mix_up", ranks.mix, mixed * hidden, self.layers, "column")]
        return gemms
