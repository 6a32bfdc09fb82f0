"""Read OPT, of which one size has an embedding narrower than the model."""

from dataclasses import replace

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.dense_families import DENSE
from estimator.models.huggingface.keys import known_keys, refuse_unknown
from estimator.models.huggingface.reading import Config, Reading, own_name
from estimator.models.huggingface.standard import read_family
from estimator.models.mixers.given import Given
from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Gemm

__all__ = ["read_opt"]


def read_opt(config: Config) -> ConfiguredModel:
    """Return an OPT: with `word_embed_proj_dim` below the width (350M), projected from the embedding and back to it."""
    family = DENSE["opt"]
    refuse_unknown(config, "opt", known_keys(family))
    configured = read_family(config, "opt", family, own_name(config, "opt model"))
    t = configured.transformer
    width = Reading(config=config, defaults={}, model_type="opt").optional("word_embed_proj_dim", t.hidden, least=1)
    if width == t.hidden:
        return configured
    shapes = (("project_in", width, t.hidden), ("project_out", t.hidden, width))
    logits = Gemm(name="logits", part="logits", inputs=width, outputs=t.vocab, layers=1, shard="column")
    projections = tuple(Gemm(name=n, part="mlp", inputs=i, outputs=o, layers=1) for n, i, o in shapes)
    outside = Given(given=Operations(gemms=(*projections, logits)))
    lookup = 0 if t.tied_embeddings else t.vocab * width
    return replace(
        configured,
        transformer=replace(t, vocab=0, mixers=(outside,), lookup_parameters=t.lookup_parameters + lookup),
    )
