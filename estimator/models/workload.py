"""A network as a table of operations: the only home of architecture knowledge.

Everything downstream (FLOPs, memory, step time) folds over this table and never asks what the
architecture is. Widths are per token; how many tokens there are belongs to the layout.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from estimator.models.feed_forward import dense_operations, expert_operations
from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Attention, Gemm, Scan, Stream
from estimator.models.transformer import Tower, Transformer

__all__ = ["Beside", "Workload", "workload"]

_FEWEST_PAIRS = 0.5
"""What nothing is added to, such as VGG, has no half of a pair; what is told of each pair is told of one half then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A tower beside the main stack, as training treats it."""

    group: str
    parameters: int
    trained: bool
    downstream: bool
    borrowed: bool
    layers: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """All that a training step does with one network."""

    gemms: tuple[Gemm, ...]
    attentions: tuple[Attention, ...]
    scans: tuple[Scan, ...]
    streams: tuple[Stream, ...]
    beside: tuple[Beside, ...]
    n_layers: int
    """Layers of the main stack, which pipeline stages divide."""
    pairs: float
    """Pairs of a mixer and an MLP, towers' layers included: what a layer of an ordinary transformer is."""
    hidden: int
    vocab: int
    logits: float
    """Logits for each token of the main sequence."""
    embedding_parameters: int
    """Input embedding; 0 where it is tied to the logits."""
    output_parameters: int
    """Output layer of the main stack."""
    vector_parameters: int
    idle_vectors: int
    """Those of them that are biases of experts that a token does not visit."""
    n_experts: int
    top_k: int
    n_expert_layers: int
    routed_width: int
    """Width in which tokens are sent to experts."""
    further_norms: float
    """Norms beyond two for each of the main stack's pairs, those of queries and of keys among them; fewer are below
    zero."""
    normed_elements: float
    """Elements of a token that pass through them."""

    @property
    def parameters(self) -> int:
        """All weights of the model."""
        return sum(g.parameters for g in self.gemms) + self.embedding_parameters + self.vector_parameters

    @property
    def active_parameters(self) -> int:
        """Weights one token meets, the embedding row counted as the whole table by convention."""
        met = sum(g.active_parameters for g in self.gemms if g.held)
        return met + self.embedding_parameters + self.vector_parameters - self.idle_vectors

    @property
    def expert_parameters(self) -> int:
        """Weights that expert parallelism divides."""
        return sum(g.parameters for g in self.gemms if g.shard == "expert")


@lru_cache(maxsize=1024)
def workload(transformer: Transformer) -> Workload:
    """Return the table of operations of `transformer`."""
    # Each published run has a network with its id, and most are of the same few models.
    return _workload(replace(transformer, id="", name=""))


@lru_cache(maxsize=1024)
def _workload(t: Transformer) -> Workload:
    parts = [mixer.operations(t.hidden) for mixer in t.all_mixers]
    parts.append(dense_operations(t.hidden, t.ffn_hidden, t.n_dense_layers, gated=t.gated_mlp))
    parts += [dense.operations(t.hidden) for dense in t.feed_forwards]
    if t.experts is not None:
        parts.append(expert_operations(t.hidden, t.experts, t.n_expert_layers, gated=t.gated_mlp))
    if t.vocab:
        logits = Gemm(
            name="logits",
            part="logits",
            inputs=t.hidden,
            outputs=t.vocab,
            layers=1,
            shard="column",
            rate=t.predicted,
        )
        parts.append(Operations(gemms=(logits,)))
    mixing = sum(mixer.layers for mixer in t.all_mixers)
    own_pairs = (mixing + t.n_mlp_layers + sum(dense.layers for dense in t.feed_forwards)) / 2.0
    residual = Stream(name="residual", width=t.hidden, layers=t.n_layers, shard="sequence", rate=own_pairs / t.n_layers)
    if not t.own_streams:
        parts.insert(0, Operations(streams=(residual,)))
    layer_norms = 0.0 if t.norms_per_layer is None else t.norms_per_layer * t.n_layers - 2.0 * own_pairs
    usual = t.attention
    normed = t.normed_heads * usual.layers
    towers = [_of_tower(tower) for tower in t.towers]
    parts += [operations for operations, _ in towers]
    lookup = 0 if t.tied_embeddings else t.vocab * t.hidden
    gemms = _distinct(gemm for part in parts for gemm in part.gemms)
    held = [(tower, part) for tower, (_, part) in zip(t.towers, towers, strict=True) if not tower.borrowed]
    besides = sum(part.parameters - _matrices(gemms, tower.name) for tower, part in held)
    return Workload(
        gemms=gemms,
        attentions=tuple(attention for part in parts for attention in part.attentions),
        scans=tuple(scan for part in parts for scan in part.scans),
        streams=tuple(stream for part in parts for stream in part.streams),
        beside=tuple(part for _, part in towers),
        n_layers=t.n_layers,
        pairs=max(own_pairs + sum(part.layers for _, part in towers), _FEWEST_PAIRS),
        hidden=t.hidden,
        vocab=t.vocab,
        logits=sum(gemm.outputs * gemm.rate for gemm in gemms if gemm.part == "logits"),
        embedding_parameters=lookup,
        output_parameters=t.vocab * t.hidden,
        vector_parameters=t.vector_parameters + t.lookup_parameters + besides,
        idle_vectors=_idle_vectors(t),
        n_experts=t.experts.n_experts if t.experts else 0,
        top_k=t.experts.top_k if t.experts else 0,
        n_expert_layers=t.n_expert_layers,
        routed_width=(t.experts.latent or t.hidden) if t.experts else t.hidden,
        further_norms=layer_norms + 2.0 * normed,
        normed_elements=layer_norms * t.hidden + normed * (usual.heads + usual.kv_heads) * usual.head_dim,
    )


def _idle_vectors(t: Transformer) -> int:
    """Return the biases of all experts that a token does not visit."""
    if t.experts is None or not t.experts.biased:
        return 0
    each = (1 + t.gated_mlp) * t.experts.ffn_hidden + t.hidden
    return (t.experts.n_experts - t.experts.top_k) * each * t.n_expert_layers


def _of_tower(tower: Tower) -> tuple[Operations, Beside]:
    """Return a tower's operations, each at its rate and in its group, and what it is as a whole."""
    inner = workload(tower.network)
    group = tower.name
    whole = Beside(
        group=tower.name,
        parameters=inner.parameters,
        trained=tower.trained,
        downstream=tower.downstream,
        borrowed=tower.borrowed,
        # One that no sample runs launches nothing.
        layers=inner.pairs if tower.rate > 0 else 0.0,
    )
    if not tower.rate:
        # A tower without anything to read is held, and idle.
        return Operations(), replace(whole, layers=0.0)
    return Operations(
        gemms=tuple(
            replace(
                gemm,
                name=f"{tower.name}_{gemm.name}",
                rate=gemm.rate * tower.rate,
                held=gemm.held and not tower.borrowed,
                group=group,
            )
            for gemm in inner.gemms
        ),
        attentions=tuple(_own_length(attention, tower) for attention in inner.attentions),
        scans=tuple(
            replace(scan, name=f"{tower.name}_{scan.name}", rate=scan.rate * tower.rate, group=group)
            for scan in inner.scans
        ),
        streams=tuple(replace(stream, rate=stream.rate * tower.rate, group=group) for stream in inner.streams),
    ), whole


def _own_length(attention: Attention, tower: Tower) -> Attention:
    """Return a tower's attention over the tower's own sequence."""
    length = attention.length or tower.length
    share = (
        attention.length_share if length or attention.crosses else attention.length_share * tower.rate / tower.sequences
    )
    return replace(
        attention,
        name=f"{tower.name}_{attention.name}",
        rate=attention.rate * tower.rate,
        length=length,
        length_share=share,
        group=tower.name,
    )


def _matrices(gemms: Iterable[Gemm], group: str) -> int:
    """Return the weights of a tower's matrices; its tables and vectors are the rest of its parameters."""
    return sum(gemm.parameters for gemm in gemms if gemm.group == group)


def _distinct(gemms: Iterable[Gemm]) -> tuple[Gemm, ...]:
    """Return matrices with names of their own: those alike are one kind with more layers, others are numbered."""
    kinds: dict[str, Gemm] = {}
    for gemm in gemms:
        name, number = gemm.name, 1
        while name in kinds and replace(kinds[name], layers=gemm.layers, name=gemm.name) != gemm:
            number += 1
            name = f"{gemm.name}_{number}"
        if name in kinds:
            kinds[name] = replace(kinds[name], layers=kinds[name].layers + gemm.layers)
        else:
            kinds[name] = gemm if name == gemm.name else replace(gemm, name=name)
    return tuple(kinds.values())
