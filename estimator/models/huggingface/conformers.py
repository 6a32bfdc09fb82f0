"""Conformers: attention and a convolution between two halves of an MLP, as recognisers of speech have them.

Source: Gulati et al. 2020, section 2. A sound is taken to have 30 s.
"""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.models.feed_forward import Dense
from estimator.models.huggingface.blocks import BIASED, configured, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.speech import (
    WAVE_DEFAULTS,
    mask_embedding,
    refuse_adapter,
    sounds_of,
    wave_convolutions,
    wave_features,
    wave_head,
)
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.mixers.relative import PositionScores
from estimator.models.transformer import Transformer

__all__ = ["convolution_module", "parakeet", "wav2vec2_bert", "wav2vec2_conformer"]

_WAV2VEC2: Mapping[str, object] = {
    **WAVE_DEFAULTS,
    "position_embeddings_type": "relative",
    "conv_depthwise_kernel_size": 31,
}
_BERT: Mapping[str, object] = {
    **WAVE_DEFAULTS,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feature_projection_input_dim": 160,
    "position_embeddings_type": "relative_key",
    "left_max_position_embeddings": 64,
    "right_max_position_embeddings": 8,
    "conv_depthwise_kernel_size": 31,
    "classifier_proj_size": 768,
}
_PARAKEET: Mapping[str, object] = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 8,
    "intermediate_size": 4096,
    "conv_kernel_size": 9,
    "subsampling_factor": 8,
    "subsampling_conv_channels": 256,
    "subsampling_conv_kernel_size": 3,
    "num_mel_bins": 80,
    "position_embeddings_type": "relative",
}
_STACKED_FRAMES, _FRAMES = 1500, 3000
"""Pairs of frames, and frames of 10 ms, in 30 s."""
_NORMS = 5
"""Of each layer: before either half of the MLP, attention and convolution, and behind all."""


def convolution_module(hidden: int, layers: int, taps: int, *, bias: bool, norms: int) -> tuple[Projection, ...]:
    """Return each layer's convolution, with the gate before it and what mixes its channels behind it."""
    return (
        Projection(name="pointwise", inputs=hidden, outputs=2 * hidden, count=layers, bias=bias),
        Projection(name="depthwise", inputs=taps, outputs=hidden, count=layers, taps=taps, bias=bias, norms=norms),
        Projection(name="pointwise_out", inputs=hidden, outputs=hidden, count=layers, bias=bias),
    )


def _conformer(
    reading: Reading,
    *,
    kind: str,
    taps: int,
    before: tuple[Mixer, ...],
    behind: tuple[Mixer, ...],
    positions: int,
    features: int,
    besides: int,
    outer_norms: int,
    biased: bool = True,
    biased_convolution: bool = False,
) -> Transformer:
    """Return the layers between what makes positions of a sound and what stands behind them."""
    hidden, layers, heads = (reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
    ffn = reading.whole("intermediate_size")
    convolution = convolution_module(hidden, layers, taps, bias=biased_convolution, norms=2 * hidden)
    second = (ffn + hidden) * layers if biased else 0
    return stack(
        name=f"{kind} model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=ffn,
        facts=replace(
            BIASED,
            norms_per_layer=_NORMS,
            outer_norms=outer_norms,
            query_bias=biased,
            kv_bias=biased,
            output_bias=biased,
            mlp_bias=biased,
        ),
        mixers=(*before, *convolution, *behind),
        besides=besides + second,
        media=sounds_of(positions, features=features),
        native=positions,
        feed_forwards=(Dense(layers=layers, width=ffn, gated=False),),
    )


def _relative(reading: Reading, *, each: bool = False) -> tuple[Mixer, ...]:
    """Return the scores of positions relative to one another: projected sines (Dai et al. 2019), or a table's rows.

    `each`: sines are projected for each sample, as Parakeet's class does; once a micro-batch, it is not counted.
    """
    hidden, layers, heads = (reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
    kind, head_dim = reading.value("position_embeddings_type"), hidden // heads
    if kind == "relative_key":
        rows = 1 + reading.whole("left_max_position_embeddings") + reading.whole("right_max_position_embeddings")
        share, own = 1.0, rows * head_dim
    elif kind == "relative":
        share, own = 2.0, 2 * hidden + (0 if each else hidden * hidden)
    elif kind is None or kind == "rotary":
        return ()
    else:
        raise InvalidValueError("hf_config.position_embeddings_type", kind, 'must be "relative", "rotary" or null')
    scores = PositionScores(count=layers, heads=heads, head_dim=head_dim, share=share, kinds=1, own_vectors=own)
    if not each:
        return (scores,)
    keys = Projection(name="relative_keys", inputs=hidden, outputs=hidden, count=layers, rate=share, bias=False)
    return (scores, keys)


def wav2vec2_conformer(config: Config) -> ConfiguredModel:
    """Return a wav2vec 2.0 of conformer layers, a position of every 20 ms of the waveform.

    Raises UnsupportedModelError for an adapter of convolutions behind the encoder.
    """
    reading = Reading(config=config, defaults=_WAV2VEC2, model_type="wav2vec2-conformer")
    refuse_adapter(reading)
    hidden = reading.whole("hidden_size")
    convolutions, positions = wave_convolutions(reading)
    width = convolutions[-1].outputs
    head, codebook = wave_head(reading, width, positions)
    taps, groups = reading.whole("num_conv_pos_embeddings"), reading.whole("num_conv_pos_embedding_groups")
    # A convolution of positions that its class holds, and does not run.
    unused = taps * hidden * hidden // groups + taps + hidden
    network = _conformer(
        reading,
        kind="wav2vec2-conformer",
        taps=reading.whole("conv_depthwise_kernel_size"),
        before=(
            *convolutions,
            Projection(name="feature_projection", inputs=width, outputs=hidden, norms=2 * width),
        ),
        behind=(*_relative(reading), *head),
        positions=positions,
        features=wave_features(positions),
        besides=mask_embedding(reading) + codebook + unused,
        outer_norms=1,
    )
    return configured(network, config)


def wav2vec2_bert(config: Config) -> ConfiguredModel:
    """Return a w2v-BERT 2.0 (Seamless Communication 2023): pairs of frames of a spectrogram.

    Raises UnsupportedModelError for an adapter of convolutions behind the encoder.
    """
    reading = Reading(config=config, defaults=_BERT, model_type="wav2vec2-bert")
    refuse_adapter(reading)
    hidden, inputs = reading.whole("hidden_size"), reading.whole("feature_projection_input_dim")
    head, _ = wave_head(reading, hidden, _STACKED_FRAMES)
    network = _conformer(
        reading,
        kind="wav2vec2-bert",
        taps=reading.whole("conv_depthwise_kernel_size"),
        before=(Projection(name="feature_projection", inputs=inputs, outputs=hidden, norms=2 * inputs),),
        behind=(*_relative(reading), *head),
        positions=_STACKED_FRAMES,
        features=inputs,
        besides=mask_embedding(reading),
        outer_norms=0,
    )
    return configured(network, config)


def parakeet(config: Config) -> ConfiguredModel:
    """Return a Parakeet with a CTC head, or its encoder alone: a FastConformer (Rekesh et al. 2023).

    Three convolutions each halve time and frequencies, the later ones depthwise.
    """
    reading = Reading(
        config=nested(config, "encoder_config") or config, defaults=_PARAKEET, model_type="parakeet_encoder"
    )
    hidden, channels = reading.whole("hidden_size"), reading.whole("subsampling_conv_channels")
    taps, halvings = (
        reading.whole("subsampling_conv_kernel_size") ** 2,
        reading.whole("subsampling_factor").bit_length() - 1,
    )
    positions, bands = max(_FRAMES >> halvings, 1), reading.whole("num_mel_bins")
    before: list[Mixer] = []
    for halving in range(1, halvings + 1):
        rate = float((bands >> halving) << (halvings - halving))
        depth = Projection(name="subsampling", inputs=taps, outputs=channels, rate=rate, taps=taps)
        before.append(depth)
        if halving > 1:
            before.append(Projection(name="subsampling_pointwise", inputs=channels, outputs=channels, rate=rate))
    before.append(Projection(name="subsampled", inputs=channels * (bands >> halvings), outputs=hidden))
    head: tuple[Mixer, ...] = ()
    if config.get("model_type") == "parakeet_ctc":
        letters = Reading(config=config, defaults={"vocab_size": 1025}, model_type="parakeet_ctc").whole("vocab_size")
        head = (Projection(name="logits", inputs=hidden, outputs=letters, part="logits"),)
    network = _conformer(
        reading,
        kind="parakeet",
        taps=reading.whole("conv_kernel_size"),
        before=tuple(before),
        behind=(*_relative(reading, each=True), *head),
        positions=positions,
        features=bands << halvings,
        besides=0,
        outer_norms=0,
        biased=reading.flag("attention_bias", default=True),
        biased_convolution=reading.flag("convolution_bias", default=True),
    )
    return configured(network, config)
