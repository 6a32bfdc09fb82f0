"""Read Hunyuan-Large, whose layers share keys and values with the one before them."""

from dataclasses import replace

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.expert_families import WITH_EXPERTS
from estimator.models.huggingface.keys import known_keys, refuse_unknown
from estimator.models.huggingface.reading import Config, Reading, own_name
from estimator.models.huggingface.standard import read_family

__all__ = ["read_hunyuan"]

_KNOWN = ("use_cla", "cla_share_factor", "use_mixed_mlp_moe", "moe_layer_num_skipped", "moe_drop_tokens")


def read_hunyuan(config: Config) -> ConfiguredModel:
    """Return a Hunyuan-Large: of every `cla_share_factor` layers the first alone has keys and values.

    Source: Sun et al. 2024 (Hunyuan-Large), section 2.1, after Brandon et al. 2024 (cross-layer attention).
    """
    family = WITH_EXPERTS["hunyuan_v1_moe"]
    refuse_unknown(config, "hunyuan", (*known_keys(family), *_KNOWN))
    configured = read_family(config, "hunyuan", family, own_name(config, "hunyuan model"))
    reading = Reading(config=config, defaults={}, model_type="hunyuan")
    factor = reading.optional("cla_share_factor", 1, least=1)
    if factor == 1 or not reading.flag("use_cla", default=False):
        return configured
    t = configured.transformer
    own = -(-t.n_layers // factor)
    sharing = replace(t.attention, layers=t.n_layers - own, reads_keys=True, own_vectors=t.head_dim)
    vectors = t.vector_parameters - (t.n_layers - own) * t.head_dim
    return replace(
        configured, transformer=replace(t, attention_layers=own, mixers=(sharing,), vector_parameters=vectors)
    )
