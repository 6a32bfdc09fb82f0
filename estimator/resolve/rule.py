"""The rule of thumb: training time in closed form, from a parameter count alone."""

from dataclasses import dataclass

from estimator.base.prior import Prior

__all__ = ["UTILIZATION", "RuleOfThumb"]

UTILIZATION = Prior(
    low=0.30,
    mode=0.45,
    high=0.55,
    why="Large 16-bit runs on tuned stacks reach 0.30 to 0.55 of the dense peak (Narayanan et al. 2021, Table 1: "
    "0.44 to 0.52; Grattafiori et al. 2024, Table 4: 0.38 to 0.43); untuned stacks reach half or less.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOfThumb:
    """Training time as work over rate.

        seconds = coefficient · parameters · tokens / (gpus · peak · utilization)

    Source: Narayanan et al. 2021, equation 4 (8 with full activation recomputation); Kaplan et al. 2020, section 2.1
    (6 without). Fails where attention is a large share (long sequences, small models), where layers are too small
    for the device, and where most parameters rest (experts: count the active ones).
    """

    coefficient: float
    """FLOPs per parameter and token that the hardware executes."""
    parameters: float
    """Active for one token."""
    tokens: float
    n_gpus: int
    peak_flop_per_s: float
    """Dense, FP32 accumulate, of one device."""

    @property
    def flop(self) -> float:
        """FLOPs the hardware executes in the whole run."""
        return self.coefficient * self.parameters * self.tokens

    def training_s(self, utilization: float) -> float:
        """Return the seconds of training at `utilization` of the peak."""
        return self.flop / (self.n_gpus * self.peak_flop_per_s * utilization)
