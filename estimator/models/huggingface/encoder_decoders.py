"""Encoder–decoders: the encoder is the main stack, and the decoder a tower behind it that looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from estimator.models.feed_forward import Experts
from estimator.models.huggingface.blocks import (
    BIASED,
    configured,
    head_class,
    refuse_untied,
    stack,
    transformed_classifier,
)
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.encoder_families import window_of
from estimator.models.huggingface.encoders import global_matrices
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Tower, Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["BART_LIKE", "bart_like", "decoder_head", "decoder_tower", "whisper", "whisper_encoder"]

_TRANSLATED = 1.0
"""A translation is about as long as its source."""
_SUMMARISED = 1 / 8
"""A summary of 128 tokens for a text of 1,024, as those models are fine-tuned."""
_REBUILT, _GAPS = 1.0, 0.3
"""What pre-training writes: all of a text whose spans are masked (Lewis et al. 2020, section 2.2), and the sentences
that are masked (Zhang et al. 2020, PEGASUS, section 6.1.2)."""
_ENDS = 2
"""Where an answer begins and where it ends."""
_ASKED = 128
"""Tokens of a sequence that is classified, where no training set says more."""
_SPOKEN = 100
"""Tokens in 30 seconds of read speech: 150 words a minute, 1.3 tokens a word."""
_SECONDS = 30.0
"""Of a sound, to which its feature extractor pads each and cuts it."""
_FRAMES = 2
"""Frames of a spectrogram for each position of Whisper's encoder (Radford et al. 2022, section 2.2)."""
_BART = {
    "vocab_size": 50265,
    "max_position_embeddings": 1024,
    "d_model": 1024,
    "encoder_layers": 12,
    "encoder_ffn_dim": 4096,
    "encoder_attention_heads": 16,
    "decoder_layers": 12,
    "decoder_ffn_dim": 4096,
    "decoder_attention_heads": 16,
}
_NLLB_MOE = {"vocab_size": 128112, "num_experts": 128, "encoder_sparse_step": 4, "decoder_sparse_step": 4}
_NLLB_VISITED = 2
"""Experts that a token visits (NLLB Team 2022, section 6.2)."""
_LED = {"max_encoder_position_embeddings": 16384, "max_decoder_position_embeddings": 1024, "attention_window": 512}
_WHISPER = {
    **_BART,
    "vocab_size": 51865,
    "d_model": 384,
    "encoder_layers": 4,
    "encoder_ffn_dim": 1536,
    "encoder_attention_heads": 6,
    "decoder_layers": 4,
    "decoder_ffn_dim": 1536,
    "decoder_attention_heads": 6,
    "num_mel_bins": 80,
    "max_source_positions": 1500,
    "max_target_positions": 448,
}
_KERNEL = 3
"""Frames that each of Whisper's two convolutions sees (Radford et al. 2022, section 2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _BartLike:
    """How a family differs from BART."""

    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    ratio: float = _TRANSLATED
    pretraining_ratio: float = 0.0
    positions: bool = True
    """Whether positions have a table that is learned (or held as a parameter), one in either stack."""
    first_position: int = 0
    embedding_norm: bool = False
    final_norm: bool = True
    windowed: bool = False
    """Whether the encoder looks through windows, and from a few tokens at all (Longformer)."""
    experts: bool = False


def decoder_tower(network: Transformer, ratio: float, pretraining_ratio: float = 0.0) -> Tower:
    """Return a decoder behind its encoder, with `ratio` tokens for each position of that, another in pre-training."""
    return Tower(name="decoder", network=network, rate=ratio, downstream=True, pretraining_rate=pretraining_ratio)


def decoder_head(reading: Reading, hidden: int) -> tuple[Mixer, ...] | None:
    """Return what the class that is named has on the decoder in place of the vocabulary's logits; None: those.

    A sequence is classified by its last token, through a matrix of the head's own.
    """
    name = head_class(reading.config, "ForConditionalGeneration")
    if name.endswith("QuestionAnswering"):
        return (Projection(name="answer", inputs=hidden, outputs=_ENDS, part="logits"),)
    if name.endswith("SequenceClassification"):
        return transformed_classifier(reading, hidden, positions=_ASKED)
    # Marian's whole model is called MarianMTModel.
    return () if name.endswith("Model") and not name.endswith(("MTModel", "LMHeadModel")) else None


BART_LIKE: Mapping[str, _BartLike] = {
    "bart": _BartLike(
        defaults={"num_labels": 3},
        ratio=_SUMMARISED,
        pretraining_ratio=_REBUILT,
        first_position=2,
        embedding_norm=True,
        final_norm=False,
    ),
    "blenderbot": _BartLike(
        defaults={
            "vocab_size": 8008,
            "max_position_embeddings": 128,
            "encoder_layers": 2,
            "encoder_ffn_dim": 10240,
            "encoder_attention_heads": 32,
            "decoder_layers": 24,
            "decoder_ffn_dim": 10240,
            "decoder_attention_heads": 32,
            "d_model": 2560,
        }
    ),
    "led": _BartLike(defaults=_LED, ratio=_SUMMARISED, embedding_norm=True, final_norm=False, windowed=True),
    "m2m_100": _BartLike(defaults={"vocab_size": 128112}, positions=False),
    "marian": _BartLike(defaults={"vocab_size": 58101}, final_norm=False),
    "mbart": _BartLike(first_position=2, embedding_norm=True),
    "nllb-moe": _BartLike(defaults=_NLLB_MOE, positions=False, experts=True),
    "pegasus": _BartLike(ratio=_SUMMARISED, pretraining_ratio=_GAPS),
}
"""How each family differs, by `model_type`."""


def _stacks(
    reading: Reading,
    *,
    kind: str,
    encoder_facts: VectorFacts,
    decoder_facts: VectorFacts,
    cross_vectors: int,
    encoder_rows: int,
    decoder_rows: int,
    encoder_besides: int = 0,
    decoder_besides: int = 0,
    ratio: float,
    pretraining_ratio: float = 0.0,
    mixers: tuple[Mixer, ...] = (),
    media: Media | None = None,
    native: int,
    window: int = 0,
    experts: tuple[Experts | None, Experts | None] = (None, None),
) -> Transformer:
    """Return an encoder with its decoder behind it, whose output is the embedding that both read.

    Raises UnsupportedModelError where it is said to be another matrix.
    """
    refuse_untied(reading)
    hidden = reading.whole("d_model")
    heads, depth = reading.whole("decoder_attention_heads"), reading.whole("decoder_layers")
    cross = CrossAttention(
        layers=depth,
        heads=heads,
        kv_heads=heads,
        head_dim=hidden // heads,
        source_rate=1 / ratio,
        own_vectors=cross_vectors,
    )
    vocab, head = reading.whole("vocab_size"), decoder_head(reading, hidden)
    decoder = stack(
        name="decoder",
        hidden=hidden,
        layers=depth,
        heads=heads,
        ffn=reading.whole("decoder_ffn_dim"),
        facts=replace(decoder_facts, norms_per_layer=3),
        causal=True,
        vocab=vocab if head is None else 0,
        mixers=(cross, *(head or ())),
        lookup=(decoder_rows + (0 if head is None else vocab)) * hidden,
        besides=decoder_besides,
        experts=experts[1],
    )
    return stack(
        name=f"{kind} model",
        hidden=hidden,
        layers=reading.whole("encoder_layers"),
        heads=reading.whole("encoder_attention_heads"),
        ffn=reading.whole("encoder_ffn_dim"),
        facts=encoder_facts,
        mixers=mixers,
        lookup=encoder_rows * hidden,
        besides=encoder_besides,
        towers=(decoder_tower(decoder, ratio, pretraining_ratio),),
        media=media,
        native=native,
        window=window,
        windowed_layers=reading.whole("encoder_layers") if window else 0,
        experts=experts[0],
    )


def bart_like(config: Config) -> ConfiguredModel:
    """Return a BART (Lewis et al. 2020) or one of its descendants: mBART, Pegasus, Marian, M2M-100, NLLB and LED."""
    kind = str(config.get("model_type"))
    family = BART_LIKE[kind]
    reading = Reading(config=config, defaults={**_BART, **family.defaults}, model_type=kind)
    native = reading.whole("max_position_embeddings")
    rows = native + family.first_position if family.positions else 0
    target_rows, window = rows, 0
    mixers: tuple[Mixer, ...] = ()
    if family.windowed:
        native = rows = reading.whole("max_encoder_position_embeddings")
        target_rows, window = reading.whole("max_decoder_position_embeddings"), window_of(reading)
        mixers = global_matrices(reading.whole("d_model"), reading.whole("encoder_layers"), native)
    outer = family.embedding_norm + family.final_norm
    facts = replace(BIASED, outer_norms=outer, expert_bias=family.experts)
    network = _stacks(
        reading,
        kind=kind,
        encoder_facts=facts,
        decoder_facts=facts,
        cross_vectors=4 * reading.whole("d_model"),
        encoder_rows=rows,
        decoder_rows=target_rows,
        ratio=family.ratio,
        pretraining_ratio=family.pretraining_ratio,
        mixers=mixers,
        native=native,
        window=window,
        experts=_routed(reading) if family.experts else (None, None),
    )
    return configured(network, config)


def _routed(reading: Reading) -> tuple[Experts | None, Experts | None]:
    """Return the experts of encoder and decoder, of every so many layers (NLLB Team 2022); None where none has any."""
    steps = {side: reading.whole(f"{side}_sparse_step", least=0) for side in ("encoder", "decoder")}
    of_encoder, of_decoder = (
        Experts(
            n_experts=reading.whole("num_experts"),
            top_k=_NLLB_VISITED,
            ffn_hidden=reading.whole(f"{side}_ffn_dim"),
            layer_step=step,
            biased=True,
        )
        if step
        else None
        for side, step in steps.items()
    )
    return of_encoder, of_decoder


def _convolutions(mel_bins: int, hidden: int) -> tuple[Mixer, ...]:
    """Return the two convolutions before Whisper's encoder; the second halves the number of frames."""
    return (
        Projection(name="convolution_1", inputs=mel_bins * _KERNEL, outputs=hidden, rate=2.0),
        Projection(name="convolution_2", inputs=hidden * _KERNEL, outputs=hidden),
    )


# Keys have no bias: queries and values have one each.
_WHISPER_FACTS = replace(BIASED, kv_bias=False)


def whisper(config: Config) -> ConfiguredModel:
    """Return a Whisper (Radford et al. 2022): 30 seconds of sound are 1,500 positions of its encoder."""
    reading = Reading(config=config, defaults=_WHISPER, model_type="whisper")
    hidden, positions = reading.whole("d_model"), reading.whole("max_source_positions")
    features = _FRAMES * reading.whole("num_mel_bins")
    media = Media(kind="sound", main=True, positions=positions, seconds=_SECONDS, usual_text=_SPOKEN, features=features)
    network = _stacks(
        reading,
        kind="whisper",
        encoder_facts=_WHISPER_FACTS,
        decoder_facts=_WHISPER_FACTS,
        cross_vectors=3 * hidden,
        encoder_rows=positions,
        decoder_rows=reading.whole("max_target_positions"),
        encoder_besides=hidden * reading.whole("encoder_layers"),
        decoder_besides=hidden * reading.whole("decoder_layers"),
        ratio=_SPOKEN / positions,
        mixers=_convolutions(reading.whole("num_mel_bins"), hidden),
        media=media,
        native=positions,
    )
    return configured(network, config)


def whisper_encoder(config: Config, *, name: str) -> Transformer:
    """Return Whisper's encoder alone, as towers of sound have it; it ends in a norm after pooling, or before."""
    reading = Reading(
        config=config,
        defaults={
            "num_mel_bins": 128,
            "encoder_layers": 32,
            "encoder_attention_heads": 20,
            "encoder_ffn_dim": 5120,
            "d_model": 1280,
            "max_source_positions": 1500,
        },
        model_type=name,
    )

    def number(key: str, other: str) -> int:
        return reading.whole(other if reading.config.get(other) is not None else key)

    hidden, layers = number("d_model", "hidden_size"), number("encoder_layers", "num_hidden_layers")
    positions = reading.whole("max_source_positions")
    return stack(
        name=name,
        hidden=hidden,
        layers=layers,
        heads=number("encoder_attention_heads", "num_attention_heads"),
        ffn=number("encoder_ffn_dim", "intermediate_size"),
        facts=_WHISPER_FACTS,
        mixers=_convolutions(reading.whole("num_mel_bins"), hidden),
        lookup=positions * hidden,
        besides=hidden * layers,
        native=positions,
    )
