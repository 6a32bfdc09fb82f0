"""A network, as far as its training cost depends on it: a stack of layers, and towers beside it."""

from dataclasses import dataclass

from estimator.models.feed_forward import Dense, Experts
from estimator.models.media import Media
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.softmax import LatentAttention, SoftmaxAttention

__all__ = ["Tower", "Transformer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """Architecture facts of one network: a stack of layers with an embedding and an output, and towers beside it.

    Most stacks have the same attention in every layer, and the plain fields describe it; layers that mix their
    sequence otherwise stand in `mixers`, MLPs of other widths in `feed_forwards`. Matrices follow from the widths;
    `vector_parameters` holds everything else that is trained (norm scales, biases, learned positions, router biases,
    filters), summed over the stack, so that totals are exact to the unit.
    """

    id: str
    name: str
    n_layers: int
    hidden: int
    ffn_hidden: int
    """Inner width of the dense MLP; unused where every layer has experts."""
    gated_mlp: bool
    n_heads: int
    n_kv_heads: int
    head_dim: int
    """Width of a query (and key) head."""
    vocab: int
    """Rows of the embedding and of the output layer; 0 where there are none."""
    tied_embeddings: bool
    vector_parameters: int = 0
    latent: LatentAttention | None = None
    experts: Experts | None = None
    sliding_window: int = 0
    """Keys a windowed layer sees; 0 where every layer sees all."""
    windowed_layers: int = 0
    """Layers that see only `sliding_window` keys."""
    chunked_window: bool = False
    """Whether the window is a chunk that queries do not look back from, not one that slides."""
    gated_attention: bool = False
    """Whether attention's output is multiplied by a projected gate."""
    sinks: bool = False
    """Whether the softmax of attention has a learned sink, which few fused kernels know."""
    soft_capped: bool = False
    """Whether scores are bent to a limit before the softmax (Gemma 2), which PyTorch's own kernels cannot do."""
    norms_per_layer: int | None = None
    """Norms of each layer over the residual stream; None: two for each pair of a mixer and an MLP."""
    normed_heads: bool = False
    """Whether queries and keys are normalised, all of the usual attention's."""
    causal: bool = True
    """Whether tokens see earlier ones alone."""
    predicted: float = 1.0
    """Share of its positions whose tokens are predicted, where logits of the others are never worked out."""
    attention_layers: int | None = None
    """Layers with the attention that the plain fields describe; None: all."""
    mlp_layers: int | None = None
    """Layers with the MLP or the experts that the plain fields describe; None: all."""
    mixers: tuple[Mixer, ...] = ()
    """Mixers of layers without that attention, or beside it in one layer."""
    feed_forwards: tuple[Dense, ...] = ()
    """MLPs of other widths."""
    lookup_parameters: int = 0
    """Parameters of tables beside the embedding of which a token reads a row, or an output that is not the
    vocabulary's: embeddings of each layer (Gemma 3n), token types, positions of towers."""
    own_streams: bool = False
    """Whether its mixers tell the residual stream themselves: its width or length changes on the way."""
    towers: tuple["Tower", ...] = ()
    conditioners: tuple["Tower", ...] = ()
    """Frozen networks that prepare its inputs: text encoders, a VAE. They run in each step unless what they make is
    kept, and are towers where they do; so does the frozen U-Net beside a ControlNet, always."""
    generator: "Transformer | None" = None
    """What replaces tokens of its inputs while it is pre-trained to tell which (ELECTRA), its masked positions alone
    predicted: no part of it unless `with_objective` adds it. Its output layer is this one's embedding."""
    media: Media | None = None
    """What it makes of pictures, clips or sounds, where it reads any."""
    prediction_modules: int = 0
    """Modules that predict tokens beyond the next (MTP), as published: no part of it unless `with_prediction` adds
    them."""
    native_sequence_length: int = 4096
    trained_sequence_length: int | None = None
    """Tokens of a sequence in most of its pre-training, where its longest came at the end; None: not known apart."""
    inferred: bool = False
    """True where only a parameter count was given and the widths are a typical choice."""
    source: str = ""

    @property
    def n_mlp_layers(self) -> int:
        """Layers with the usual MLP, dense or experts."""
        return self.n_layers if self.mlp_layers is None else self.mlp_layers

    @property
    def n_expert_layers(self) -> int:
        """Layers whose MLP is a mixture of experts."""
        if self.experts is None:
            return 0
        if self.experts.layers is not None:
            return self.experts.layers
        return (self.n_mlp_layers - self.experts.first_dense_layers) // self.experts.layer_step

    @property
    def n_dense_layers(self) -> int:
        """Layers whose MLP is dense, and as wide as usual."""
        return self.n_mlp_layers - self.n_expert_layers

    @property
    def n_attention_layers(self) -> int:
        """Layers with the usual attention."""
        return self.n_layers if self.attention_layers is None else self.attention_layers

    @property
    def value_head_dim(self) -> int:
        """Width of a value head."""
        return self.latent.value_head_dim if self.latent else self.head_dim

    @property
    def attention(self) -> SoftmaxAttention:
        """The usual attention, with all its layers."""
        return SoftmaxAttention(
            layers=self.n_attention_layers,
            heads=self.n_heads,
            kv_heads=self.n_kv_heads,
            head_dim=self.head_dim,
            latent=self.latent,
            window=self.sliding_window,
            windowed_layers=self.windowed_layers,
            chunked=self.chunked_window,
            gated=self.gated_attention,
            causal=self.causal,
        )

    @property
    def reads_media_itself(self) -> bool:
        """Whether a sequence of its is a picture, a clip or a sound, and as long as that makes it, whatever is told."""
        return self.media is not None and self.media.main

    @property
    def all_mixers(self) -> tuple[Mixer, ...]:
        """The usual attention where any layer has it, and all other mixers."""
        return ((self.attention,) if self.n_attention_layers else ()) + self.mixers


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """A network beside the main stack, on positions of its own.

    An encoder of pictures or sounds, a projector, a decoder behind an encoder, a reference model, a teacher.
    """

    name: str
    """Its group: `vision`, `projector`, `audio`, `decoder`, `text_encoder`, `reference`, `teacher`, …"""
    network: Transformer
    rate: float
    """Positions for each token of the main sequence."""
    length: float = 0.0
    """Positions of one of its own sequences, a picture's patches; 0: its share of the run's, `rate` of them."""
    sequences: float = 1.0
    """Sequences of its own for each of the run's, where their length follows from it: passes of a reference model."""
    trained: bool = True
    downstream: bool = False
    """Whether it comes after the main stack, so that gradients pass through it to what lies below."""
    pretraining_rate: float = 0.0
    """Positions for each token in pre-training, where a decoder writes otherwise there; 0: as `rate`."""
    borrowed: bool = False
    """Whether its weights are the main stack's own and are held once: adapters' base as their reference."""
