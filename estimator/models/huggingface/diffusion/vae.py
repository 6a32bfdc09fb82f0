"""The encoder of Stable Diffusion's VAE, which pictures go through before a denoiser sees them."""

from estimator.models.huggingface.diffusion.convolutions import Net, level_at
from estimator.models.huggingface.placed import network
from estimator.models.transformer import Transformer

__all__ = ["vae_encoder"]

_QUANTISED = 4
"""Channels of a latent up to which a convolution of one by one follows (SD 3 and FLUX.1 have none)."""


def vae_encoder(latents: int) -> Transformer:
    """Return the encoder of Stable Diffusion's VAE, whose positions are pixels (Rombach et al. 2022, appendix E.2).

    Those of SDXL, SD 3 and FLUX.1 differ in the channels of a latent alone.
    """
    channels = (128, 256, 512, 512)
    net = Net(time=0)
    net.convolve("input_convolution", 3, channels[0], level_at(0))
    width, last = channels[0], len(channels) - 1
    for level, outputs in enumerate(channels):
        for _ in range(2):
            net.residual(width, outputs, level_at(level))
            width = outputs
        if level < last:
            net.convolve("downsampling", width, width, level_at(level + 1))
    net.residual(width, width, level_at(last))
    net.attend(width, 1, level_at(last))
    net.residual(width, width, level_at(last))
    net.vectors += 2 * width
    net.convolve("output_convolution", width, 2 * latents, level_at(last))
    if latents <= _QUANTISED:
        net.convolve("quantisation", 2 * latents, 2 * latents, level_at(last), side=1)
    return network(
        name="VAE encoder",
        hidden=channels[0],
        head_dim=512,
        heads=1,
        blocks=net.blocks,
        products=tuple(net.products),
        flows=tuple(net.flows),
        looks=tuple(net.looks),
        own_vectors=net.vectors,
        tokens=512.0 * 512.0,
    )
