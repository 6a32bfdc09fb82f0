"""Masked autoencoders: encoders of pictures or clips that see a part of each, and what they are when they see all."""

from dataclasses import replace
from typing import TypeGuard

from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["PAINTER", "is_autoencoder", "seeing_all"]

PAINTER = "painter"
"""The tower that paints all patches from those that are seen."""


def is_autoencoder(network: Transformer) -> bool:
    """Return whether a network reads pictures or clips of which most patches are masked away."""
    return network.media is not None and network.media.main and network.media.kept < 1.0


def seeing_all(network: Transformer) -> Transformer:
    """Return the encoder of a masked autoencoder as labels are learnt with it: no patch is masked, none is painted.

    Another network as it is. The classifier, a few outputs of one vector, is next to nothing.
    Source: He et al. 2022, sections 3 and 4; Tong et al. 2022, section 4.2.
    """
    media = network.media
    if media is None or not is_autoencoder(network):
        return network
    seen = network.native_sequence_length
    # All patches are embedded before they are masked, which tells how many there are.
    embedded = next(mixer for mixer in network.mixers if _embeds(mixer))
    whole = round(embedded.rate * seen) + media.extra
    mixers = tuple(
        replace(mixer, rate=mixer.rate * seen / whole) if _embeds(mixer) else mixer for mixer in network.mixers
    )
    return replace(
        network,
        media=replace(media, kept=1.0),
        mixers=mixers,
        towers=tuple(tower for tower in network.towers if tower.name != PAINTER),
        native_sequence_length=whole,
    )


def _embeds(mixer: Mixer) -> TypeGuard[Projection]:
    return isinstance(mixer, Projection) and mixer.name == "patch_embedding"
