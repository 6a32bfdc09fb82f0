"""FLOPs per token of a training step, by operation: forward, backward and recomputed."""

from dataclasses import dataclass

from estimator.models.operations import Attention, Gemm, Part, Scan
from estimator.models.parameters import is_adapted, lora_parameters
from estimator.models.passes import Passes, passes_of
from estimator.models.training import WITH_ADAPTERS, Method, Recompute
from estimator.models.transformer import Transformer
from estimator.models.workload import workload

__all__ = ["FULL_TRAINING", "FlopCounts", "OperationFlop", "flop_counts"]

FULL_TRAINING = Method()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFlop:
    """FLOPs per token of one kind of operation, summed over the layers."""

    name: str
    part: Part
    forward: float
    input_gradient: float
    """Backward, towards the layer below; for attention towards queries, keys and values."""
    weight_gradient: float
    recompute: float
    """Forward FLOPs that are executed again in the backward pass."""
    adapter: bool = False
    """True for the low-rank pairs beside a frozen matrix."""

    @property
    def total(self) -> float:
        """All that the hardware executes for it."""
        return self.forward + self.input_gradient + self.weight_gradient + self.recompute


@dataclass(frozen=True, slots=True, kw_only=True)
class FlopCounts:
    """FLOPs per token of one training step: what the model needs and what the hardware executes."""

    operations: tuple[OperationFlop, ...]
    sequence_length: float
    causal: bool

    @property
    def forward(self) -> float:
        """FLOPs per token of the forward pass."""
        return sum(operation.forward for operation in self.operations)

    @property
    def backward(self) -> float:
        """FLOPs per token of the backward pass, recomputation apart."""
        return sum(operation.input_gradient + operation.weight_gradient for operation in self.operations)

    @property
    def recompute(self) -> float:
        """FLOPs per token of running parts of the forward pass again."""
        return sum(operation.recompute for operation in self.operations)

    @property
    def model(self) -> float:
        """FLOPs per token that the model needs: the numerator of MFU."""
        return self.forward + self.backward

    @property
    def hardware(self) -> float:
        """FLOPs per token that the hardware executes: the numerator of HFU."""
        return self.model + self.recompute

    def of_part(self, part: Part) -> float:
        """Return what the hardware executes per token for one part of the model."""
        return sum(operation.total for operation in self.operations if operation.part == part)


def flop_counts(
    transformer: Transformer,
    *,
    sequence_length: float,
    method: Method = FULL_TRAINING,
    recompute: Recompute = "none",
    causal: bool = True,
) -> FlopCounts:
    """Return the FLOPs per token of one training step.

        matrix       forward 2·P, gradient of the input 2·P, gradient of the weight 2·P    (P weights a token meets)
        attention    forward 2·keys·heads·(score + value width), backward twice that
        scans        forward what the chunked form or the recurrence takes, backward twice that
        full         every layer's forward again; the logits are not recomputed
        selective    only the attention's forward again
        lora, qlora  no weight gradient in the base; 6 FLOPs per adapter weight (2 more where recomputed)
        frozen       a weight gradient for the trained share alone; gradients still pass through every layer above
                     the lowest that learns
        towers       as often as they have positions for a token; forward alone where nothing in them learns

    Source: Narayanan et al. 2021, appendix; selective: Korthikanti et al. 2022, section 5; adapters: Hu et al. 2021.
    `causal` counts half of the score matrix (the keys a query really sees); papers before 2023 count all of it.
    Norms, activations, softmax, the optimizer and embedding lookups are left out: below 1 % at ordinary widths.
    """
    table = workload(transformer)
    plan = passes_of(table, method)
    again = recompute == "full"
    gemms = [_gemm(gemm, plan.of_gemm(gemm), again=again) for gemm in table.gemms]
    attentions = [
        _attention(attention, plan.of(attention.group), sequence_length, causal=causal, again=recompute != "none")
        for attention in table.attentions
    ]
    scans = [_scan(scan, plan.of(scan.group), causal=causal, again=recompute != "none") for scan in table.scans]
    adapters = _adapters(transformer, method, again=again) if method.name in WITH_ADAPTERS else []
    return FlopCounts(
        operations=(*gemms, *attentions, *scans, *adapters),
        sequence_length=sequence_length,
        causal=causal,
    )


def _gemm(gemm: Gemm, passes: Passes, *, again: bool) -> OperationFlop:
    forward = gemm.flop_per_token
    return OperationFlop(
        name=gemm.name,
        part=gemm.part,
        forward=forward,
        input_gradient=forward * passes.input_gradient,
        weight_gradient=forward * passes.weight_gradient,
        # Checkpoints lie at layer borders, so the logits' input is still at hand.
        recompute=forward * passes.input_gradient if again and gemm.part != "logits" else 0.0,
    )


def _attention(
    attention: Attention, passes: Passes, sequence_length: float, *, causal: bool, again: bool
) -> OperationFlop:
    forward = attention.flop_per_token(sequence_length, causal=causal)
    return OperationFlop(
        name=attention.name,
        part="attention",
        forward=forward,
        # Both operands of both products are activations: two gradients for each forward product.
        input_gradient=2.0 * forward * passes.input_gradient,
        weight_gradient=0.0,
        recompute=forward * passes.input_gradient if again else 0.0,
    )


def _scan(scan: Scan, passes: Passes, *, causal: bool, again: bool) -> OperationFlop:
    forward = scan.flop_per_token(causal=causal)
    return OperationFlop(
        name=scan.name,
        part="attention",
        forward=forward,
        # As in attention, both operands of its products are activations.
        input_gradient=2.0 * forward * passes.input_gradient,
        weight_gradient=0.0,
        recompute=forward * passes.input_gradient if again else 0.0,
    )


def _adapters(transformer: Transformer, method: Method, *, again: bool) -> list[OperationFlop]:
    """Return the low-rank pairs beside each adapted matrix; a given trainable count scales them alike."""
    scale = 1.0
    if method.trainable_parameters is not None:
        scale = method.trainable_parameters / lora_parameters(transformer, method.lora_rank)
    operations: list[OperationFlop] = []
    for gemm in workload(transformer).gemms:
        if not is_adapted(gemm):
            continue
        parts = gemm.fused or (gemm.outputs,)
        active = scale * sum(method.lora_rank * (gemm.inputs + part) for part in parts) * gemm.layers * gemm.rate
        forward = 2.0 * active
        operations.append(
            OperationFlop(
                name=f"{gemm.name}_adapter",
                part=gemm.part,
                forward=forward,
                input_gradient=forward,
                weight_gradient=forward,
                recompute=forward if again else 0.0,
                adapter=True,
            )
        )
    return operations
