"""Detectors of objects: DETR and its kin, Deformable DETR and RT-DETR on a ResNet, YOLOS on a ViT."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import InvalidValueError, UnsupportedModelError, shown
from estimator.models.huggingface.blocks import BIASED, classes, configured, mlp_projections, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.pyramids import RESNET, Pyramid, built, residual_trunk, stage_place
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.vision import VIT_BASE
from estimator.models.media import Media
from estimator.models.mixers.placed import Flow, Look, Place, Product
from estimator.models.mixers.placed_parts import attention_products, convolution, cross_products, mlp_products
from estimator.models.mixers.projection import Projection

__all__ = ["deformable_detr", "detr", "rt_detr", "yolos"]

_DETR: Mapping[str, object] = {
    "num_queries": 100,
    "encoder_layers": 6,
    "encoder_ffn_dim": 2048,
    "encoder_attention_heads": 8,
    "decoder_layers": 6,
    "decoder_ffn_dim": 2048,
    "decoder_attention_heads": 8,
    "d_model": 256,
}
_DEFORMABLE: Mapping[str, object] = {
    **_DETR,
    "num_queries": 300,
    "encoder_ffn_dim": 1024,
    "decoder_ffn_dim": 1024,
    "num_feature_levels": 4,
    "encoder_n_points": 4,
    "decoder_n_points": 4,
}
_RT_DETR: Mapping[str, object] = {
    **_DETR,
    "num_queries": 300,
    "encoder_layers": 1,
    "encoder_ffn_dim": 1024,
    "decoder_ffn_dim": 1024,
    "encoder_hidden_dim": 256,
    "encoder_in_channels": [512, 1024, 2048],
    "decoder_n_points": 4,
}
_YOLOS: Mapping[str, object] = {**VIT_BASE, "image_size": [512, 864], "num_detection_tokens": 100}
_DEPTHS: Mapping[str, list[int]] = {"resnet50": [3, 4, 6, 3], "resnet101": [3, 4, 23, 3]}
"""Layers of the stages of what a file names as timm does."""
_COCO, _SQUARE = (1066, 800), (640, 640)
"""Pixels of a picture of COCO as DETR scales it (its shorter side to 800), and as RT-DETR does."""
_LAST = 3
"""The stage at a 32nd of the picture's sides."""
_MOST_LEVELS = 12
_BOTTLENECKS = 3
"""Of RT-DETR's blocks that fuse two resolutions (Zhao et al. 2023, figure 5)."""
_SMALLER = 3
"""Side of the filters that make a smaller resolution of the last."""
_BOX, _POINT = 4, 2


def _resnet(config: Config, kind: str) -> Reading:
    """Return the ResNet below a detector. Raises UnsupportedModelError for another network."""
    given = nested(config, "backbone_config") or {}
    named = str(given.get("backbone") or config.get("backbone") or "resnet50")
    if str(given.get("model_type", "resnet")) not in {"resnet", "rt_detr_resnet", "timm_backbone"} or (
        named not in _DEPTHS
    ):
        raise UnsupportedModelError(
            f"hf_config.backbone_config: {shown(given.get('model_type') or named)} below {kind} is not modelled here; "
            "a ResNet is"
        )
    return Reading(config=given, defaults={**RESNET, "depths": _DEPTHS[named]}, model_type=kind)


def _boxes(pyramid: Pyramid, width: int, at: Place, layers: int = 1) -> None:
    """Add MLPs that make a box of each position."""
    for inputs, outputs in ((width, width), (width, width), (width, _BOX)):
        pyramid.products.append(Product(name="boxes", inputs=inputs, outputs=outputs, at=at, layers=layers))


def _layers(pyramid: Pyramid, reading: Reading, stack_name: str, at: Place, *, attends: bool = True) -> int:
    """Add MLPs of an encoder's or decoder's layers at a place, and self-attention if each position looks at all others.

    Returns how many layers they are; their norms are two.
    """
    width, layers = reading.whole("d_model"), reading.whole(f"{stack_name}_layers")
    heads = reading.whole(f"{stack_name}_attention_heads")
    if attends:
        pyramid.products += attention_products(width, width, layers, at=at)
        pyramid.looks.append(Look(name="attention", heads=heads, head_dim=width // heads, layers=layers, at=at))
    pyramid.products += mlp_products(width, reading.whole(f"{stack_name}_ffn_dim"), layers, at=at)
    pyramid.flows.append(Flow(width=width, halves=2 * layers, at=at))
    pyramid.vectors += 2 * 2 * width * layers
    return layers


def detr(config: Config) -> ConfiguredModel:
    """Return a DETR (Carion et al. 2020): a ResNet, a transformer over its last stage, and queries that look at it.

    A Table Transformer (Smock et al. 2022) is one whose encoder ends in a norm; a Conditional DETR (Meng et al. 2021)
    projects positions apart from contents, and looks by both.
    """
    kind = str(config.get("model_type"))
    conditional = kind == "conditional_detr"
    reading = Reading(config=config, defaults={**_DETR, "num_queries": 300 if conditional else 100}, model_type=kind)
    trunk = _resnet(config, kind)
    pyramid = Pyramid(frozen_norms=True)
    # Spread-out filters keep the last stage at the resolution of the one before (Carion et al. 2020, section 4, DC5).
    smallest = _LAST - reading.flag("dilation", default=False)
    last = residual_trunk(pyramid, trunk, smallest=smallest)
    width, queries = reading.whole("d_model"), reading.whole("num_queries")
    here, asked = stage_place(smallest), Place(fixed=float(queries))
    pyramid.products.append(convolution("input_projection", last, width, at=here, side=1))
    _layers(pyramid, reading, "encoder", here)
    layers, heads = _layers(pyramid, reading, "decoder", asked), reading.whole("decoder_attention_heads")
    pyramid.products += cross_products(width, width, width, layers, keys=here, at=asked)
    # By contents and positions side by side, scores are twice as wide as values: three halves of a head on average.
    score = width // heads * 3 // 2 if conditional else width // heads
    pyramid.looks.append(Look(name="cross_attention", heads=heads, head_dim=score, layers=layers, at=asked, keys=here))
    pyramid.flows.append(Flow(width=width, halves=layers, at=asked))
    # A norm of each layer's cross-attention, and the one behind the decoder.
    pyramid.vectors += 2 * width * (layers + 1 + (kind == "table-transformer"))
    if conditional:
        _positions_apart(pyramid, width, layers, here, asked)
    pyramid.lookup += queries * width
    # A Conditional DETR finds nothing where no class is likely; the others have a class for that.
    outputs = classes(reading) + (0 if conditional else 1)
    pyramid.products.append(Product(name="classifier", inputs=width, outputs=outputs, at=asked, part="logits"))
    _boxes(pyramid, width, asked)
    depths = (*whole_list(trunk, "depths"), 2 * layers)
    return built(pyramid, reading, config, depths=depths, width=whole_list(trunk, "hidden_sizes")[0], sides=_COCO)


def _positions_apart(pyramid: Pyramid, width: int, layers: int, here: Place, asked: Place) -> None:
    """Add what a Conditional DETR projects positions by, and what makes reference points and their scale of queries."""
    later = Place(fixed=asked.fixed * (layers - 1))
    matrices = (
        ("position_queries", width, asked, layers),
        ("position_keys", width, asked, layers),
        ("position_keys_seen", width, here, layers),
        ("position_sines", width, asked, layers),
        # The first layer's alone.
        ("position_queries_first", width, asked, 1),
        # By every layer but the first, with the same weights.
        ("query_scale_1", width, later, 1),
        ("query_scale_2", width, later, 1),
        ("reference_points_1", width, asked, 1),
        ("reference_points_2", _POINT, asked, 1),
    )
    pyramid.products += [
        Product(name=name, inputs=width, outputs=outputs, at=at, layers=many) for name, outputs, at, many in matrices
    ]


def deformable_detr(config: Config) -> ConfiguredModel:
    """Return a Deformable DETR (Zhu et al. 2021): each position samples a few points of several resolutions.

    With refined boxes every layer of the decoder has an MLP of its own, read where it is refined and again behind all;
    in two stages each has a classifier as well, and one more of both chooses queries among all positions.
    """
    kind = "deformable_detr"
    reading = Reading(config=config, defaults=_DEFORMABLE, model_type=kind)
    trunk = _resnet(config, kind)
    pyramid = Pyramid(frozen_norms=True)
    residual_trunk(pyramid, trunk)
    width, queries = reading.whole("d_model"), reading.whole("num_queries")
    places = _projected(pyramid, reading, whole_list(trunk, "hidden_sizes"))
    every, asked = Place(share=sum(place.share for place in places)), Place(fixed=float(queries))
    _sampled(pyramid, reading, "encoder", levels=len(places), at=every, of=every)
    _layers(pyramid, reading, "encoder", every, attends=False)
    _sampled(pyramid, reading, "decoder", levels=len(places), at=asked, of=every)
    layers = _layers(pyramid, reading, "decoder", asked)
    pyramid.flows.append(Flow(width=width, halves=layers, at=asked))
    pyramid.vectors += 2 * width * layers
    refined = reading.flag("with_box_refine", default=False)
    staged = reading.flag("two_stage", default=False)
    # One head for all layers, or each its own.
    read, heads = (asked, layers) if staged else (Place(fixed=float(queries * layers)), 1)
    pyramid.products.append(
        Product(name="classifier", inputs=width, outputs=classes(reading), at=read, layers=heads, part="logits")
    )
    if refined:
        _boxes(pyramid, width, Place(fixed=2.0 * queries), layers)
    else:
        _boxes(pyramid, width, Place(fixed=float(queries * layers)))
    if staged:
        pyramid.products += [
            Product(name="chosen", inputs=width, outputs=width, at=every),
            Product(name="chosen_score", inputs=width, outputs=classes(reading), at=every, part="logits"),
            Product(name="query_positions", inputs=2 * width, outputs=2 * width, at=asked),
        ]
        _boxes(pyramid, width, every)
        pyramid.vectors += 2 * width + 2 * 2 * width
    else:
        pyramid.lookup += 2 * width * queries
        pyramid.products.append(Product(name="reference_points", inputs=width, outputs=_POINT, at=asked))
    depths = (*whole_list(trunk, "depths"), reading.whole("encoder_layers") + layers)
    return built(pyramid, reading, config, depths=depths, width=whole_list(trunk, "hidden_sizes")[0], sides=_COCO)


def _projected(pyramid: Pyramid, reading: Reading, widths: tuple[int, ...]) -> list[Place]:
    """Add what projects the trunk's stages to one width, and makes smaller ones of the last; return their places."""
    width, levels = reading.whole("d_model"), reading.whole("num_feature_levels")
    if levels > _MOST_LEVELS:
        raise InvalidValueError("hf_config.num_feature_levels", levels, f"must be at most {_MOST_LEVELS}")
    stages = widths[-1:] if levels == 1 else widths[-_LAST:]
    places = [stage_place(_LAST + level + 1 - len(stages)) for level in range(max(levels, len(stages)))]
    inputs = [*stages, stages[-1], *[width] * levels]
    for level, place in enumerate(places):
        side = 1 if level < len(stages) else _SMALLER
        pyramid.products.append(convolution("input_projection", inputs[level], width, at=place, side=side))
    # A norm of each, and what tells one from another.
    pyramid.vectors += 2 * width * len(places) + width * levels
    return places


def _sampled(pyramid: Pyramid, reading: Reading, stack_name: str, *, levels: int, at: Place, of: Place) -> None:
    """Add attention of the positions at a place to a few points that they choose `of` others."""
    width, layers = reading.whole("d_model"), reading.whole(f"{stack_name}_layers")
    heads = reading.whole(f"{stack_name}_attention_heads")
    points = heads * levels * reading.whole(f"{stack_name}_n_points")
    for name, outputs, place in (
        ("offsets", _POINT * points, at),
        ("weights", points, at),
        ("values", width, of),
        ("out", width, at),
    ):
        pyramid.products.append(
            Product(name=f"sampling_{name}", inputs=width, outputs=outputs, at=place, layers=layers, part="attention")
        )


def rt_detr(config: Config) -> ConfiguredModel:
    """Return an RT-DETR (Zhao et al. 2023), or its second version: three resolutions fused, points that are sampled.

    The queries of contrastive denoising, which training adds to the others, are not counted.
    """
    reading = Reading(config=config, defaults=_RT_DETR, model_type="rt_detr")
    trunk = _resnet(config, "rt_detr")
    pyramid = Pyramid(frozen_norms=True)
    residual_trunk(pyramid, trunk, deep_stem=True)
    pyramid.frozen_norms = False
    inputs = whole_list(reading, "encoder_in_channels")
    if not 1 <= len(inputs) <= _LAST:
        raise InvalidValueError("hf_config.encoder_in_channels", list(inputs), f"must be widths of 1 to {_LAST} stages")
    width = reading.whole("encoder_hidden_dim")
    places = [stage_place(_LAST - level) for level in reversed(range(len(inputs)))]
    for channels, place in zip(inputs, places, strict=True):
        pyramid.convolve("input_projection", channels, width, 1, place)
        pyramid.convolve("decoder_projection", width, reading.whole("d_model"), 1, place)
    encoded = replace(reading, config={**config, "d_model": width})
    _layers(pyramid, encoded, "encoder", places[-1])
    inner = int(width * reading.number("hidden_expansion", 1.0))
    for above, below in zip(places[1:], places[:-1], strict=True):
        pyramid.convolve("lateral", width, width, 1, above)
        pyramid.convolve("downsampling", width, width, 3, above)
        for place in (above, below):
            _fused(pyramid, width, inner, place)
    _sampling_decoder(pyramid, reading, places)
    depths = (*whole_list(trunk, "depths"), reading.whole("encoder_layers") + reading.whole("decoder_layers"))
    return built(pyramid, reading, config, depths=depths, width=whole_list(trunk, "hidden_sizes")[0], sides=_SQUARE)


def _fused(pyramid: Pyramid, width: int, inner: int, at: Place) -> None:
    """Add a block that fuses two resolutions: both halves of a split, and bottlenecks of two filters each."""
    for _ in range(2):
        pyramid.convolve("split", 2 * width, inner, 1, at)
    for _ in range(_BOTTLENECKS):
        pyramid.convolve("convolution", inner, inner, 3, at)
        pyramid.convolve("convolution", inner, inner, 1, at)
    if inner != width:
        pyramid.convolve("joined", inner, width, 1, at)
    pyramid.flows.append(Flow(width=width, halves=2 * _BOTTLENECKS, at=at, normed=False))


def _sampling_decoder(pyramid: Pyramid, reading: Reading, places: list[Place]) -> None:
    """Add queries chosen among all positions, and layers that sample a few points around them (Zhu et al. 2021)."""
    width, labels = reading.whole("d_model"), classes(reading)
    queries = reading.whole("num_queries")
    every = Place(share=sum(place.share for place in places))
    asked = Place(fixed=float(queries))
    pyramid.products.append(Product(name="chosen", inputs=width, outputs=width, at=every))
    pyramid.products.append(Product(name="chosen_score", inputs=width, outputs=labels, at=every, part="logits"))
    _boxes(pyramid, width, every)
    layers = _layers(pyramid, reading, "decoder", asked)
    _sampled(pyramid, reading, "decoder", levels=len(places), at=asked, of=every)
    pyramid.flows.append(Flow(width=width, halves=layers, at=asked))
    # Each layer embeds the boxes anew, by one MLP, and refines them by its own.
    again = Place(fixed=float(queries * layers))
    for inputs, outputs in ((_BOX, 2 * width), (2 * width, width)):
        pyramid.products.append(Product(name="box_embedding", inputs=inputs, outputs=outputs, at=again))
    pyramid.products.append(
        Product(name="classifier", inputs=width, outputs=labels, at=asked, layers=layers, part="logits")
    )
    _boxes(pyramid, width, asked, layers)
    pyramid.vectors += 2 * width * (layers + 1)
    pyramid.lookup += (labels + 1) * width


def yolos(config: Config) -> ConfiguredModel:
    """Return a YOLOS (Fang et al. 2021): a ViT whose sequence holds a token for each object that it may find."""
    reading = Reading(config=config, defaults=_YOLOS, model_type="yolos")
    sides = whole_list(reading, "image_size")
    if not sides:
        raise InvalidValueError("hf_config.image_size", [], "must be a height and a width in pixels")
    high, wide = sides[0], sides[-1]
    patch, hidden, layers = (reading.whole(key) for key in ("patch_size", "hidden_size", "num_hidden_layers"))
    found = reading.whole("num_detection_tokens")
    patches = max(high // patch, 1) * max(wide // patch, 1)
    positions = patches + 1 + found
    share = found / positions
    # All layers but the last add positions of their own, as many as pixels make, cut patches with them.
    between = layers - 1 if reading.flag("use_mid_position_embeddings", default=True) else 0
    rows = positions + between * (1 + high * wide // patch**2 + found)
    head = (
        *mlp_projections(hidden, hidden, hidden, rate=share),
        Projection(name="classifier", inputs=hidden, outputs=classes(reading) + 1, rate=share, part="logits"),
        *mlp_projections(hidden, hidden, hidden, _BOX, rate=share),
    )
    embedding = Projection(
        name="patch_embedding",
        inputs=reading.whole("num_channels") * patch * patch,
        outputs=hidden,
        rate=patches / positions,
    )
    biased = reading.flag("qkv_bias", default=True)
    network = stack(
        name="yolos model",
        hidden=hidden,
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=replace(BIASED, query_bias=biased, kv_bias=biased),
        mixers=(embedding, *head),
        lookup=rows * hidden,
        besides=(1 + found) * hidden,
        media=Media(main=True, policy="resized", width=wide, height=high, patch=patch, extra=1 + found, usual_text=0),
        native=positions,
    )
    return configured(network, config)
