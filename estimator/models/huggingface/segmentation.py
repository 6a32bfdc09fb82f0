"""Segmentation: Segment Anything, an encoder of windows with a light decoder of masks, and SegFormer, a pyramid."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.huggingface.blocks import (
    BIASED,
    classes,
    configured,
    head_class,
    image_side,
    patches_a_side,
    stack,
)
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.pyramids import Pyramid, built, stage_place, stages_of
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.media import Media
from estimator.models.mixers.placed import Flow, Look, Place, Product
from estimator.models.mixers.placed_parts import convolution, cross_products
from estimator.models.mixers.projection import Projection

__all__ = ["sam", "segformer"]

_VISION: Mapping[str, object] = {
    "hidden_size": 768,
    "output_channels": 256,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "num_channels": 3,
    "image_size": 1024,
    "patch_size": 16,
    "window_size": 14,
    "global_attn_indexes": [2, 5, 8, 11],
    "num_pos_feats": 128,
}
_PROMPT: Mapping[str, object] = {"hidden_size": 256, "mask_input_channels": 16, "num_point_embeddings": 4}
_DECODER: Mapping[str, object] = {
    "hidden_size": 256,
    "mlp_dim": 2048,
    "num_hidden_layers": 2,
    "attention_downsample_rate": 2,
    "num_multimask_outputs": 3,
    "iou_head_depth": 3,
    "iou_head_hidden_dim": 256,
}
_SEGFORMER: Mapping[str, object] = {
    "num_channels": 3,
    "depths": [2, 2, 2, 2],
    "hidden_sizes": [32, 64, 160, 256],
    "num_attention_heads": [1, 2, 5, 8],
    "sr_ratios": [8, 4, 2, 1],
    "mlp_ratios": [4, 4, 4, 4],
    "patch_sizes": [7, 3, 3, 3],
    "decoder_hidden_size": 256,
    "image_size": 512,
}
_FILTER = 3
"""Side of the filter inside SegFormer's MLPs (Xie et al. 2021, section 3.1)."""
_POINTS = 2
"""Tokens of a prompt: a point or the corners of a box."""
_UPSCALED = 4
"""Positions that a transposed convolution makes of one."""


def sam(config: Config) -> ConfiguredModel:
    """Return a Segment Anything model (Kirillov et al. 2023), whose tokens are the patches of a picture."""
    reading = Reading(config=nested(config, "vision_config") or {}, defaults=_VISION, model_type="sam_vision_model")
    hidden, layers, heads = (reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
    side, patch = image_side(reading), image_side(reading, "patch_size")
    grid, window, out = patches_a_side(reading), reading.whole("window_size"), reading.whole("output_channels")
    whole = sum(isinstance(place, int) and 0 <= place < layers for place in reading.items("global_attn_indexes"))
    tables = 2 * (hidden // heads) * ((layers - whole) * (2 * window - 1) + whole * (2 * grid - 1))
    wide = round(hidden * reading.number("mlp_ratio", 4.0))
    biased = reading.flag("qkv_bias", default=True)
    table = grid * grid * hidden * reading.flag("use_abs_pos", default=True)
    positions = 2 * reading.whole("num_pos_feats")
    masks, besides = _masks(config, grid * grid)
    network = stack(
        name="segment anything model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.optional("mlp_dim", wide, least=1),
        facts=replace(BIASED, outer_norms=0, query_bias=biased, kv_bias=biased),
        mixers=(
            Projection(name="patch_embedding", inputs=reading.whole("num_channels") * patch * patch, outputs=hidden),
            Projection(name="neck_1", inputs=hidden, outputs=out, bias=False, norms=2 * out),
            Projection(name="neck_2", inputs=9 * out, outputs=out, taps=9, bias=False, norms=2 * out),
            *masks,
        ),
        lookup=table,
        besides=tables * reading.flag("use_rel_pos", default=True) + positions + besides,
        window=window * window,
        windowed_layers=layers - whole,
        chunked=True,
        media=Media(main=True, policy="fixed", width=side, height=side, patch=patch, usual_text=0),
        native=grid * grid,
    )
    return configured(network, config)


def _masks(config: Config, positions: int) -> tuple[tuple[Projection, ...], int]:
    """Return the encoder of prompts and the decoder of masks, and what they have outside matrices.

    Attention of a few tokens to the picture and back is left out but for its projections: below a thousandth.
    """
    prompt = Reading(
        config=nested(config, "prompt_encoder_config") or {}, defaults=_PROMPT, model_type="sam_prompt_encoder"
    )
    decoder = Reading(
        config=nested(config, "mask_decoder_config") or {}, defaults=_DECODER, model_type="sam_mask_decoder"
    )
    width, layers, outputs = (
        decoder.whole(key) for key in ("hidden_size", "num_hidden_layers", "num_multimask_outputs")
    )
    outputs += 1
    tokens = (1 + outputs + _POINTS) / positions
    once = outputs / positions
    inner, wide = width // decoder.whole("attention_downsample_rate"), decoder.whole("mlp_dim")
    head, depth = decoder.whole("iou_head_hidden_dim"), decoder.whole("iou_head_depth")
    channels, quarter = prompt.whole("mask_input_channels"), width // 4
    few = channels // 4

    def many(name: str, inputs: int, result: int, count: int, rate: float, *, bias: bool = True) -> Projection:
        return Projection(name=name, inputs=inputs, outputs=result, count=count, rate=rate, bias=bias)

    matrices = (
        many("prompt_mask_1", 4, few, 1, 4.0),
        many("prompt_mask_2", 4 * few, channels, 1, 1.0),
        many("prompt_mask_3", channels, prompt.whole("hidden_size"), 1, 1.0),
        many("token_attention", width, width, 4 * layers, tokens),
        # Queries of tokens and keys of the picture, and the other way round; the last layer has no way back.
        many("token_queries", width, inner, layers + 1, tokens),
        many("token_keys", width, inner, 2 * layers, tokens),
        many("token_out", inner, width, layers + 1, tokens),
        many("picture_keys", width, inner, 2 * (layers + 1), 1.0),
        many("picture_queries", width, inner, layers, 1.0),
        many("picture_out", inner, width, layers, 1.0),
        many("token_mlp_up", width, wide, layers, tokens),
        many("token_mlp_down", wide, width, layers, tokens),
        many("upscaling_1", width, _UPSCALED * quarter, 1, 1.0, bias=False),
        many("upscaling_2", quarter, _UPSCALED * quarter // 2, 1, float(_UPSCALED), bias=False),
        many("filters", width, width, 2 * outputs, once / outputs),
        many("filters_out", width, width // 8, outputs, once / outputs),
        many("quality", width, head, 1, 1.0 / positions),
        many("quality_inner", head, head, max(depth - 2, 0), 1.0 / positions),
        many("quality_out", head, outputs, 1, 1.0 / positions),
    )
    norms = 2 * width * (4 * layers + 1) + 2 * quarter + 2 * few + 2 * channels
    biases = quarter + quarter // 2
    embeddings = (1 + outputs) * width + (prompt.whole("num_point_embeddings") + 2) * prompt.whole("hidden_size")
    return tuple(matrix for matrix in matrices if matrix.count), norms + biases + embeddings


def segformer(config: Config) -> ConfiguredModel:
    """Return a SegFormer (Xie et al. 2021): attention to fewer keys, filters inside its MLPs, a linear head."""
    reading = Reading(config=config, defaults=_SEGFORMER, model_type="segformer")
    stages = stages_of(
        reading, "depths", "hidden_sizes", "num_attention_heads", "sr_ratios", "mlp_ratios", "patch_sizes"
    )
    segments, out = "Segmentation" in head_class(config, "Model"), reading.whole("decoder_hidden_size")
    pyramid = Pyramid()
    before = reading.whole("num_channels")
    for stage, (depth, width, heads, reduced, ratio, side) in enumerate(stages):
        here, keys = stage_place(stage), Place(share=0.25**stage / reduced**2)
        pyramid.products += [
            convolution("patch_embedding", before, width, at=here, side=side),
            *cross_products(width, width, width, depth, keys=keys, at=here, bias=True),
            Product(name="mlp_up", inputs=width, outputs=ratio * width, at=here, layers=depth, writes="mlp"),
            convolution("mlp_depth", 1, ratio * width, at=here, side=_FILTER, layers=depth),
            Product(name="mlp_down", inputs=ratio * width, outputs=width, at=here, layers=depth),
        ]
        if reduced > 1:
            taps = reduced * reduced
            reduction = Product(name="reduction", inputs=taps * width, outputs=width, at=keys, layers=depth, taps=taps)
            pyramid.products.append(reduction)
            pyramid.vectors += 2 * width * depth
        if segments:
            pyramid.products.append(Product(name="to_head", inputs=width, outputs=out, at=here))
        pyramid.looks.append(
            Look(name="attention", heads=heads, head_dim=width // heads, layers=depth, at=here, keys=keys)
        )
        # Norms of each layer's halves, of the embedding, and of the stage.
        pyramid.vectors += (4 * depth + 4) * width
        pyramid.flows.append(Flow(width=width, halves=2 * depth, at=here))
        before = width
    if segments:
        pyramid.products += [
            Product(name="fusion", inputs=len(stages) * out, outputs=out, at=stage_place(0), bias=False, writes="mlp"),
            Product(name="classifier", inputs=out, outputs=classes(reading), at=stage_place(0), part="logits"),
        ]
        pyramid.vectors += 2 * out
    else:
        pyramid.classify(reading, before)
    return built(pyramid, reading, config, depths=(stage[0] for stage in stages), width=stages[0][1])
