"""A network as operations at places: a latent's positions or a stage's, a text's, all together, or once a sample."""

from dataclasses import dataclass, replace
from typing import Literal, Self

from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Attention, Gemm, Part, Scan, Shard, Stream

__all__ = ["LATENT", "ONCE", "Flow", "Linear", "Look", "Place", "Placed", "Product"]

_HARDLY = 1e-9
"""Positions a token where there are none: no product is of nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Positions of a sample that something happens at: `share` of the latent's, and `fixed` more."""

    share: float = 0.0
    fixed: float = 0.0

    def positions(self, tokens: float) -> float:
        """Return the positions in a sample whose latent has `tokens`."""
        return self.share * tokens + self.fixed

    def lengthened(self, usual: float, text: float) -> "Place":
        """Return the place where texts of `usual` positions, one or several of which it may hold, have `text`."""
        return replace(self, fixed=self.fixed + (self.fixed // usual) * (text - usual))

    def rate(self, tokens: float) -> float:
        """Return the positions for each token of the latent."""
        return max(self.positions(tokens) / tokens, _HARDLY)


LATENT = Place(share=1.0)
ONCE = Place(fixed=1.0)
"""Embeddings of the time step and what modulates norms: one vector a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A matrix, or a convolution as one: its inputs are those of all positions that its filter covers."""

    name: str
    inputs: int
    outputs: int
    at: Place = LATENT
    """Positions it writes."""
    layers: int = 1
    part: Part = "mlp"
    shard: Shard = "none"
    bias: bool = True
    fused: tuple[int, ...] = ()
    writes: Literal["heads", "mlp", "none"] = "none"
    """Which stream of activations its outputs are: queries, keys and values, or the inside of an MLP."""
    adapted: bool = False
    """Whether adapters lie beside it by habit."""
    taps: int = 1
    """Positions that a filter covers."""
    copies: int = 1
    """Matrices a layer holds: one of each expert …"""
    visits: int = 1
    """… and how many of them a position is multiplied by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Softmax attention of the positions at one place, to one another or to the keys of another."""

    name: str
    heads: int
    head_dim: int
    layers: int
    at: Place = LATENT
    keys: Place | None = None
    kv_heads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A residual stream of `width`, which `halves` parts of layers (attention, cross-attention, an MLP) add to."""

    width: int
    halves: int
    at: Place = LATENT
    normed: bool = True
    """Whether each part normalises it first, as transformers' do; else it is added to, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Linear attention: keys times values once for all positions, then queries times that (Xie et al. 2024, Sana)."""

    heads: int
    head_dim: int
    layers: int
    at: Place = LATENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """All that a network does to a sample whose latent has `tokens` positions."""

    products: tuple[Product, ...]
    flows: tuple[Flow, ...]
    looks: tuple[Look, ...] = ()
    linears: tuple[Linear, ...] = ()
    own_vectors: int = 0
    """Trained parameters outside matrices, biases apart: scales of norms, tables of shifts."""
    tokens: float

    @property
    def layers(self) -> int:
        """Halves of layers, over all streams."""
        return sum(flow.halves for flow in self.flows)

    def at(self, tokens: float) -> Self:
        """Return the same network for a sample of `tokens` positions."""
        return replace(self, tokens=tokens)

    def lengthened(self, usual: float, text: float) -> Self:
        """Return the same network whose texts have `text` positions in place of `usual`."""
        return replace(
            self,
            products=tuple(replace(product, at=product.at.lengthened(usual, text)) for product in self.products),
            flows=tuple(replace(flow, at=flow.at.lengthened(usual, text)) for flow in self.flows),
            looks=tuple(
                replace(
                    look,
                    at=look.at.lengthened(usual, text),
                    keys=None if look.keys is None else look.keys.lengthened(usual, text),
                )
                for look in self.looks
            ),
            linears=tuple(replace(linear, at=linear.at.lengthened(usual, text)) for linear in self.linears),
        )

    def operations(self, hidden: int) -> Operations:
        """Return products, attention and streams, each at its positions for a token of the latent."""
        del hidden
        return Operations(
            gemms=tuple(self._gemm(product) for product in self.products),
            attentions=tuple(self._attention(look) for look in self.looks),
            scans=tuple(self._scan(linear) for linear in self.linears),
            streams=(
                *(
                    Stream(
                        name="residual" if flow.normed else "mlp",
                        width=flow.width,
                        layers=flow.halves,
                        shard="sequence",
                        # Widths are counted for a pair of a mixer and an MLP.
                        rate=flow.at.rate(self.tokens) / 2.0,
                    )
                    for flow in self.flows
                ),
                *(
                    Stream(
                        name=product.writes,
                        width=product.outputs * product.visits,
                        layers=product.layers,
                        shard="column",
                        rate=product.at.rate(self.tokens),
                    )
                    for product in self.products
                    if product.writes != "none"
                ),
            ),
        )

    def vectors(self, hidden: int) -> int:
        """Return biases and what else is trained outside matrices."""
        del hidden
        return self.own_vectors + sum(
            product.outputs * product.layers * product.copies * product.bias for product in self.products
        )

    def _gemm(self, product: Product) -> Gemm:
        return Gemm(
            name=product.name,
            part=product.part,
            inputs=product.inputs,
            outputs=product.outputs,
            layers=product.layers,
            shard=product.shard,
            fused=product.fused,
            rate=product.at.rate(self.tokens),
            adapted=product.adapted,
            taps=product.taps,
            copies=product.copies,
            visits=product.visits,
        )

    def _attention(self, look: Look) -> Attention:
        return Attention(
            name=look.name,
            heads=look.heads,
            kv_heads=look.kv_heads or look.heads,
            score_dim=look.head_dim,
            value_dim=look.head_dim,
            window=0,
            layers=look.layers,
            causal=False,
            length=look.at.positions(self.tokens),
            keys=0.0 if look.keys is None else look.keys.positions(self.tokens),
            rate=look.at.rate(self.tokens),
        )

    def _scan(self, linear: Linear) -> Scan:
        width = linear.heads * linear.head_dim
        return Scan(
            name="linear_attention",
            layers=linear.layers,
            # Values have one more row, which sums up the weights.
            matmul_flop=4.0 * width * (linear.head_dim + 1),
            # Queries, keys and values in, the sum out, in FP32.
            elements=8.0 * width,
            rate=linear.at.rate(self.tokens),
        )
