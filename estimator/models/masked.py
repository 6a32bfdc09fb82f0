"""Masked language models: an encoder with an output over its vocabulary, at every position or at masked ones alone."""

from dataclasses import replace

from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["MASKED", "predicting", "predicts_masked", "with_masked_head"]

MASKED = 0.15
"""Share of tokens that are masked and predicted (Devlin et al. 2018, section 3.1)."""
_OUTPUTS = frozenset({"logits", "untied_logits"})
"""Outputs over the vocabulary that are not as wide as the model; what is, is `vocab`."""
_HEAD = _OUTPUTS | {"transform"}
_TELLS_REPLACED = frozenset({"discriminator", "discriminator_logit"})


def predicts_masked(network: Transformer) -> bool:
    """Return whether a network is an encoder of text that can be pre-trained by predicting or telling masked tokens."""
    if network.causal or network.towers or network.media is not None:
        return False
    return bool(network.vocab or network.generator or any(_is_of(mixer, _OUTPUTS) for mixer in network.mixers))


def with_masked_head(network: Transformer) -> Transformer:
    """Return a discriminator with its generator's head in place of its own; another network as it is.

    Its output is the embedding, as the generator's is.
    """
    generator = network.generator
    if generator is None or network.vocab:
        return network
    head = tuple(
        replace(mixer, rate=1.0, inputs=network.hidden if mixer.name == "transform" else mixer.inputs)
        for mixer in generator.mixers
        if isinstance(mixer, Projection) and mixer.name in _HEAD
    )
    shared = sum(mixer.inputs * mixer.outputs for mixer in head if mixer.name in _OUTPUTS)
    return replace(
        network,
        mixers=(*(mixer for mixer in network.mixers if not _is_of(mixer, _TELLS_REPLACED)), *head),
        lookup_parameters=max(network.lookup_parameters - shared, 0),
    )


def predicting(network: Transformer, share: float) -> Transformer:
    """Return a masked language model whose head reads that `share` of its positions: those that are masked, gathered.

    Where each is read, `share` is 1.
    """

    def gathered(mixer: Mixer) -> Mixer:
        return replace(mixer, rate=mixer.rate * share) if isinstance(mixer, Projection) and _is_of(mixer) else mixer

    return replace(network, predicted=share, mixers=tuple(gathered(mixer) for mixer in network.mixers))


def _is_of(mixer: Mixer, names: frozenset[str] = _HEAD) -> bool:
    return isinstance(mixer, Projection) and mixer.name in names
