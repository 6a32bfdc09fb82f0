"""SpeechT5: one encoder and one decoder, each behind what reads or writes text or speech (Ao et al. 2022)."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.blocks import BIASED, configured, head_class, refuse_untied, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.encoder_decoders import decoder_tower
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.huggingface.speech import (
    WAVE_DEFAULTS,
    mask_embedding,
    sounds_of,
    wave_convolutions,
    wave_projections,
)
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.mixers.relative import PositionScores
from estimator.models.transformer import Transformer

__all__ = ["speech_t5"]

_DEFAULTS: Mapping[str, object] = {
    **WAVE_DEFAULTS,
    "vocab_size": 81,
    "encoder_layers": 12,
    "encoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_layers": 6,
    "decoder_attention_heads": 12,
    "decoder_ffn_dim": 3072,
    "num_mel_bins": 80,
    "speech_decoder_prenet_layers": 2,
    "speech_decoder_prenet_units": 256,
    "speaker_embedding_dim": 512,
    "speech_decoder_postnet_layers": 5,
    "speech_decoder_postnet_units": 256,
    "speech_decoder_postnet_kernel": 5,
    "reduction_factor": 2,
    "max_text_positions": 450,
    "encoder_max_relative_position": 160,
}
_SECONDS = 30
"""Of a sound, as `wave_convolutions` has it."""
_LETTERS_A_S = 15.0
"""Letters, its tokens, in a second of read speech: 150 words a minute, six letters a word with the space."""
_FRAMES_A_S = 62.5
"""Of a spectrogram: one every 256 of 16,000 samples."""


def speech_t5(config: Config) -> ConfiguredModel:
    """Return a SpeechT5 that recognises, speaks or converts speech, by its class.

    Raises UnsupportedModelError for one without what reads or writes its text or speech.
    """
    task = head_class(config, "SpeechT5ForTextToSpeech").removeprefix("SpeechT5For")
    source, between, target = task.partition("To")
    if not between or {source, target} - {"Text", "Speech"} or source == target == "Text":
        raise UnsupportedModelError(
            f"hf_config.architectures: {shown(task)} is not modelled here; SpeechT5ForTextToSpeech, "
            "SpeechT5ForSpeechToText and SpeechT5ForSpeechToSpeech are"
        )
    reading = Reading(config=config, defaults=_DEFAULTS, model_type="speecht5")
    hidden, layers = reading.whole("hidden_size"), reading.whole("encoder_layers")
    heads = reading.whole("encoder_attention_heads")
    relative = PositionScores(count=layers, heads=heads, head_dim=hidden // heads, kinds=1)
    mixers: tuple[Mixer, ...] = (relative,)
    lookup = 2 * reading.whole("encoder_max_relative_position") * hidden // heads
    # Text has a scale of its positions; speech what stands where it is masked.
    besides, media, native = 1, None, reading.whole("max_text_positions")
    frames_a_s = _FRAMES_A_S / reading.whole("reduction_factor")
    written_a_s = frames_a_s if target == "Speech" else _LETTERS_A_S
    ratio = written_a_s / _LETTERS_A_S
    if source == "Speech":
        convolutions, native = wave_convolutions(reading)
        mixers = (*convolutions, *wave_projections(reading, convolutions[-1].outputs), relative)
        besides = mask_embedding(reading)
        written = _SECONDS * written_a_s
        ratio = written / native
        media = sounds_of(native, text=0 if target == "Speech" else round(written))
    else:
        lookup += reading.whole("vocab_size") * hidden
    network = stack(
        name="speecht5 model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("encoder_ffn_dim"),
        mixers=mixers,
        lookup=lookup,
        besides=besides,
        towers=(decoder_tower(_decoder(reading, ratio, speaks=target == "Speech"), ratio),),
        media=media,
        native=native,
    )
    return configured(network, config)


def _decoder(reading: Reading, ratio: float, *, speaks: bool) -> Transformer:
    """Return the decoder, between what reads and makes frames where it `speaks`."""
    hidden, layers = reading.whole("hidden_size"), reading.whole("decoder_layers")
    heads = reading.whole("decoder_attention_heads")
    cross = CrossAttention(
        layers=layers,
        heads=heads,
        kv_heads=heads,
        head_dim=hidden // heads,
        source_rate=1 / ratio,
        own_vectors=4 * hidden,
    )
    if not speaks:
        refuse_untied(reading)
    return stack(
        name="decoder",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("decoder_ffn_dim"),
        facts=replace(BIASED, norms_per_layer=3, outer_norms=0),
        causal=True,
        vocab=0 if speaks else reading.whole("vocab_size"),
        mixers=(cross, *_frames(reading)) if speaks else (cross,),
        besides=1 if speaks else 0,
    )


def _frames(reading: Reading) -> tuple[Projection, ...]:
    """Return what makes a position of the frames before it and of the speaker, and frames of it, mended by filters.

    Of each frame that is made it is told whether it is the last.
    """
    hidden, bins, made = reading.whole("hidden_size"), reading.whole("num_mel_bins"), reading.whole("reduction_factor")
    units, depth = reading.whole("speech_decoder_prenet_units"), reading.whole("speech_decoder_prenet_layers")
    inner, side = reading.whole("speech_decoder_postnet_units"), reading.whole("speech_decoder_postnet_kernel")
    filters = reading.whole("speech_decoder_postnet_layers", least=2)
    matrices = (
        ("frame_in", bins, units, 1),
        ("frame_inner", units, units, depth - 1),
        ("frame_out", units, hidden, 1),
        ("speaker", hidden + reading.whole("speaker_embedding_dim"), hidden, 1),
        ("frames", hidden, bins * made, 1),
        ("ends", hidden, made, 1),
    )
    mended = (("first", bins, inner, 1), ("inner", inner, inner, filters - 2), ("last", inner, bins, 1))
    return (
        *(Projection(name=name, inputs=inputs, outputs=outputs, count=n) for name, inputs, outputs, n in matrices),
        *(
            Projection(
                name=f"mended_{name}",
                inputs=side * inputs,
                outputs=outputs,
                count=n,
                bias=False,
                rate=float(made),
                norms=2 * outputs,
                taps=side,
            )
            for name, inputs, outputs, n in mended
        ),
    )
