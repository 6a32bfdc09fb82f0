"""Denoisers of sounds: Stable Audio Open.

Shapes are those of Diffusers' classes.
"""

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import denoiser, reading_of, text_place, width_of
from estimator.models.huggingface.diffusion.streams import cross_look
from estimator.models.huggingface.reading import Config
from estimator.models.media import Media
from estimator.models.mixers.placed import ONCE, Flow, Place, Product
from estimator.models.mixers.placed_parts import attention_products, cross_products, embedder, mlp_products, self_look

__all__ = ["stable_audio"]

_TEXT = 130
"""Tokens of T5, and one each for the second a sound begins at and its length (Evans et al. 2024, section 3.1)."""
_SAMPLES = 2048
"""Samples of the waveform for each latent of the autoencoder."""
_SAMPLES_A_SECOND = 44_100
_WHOLE = Place(share=1.0, fixed=1.0)
"""The latents with a token before them that holds time step and length."""


def stable_audio(config: Config) -> ConfiguredModel:
    """Read Stable Audio Open's transformer (Evans et al. 2024): latents of 47 s, of whose keys heads share one each."""
    reading = reading_of(
        config,
        {
            "sample_size": 1024,
            "in_channels": 64,
            "num_layers": 24,
            "attention_head_dim": 64,
            "num_attention_heads": 24,
            "num_key_value_attention_heads": 12,
            "out_channels": 64,
            "cross_attention_dim": 768,
            "cross_attention_input_dim": 768,
            "time_proj_dim": 256,
            "global_states_input_dim": 1536,
        },
    )
    heads, head_dim, width = width_of(reading)
    layers, time = reading.whole("num_layers"), reading.whole("time_proj_dim")
    channels, made = reading.whole("in_channels"), reading.whole("out_channels")
    shared = reading.whole("num_key_value_attention_heads")
    source, text = reading.whole("cross_attention_dim"), text_place(_TEXT)
    return denoiser(
        reading,
        media=Media(
            kind="sound",
            main=True,
            positions=reading.whole("sample_size"),
            seconds=reading.whole("sample_size") * _SAMPLES / _SAMPLES_A_SECOND,
            compression=_SAMPLES,
            usual_text=0,
        ),
        blocks=layers,
        products=(
            *embedder("time_embedding", time, width),
            *embedder("length_embedding", reading.whole("global_states_input_dim"), width, bias=False),
            *embedder("text", reading.whole("cross_attention_input_dim"), source, bias=False, at=text),
            Product(name="before", inputs=channels, outputs=channels, bias=False),
            Product(name="patch_embedding", inputs=channels, outputs=width, bias=False),
            *attention_products(width, width, layers, at=_WHOLE, bias=False, out_bias=False),
            *cross_products(
                width, width, source, layers, keys=text, at=_WHOLE, kv=shared * head_dim, bias=False, out_bias=False
            ),
            *mlp_products(width, 4 * width, layers, at=_WHOLE, gated=True),
            Product(name="output", inputs=width, outputs=made, bias=False, at=_WHOLE),
            Product(name="behind", inputs=made, outputs=made, bias=False),
        ),
        flows=(Flow(width=width, halves=3 * layers, at=_WHOLE), Flow(width=width, halves=1, at=ONCE)),
        looks=(
            self_look(heads, head_dim, layers, at=_WHOLE),
            cross_look(heads, head_dim, layers, text, at=_WHOLE, kv_heads=shared),
        ),
        # Three layer norms a layer, and the frequencies that the time step is told in.
        own_vectors=6 * width * layers + time // 2,
        gated=True,
        notes=("latents and embedded texts are made before training and kept",),
    )
