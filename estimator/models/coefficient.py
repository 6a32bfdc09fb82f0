"""The rule of thumb's coefficient: FLOPs per parameter and token, pass by pass."""

from dataclasses import dataclass

from estimator.models.training import MethodName, Recompute

__all__ = ["RulePasses", "rule_passes"]

_MULTIPLY_AND_ADD = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePasses:
    """FLOPs per parameter and token that the hardware executes in each pass over a weight."""

    forward: float
    input_gradient: float
    weight_gradient: float
    recompute: float
    beside: float = 0.0
    """Forward passes of a reference model, or of a teacher."""

    @property
    def coefficient(self) -> float:
        """Their sum: 6; 8 with full recomputation; 4 and 6 over a frozen base."""
        return self.forward + self.input_gradient + self.weight_gradient + self.recompute + self.beside


def rule_passes(method: MethodName, recompute: Recompute, *, forward_beside: float = 0.0) -> RulePasses:
    """Return what each pass costs by the rule: a multiply and an add a weight, or nothing.

        2 forward + 2 gradient of the input + 2 gradient of the weight + 2 forward again = 8

    Source: Kaplan et al. 2020, section 2.1; recomputation: Narayanan et al. 2021, appendix; a frozen base has no
    gradient of its weights: Hu et al. 2021, section 4. `forward_beside`: forward passes of a reference or a teacher, in
    passes of the model itself.
    """
    return RulePasses(
        forward=_MULTIPLY_AND_ADD,
        input_gradient=_MULTIPLY_AND_ADD,
        weight_gradient=_MULTIPLY_AND_ADD if method == "full" else 0.0,
        recompute=_MULTIPLY_AND_ADD if recompute == "full" else 0.0,
        beside=_MULTIPLY_AND_ADD * forward_beside,
    )
