"""Compute-optimal training: how many tokens a model of some size deserves, and how large a model some compute does."""

import math

from estimator.base.prior import Prior

__all__ = ["TOKENS_PER_PARAMETER", "optimal_parameters", "optimal_tokens"]

TOKENS_PER_PARAMETER = Prior(
    low=15.0,
    mode=20.0,
    high=41.0,
    why="Compute-optimal tokens a parameter: about 20 (Hoffmann et al. 2022, table 3: 20 to 22 up to 280B); Llama 3's "
    "own laws gave 16.55T tokens for 402B, 41 a parameter (Grattafiori et al. 2024, section 3.2.1). Models made to be "
    "served cheaply are trained on far more.",
)
_FLOP_PER_PARAMETER_AND_TOKEN = 6.0


def optimal_tokens(parameters: float, tokens_per_parameter: float = TOKENS_PER_PARAMETER.mode) -> float:
    """Return the compute-optimal tokens of a model of so many `parameters`.

        ratio · parameters

    Source: Hoffmann et al. 2022, table 3. Fails for repeated data (more than about four epochs) and for experts,
    whose optimum counts neither their active nor all of their parameters.
    """
    return tokens_per_parameter * parameters


def optimal_parameters(flop: float, tokens_per_parameter: float = TOKENS_PER_PARAMETER.mode) -> float:
    """Return the compute-optimal parameters for a budget of `flop`.

        √(flop / (6 · ratio))

    Source: C = 6·N·D of Kaplan et al. 2020, section 2.1, with D = ratio · N. Attention is not counted.
    """
    return math.sqrt(flop / (_FLOP_PER_PARAMETER_AND_TOKEN * tokens_per_parameter))
