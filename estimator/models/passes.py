"""Which passes training makes through each part of a network: forward through all, backward to what learns."""

from collections.abc import Mapping
from dataclasses import dataclass

from estimator.models.operations import MAIN, Gemm
from estimator.models.training import WITH_ADAPTERS, Method
from estimator.models.workload import Beside, Workload

__all__ = ["PassPlan", "Passes", "passes_of", "trained_share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Shares, 0 to 1, of a part's operations that have each pass besides the forward one."""

    input_gradient: float
    """That gradients pass through: their activations are kept, and may be recomputed."""
    weight_gradient: float
    """Whose weights learn."""


_ALL = Passes(input_gradient=1.0, weight_gradient=1.0)
_FORWARD = Passes(input_gradient=0.0, weight_gradient=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassPlan:
    """Passes of each part of a network."""

    layers: Passes
    """Of the main stack's layers."""
    output: Passes
    """Of its output layer."""
    embedding: float
    """Share of the embedding that learns."""
    beside: Mapping[str, Passes]
    """Of each tower."""

    def of(self, group: str) -> Passes:
        """Return the passes of a tower, or of the main stack's layers."""
        return self.layers if group == MAIN else self.beside[group]

    def of_gemm(self, gemm: Gemm) -> Passes:
        """Return the passes of one matrix."""
        return self.output if gemm.group == MAIN and gemm.part == "logits" else self.of(gemm.group)


def passes_of(table: Workload, method: Method) -> PassPlan:
    """Return which passes each part of `table` needs.

    Gradients run from the loss down to the lowest part that learns: through frozen layers that lie above a trained
    one, not into frozen ones below. Towers lie below the main stack, those `downstream` of it above; a tower that does
    not learn is run forward alone unless something below it does.
    """
    below = [part for part in table.beside if not part.downstream]
    above = [part for part in table.beside if part.downstream]
    reached = any(part.trained for part in below)
    weights, top = _main_shares(table, method)
    adapters = method.name in WITH_ADAPTERS
    chosen = method.trained_layers is not None
    depth = 1.0 if method.reached_layers is None else min(method.reached_layers / table.n_layers, 1.0)
    embedding = weights if method.trains_embeddings else 0.0
    # Gradients reach the embedding through every layer.
    whole = reached or (chosen and embedding > 0)
    layers = Passes(input_gradient=1.0 if whole else depth, weight_gradient=weights * top)
    any_main = reached or adapters or weights * top > 0 or embedding > 0
    return PassPlan(
        layers=layers,
        output=Passes(input_gradient=1.0, weight_gradient=weights if method.trains_output else 0.0),
        embedding=embedding,
        beside={part.group: _beside(part, below=below) for part in below}
        | {part.group: _above(part, reached=any_main) for part in above},
    )


def _beside(part: Beside, *, below: list[Beside]) -> Passes:
    """Return the passes of a tower that feeds the main stack, or the towers listed after it."""
    if part.trained:
        return _ALL
    place = below.index(part)
    # A frozen projector behind a trained encoder passes gradients on.
    feeds = part.group == "projector" and any(other.trained for other in below[:place])
    return Passes(input_gradient=1.0, weight_gradient=0.0) if feeds else _FORWARD


def _above(part: Beside, *, reached: bool) -> Passes:
    if part.trained:
        return _ALL
    return Passes(input_gradient=1.0 if reached else 0.0, weight_gradient=0.0)


def _main_shares(table: Workload, method: Method) -> tuple[float, float]:
    """Return the share of the main stack's weights that learn where any do, and the share of its layers that do."""
    top = 1.0 if method.trained_layers is None else min(method.trained_layers / table.n_layers, 1.0)
    if method.name == "full":
        return 1.0, top
    if method.name == "frozen" and method.trained_layers is not None:
        return 1.0, top
    if method.name == "frozen" and method.trainable_parameters is not None:
        return min(method.trainable_parameters / table.parameters, 1.0), top
    return 0.0, top


def trained_share(table: Workload, plan: PassPlan) -> float:
    """Return the share of all parameters that learn, adapters apart."""
    matrices = sum(gemm.parameters * plan.of_gemm(gemm).weight_gradient for gemm in table.gemms)
    tables = table.embedding_parameters * plan.embedding
    held = [part for part in table.beside if not part.borrowed]
    in_towers = sum(part.parameters for part in held)
    of_matrices = sum(gemm.parameters for gemm in table.gemms if gemm.group != MAIN)
    beside = sum(part.parameters for part in held if part.trained)
    beside -= sum(gemm.parameters for gemm in table.gemms if gemm.group != MAIN and plan.of_gemm(gemm).weight_gradient)
    vectors = (table.vector_parameters - (in_towers - of_matrices)) * plan.layers.weight_gradient
    return (matrices + tables + beside + vectors) / table.parameters
