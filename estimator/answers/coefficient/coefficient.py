"""Where the 6 or the 8 comes from: FLOPs per parameter and token, term by term, and a model's own."""

from collections.abc import Callable
from dataclasses import dataclass

from estimator.models.coefficient import rule_passes
from estimator.models.flops import FlopCounts, OperationFlop, flop_counts
from estimator.models.parameters import parameter_counts
from estimator.models.training import Method, MethodName, Recompute
from estimator.models.transformer import Transformer
from estimator.models.workload import workload

__all__ = [
    "HOFFMANN",
    "KAPLAN",
    "NARAYANAN",
    "ExactCoefficient",
    "ExactTerm",
    "Term",
    "exact_coefficient",
    "rule_terms",
]

KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361, section 2.1"
HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556, appendix F"
NARAYANAN = "Narayanan et al. 2021, arXiv 2104.04473, section 5.1 and appendix"
CHEN = "Chen et al. 2016, arXiv 1604.06174, section 4"
KORTHIKANTI = "Korthikanti et al. 2022, arXiv 2205.05198, section 5"
LORA = "Hu et al. 2021, arXiv 2106.09685, section 4"
QLORA = "Dettmers et al. 2023, arXiv 2305.14314, section 3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One reason for FLOPs, per parameter and token."""

    name: str
    flop_per_parameter_per_token: float
    why: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    """Why a pass costs what it costs."""

    name: str
    why: str
    source: str

    def term(self, flop_per_parameter_per_token: float) -> Term:
        """Return the term it explains."""
        return Term(
            name=self.name,
            flop_per_parameter_per_token=flop_per_parameter_per_token,
            why=self.why,
            source=self.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactTerm:
    """One part of a model: what it holds, what it costs, and what that adds to the coefficient."""

    name: str
    parameters: int
    active_parameters: int
    flop_per_token: float
    coefficient: float
    """FLOPs per token over the active parameters of the whole model."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactCoefficient:
    """A model's own coefficient and the parts it is the sum of."""

    transformer: Transformer
    counts: FlopCounts
    active_parameters: int
    total_parameters: int
    terms: tuple[ExactTerm, ...]
    full_square: float
    """The coefficient where all of the score matrix is counted, as papers before 2023 did."""

    @property
    def coefficient(self) -> float:
        """Executed FLOPs per token over active parameters."""
        return self.counts.hardware / self.active_parameters


def rule_terms(method: MethodName, recompute: Recompute) -> tuple[Term, ...]:
    """Return the terms whose sum is the rule's coefficient.

        2 forward + 2 gradient of the input + 2 gradient of the weight + 2 forward again = 8

    Source: Kaplan et al. 2020, section 2.1; recomputation: Narayanan et al. 2021, appendix.
    """
    passes = rule_passes(method, recompute)
    terms = [
        _FORWARD.term(passes.forward),
        _INPUT_GRADIENT.term(passes.input_gradient),
        (_WEIGHT_GRADIENT if passes.weight_gradient else _NO_WEIGHT_GRADIENT).term(passes.weight_gradient),
    ]
    if method in _TRAINED_BESIDE:
        terms.append(_TRAINED_BESIDE[method].term(0.0))
    if recompute in _RECOMPUTED:
        terms.append(_RECOMPUTED[recompute].term(passes.recompute))
    return tuple(terms)


def exact_coefficient(
    transformer: Transformer,
    *,
    sequence_length: float,
    method: Method,
    recompute: Recompute,
    active_parameters: float | None = None,
) -> ExactCoefficient:
    """Return executed FLOPs per token over active parameters, with the parts that add up to it.

    Active are the transformer's own, or `active_parameters` where a token meets only some layers, as in a U-Net.
    Attention is counted causally (half of the score matrix). Source: see `flops.flop_counts`.
    """
    counts, square = (
        flop_counts(transformer, sequence_length=sequence_length, method=method, recompute=recompute, causal=causal)
        for causal in (True, False)
    )
    parameters = parameter_counts(transformer)
    active = parameters.active if active_parameters is None else round(active_parameters)
    return ExactCoefficient(
        transformer=transformer,
        counts=counts,
        active_parameters=active,
        total_parameters=parameters.total,
        terms=_exact_terms(transformer, counts, active),
        full_square=square.hardware / active,
    )


def _exact_terms(transformer: Transformer, counts: FlopCounts, active: int) -> tuple[ExactTerm, ...]:
    """Return the parts of the model that exist, matrices first, then what the rule misses or overcounts."""
    table = workload(transformer)
    held = {gemm.name: (gemm.parameters, gemm.active_parameters) for gemm in table.gemms}
    lookup = table.embedding_parameters
    terms: list[ExactTerm] = []
    for name, belongs, why in _PARTS:
        members = [operation for operation in counts.operations if belongs(operation)]
        if not members:
            continue
        weights = [held.get(member.name, (0, 0)) for member in members]
        flop = sum(member.total for member in members)
        terms.append(
            ExactTerm(
                name=name,
                parameters=sum(total for total, _ in weights),
                active_parameters=sum(visited for _, visited in weights),
                flop_per_token=flop,
                coefficient=flop / active,
                why=why,
            )
        )
    idle = (("embedding lookup", lookup, _LOOKUP), ("norms and biases", table.vector_parameters, _VECTORS))
    terms += [
        ExactTerm(name=name, parameters=count, active_parameters=count, flop_per_token=0.0, coefficient=0.0, why=why)
        for name, count, why in idle
        if count
    ]
    return tuple(terms)


def _is_scores(operation: OperationFlop) -> bool:
    return operation.name.endswith("attention")


def _matrices(part: str) -> Callable[[OperationFlop], bool]:
    def belongs(operation: OperationFlop) -> bool:
        return operation.part == part and not operation.adapter and not _is_scores(operation)

    return belongs


_FORWARD = _Reason(
    name="forward",
    why="y = W·x: for each token every weight is multiplied by one activation and added to a sum, 1 multiply + 1 add.",
    source=KAPLAN,
)
_INPUT_GRADIENT = _Reason(
    name="gradient of the input",
    why="dx = Wᵀ·dy: the error is passed to the layer below through every weight once more, 1 multiply + 1 add.",
    source=KAPLAN,
)
_WEIGHT_GRADIENT = _Reason(
    name="gradient of the weight",
    why="dW = dy·xᵀ: for each token every weight's own gradient grows by one product, 1 multiply + 1 add.",
    source=KAPLAN,
)
_NO_WEIGHT_GRADIENT = _Reason(
    name="gradient of the weight",
    why="The base is frozen, so dW is not computed for it. The gradient of the input still is: "
    "what is trained below needs the error.",
    source=LORA,
)
_TRAINED_BESIDE = {
    "lora": _Reason(
        name="adapters",
        why="Low-rank pairs cost the full 6 per adapter weight, but they hold about 1 % of the base's weights or less.",
        source=LORA,
    ),
    "qlora": _Reason(
        name="adapters",
        why="As LoRA. The 4-bit base is expanded to 16 bits before each product: time and bandwidth, no matrix FLOPs.",
        source=QLORA,
    ),
    "frozen": _Reason(
        name="trained part",
        why="Up to 2 more for the share of the weights that is trained; nothing where that share is small.",
        source=KAPLAN,
    ),
}
_RECOMPUTED = {
    "full": _Reason(
        name="forward again (full activation recomputation)",
        why="To save memory only each layer's input is kept; before its backward pass the layer runs forward once "
        "more, the same 1 multiply + 1 add.",
        source=f"{CHEN}; {NARAYANAN}",
    ),
    "selective": _Reason(
        name="attention again (selective recomputation)",
        why="Only the attention scores and their weighted sum run again. They hold no weights, so the rule sees "
        "nothing; the exact coefficient does.",
        source=KORTHIKANTI,
    ),
}

_PARTS: tuple[tuple[str, Callable[[OperationFlop], bool], str], ...] = (
    ("attention projections", _matrices("attention"), "Matrices every token meets: the rule's terms for each weight."),
    ("MLP", _matrices("mlp"), "Matrices every token meets: the rule's terms for each weight."),
    (
        "experts",
        _matrices("experts"),
        "Only the experts a token is routed to are multiplied; the others rest, though memory holds them all.",
    ),
    (
        "logits",
        _matrices("logits"),
        "2·hidden·vocabulary forward, and backward twice that; not recomputed, since layers are checkpointed.",
    ),
    (
        "attention scores",
        _is_scores,
        "The quadratic term: each query meets every key before it, so this grows with the sequence and has no weights.",
    ),
    (
        "adapters",
        lambda operation: operation.adapter,
        "6 FLOPs per weight (2 more where recomputed), beside every linear layer but routed experts and logits.",
    ),
)
_LOOKUP = "Reading a row of a table multiplies nothing, yet the table counts among the parameters."
_VECTORS = "Elementwise: a few FLOPs a value, bound by memory, left out by convention."
