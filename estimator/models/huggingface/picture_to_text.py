"""Encoders of pictures with a decoder of text behind them: TrOCR, Donut and BLIP."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.blocks import BIASED, configured, stack
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.encoder_decoders import decoder_tower
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.vision import VIT_BASE, clip_vision
from estimator.models.media import Media, seen
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["blip", "blip_vision", "vision_encoder_decoder"]

_LINE, _PAGE, _CAPTION = 24, 512, 16
"""Tokens of a text where nothing is said: a written line of nine words, a third of what Donut's decoder holds, a
caption of COCO."""
_DECODER: Mapping[str, object] = {
    "d_model": 1024,
    "decoder_layers": 12,
    "decoder_attention_heads": 16,
    "decoder_ffn_dim": 4096,
    "vocab_size": 50265,
}
_BLIP_TEXT: Mapping[str, object] = {
    "vocab_size": 30524,
    "hidden_size": 768,
    "encoder_hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "max_position_embeddings": 512,
}
_ROWS_BESIDE = 2
"""Rows of BART's table of positions that no token has."""
_HALVED = 0.25
"""Positions of a pyramid's stage over those of the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoder:
    """How a family of decoders differs."""

    final_norm: bool
    text: int
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])


_DECODERS: Mapping[str, _Decoder] = {
    "mbart": _Decoder(final_norm=True, text=_PAGE, defaults={"max_position_embeddings": 1024}),
    "trocr": _Decoder(final_norm=False, text=_LINE, defaults={"max_position_embeddings": 512}),
}


def vision_encoder_decoder(config: Config, read: Read) -> ConfiguredModel:
    """Return a TrOCR (Li et al. 2021) or Donut (Kim et al. 2022): a sample is a picture and the text in it.

    Raises UnsupportedModelError for a decoder of another family.
    """
    below, above = nested(config, "encoder") or {}, nested(config, "decoder") or {}
    kind = str(above.get("model_type"))
    family = _DECODERS.get(kind)
    if family is None:
        raise UnsupportedModelError(
            f"hf_config.decoder: {shown(kind)} behind an encoder of pictures is not modelled here; "
            f"{' and '.join(_DECODERS)} are"
        )
    encoder = read(below).transformer
    stages = len(whole_list(Reading(config=below, defaults={}, model_type=kind), "depths")) or 1
    # The last stage of a pyramid is twice as wide as the one before it, and has a quarter of the positions.
    width, share = encoder.hidden * 2 ** (stages - 1), _HALVED ** (stages - 1)
    reading = Reading(config=above, defaults={**_DECODER, **family.defaults}, model_type=kind)
    media = replace(_sides(below, encoder), usual_text=family.text)
    tokens = seen(media, None).tokens
    ratio = family.text / tokens
    decoder = _decoder(reading, family, source=width, share=share, ratio=ratio)
    towers = (decoder_tower(decoder, ratio),)
    network = replace(encoder, name=f"{kind} model", towers=towers, media=media, native_sequence_length=round(tokens))
    return configured(network, config)


def _sides(config: Config, encoder: Transformer) -> Media:
    """Return what an encoder makes of pictures, whose height and width may be listed."""
    media = encoder.media or Media(main=True)
    sides = whole_list(Reading(config=config, defaults={}, model_type=""), "image_size")
    return replace(media, height=sides[0], width=sides[-1]) if sides else media


def _decoder(reading: Reading, family: _Decoder, *, source: int, share: float, ratio: float) -> Transformer:
    """Return a decoder as BART's is, which looks at positions of the encoder, `source` wide."""
    hidden, layers = reading.whole("d_model"), reading.whole("decoder_layers")
    heads, vocab = reading.whole("decoder_attention_heads"), reading.whole("vocab_size")
    cross = CrossAttention(
        layers=layers,
        heads=heads,
        kv_heads=heads,
        head_dim=hidden // heads,
        source_width=source,
        source_rate=share / ratio,
        source_share=share,
        own_vectors=4 * hidden,
    )
    learned = reading.flag("use_learned_position_embeddings", default=True)
    rows = reading.whole("max_position_embeddings") + _ROWS_BESIDE if learned else 0
    outer = reading.flag("layernorm_embedding", default=True) + family.final_norm
    decoder = stack(
        name="decoder",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("decoder_ffn_dim"),
        facts=replace(BIASED, norms_per_layer=3, outer_norms=outer),
        causal=True,
        vocab=vocab,
        mixers=(cross,),
        lookup=rows * hidden,
    )
    return replace(decoder, tied_embeddings=reading.flag("tie_word_embeddings", default=True))


def blip(config: Config) -> ConfiguredModel:
    """Return a BLIP (Li et al. 2022) that writes captions: a ViT, and a BERT that looks at it, causal."""
    encoder = blip_vision({**VIT_BASE, "image_size": 384, **(nested(config, "vision_config") or {})})
    media = replace(encoder.media or Media(main=True), usual_text=_CAPTION)
    reading = Reading(config=nested(config, "text_config") or {}, defaults=_BLIP_TEXT, model_type="blip_text_model")
    hidden, layers, vocab = (reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "vocab_size"))
    heads, ratio = reading.whole("num_attention_heads"), _CAPTION / seen(media, None).tokens
    cross = CrossAttention(
        layers=layers,
        heads=heads,
        kv_heads=heads,
        head_dim=hidden // heads,
        source_width=encoder.hidden,
        source_rate=1 / ratio,
        own_vectors=4 * hidden,
    )
    transform: Mixer = Projection(name="transform", inputs=hidden, outputs=hidden, norms=2 * hidden)
    decoder = stack(
        name="decoder",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("intermediate_size"),
        facts=replace(BIASED, norms_per_layer=3, logits_bias=True),
        causal=True,
        vocab=vocab,
        mixers=(cross, transform),
        lookup=reading.whole("max_position_embeddings") * hidden,
    )
    towers = (decoder_tower(decoder, ratio),)
    return configured(replace(encoder, name="blip model", towers=towers, media=media), config)


def blip_vision(config: Config) -> Transformer:
    """Return BLIP's encoder of pictures: CLIP's, without the norm before its layers and with a bias of patches."""
    tower = clip_vision(config, name=str(config.get("model_type")))
    return replace(tower, vector_parameters=tower.vector_parameters - 2 * tower.hidden + tower.hidden)
