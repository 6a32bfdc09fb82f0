"""Gemma 4's encoder of sounds: a conformer whose attention looks at a chunk and a little before it."""

from collections.abc import Mapping

from estimator.base.errors import InvalidValueError
from estimator.models.feed_forward import Dense
from estimator.models.huggingface.blocks import stack
from estimator.models.huggingface.conformers import convolution_module
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.projection import Projection
from estimator.models.mixers.relative import PositionScores
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["gemma3n_sound", "gemma4_sound"]

_DEFAULTS: Mapping[str, object] = {
    "hidden_size": 1024,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "subsampling_conv_channels": [128, 32],
    "conv_kernel_size": 5,
    "attention_chunk_size": 12,
    "attention_context_left": 13,
    "attention_context_right": 0,
    "output_proj_dims": 1536,
}
_OLDER_NAMES: Mapping[str, str] = {
    "num_hidden_layers": "conf_num_hidden_layers",
    "num_attention_heads": "conf_num_attention_heads",
    "subsampling_conv_channels": "sscp_conv_channel_size",
    "conv_kernel_size": "conf_conv_kernel_size",
    "attention_chunk_size": "conf_attention_chunk_size",
    "attention_context_left": "conf_attention_context_left",
    "attention_context_right": "conf_attention_context_right",
}
_BANDS, _TAPS = 128, 9
"""Frequencies of the spectrogram, and positions that each of both convolutions sees."""
_WIDER = 4
_NORMS = 8
"""Of each layer, the convolution's own apart."""


def gemma4_sound(config: Config, hidden: int) -> Transformer:
    """Return the encoder, two convolutions that each halve time and frequencies before it, projected to the text.

    Source: `Gemma4AudioModel` of Transformers 5.24; Gulati et al. 2020.
    """
    reading = Reading(config=config, defaults=_DEFAULTS, model_type="gemma4_audio")
    made = reading.whole("output_proj_dims")
    return _conformer(
        reading,
        Projection(name="output", inputs=reading.whole("hidden_size"), outputs=made),
        Projection(name="to_text", inputs=made, outputs=hidden, bias=False),
    )


def gemma3n_sound(config: Config, hidden: int) -> Transformer:
    """Return Gemma 3n's encoder, which is Gemma 4's under other names, and what its tokens are embedded by.

    Source: `Gemma3nAudioEncoder` and `Gemma3nMultimodalEmbedder` of Transformers 5.24.
    """
    renamed = {new: config[old] for new, old in _OLDER_NAMES.items() if config.get(old) is not None}
    older = {**_DEFAULTS, "hidden_size": 1536, "vocab_size": 128}
    reading = Reading(config={**config, **renamed}, defaults=older, model_type="gemma3n_audio")
    width = reading.whole("hidden_size")
    # Tokens of sound are embedded in its own width, and normalised as what is heard is: a scale each.
    besides = (reading.whole("vocab_size") + 2) * width
    return _conformer(reading, Projection(name="to_text", inputs=width, outputs=hidden, bias=False), besides=besides)


def _conformer(reading: Reading, *behind: Projection, besides: int = 0) -> Transformer:
    """Return the encoder with what takes its positions to the text."""
    width, layers, heads = (reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
    channels = whole_list(reading, "subsampling_conv_channels")
    if len(channels) != 2 or width % heads:  # noqa: PLR2004 - a convolution each
        raise InvalidValueError("hf_config.audio_config", list(channels), "must have two convolutions, and even heads")
    before = reading.whole("attention_context_left") - 1
    seen = reading.whole("attention_chunk_size") + before + reading.whole("attention_context_right", least=0)
    taps, ffn = reading.whole("conv_kernel_size"), _WIDER * width
    return stack(
        name=reading.model_type,
        hidden=width,
        layers=layers,
        heads=heads,
        ffn=ffn,
        facts=VectorFacts(norms_per_layer=_NORMS, outer_norms=0),
        mixers=(
            Projection(
                name="subsampling_1",
                inputs=_TAPS,
                outputs=channels[0],
                rate=float(_BANDS),
                taps=_TAPS,
                bias=False,
                norms=channels[0],
            ),
            Projection(
                name="subsampling_2",
                inputs=_TAPS * channels[0],
                outputs=channels[1],
                rate=_BANDS / 4.0,
                taps=_TAPS,
                bias=False,
                norms=channels[1],
            ),
            # The class takes the first convolution's channels for the frequencies, which are as many.
            Projection(name="subsampled", inputs=channels[0] // 4 * channels[1], outputs=width, bias=False),
            PositionScores(
                count=layers,
                heads=heads,
                head_dim=width // heads,
                positions=seen // 2 + 1.0,
                kinds=1,
                own_vectors=width * width + width // heads,
            ),
            *convolution_module(width, layers, taps, bias=False, norms=width),
            *behind,
        ),
        feed_forwards=(Dense(layers=layers, width=ffn, gated=False),),
        besides=besides,
        window=seen,
        windowed_layers=layers,
    )
