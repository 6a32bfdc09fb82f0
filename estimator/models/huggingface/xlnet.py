"""XLNet: positions relative to one another, projected for every sample."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.huggingface.blocks import BIASED, classes, classifier, configured, head_class, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.mixers.relative import PositionScores

__all__ = ["xlnet"]

_XLNET: Mapping[str, object] = {"vocab_size": 32000, "d_model": 1024, "n_layer": 24, "n_head": 16, "d_inner": 4096}
_BOTH_WAYS = 2
"""Relative positions for each of a sequence: those before it and those behind."""
_BIASES = 5
"""Of queries, one each for contents, positions and segments, and two embeddings of segments, each as wide."""
_NATIVE = 512


def xlnet(config: Config) -> ConfiguredModel:
    """Return an XLNet (Yang et al. 2019) as it is fine-tuned: one stream, which looks both ways."""
    reading = Reading(config=config, defaults=_XLNET, model_type="xlnet")
    hidden, layers, heads = (reading.whole(key) for key in ("d_model", "n_layer", "n_head"))
    name, vocab = head_class(config, "LMHeadModel"), reading.whole("vocab_size")
    head: tuple[Mixer, ...] = ()
    if "Sequence" in name:
        head = (
            Projection(name="summary", inputs=hidden, outputs=hidden, rate=1.0 / _NATIVE),
            classifier(reading, hidden, positions=_NATIVE),
        )
    elif "TokenClassification" in name:
        head = (Projection(name="classifier", inputs=hidden, outputs=classes(reading), part="logits"),)
    whole = name.endswith("LMHeadModel")
    relative = PositionScores(
        count=layers,
        heads=heads,
        head_dim=hidden // heads,
        share=float(_BOTH_WAYS),
        kinds=1,
        own_vectors=_BIASES * hidden,
    )
    keys = Projection(
        name="relative_keys", inputs=hidden, outputs=hidden, count=layers, rate=float(_BOTH_WAYS), bias=False
    )
    facts = replace(BIASED, outer_norms=0, query_bias=False, kv_bias=False, output_bias=False, logits_bias=whole)
    network = stack(
        name="xlnet model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("d_inner"),
        facts=facts,
        vocab=vocab if whole else 0,
        mixers=(relative, keys, *head),
        lookup=0 if whole else vocab * hidden,
        # What a masked token is embedded as.
        besides=hidden,
        native=_NATIVE,
    )
    return configured(network, config)
