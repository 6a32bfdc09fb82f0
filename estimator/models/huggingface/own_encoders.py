"""Language models with a ViT that is theirs alone: Llama 4, Kimi K2.5, MiniMax M3, Step 3.7; and Fuyu, with none."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.huggingface.blocks import BIASED, image_side, linear_stack, mlp_projections, patches_a_side, stack
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.multimodal import language_model, vision_config, with_towers
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.huggingface.vision_towers import patch_embedding
from estimator.models.media import Media
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["fuyu", "kimi_k25", "llama4", "minimax_m3", "step3p7"]

_LLAMA_4: Mapping[str, object] = {
    "hidden_size": 768,
    "num_hidden_layers": 34,
    "num_attention_heads": 16,
    "intermediate_size": 5632,
    "image_size": 448,
    "patch_size": 14,
    "vision_output_dim": 7680,
    "projector_input_dim": 4096,
    "projector_output_dim": 4096,
}
_KIMI: Mapping[str, object] = {
    "hidden_size": 1152,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "intermediate_size": 4304,
    "patch_size": 14,
    "pos_emb_height": 64,
    "pos_emb_width": 64,
}
_MINIMAX: Mapping[str, object] = {
    "hidden_size": 1280,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "intermediate_size": 5120,
    "image_size": 2016,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "spatial_merge_size": 2,
}
_STEP: Mapping[str, object] = {
    "hidden_size": 1536,
    "num_hidden_layers": 47,
    "num_attention_heads": 16,
    "intermediate_size": 8960,
    "image_size": 728,
    "patch_size": 14,
}
_MERGED = 2
"""Patches a side of one token, where no key tells."""
_MOST_TILES = 16
"""Tiles of Llama 4's processor (`max_patches` of Llama4ImageProcessor)."""
_MOST_PATCHES = 16_384
"""Of a picture in Kimi K2.5's processor (`in_patch_limit`)."""


def _vit(reading: Reading, embedding: Projection, *, extra: int, rows: int, outer_norms: int) -> Transformer:
    """Return the encoder: equal layers with biases, `rows` learned positions, `extra` tokens beside the patches."""
    hidden = embedding.outputs
    return stack(
        name=f"{reading.model_type}_vision",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=replace(BIASED, outer_norms=outer_norms),
        mixers=(embedding,),
        lookup=rows * hidden,
        besides=extra * hidden,
    )


def llama4(config: Config, read: Read) -> ConfiguredModel:
    """Return a Llama 4 (Meta 2025): tiles and the whole picture, 2×2 patches a token, an adapter and a projector."""
    text, vision = language_model(config, read), vision_config(config)
    if not vision:
        return text
    reading = Reading(config=vision, defaults=_LLAMA_4, model_type="llama4")
    side, patch, hidden = image_side(reading), image_side(reading, "patch_size"), reading.whole("hidden_size")
    rows = patches_a_side(reading) ** 2 + 1
    tower = _vit(reading, patch_embedding(patch, hidden, bias=False), extra=1, rows=rows, outer_norms=2)
    inner, made = reading.whole("projector_input_dim"), reading.whole("projector_output_dim")
    projector = linear_stack(
        "projector",
        # What merged patches are as wide as is stated twice: here as the width of the encoder's own MLPs.
        *mlp_projections(reading.whole("intermediate_size"), inner, made, bias=False),
        Projection(
            name="to_text", inputs=reading.whole("vision_output_dim"), outputs=text.transformer.hidden, bias=False
        ),
    )
    media = Media(
        policy="tiled",
        width=side,
        height=side,
        patch=patch,
        merge=_MERGED,
        extra=1,
        most_tiles=_MOST_TILES,
        thumbnail=True,
        tile_breaks=1,
        usual_count=0,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def kimi_k25(config: Config, read: Read) -> ConfiguredModel:
    """Return a Kimi K2.5 (Kimi Team 2026): MoonViT at native proportions, 2×2 patches a token."""
    text, vision = language_model(config, read), vision_config(config)
    reading = Reading(config=vision, defaults=_KIMI, model_type="kimi_k25")
    patch, hidden = reading.whole("patch_size"), reading.whole("hidden_size")
    rows = reading.whole("pos_emb_height") * reading.whole("pos_emb_width")
    tower = _vit(reading, patch_embedding(patch, hidden), extra=0, rows=rows, outer_norms=1)
    wide = hidden * _MERGED**2
    projector = linear_stack("projector", *mlp_projections(wide, wide, text.transformer.hidden), besides=2 * hidden)
    media = Media(policy="native", patch=patch, merge=_MERGED, most_pixels=_MOST_PATCHES * patch * patch, usual_count=0)
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def minimax_m3(config: Config, read: Read) -> ConfiguredModel:
    """Return a MiniMax M3: native proportions, a projector of patches and another of four of them at a time."""
    text, vision = language_model(config, read), vision_config(config)
    reading = Reading(config=vision, defaults=_MINIMAX, model_type="minimax_m3_vl")
    patch, merge = image_side(reading, "patch_size"), reading.whole("spatial_merge_size")
    frames, hidden, side = reading.whole("temporal_patch_size"), reading.whole("hidden_size"), image_side(reading)
    embedding = patch_embedding(patch, hidden, frames=frames, bias=False)
    tower = _vit(reading, embedding, extra=0, rows=0, outer_norms=1)
    out = text.transformer.hidden
    wide = Reading(config=config, defaults={"projector_hidden_size": out}, model_type="minimax_m3_vl").whole(
        "projector_hidden_size"
    )
    many = merge * merge
    projector = linear_stack(
        "projector", *mlp_projections(hidden, wide, out, rate=float(many)), *mlp_projections(out * many, wide, out)
    )
    media = Media(policy="native", patch=patch, merge=merge, tubelet=frames, most_pixels=side * side, usual_count=0)
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def step3p7(config: Config, read: Read) -> ConfiguredModel:
    """Return a Step 3.7: scaled layers, and two convolutions that each halve the sides."""
    text, vision = language_model(config, read), vision_config(config)
    reading = Reading(config=vision, defaults=_STEP, model_type="step3p7")
    side, patch, hidden = image_side(reading), image_side(reading, "patch_size"), reading.whole("hidden_size")
    rows = patches_a_side(reading) ** 2
    tower = _vit(reading, patch_embedding(patch, hidden, bias=False), extra=0, rows=rows, outer_norms=1)
    scales = 2 * hidden * tower.n_layers
    tower = replace(tower, vector_parameters=tower.vector_parameters + scales)
    biased = config.get("projector_bias", False) is True
    projector = linear_stack(
        "projector",
        Projection(name="downsampling_1", inputs=9 * hidden, outputs=2 * hidden, rate=4.0, taps=9),
        Projection(name="downsampling_2", inputs=18 * hidden, outputs=4 * hidden, taps=9),
        Projection(name="projection", inputs=4 * hidden, outputs=text.transformer.hidden, bias=biased),
    )
    media = Media(width=side, height=side, patch=patch, merge=4, usual_count=0)
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def fuyu(config: Config, read: Read) -> ConfiguredModel:
    """Return a Fuyu (Bavishi et al. 2023): patches are projected into the language model, and nothing else."""
    text = language_model(config, read)
    reading = Reading(config=config, defaults={"patch_size": 30, "num_channels": 3}, model_type="fuyu")
    patch = reading.whole("patch_size")
    inputs = reading.whole("num_channels") * patch * patch
    projector = linear_stack("projector", Projection(name="projection", inputs=inputs, outputs=text.transformer.hidden))
    media = Media(policy="native", patch=patch, row_breaks=True, longest_side=1920)
    return with_towers(config, text, media, {"projector": projector})
