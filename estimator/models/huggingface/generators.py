"""Generators: the small masked language models that replace tokens while an encoder learns to tell which."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.huggingface.reading import Config, Reading
from estimator.models.masked import MASKED, predicting
from estimator.models.transformer import Transformer

__all__ = ["beside", "electra_generator_config", "halved_config"]

_PARTS, _BASES_PARTS = 4, 3
"""Parts of the discriminator's width, its MLP's and its heads that a generator has: a quarter of ELECTRA-small's and
-large's, a third of -base's (Clark et al. 2020, table 6). Of other widths a quarter: those of a quarter to half do best
(section 3.2)."""
_BASE, _LARGE = 768, 1024
_MASKED_OF_LARGE = 0.25
"""Share of positions that are masked, replaced and predicted by ELECTRA-large and what is as wide (table 6)."""


def electra_generator_config(reading: Reading) -> Config:
    """Return the configuration of the generator that an ELECTRA is pre-trained with: as deep, and narrower.

    Its heads are as wide as the discriminator's, its embedding is the same.
    """
    hidden, heads = reading.whole("hidden_size"), reading.whole("num_attention_heads")
    fewer = max(1, heads // (_BASES_PARTS if hidden == _BASE else _PARTS))
    return {
        **reading.config,
        "architectures": ["ElectraForMaskedLM"],
        "tie_word_embeddings": True,
        "embedding_size": reading.optional("embedding_size", hidden, least=1),
        "hidden_size": hidden * fewer // heads,
        "num_attention_heads": fewer,
        "intermediate_size": max(1, reading.whole("intermediate_size") * fewer // heads),
    }


def halved_config(config: Config, layers: int) -> Mapping[str, object]:
    """Return the configuration of the generator that a DeBERTa of so many layers is pre-trained with.

    As wide, and half as deep (He et al. 2023, DeBERTaV3, section 3.1).
    """
    name = "DebertaV2ForMaskedLM"
    return {**config, "architectures": [name], "tie_word_embeddings": True, "num_hidden_layers": max(1, layers // 2)}


def beside(generator: Transformer, discriminator: Transformer) -> Transformer:
    """Return a masked language model that shares its tables with `discriminator` and predicts masked positions alone.

    Their share is as of ELECTRA, whose code gathers them.
    """
    masked = _MASKED_OF_LARGE if discriminator.hidden >= _LARGE else MASKED
    return predicting(replace(generator, lookup_parameters=0), masked)
