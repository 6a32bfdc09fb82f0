"""Encoders of pictures: ViT and its descendants, whole models and towers of others."""

from dataclasses import replace

from estimator.models.huggingface.blocks import (
    BIASED,
    classifier,
    configured,
    head_class,
    image_side,
    mlp_projections,
    patches_a_side,
    stack,
)
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.media import Media
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Tower, Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["VIT_BASE", "beit", "clip", "clip_vision", "dinov2", "dinov3", "siglip", "siglip_vision", "vit"]

VIT_BASE = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "image_size": 224,
    "patch_size": 16,
    "num_channels": 3,
}
"""ViT-B/16 at 224 pixels: the defaults of ViT's class, and of those that descend from it."""
_CLIP_VISION = {**VIT_BASE, "patch_size": 32}
_CLIP_TEXT = {
    "vocab_size": 49408,
    "hidden_size": 512,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "intermediate_size": 2048,
    "max_position_embeddings": 77,
}
_SIGLIP_TEXT = {
    "vocab_size": 32000,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 64,
}


def _patches(reading: Reading) -> int:
    return patches_a_side(reading) ** 2


def _patch_embedding(reading: Reading, *, extra: int, bias: bool = True) -> Projection:
    """Return the convolution that embeds patches: a matrix on those positions that are patches."""
    patches = _patches(reading)
    side = image_side(reading, "patch_size")
    return Projection(
        name="patch_embedding",
        inputs=reading.whole("num_channels") * side * side,
        outputs=reading.whole("hidden_size"),
        rate=patches / (patches + extra),
        bias=bias,
    )


def _media(reading: Reading, *, extra: int) -> Media:
    side = image_side(reading)
    return Media(
        main=True,
        policy="resized",
        width=side,
        height=side,
        patch=image_side(reading, "patch_size"),
        extra=extra,
        usual_text=0,
    )


def _plain(
    reading: Reading,
    *,
    extra: int,
    mixers: tuple[Mixer, ...] = (),
    table: int,
    besides: int,
    gated: bool = False,
    ffn: int | None = None,
    facts: VectorFacts = BIASED,
) -> Transformer:
    """Return a ViT whose positions table has `table` rows."""
    hidden = reading.whole("hidden_size")
    return stack(
        name=f"{reading.model_type} model",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size") if ffn is None else ffn,
        facts=facts,
        gated=gated,
        mixers=(_patch_embedding(reading, extra=extra), *mixers),
        lookup=table * hidden,
        besides=besides,
        media=_media(reading, extra=extra),
        native=_patches(reading) + extra,
    )


def _pooler(hidden: int, positions: int) -> Projection:
    return Projection(name="pooler", inputs=hidden, outputs=hidden, rate=1.0 / positions)


def vit(config: Config) -> ConfiguredModel:
    """Return a ViT, DeiT or I-JEPA (Dosovitskiy et al. 2021; Touvron et al. 2021): class tokens beside the patches."""
    kind = str(config.get("model_type") or "vit")
    reading = Reading(config=config, defaults=VIT_BASE, model_type=kind)
    extra = {"vit": 1, "deit": 2, "ijepa": 0}[kind]
    hidden = reading.whole("hidden_size")
    positions = _patches(reading) + extra
    name = head_class(config, "Model")
    head: tuple[Mixer, ...] = ()
    if "Classification" in name:
        head = (classifier(reading, hidden, count=2 if "Teacher" in name else 1, positions=positions),)
    elif name.endswith("Model") and kind != "ijepa":
        head = (_pooler(hidden, positions),)
    biased = reading.flag("qkv_bias", default=True)
    facts = replace(BIASED, query_bias=biased, kv_bias=biased)
    return configured(
        _plain(reading, extra=extra, mixers=head, table=positions, besides=extra * hidden, facts=facts), config
    )


def beit(config: Config) -> ConfiguredModel:
    """Return a BEiT (Bao et al. 2022): keys without bias, scaled layers, positions in tables of the attention."""
    reading = Reading(config=config, defaults={**VIT_BASE, "vocab_size": 8192}, model_type="beit")
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    heads = reading.whole("num_attention_heads")
    grid = patches_a_side(reading)
    positions = grid * grid + 1
    table = (2 * grid - 1) ** 2 + 3
    tables = layers if reading.flag("use_relative_position_bias", default=False) else 0
    tables += reading.flag("use_shared_relative_position_bias", default=False)
    scaled = 2 * hidden * layers if reading.config.get("layer_scale_init_value", 0.1) else 0
    besides = hidden + hidden * reading.flag("use_mask_token", default=False) + tables * table * heads + scaled
    name = head_class(config, "Model")
    head: tuple[Mixer, ...] = ()
    if "Classification" in name:
        head = (classifier(reading, hidden, positions=positions),)
    elif "MaskedImage" in name:
        head = (Projection(name="logits", inputs=hidden, outputs=reading.whole("vocab_size"), part="logits"),)
    rows = positions if reading.flag("use_absolute_position_embeddings", default=False) else 0
    # Keys have no bias: queries and values have one each.
    facts = replace(BIASED, kv_bias=False)
    return configured(
        _plain(reading, extra=1, mixers=head, table=rows, besides=besides + hidden * layers, facts=facts),
        config,
    )


def dinov2(config: Config) -> ConfiguredModel:
    """Return a DINOv2 (Oquab et al. 2023), with registers where it has any (Darcet et al. 2024)."""
    kind = str(config.get("model_type"))
    side = {"patch_size": 16} if kind == "dinov2_with_registers" else {"patch_size": 14}
    usual = {"mlp_ratio": 4, "num_register_tokens": 4} if kind == "dinov2_with_registers" else {"mlp_ratio": 4}
    reading = Reading(config=config, defaults={**VIT_BASE, **side, **usual}, model_type=kind)
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    gated = reading.flag("use_swiglu_ffn", default=False)
    wide = hidden * reading.whole("mlp_ratio")
    ffn = (wide * 2 // 3 + 7) // 8 * 8 if gated else wide
    registers = reading.optional("num_register_tokens", 0) if kind == "dinov2_with_registers" else 0
    mask = reading.flag("use_mask_token", default=True)
    positions = _patches(reading) + 1
    biased = reading.flag("qkv_bias", default=True)
    facts = replace(BIASED, query_bias=biased, kv_bias=biased)
    head: tuple[Mixer, ...] = ()
    if "Classification" in head_class(config, "Model"):
        head = (classifier(reading, 2 * hidden, positions=positions),)
    besides = (1 + mask + registers) * hidden + 2 * hidden * layers
    network = _plain(
        reading,
        extra=1 + registers,
        mixers=head,
        table=positions,
        besides=besides,
        gated=gated,
        ffn=ffn,
        facts=facts,
    )
    return configured(network, config)


def dinov3(config: Config) -> ConfiguredModel:
    """Return a DINOv3 (Siméoni et al. 2025): rotary positions, keys without bias."""
    defaults = {**VIT_BASE, "hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 1536}
    reading = Reading(config=config, defaults=defaults, model_type="dinov3_vit")
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    registers = reading.optional("num_register_tokens", 0)
    one_sided = [reading.flag(key, default=key != "key_bias") for key in ("key_bias", "value_bias")]
    facts = replace(
        BIASED,
        query_bias=reading.flag("query_bias", default=True),
        kv_bias=False,
        output_bias=reading.flag("proj_bias", default=True),
        mlp_bias=reading.flag("mlp_bias", default=True),
    )
    besides = (2 + registers) * hidden + (2 + sum(one_sided)) * hidden * layers
    network = _plain(
        reading,
        extra=1 + registers,
        table=0,
        besides=besides,
        gated=reading.flag("use_gated_mlp", default=False),
        facts=facts,
    )
    return configured(network, config)


def clip_vision(config: Config, *, projection: int = 0, name: str = "clip_vision_model") -> Transformer:
    """Return CLIP's encoder of pictures (Radford et al. 2021): a norm before the layers and one after them."""
    reading = Reading(config=config, defaults=_CLIP_VISION, model_type=name)
    hidden = reading.whole("hidden_size")
    positions = _patches(reading) + 1
    head = _projection(hidden, projection, positions)
    return stack(
        name=name,
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=replace(BIASED, outer_norms=2),
        mixers=(_patch_embedding(reading, extra=1, bias=False), *head),
        lookup=positions * hidden,
        besides=hidden,
        media=_media(reading, extra=1),
        native=positions,
    )


def _projection(hidden: int, projection: int, positions: int, *, bias: bool = False) -> tuple[Projection, ...]:
    """Return the matrix that takes one position to the width that pictures and texts are compared in."""
    if not projection:
        return ()
    return (
        Projection(name="to_shared", inputs=hidden, outputs=projection, rate=1.0 / positions, bias=bias, part="logits"),
    )


def siglip_vision(config: Config, *, name: str = "siglip_vision_model", native: bool = False) -> Transformer:
    """Return SigLIP's encoder of pictures (Zhai et al. 2023): no class token, and a pooling head of attention.

    `native`: SigLIP 2 with its own proportions keeps a square table of `num_patches` positions.
    """
    reading = Reading(config=config, defaults={**VIT_BASE, "num_patches": 256}, model_type=name)
    hidden = reading.whole("hidden_size")
    ffn = reading.whole("intermediate_size")
    side = image_side(reading, "patch_size")
    if native:
        positions = reading.whole("num_patches")
        media = Media(
            main=True,
            policy="resized",
            width=side * round(positions**0.5),
            height=side * round(positions**0.5),
            patch=side,
        )
        channels = reading.whole("num_channels")
        embedding = Projection(name="patch_embedding", inputs=channels * side * side, outputs=hidden)
    else:
        positions, media, embedding = _patches(reading), _media(reading, extra=0), _patch_embedding(reading, extra=0)
    head: tuple[Mixer, ...] = ()
    besides = 0
    if reading.flag("vision_use_head", default=True):
        # One learned query looks at every patch, and passes a norm and an MLP.
        one = 1.0 / positions
        head = (
            Projection(name="pooling_query", inputs=hidden, outputs=hidden, rate=one, part="attention"),
            Projection(name="pooling_keys", inputs=hidden, outputs=2 * hidden, part="attention"),
            Projection(name="pooling_out", inputs=hidden, outputs=hidden, rate=one, part="attention"),
            *mlp_projections(hidden, ffn, hidden, rate=one),
        )
        besides = 3 * hidden
    return stack(
        name=name,
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=ffn,
        mixers=(embedding, *head),
        lookup=positions * hidden,
        besides=besides,
        media=media,
        native=positions,
    )


def _text_tower(reading: Reading, *, projection: int, bias: bool, causal: bool) -> Tower:
    """Return the tower of captions, one a picture; its rate follows from the picture's positions."""
    hidden, length = reading.whole("hidden_size"), reading.whole("max_position_embeddings")
    network = stack(
        name="text",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        mixers=_projection(hidden, projection, length, bias=bias),
        lookup=(reading.whole("vocab_size") + length) * hidden,
        causal=causal,
        native=length,
    )
    return Tower(name="text", network=network, rate=0.0, length=float(length))


def _pair(vision: Transformer, text: Tower, *, besides: int, name: str) -> Transformer:
    """Return an encoder of pictures with the tower of captions that it is trained against."""
    media = vision.media
    tower = replace(text, rate=text.length / vision.native_sequence_length)
    return replace(
        vision,
        name=name,
        towers=(tower,),
        vector_parameters=vision.vector_parameters + besides,
        media=None if media is None else replace(media, usual_text=round(text.length)),
    )


def clip(config: Config) -> ConfiguredModel:
    """Return CLIP (Radford et al. 2021): a sample is a picture, which the main stack reads, and its caption."""
    kind = str(config.get("model_type"))
    if kind == "clip_vision_model":
        return configured(clip_vision(config), config)
    projection = Reading(config=config, defaults={"projection_dim": 512}, model_type=kind).whole("projection_dim")
    vision = clip_vision(nested(config, "vision_config") or {}, projection=projection)
    reading = Reading(config=nested(config, "text_config") or {}, defaults=_CLIP_TEXT, model_type="clip_text_model")
    text = _text_tower(reading, projection=projection, bias=False, causal=True)
    return configured(_pair(vision, text, besides=1, name="clip model"), config)


def siglip(config: Config) -> ConfiguredModel:
    """Return SigLIP (Zhai et al. 2023) or SigLIP 2: pictures in the main stack, captions beside."""
    kind = str(config.get("model_type"))
    native = kind.startswith("siglip2")
    if kind.endswith("vision_model"):
        return configured(siglip_vision(config, native=native), config)
    vision = siglip_vision(nested(config, "vision_config") or {}, native=native)
    reading = Reading(config=nested(config, "text_config") or {}, defaults=_SIGLIP_TEXT, model_type="siglip_text_model")
    width = reading.optional("projection_size", reading.whole("hidden_size"))
    text = _text_tower(reading, projection=width, bias=True, causal=False)
    # The temperature and the shift of the sigmoid loss.
    return configured(_pair(vision, text, besides=2, name=f"{kind} model"), config)
