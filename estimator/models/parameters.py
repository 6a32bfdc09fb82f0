"""How many parameters a transformer has: in all, active for one token, and in adapters."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from estimator.models.operations import MAIN, Gemm
from estimator.models.training import Projection
from estimator.models.transformer import Transformer
from estimator.models.workload import workload

__all__ = [
    "MatrixCount",
    "ParameterCounts",
    "attention_adapters",
    "is_adapted",
    "lora_parameters",
    "matrix_counts",
    "parameter_counts",
    "projection_adapters",
    "takes_adapters",
]

_ADAPTED_PARTS = frozenset({"attention", "mlp"})
_ADAPTED_GROUPS = frozenset({MAIN, "decoder"})
"""Parts that adapters lie beside: an encoder of pictures or sounds stays as it is."""
_PROJECTIONS: Mapping[str, tuple[Projection, ...]] = MappingProxyType(
    {"qkv": ("q", "k", "v"), "attention_out": ("o",), "mlp_up": ("gate", "up"), "mlp_down": ("down",)}
)
"""By matrix, what is joined in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixCount:
    """Parameters of one kind of weight matrix, summed over layers and copies."""

    name: str
    total: int
    active: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterCounts:
    """Parameter totals of one model, to the unit where its architecture is known to the unit."""

    total: int
    active: int
    """Parameters one token visits: all but those of the experts it is not routed to."""
    embedding: int
    """Input and output embedding together; counted once where tied."""
    vectors: int
    """Norms, biases, learned positions."""

    @property
    def active_non_embedding(self) -> int:
        """Active parameters without embeddings: the N of Kaplan et al. 2020, section 2.1."""
        return self.active - self.embedding


def matrix_counts(transformer: Transformer) -> tuple[MatrixCount, ...]:
    """Return the parameters of each kind of matrix; a tied embedding is counted under `logits`."""
    table = workload(transformer)
    lookup = table.embedding_parameters
    embedding = (MatrixCount(name="embedding", total=lookup, active=lookup),) if lookup else ()
    return embedding + tuple(
        MatrixCount(name=gemm.name, total=gemm.parameters, active=gemm.active_parameters) for gemm in table.gemms
    )


def parameter_counts(transformer: Transformer) -> ParameterCounts:
    """Return total, active, embedding and vector parameter counts.

    total = Σ inputs · outputs · layers · copies + input embedding + vectors
    """
    table = workload(transformer)
    logits = sum(gemm.parameters for gemm in table.gemms if gemm.part == "logits")
    return ParameterCounts(
        total=table.parameters,
        active=table.active_parameters,
        embedding=table.embedding_parameters + logits,
        vectors=table.vector_parameters,
    )


def is_adapted(gemm: Gemm) -> bool:
    """Return whether adapters "on every linear layer" lie beside a matrix: on attention, dense and shared MLPs.

    Not beside logits, by far the widest matrix, which PEFT's `all-linear` leaves out; not beside a router, which must
    not drift from what the frozen experts were trained for; not beside routed experts, which Transformers 5 holds as
    one three-dimensional parameter a layer: `all-linear` and `target_modules` match modules, so they pass it by, and
    only `target_parameters` names it. Transformers 4 held one module an expert, and `all-linear` adapted each of them
    and the router: there Mixtral 8x7B at rank 16 had 242,225,152 trainable parameters instead of 13,631,488. Whoever
    adapts experts says how many parameters that trains. Source: PEFT, `LoraConfig`, and issues 1594, 2527 and 3009.
    Denoisers are adapted at their attention alone, as diffusers' training scripts have it.
    """
    return gemm.adapted and gemm.group in _ADAPTED_GROUPS and gemm.part in _ADAPTED_PARTS and gemm.held


def lora_parameters(transformer: Transformer, rank: int, *, beside: Callable[[Gemm], bool] = lambda _gemm: True) -> int:
    """Return the trainable parameters of rank-`rank` adapters on every linear layer that `is_adapted` and is `beside`.

        Σ rank · (inputs + outputs) · layers, each of a fused matrix's parts apart

    Source: Hu et al. 2021, section 4.1; on all linear layers: Dettmers et al. 2023, section 4.
    """
    adapted = (gemm for gemm in workload(transformer).gemms if is_adapted(gemm) and beside(gemm))
    return sum(_adapter(gemm, rank) for gemm in adapted)


def projection_adapters(transformer: Transformer, rank: int, beside: Collection[Projection]) -> int | None:
    """Return the trainable parameters of adapters beside some projections of the usual block, in every layer.

    None where some of what adapters may lie beside is no such projection, as of latent attention and of state spaces,
    or none of what is named is there.
    """
    adapted = [gemm for gemm in workload(transformer).gemms if is_adapted(gemm)]
    if any(gemm.name not in _PROJECTIONS for gemm in adapted):
        return None
    parameters = 0
    for gemm in adapted:
        parts = gemm.fused or (gemm.outputs,)
        # An MLP without a gate has `up` alone.
        names = _PROJECTIONS[gemm.name][-len(parts) :]
        outputs = (part for name, part in zip(names, parts, strict=True) if name in beside)
        parameters += sum(rank * (gemm.inputs + part) for part in outputs) * gemm.layers
    return parameters or None


def attention_adapters(transformer: Transformer, rank: int) -> int:
    """Return the trainable parameters of adapters beside queries and values: half of attention's four projections.

    What PEFT adapts of encoders unless told (`TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING`: BERT, RoBERTa, T5,
    ViT), and recipes for Whisper. Source: Hu et al. 2021, section 4.2.
    """
    return lora_parameters(transformer, rank, beside=lambda gemm: gemm.part == "attention") // 2


def takes_adapters(transformer: Transformer) -> bool:
    """Return whether a network has any matrix that adapters lie beside: one of convolutions alone has none."""
    return any(is_adapted(gemm) for gemm in workload(transformer).gemms)


def _adapter(gemm: Gemm, rank: int) -> int:
    """Return the parameters of the low-rank pairs that adapt one kind of matrix."""
    parts = gemm.fused or (gemm.outputs,)
    return sum(rank * (gemm.inputs + part) for part in parts) * gemm.layers
