"""What readers take as given, as every published file has it: one that says otherwise is refused, not misread."""

from collections.abc import Mapping

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.reading import Config, inside

__all__ = ["AS_GIVEN", "refuse_others"]

_SEEN_BY_QUERIES: Config = {"vision_config.qkv_bias": True, "text_config.layer_norm_elementwise_affine": True}
_COLOURS: Config = {"vision_config.in_channels": 3, "vision_config.num_channels": 3, "vision_config.in_chans": 3}
"""Of every model that sees, whatever its family."""
AS_GIVEN: Mapping[str, Config] = {
    "ChromaTransformer2DModel": {"patch_size": 1},
    "DiTTransformer2DModel": {"norm_elementwise_affine": False},
    "Flux2Transformer2DModel": {"patch_size": 1},
    "FluxTransformer2DModel": {"patch_size": 1},
    "HunyuanVideoTransformer3DModel": {"mlp_ratio": 4.0},
    "albert": {"inner_group_num": 1},
    "aria": {"text_config.mlp_bias": False},
    "aria_text": {"mlp_bias": False},
    "bailing_hybrid": {"attention_bias": False},
    "bamba": {"mlp_bias": False},
    "big_bird": {"use_bias": True},
    "blip": {"text_config.is_decoder": True},
    "blip-2": {**_SEEN_BY_QUERIES, "qformer_config.use_qformer_text_input": False},
    "ernie4_5_moe": {"use_bias": False},
    "eurobert": {"mlp_bias": False},
    "falcon_h1": {"mamba_proj_bias": False, "projectors_bias": False},
    "florence2": {"vision_config.patch_prenorm": [False, True, True, True]},
    "instructblip": _SEEN_BY_QUERIES,
    "internvl": {"vision_config.use_absolute_position_embeddings": True},
    "kimi_k25": {"vision_config.merge_kernel_size": [2, 2]},
    "kimi_linear": {"attention_bias": False},
    "layoutlmv3": {"text_embed": True, "visual_embed": True},
    "lfm3": {"attention_bias": False, "use_sandwich_norm": True},
    "mobilebert": {"use_bottleneck_attention": False},
    # Flash-linear-attention calls another network so: with wider values, and ranks that are stated.
    "rwkv6": {"proj_low_rank_dim": None, "expand_k": None},
}
"""What each family's reader does not read, by dotted key, and the value that it stands for."""


def refuse_others(config: Config, kind: str) -> None:
    """Raise UnsupportedModelError where a configuration states another value than its reader takes as given."""
    for key, value in {**_COLOURS, **AS_GIVEN.get(kind, {})}.items():
        outer, _, last = key.rpartition(".")
        stated = (inside(config, outer) if outer else config).get(last)
        if stated is not None and stated != value:
            raise UnsupportedModelError(
                f"hf_config.{key}: {_as_stated(stated)} is not modelled here for {kind}"
                + ("" if value is None else f"; {_as_stated(value)} is")
            )


def _as_stated(value: object) -> str:
    """Return a value as a file has it: `true`, as JSON writes it."""
    return shown(value).lower() if isinstance(value, bool) else shown(value)
