"""Networks whose parts work on positions of their own, as they see samples of one size: denoisers, pyramids."""

from dataclasses import replace

from estimator.models.media import Media, Picture, seen
from estimator.models.mixers.placed import Placed
from estimator.models.operations import MAIN
from estimator.models.transformer import Tower, Transformer
from estimator.models.workload import workload

__all__ = [
    "CACHED",
    "conditioners_run",
    "is_placed",
    "met_parameters",
    "pixels_of",
    "text_length",
    "with_conditioners",
    "with_positions",
    "with_text_length",
    "without_conditioners",
]

_VAE, _TEXT_ENCODER = "vae", "text_encoder"
CACHED = frozenset({_TEXT_ENCODER, _VAE})
"""Conditioners whose output can be made before training and kept."""


def is_placed(transformer: Transformer) -> bool:
    """Return whether the parts of a network work on positions of their own: denoisers, pyramids of convolutions."""
    return any(isinstance(mixer, Placed) for mixer in transformer.mixers)


def met_parameters(transformer: Transformer) -> float:
    """Return the weights that a position of the latent meets, all of a sample's products shared among its positions.

    Matrices that are applied once a sample, to text, or at a lower resolution count for as much of them. What the rule
    of thumb's 6·N·D needs in place of N: of Stable Diffusion 1.5's 860M, 81M.
    """
    return sum(gemm.active_parameters * gemm.rate for gemm in workload(transformer).gemms if gemm.group == MAIN)


def pixels_of(media: Media, picture: Picture | None) -> float:
    """Return the pixels of a picture or of all frames of a clip; where only its tokens are told, as many as they have.

    None: the usual one.
    """
    if picture is not None and picture.tokens is None:
        return float(picture.width * picture.height * picture.frames)
    usual = float(media.width * media.height * media.frames)
    return usual if picture is None or picture.tokens is None else usual * picture.tokens / seen(media, None).tokens


def with_positions(transformer: Transformer, tokens: float, pixels: float) -> Transformer:
    """Return a denoiser, and what prepares its inputs, for samples of so many positions and pixels.

    Networks without such parts are left as they are.
    """
    if not is_placed(transformer):
        return transformer
    return replace(
        transformer,
        mixers=_at(transformer, tokens).mixers,
        conditioners=tuple(_conditioner(tower, tokens, pixels) for tower in transformer.conditioners),
    )


def text_length(transformer: Transformer) -> float:
    """Return the positions of the longest text that a denoiser is told, its conditioner's; 0 where it has none."""
    texts = (tower.length for tower in transformer.conditioners if _kind(tower) == _TEXT_ENCODER)
    return max(texts, default=0.0)


def with_text_length(transformer: Transformer, tokens: float) -> Transformer:
    """Return a denoiser whose longest text has `tokens` positions, as scripts' `max_sequence_length` has it.

    Places that hold the text, once or as often as there are encoders of such texts, change by as many each. One
    without a text is left as it is.
    """
    usual = text_length(transformer)
    if not usual:
        return transformer
    mixers = tuple(
        mixer.lengthened(usual, tokens) if isinstance(mixer, Placed) else mixer for mixer in transformer.mixers
    )
    conditioners = tuple(
        replace(tower, length=tokens) if _kind(tower) == _TEXT_ENCODER and tower.length == usual else tower
        for tower in transformer.conditioners
    )
    return replace(transformer, mixers=mixers, conditioners=conditioners)


def with_conditioners(transformer: Transformer, run: frozenset[str]) -> Transformer:
    """Return a denoiser that runs the named kinds of conditioners, `text_encoder` and `vae`, in each step.

    Others, of which nothing can be kept, always run: the U-Net beside a ControlNet. None runs twice.
    """
    there = {tower.name for tower in transformer.towers}
    towers = tuple(
        tower
        for tower in transformer.conditioners
        if tower.name not in there and ((kind := _kind(tower)) in run or kind not in CACHED)
    )
    return replace(transformer, towers=(*transformer.towers, *towers), conditioners=())


def conditioners_run(transformer: Transformer) -> frozenset[str]:
    """Return the kinds of conditioners that a denoiser runs in each step, though their output could be kept."""
    kinds = (_kind(tower) for tower in transformer.towers)
    return frozenset(kind for kind in kinds if kind in CACHED)


def without_conditioners(transformer: Transformer, kinds: frozenset[str]) -> Transformer:
    """Return a denoiser for which what conditioners of these kinds make was made before training."""
    left = tuple(tower for tower in transformer.towers if _kind(tower) not in kinds)
    return replace(transformer, towers=left)


def _kind(tower: Tower) -> str:
    return tower.name.rstrip("_0123456789")


def _at(network: Transformer, tokens: float) -> Transformer:
    mixers = tuple(mixer.at(tokens) if isinstance(mixer, Placed) else mixer for mixer in network.mixers)
    return replace(network, mixers=mixers)


def _conditioner(tower: Tower, tokens: float, pixels: float) -> Tower:
    """Return an encoder at its rate: of its text, or of all pixels."""
    if is_placed(tower.network):
        positions = pixels if tower.name == _VAE else tokens
        return replace(tower, network=_at(tower.network, positions), rate=positions / tokens)
    return replace(tower, rate=tower.length / tokens)
