"""Modules that predict tokens beyond the next (MTP): what a network has where they are trained with it.

Publishers leave them out of a model's size (DeepSeek-V3 has 671B without its module and 685B with it), and so do the
classes of Transformers: a fine-tuning run does not hold them.
"""

from dataclasses import replace
from functools import lru_cache

from estimator.models.feed_forward import Experts
from estimator.models.flops import flop_counts
from estimator.models.mixers.again import Again
from estimator.models.mixers.projection import Projection
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Tower, Transformer

__all__ = ["prediction_parameters", "prediction_share", "with_prediction"]

_OWN_NORMS = 5
"""Norms of a module: of the state, of the next token's embedding, two of its layer, and one before the output."""


@lru_cache(maxsize=256)
def with_prediction(transformer: Transformer) -> Transformer:
    """Return `transformer` with the modules that it is published with, each at every position.

        module    projection of the state and the next token, 2 · hidden², one more layer, the logits once more

    The layer has the usual attention, and experts where the model has any; embedding and output are the model's own.
    Source: DeepSeek-AI 2024 (DeepSeek-V3), section 2.2. Without modules it is returned as it is. Biases of the layer,
    at most a ten-thousandth of it, are left out.
    """
    if not transformer.prediction_modules:
        return transformer
    module = Tower(name="prediction", network=_modules(transformer), rate=1.0, downstream=True)
    return replace(transformer, towers=(*transformer.towers, module))


def prediction_parameters(transformer: Transformer) -> int:
    """Return the parameters of the modules, which no count of the model's own holds; 0 where it has none."""
    return parameter_counts(with_prediction(transformer)).total - parameter_counts(transformer).total


@lru_cache(maxsize=256)
def prediction_share(transformer: Transformer, *, sequence_length: float) -> float:
    """Return the FLOPs that the modules add to a step, over the model's without them; 0 where it has none."""
    whole, own = (
        flop_counts(network, sequence_length=sequence_length).model
        for network in (with_prediction(transformer), transformer)
    )
    return whole / own - 1.0


def _modules(t: Transformer) -> Transformer:
    """Return the modules of a model as a network of so many layers."""
    count = t.prediction_modules
    projection = Projection(
        name="projection", inputs=2 * t.hidden, outputs=t.hidden, count=count, bias=False, part="mlp"
    )
    logits = Projection(name="logits", inputs=t.hidden, outputs=t.vocab, count=count, bias=False, part="logits")
    return Transformer(
        id=t.id,
        name="prediction",
        n_layers=count,
        hidden=t.hidden,
        ffn_hidden=t.ffn_hidden,
        gated_mlp=t.gated_mlp,
        n_heads=t.n_heads,
        n_kv_heads=t.n_kv_heads,
        head_dim=t.head_dim,
        vocab=0,
        tied_embeddings=True,
        vector_parameters=_OWN_NORMS * t.hidden * count,
        latent=t.latent,
        experts=None if t.experts is None else _everywhere(t.experts),
        sliding_window=t.sliding_window,
        # Where some layers see all keys, the module is one of them.
        windowed_layers=count if t.sliding_window and t.windowed_layers == t.n_layers else 0,
        chunked_window=t.chunked_window,
        gated_attention=t.gated_attention,
        mixers=(projection, Again(part=logits)),
    )


def _everywhere(experts: Experts) -> Experts:
    return replace(experts, first_dense_layers=0, layer_step=1, layers=None)
