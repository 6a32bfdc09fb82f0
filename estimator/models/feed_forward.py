"""What each token passes through alone: dense MLPs, and mixtures of experts."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Gemm, Stream

__all__ = ["Dense", "Experts", "dense_operations", "expert_operations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """An MLP of `layers` layers, besides those that have the model's usual one."""

    layers: int
    width: int
    gated: bool

    def operations(self, hidden: int) -> Operations:
        """Return its products and the activations between them."""
        return dense_operations(hidden, self.width, self.layers, gated=self.gated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """The routed (and shared) experts of a mixture-of-experts model."""

    n_experts: int
    top_k: int
    ffn_hidden: int
    """Inner width of one routed expert."""
    shared_ffn_hidden: int = 0
    """Inner width of the experts every token visits, all together; 0 where there are none."""
    first_dense_layers: int = 0
    """Leading layers that keep the dense MLP."""
    layer_step: int = 1
    """Every `layer_step`-th layer has experts; the others keep the dense MLP."""
    layers: int | None = None
    """How many layers have experts, where neither tells."""
    latent: int = 0
    """Width that routed experts work in, projected to and back once a layer (Nemotron 3); 0: the model's own."""
    dense_width: int = 0
    """Inner width of an MLP that runs beside the experts in each layer, its norms apart; 0 where there is none."""
    biased: bool = False
    """Whether routed experts have biases, which stand among the model's vectors."""
    weighed_inputs: bool = False
    """Whether tokens are weighed before they enter an expert, not as they leave it (Llama 4)."""


def dense_operations(hidden: int, width: int, layers: int, *, gated: bool) -> Operations:
    """Return the products of a dense MLP and the activations between them; nothing for no layers."""
    if not layers or not width:
        return Operations()
    halves = (width,) * (2 if gated else 1)
    return Operations(
        gemms=(
            Gemm(
                name="mlp_up",
                part="mlp",
                inputs=hidden,
                outputs=sum(halves),
                layers=layers,
                shard="column",
                fused=halves,
            ),
            Gemm(name="mlp_down", part="mlp", inputs=width, outputs=hidden, layers=layers, shard="row"),
        ),
        streams=(Stream(name="mlp", width=sum(halves), layers=layers, shard="column"),),
    )


def expert_operations(hidden: int, experts: Experts, layers: int, *, gated: bool) -> Operations:
    """Return router, routed and shared experts, and the activations between them."""
    e, width = experts, 2 if gated else 1
    inner = e.latent or hidden
    gemms = [
        Gemm(name="router", part="experts", inputs=hidden, outputs=e.n_experts, layers=layers),
        Gemm(
            name="expert_up",
            part="experts",
            inputs=inner,
            outputs=width * e.ffn_hidden,
            layers=layers,
            shard="expert",
            copies=e.n_experts,
            visits=e.top_k,
            fused=(e.ffn_hidden,) * width,
        ),
        Gemm(
            name="expert_down",
            part="experts",
            inputs=e.ffn_hidden,
            outputs=inner,
            layers=layers,
            shard="expert",
            copies=e.n_experts,
            visits=e.top_k,
        ),
    ]
    streams = [
        Stream(name="expert_mlp", width=width * e.ffn_hidden * e.top_k, layers=layers, shard="expert"),
        Stream(name="routed", width=inner * e.top_k, layers=layers, shard="expert"),
    ]
    if e.latent:
        gemms += [
            Gemm(name="latent_down", part="mlp", inputs=hidden, outputs=e.latent, layers=layers),
            Gemm(name="latent_up", part="mlp", inputs=e.latent, outputs=hidden, layers=layers),
        ]
    beside = (("shared", e.shared_ffn_hidden), ("beside", e.dense_width))
    for name, inner_width in beside:
        if inner_width:
            gemms += [
                Gemm(
                    name=f"{name}_up",
                    part="mlp",
                    inputs=hidden,
                    outputs=width * inner_width,
                    layers=layers,
                    shard="column",
                    fused=(inner_width,) * width,
                ),
                Gemm(name=f"{name}_down", part="mlp", inputs=inner_width, outputs=hidden, layers=layers, shard="row"),
            ]
            streams.append(Stream(name="shared_mlp", width=width * inner_width, layers=layers, shard="column"))
    return Operations(gemms=tuple(gemms), streams=tuple(streams))
