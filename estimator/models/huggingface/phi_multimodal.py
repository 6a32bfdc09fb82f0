"""Phi-4-multimodal: a SigLIP for pictures and a conformer for sounds beside one decoder."""

from dataclasses import replace

from estimator.models.huggingface.blocks import BIASED, image_side, linear_stack, mlp_projections, stack
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.multimodal import language_model, with_towers
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.vision import siglip_vision
from estimator.models.media import Media
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["phi4_multimodal"]

_VISION = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 448,
    "patch_size": 14,
}
_AUDIO = {
    "hidden_size": 1024,
    "intermediate_size": 1536,
    "num_blocks": 24,
    "num_attention_heads": 16,
    "ext_pw_out_channel": 1024,
    "depthwise_separable_out_channel": 1024,
    "kernel_size": 3,
    "input_size": 80,
    "time_reduction": 8,
    "bias_max_distance": 1000,
    "nemo_conv_channels": 1024,
    "nemo_final_size": 10,
}
_KERNEL = 3
_FRAMES_IN_30_S = 3000
_MOST_TILES = 36
_ROW_SEPARATORS = 16


def phi4_multimodal(config: Config, read: Read) -> ConfiguredModel:
    """Return a Phi-4-multimodal (Microsoft 2025); its adapters for each kind of input are not counted."""
    text = language_model(config, read)
    hidden = text.transformer.hidden
    vision = {**_VISION, **(nested(config, "vision_config") or {})}
    reading = Reading(config=vision, defaults={}, model_type="phi4_multimodal")
    side, patch = image_side(reading), image_side(reading, "patch_size")
    tower = siglip_vision({**vision, "vision_use_head": True}, name="phi4_multimodal_vision")
    projector = linear_stack("projector", *mlp_projections(tower.hidden, hidden, hidden), besides=2 * tower.hidden)
    audio = _conformer(nested(config, "audio_config") or {}, hidden)
    # Halves of the side: pooled two by two.
    media = Media(
        policy="tiled",
        width=side,
        height=side,
        patch=patch,
        merge=2,
        most_tiles=_MOST_TILES,
        thumbnail=True,
        tile_breaks=_ROW_SEPARATORS,
        usual_text=128,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector, "audio": audio})


def _conformer(config: Config, hidden: int) -> Transformer:
    """Return the conformer (Gulati et al. 2020) with its subsampling and its two projectors."""
    reading = Reading(config=config, defaults=_AUDIO, model_type="phi4_multimodal_audio")
    width, blocks = reading.whole("hidden_size"), reading.whole("num_blocks")
    heads, ffn = reading.whole("num_attention_heads"), reading.whole("intermediate_size")
    outer, inner = reading.whole("ext_pw_out_channel"), reading.whole("depthwise_separable_out_channel")
    channels, bins = reading.whole("nemo_conv_channels"), reading.whole("nemo_final_size")
    halvings = reading.whole("time_reduction").bit_length() - 1
    depthwise = (reading.whole("kernel_size") + 1) * width
    # Each halving in time and in frequency leaves a quarter of the points; the last has `bins` for each position.
    points = [bins * 4 ** (halvings - 1 - step) for step in range(halvings)]
    subsampling = (
        Projection(name="subsample_first", inputs=_KERNEL * _KERNEL, outputs=channels, rate=float(points[0])),
        *(Projection(name="subsample", inputs=channels, outputs=channels, rate=float(rate)) for rate in points[1:]),
        Projection(name="subsample_out", inputs=channels * bins, outputs=width),
    )
    convolutions = (
        Projection(name="gated_convolution", inputs=width, outputs=2 * outer, norms=2 * outer, count=blocks),
        Projection(name="separable_convolution", inputs=width, outputs=inner, count=blocks),
        Projection(name="last_convolution", inputs=inner, outputs=outer, count=blocks),
    )
    buckets = reading.whole("bias_max_distance") * (1 if config.get("bias_symmetric") is True else 2)
    depthwise_subsampling = (_KERNEL * _KERNEL + 1) * channels * (halvings - 1)
    # One projector reads sounds alone, one sounds beside pictures; a sample passes one.
    projectors = mlp_projections(width, hidden, hidden)
    other = (width + 1) * hidden + (hidden + 1) * hidden
    return stack(
        name="phi4_multimodal_audio",
        hidden=width,
        layers=blocks,
        heads=heads,
        ffn=ffn,
        facts=replace(BIASED, norms_per_layer=5, outer_norms=0),
        gated=True,
        mixers=(*subsampling, *convolutions, *projectors),
        besides=depthwise * blocks + buckets * heads + depthwise_subsampling + other,
        # A half step of an MLP on either side of each block's attention.
        mlp_layers=2 * blocks,
        native=_FRAMES_IN_30_S // reading.whole("time_reduction"),
    )
