"""Encoders of sounds: wav2vec 2.0, HuBERT and WavLM on waveforms, the Audio Spectrogram Transformer on spectrograms."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import InvalidValueError, UnsupportedModelError
from estimator.models.huggingface.blocks import BIASED, classes, classifier, configured, head_class, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection

__all__ = [
    "WAVES",
    "WAVE_DEFAULTS",
    "mask_embedding",
    "refuse_adapter",
    "sounds_of",
    "spectrogram",
    "wave_convolutions",
    "wave_features",
    "wave_head",
    "wave_projections",
    "waves",
]

_SAMPLE_RATE, _SOUND_S = 16_000, 30
"""Samples a second of the waveform, and seconds of the longest sounds that are trained on."""
_BASE: Mapping[str, object] = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}
WAVE_DEFAULTS: Mapping[str, object] = {
    **_BASE,
    "vocab_size": 32,
    "conv_dim": [512] * 7,
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
    "num_codevectors_per_group": 320,
    "num_codevector_groups": 2,
    "codevector_dim": 256,
    "proj_codevector_dim": 256,
    "classifier_proj_size": 256,
    "num_buckets": 320,
}
_SPECTROGRAM: Mapping[str, object] = {
    **_BASE,
    "patch_size": 16,
    "frequency_stride": 10,
    "time_stride": 10,
    "max_length": 1024,
    "num_mel_bins": 128,
}
WAVES = frozenset({"hubert", "wav2vec2", "wavlm"})
"""Families that read waveforms, by `model_type`."""
_FRAME_S = 0.01
_MOST_CONVOLUTIONS = 32
_GATES = 8
"""Outputs of the projection that gates WavLM's position biases (Chen et al. 2022, equation 3)."""
_TOKENS_BESIDE = 2
"""Class and distillation token of the Audio Spectrogram Transformer."""


def waves(config: Config) -> ConfiguredModel:
    """Return a wav2vec 2.0 (Baevski et al. 2020), HuBERT (Hsu et al. 2021) or WavLM (Chen et al. 2022).

    Convolutions make a position of every 20 ms of the waveform; a sound is taken to have 30 s.
    Raises UnsupportedModelError for an adapter of convolutions behind the encoder.
    """
    kind = str(config.get("model_type"))
    reading = Reading(config=config, defaults=WAVE_DEFAULTS, model_type=kind)
    refuse_adapter(reading)
    hidden, layers, heads = (reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
    convolutions, positions = wave_convolutions(reading)
    width = convolutions[-1].outputs
    besides = mask_embedding(reading)
    gates: tuple[Mixer, ...] = ()
    if kind == "wavlm":
        gate = Projection(
            name="position_gates", inputs=hidden // heads, outputs=_GATES, count=layers, rate=float(heads)
        )
        gates = (gate,)
        besides += heads * layers + reading.whole("num_buckets") * heads
    head, codebook = wave_head(reading, width, positions)
    network = stack(
        name=f"{kind} model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("intermediate_size"),
        mixers=(*convolutions, *wave_projections(reading, width), *gates, *head),
        besides=besides + codebook,
        media=sounds_of(positions, features=wave_features(positions)),
        native=positions,
    )
    return configured(network, config)


def wave_projections(reading: Reading, width: int) -> tuple[Projection, Projection]:
    """Return what lies between convolutions `width` wide and the layers: a projection, and positions by convolution."""
    hidden, normed = reading.whole("hidden_size"), reading.flag("feat_proj_layer_norm", default=True)
    taps, groups = reading.whole("num_conv_pos_embeddings"), reading.whole("num_conv_pos_embedding_groups")
    # Weight norm keeps a scale of each tap; batch norm one of each channel, with a shift.
    scales = 2 * hidden if reading.flag("conv_pos_batch_norm", default=False) else taps
    return (
        Projection(name="feature_projection", inputs=width, outputs=hidden, norms=2 * width * normed),
        Projection(
            name="position_convolution",
            inputs=taps * hidden // groups,
            outputs=hidden,
            taps=taps,
            groups=groups,
            norms=scales,
        ),
    )


def mask_embedding(reading: Reading) -> int:
    """Return the parameters of what masked positions get instead, where any are."""
    masks = any(reading.value(key) != 0 for key in ("mask_time_prob", "mask_feature_prob"))
    return reading.whole("hidden_size") * masks


def refuse_adapter(reading: Reading) -> None:
    """Raise UnsupportedModelError for an adapter of convolutions behind the encoder."""
    if reading.flag("add_adapter", default=False):
        raise UnsupportedModelError("hf_config.add_adapter: true adds convolutions that are not modelled here")


def wave_convolutions(reading: Reading) -> tuple[tuple[Projection, ...], int]:
    """Return the convolutions before the encoder, and the positions that they make of a usual sound."""
    widths, sides, strides = (whole_list(reading, key) for key in ("conv_dim", "conv_kernel", "conv_stride"))
    if not 1 <= len(widths) <= _MOST_CONVOLUTIONS or not len(widths) == len(sides) == len(strides):
        raise InvalidValueError("hf_config.conv_dim", list(widths), "must be as long as conv_kernel and conv_stride")
    lengths = [_SAMPLE_RATE * _SOUND_S]
    for side, stride in zip(sides, strides, strict=True):
        lengths.append(max((lengths[-1] - side) // stride + 1, 1))
    each = reading.value("feat_extract_norm") == "layer"
    biased = reading.flag("conv_bias", default=False)
    convolutions = tuple(
        Projection(
            name=f"convolution_{place}",
            inputs=side * before,
            outputs=width,
            rate=length / lengths[-1],
            bias=biased,
            norms=2 * width if each or place == 0 else 0,
            taps=side,
        )
        for place, (before, width, side, length) in enumerate(
            zip((1, *widths), widths, sides, lengths[1:], strict=False)
        )
    )
    return convolutions, lengths[-1]


def sounds_of(positions: int, *, features: int = 0, text: int = 0) -> Media:
    """Return what makes so many positions of a usual sound, and fewer of a shorter one: nothing is padded to it."""
    return Media(
        kind="sound",
        main=True,
        policy="native",
        positions=positions,
        seconds=float(_SOUND_S),
        usual_text=text,
        features=features,
    )


def wave_features(positions: int) -> int:
    """Return the samples of a wave for each of the positions that are made of a usual sound."""
    return round(_SAMPLE_RATE * _SOUND_S / positions)


def wave_head(reading: Reading, width: int, positions: int) -> tuple[tuple[Mixer, ...], int]:
    """Return the head of the class that is named, and the parameters of a codebook."""
    name, hidden = head_class(reading.config, "Model"), reading.whole("hidden_size")
    if name.endswith("ForCTC"):
        return (Projection(name="logits", inputs=hidden, outputs=reading.whole("vocab_size"), part="logits"),), 0
    if name.endswith("ForPreTraining"):
        groups, entries = reading.whole("num_codevector_groups"), reading.whole("num_codevectors_per_group")
        inner, shared = reading.whole("codevector_dim"), reading.whole("proj_codevector_dim")
        chosen = Projection(name="codes", inputs=width, outputs=groups * entries, part="logits")
        compared = tuple(
            Projection(name="to_shared", inputs=inputs, outputs=shared, part="logits") for inputs in (hidden, inner)
        )
        return (chosen, *compared), entries * inner
    if "SequenceClassification" in name:
        inner = reading.whole("classifier_proj_size")
        return (
            Projection(name="projector", inputs=hidden, outputs=inner),
            classifier(reading, inner, positions=positions),
        ), 0
    if "Classification" in name:
        return (Projection(name="classifier", inputs=hidden, outputs=classes(reading), part="logits"),), 0
    return (), 0


def spectrogram(config: Config) -> ConfiguredModel:
    """Return an Audio Spectrogram Transformer (Gong et al. 2021): overlapping patches of a spectrogram."""
    reading = Reading(config=config, defaults=_SPECTROGRAM, model_type="audio-spectrogram-transformer")
    hidden, side = reading.whole("hidden_size"), reading.whole("patch_size")
    rows, columns = (
        max((reading.whole(length) - side) // reading.whole(stride) + 1, 1)
        for length, stride in (("num_mel_bins", "frequency_stride"), ("max_length", "time_stride"))
    )
    positions = rows * columns + _TOKENS_BESIDE
    patches = Projection(name="patch_embedding", inputs=side * side, outputs=hidden, rate=rows * columns / positions)
    head: tuple[Mixer, ...] = ()
    if "Classification" in head_class(config, "Model"):
        head = (classifier(reading, hidden, positions=positions, norms=2 * hidden),)
    biased = reading.flag("qkv_bias", default=True)
    network = stack(
        name="audio spectrogram transformer",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=replace(BIASED, query_bias=biased, kv_bias=biased),
        mixers=(patches, *head),
        lookup=positions * hidden,
        besides=_TOKENS_BESIDE * hidden,
        media=Media(
            kind="sound",
            main=True,
            positions=positions,
            # Every spectrogram is padded, or cut, to its frames of 10 ms.
            seconds=reading.whole("max_length") * _FRAME_S,
            usual_text=0,
        ),
        native=positions,
    )
    return configured(network, config)
