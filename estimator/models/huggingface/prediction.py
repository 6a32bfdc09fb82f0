"""Modules that predict tokens beyond the next (MTP): what they would add, since none is counted.

Publishers leave them out of a model's size (DeepSeek-V3 has 671B without its module and 685B with it), and so do the
classes of `transformers`: a fine-tuning run does not hold them. Whether pre-training had them is known to whoever
trains, so their size and cost are named wherever a configuration has them.
"""

import re
from dataclasses import replace

from estimator.base.units import format_count
from estimator.models.huggingface.reading import Config
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer
from estimator.models.workload import workload

__all__ = ["prediction_notes", "prediction_share"]

_COUNTS = re.compile(r"mtp|nextn|next_n_|multi_token|predict_layers")
_MOST = 64
"""More modules than anyone trains: what is larger counts something else, such as tokens."""


def prediction_notes(config: Config, transformer: Transformer) -> tuple[str, ...]:
    """Return a note on the modules that `config` has under any name; none where it has none.

        parameters    one more layer, and the projection of the state and the next token: 2 · hidden²
        FLOPs         those of its active parameters, and the logits once more

    Source: DeepSeek-AI 2024 (DeepSeek-V3), section 2.2; embedding and output are the model's own.
    """
    stated = _modules(config)
    if stated is None:
        return ()
    key, modules = stated
    layer, _ = _one_more_layer(transformer)
    projection = 2 * transformer.hidden * transformer.hidden
    share = prediction_share(config, transformer)
    called, they = ("module is", "it") if modules == 1 else ("modules are", "them")
    more = format_count((layer + projection) * modules)
    note = (
        f"the multi-token-prediction {called} not counted ({key[:40]}): with {they}, training has {more} parameters "
        f"and about {share:.1%} FLOPs more"
    )
    return (note,)


def prediction_share(config: Config, transformer: Transformer) -> float:
    """Return the FLOPs that the modules of `config` add, over the model's without them; 0 where there are none."""
    stated = _modules(config)
    if stated is None:
        return 0.0
    _, active = _one_more_layer(transformer)
    gemms = workload(transformer).gemms
    met = sum(gemm.active_parameters * gemm.rate for gemm in gemms)
    logits = sum(gemm.active_parameters * gemm.rate for gemm in gemms if gemm.part == "logits")
    projection = 2 * transformer.hidden * transformer.hidden
    return (active + projection + logits) * stated[1] / met


def _modules(config: Config) -> tuple[str, int] | None:
    """Return the key that states modules, and how many; None where nothing does."""
    stated = [(key, value) for key, value in config.items() if _COUNTS.search(key) and value]
    if not stated:
        return None
    return next(
        ((key, value) for key, value in stated if type(value) is int and 0 < value <= _MOST and "id" not in key),
        (stated[0][0], 1),
    )


def _one_more_layer(transformer: Transformer) -> tuple[float, float]:
    """Return the parameters of one more layer, and those that a token meets: of the last kind, or of an average one."""
    now = parameter_counts(transformer)
    if transformer.attention_layers is None and not transformer.mixers and not transformer.feed_forwards:
        more = parameter_counts(replace(transformer, n_layers=transformer.n_layers + 1))
        if more.total > now.total:
            return more.total - now.total, more.active - now.active
    layers = transformer.n_layers
    return (now.total - now.embedding) / layers, (now.active - now.embedding) / layers
