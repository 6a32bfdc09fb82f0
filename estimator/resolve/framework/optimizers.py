"""What people call optimizers, those of low rank, and those that step layer by layer or block by block."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from estimator.question.practice import OptimizerName, Practice
from estimator.resolve.framework.meaning import Facts, Meaning, by_phrase, practised

__all__ = ["LAYERWISE", "OPTIMIZERS", "low_rank_optimizer"]

_WHOLE = (
    practised(
        "adam | adamw | adamw torch | adamw torch fused | fused adam | fused adamw | adam w",
        Practice(optimizer="adamw"),
    ),
    practised("adamw hf | adamw apex fused | adamw 32 bit | adam 32 bit", Practice(optimizer="adamw")),
    practised("paged adamw | paged adamw 32 bit | paged adam", Practice(optimizer="adamw", offload_optimizer=True)),
    practised(
        "adamw 8 bit | adam 8 bit | 8 bit adam | 8 bit adamw | adamw bnb 8 bit | bnb adamw 8 bit | 8 bit optimizer | "
        "bnb 8 bit adam | optim adamw 8 bit",
        Practice(optimizer="adamw_8bit"),
        Practice(optimizer="adamw"),
    ),
    practised(
        "paged adamw 8 bit | 8 bit paged adamw | paged 8 bit adamw | paged adam 8 bit",
        Practice(optimizer="paged_adamw_8bit"),
        Practice(optimizer="adamw"),
    ),
    practised("adafactor", Practice(optimizer="adafactor")),
    practised("lion", Practice(optimizer="lion")),
    practised("sgd", Practice(optimizer="sgd")),
    practised("muon", Practice(optimizer="muon")),
    practised("deepspeed cpu adam | cpu adam", Practice(optimizer="adamw", offload_optimizer=True)),
)
_RELEASED = Practice(releases_gradients=True)
_RELEASES = (
    # Fused with the backward pass by their nature (Lv et al. 2023, section 3.1): LOMO is SGD, AdaLomo keeps a row and a
    # column of each matrix's second moment.
    practised("lomo", Practice(optimizer="sgd", releases_gradients=True, master_weights=False)),
    practised("adalomo | ada lomo", Practice(optimizer="adafactor", releases_gradients=True, master_weights=False)),
    practised(
        "|".join(
            f"{each} {what}{when}"
            for each in ("per layer", "layerwise", "layer wise", "layer by layer", "per parameter")
            for what in ("update", "weight update", "optimizer update", "optimizer step", "step")
            for when in ("", " in backward", " in the backward pass", " during backward")
        ),
        _RELEASED,
        Practice(releases_gradients=False),
    ),
)
_DECOMPOSED, _DRAWN = ("galore", "q galore", "fira"), ("apollo", "apollo mini", "flora")
"""Optimizers of low rank by how they come to their projections: from the gradient, or at random."""
_INNER = ("", " adam", " adamw", " adafactor", " optimizer")
_EIGHT = (" 8 bit", " 8 bits", " int 8")


def _low_rank(
    optimizer: OptimizerName, widths: tuple[str, ...], which: tuple[str, ...]
) -> tuple[tuple[str, Meaning], tuple[str, Meaning]]:
    """Return the names of optimizers of low rank whose moments are of one width, and those that step layer by layer."""
    plain = Practice(optimizer=optimizer, decomposes_gradients=which is _DECOMPOSED)
    names = [f"{use}{name}{inner}{width}" for use, name, inner, width in product(("", "use "), which, _INNER, widths)]
    names += [f"{width} {name}{inner}" for width, name, inner in product(widths, which, _INNER) if width]
    layerwise = [f"{name} layerwise" for name in names] + [f"layerwise {name}" for name in names]
    return (
        practised("|".join(names), plain),
        practised("|".join(layerwise), replace(plain, releases_gradients=True)),
    )


LAYERWISE = Meaning()
"""A bare `layerwise`, which tells of what it stands beside."""
_BLOCKS = (
    # Luo et al. 2024 (BAdam), algorithm 1: Adam steps one block of layers, all else is frozen, then the next one.
    ("badam | b adam | use badam | block adam | blockwise adam", Meaning(says=Facts(trained_layers="1 at a time"))),
    # Pan et al. 2024 (LISA), algorithm 1: embedding and output layer learn throughout, and two layers that are drawn.
    (
        "lisa | use lisa | layerwise importance sampling | layerwise importance sampled adamw",
        Meaning(says=Facts(trained_layers="2 at a time, embeddings, head")),
    ),
)


def low_rank_optimizer(optimizers: frozenset[OptimizerName | None], *, eight_bits: bool) -> OptimizerName | None:
    """Return the optimizer of low rank among `optimizers`, whichever other steps within it; None where there is none.

    Its moments are in 8 bits where it, or the other, is named so, or `eight_bits` are told beside it.
    """
    if not optimizers & {"low_rank", "low_rank_8bit"}:
        return None
    eight = eight_bits or bool(optimizers & {"low_rank_8bit", "adamw_8bit", "paged_adamw_8bit"})
    return "low_rank_8bit" if eight else "low_rank"


OPTIMIZERS: Mapping[str, Meaning] = by_phrase(
    *_WHOLE,
    *_RELEASES,
    *_low_rank("low_rank", ("",), _DECOMPOSED),
    *_low_rank("low_rank", ("",), _DRAWN),
    *_low_rank("low_rank_8bit", _EIGHT, _DECOMPOSED),
    *_low_rank("low_rank_8bit", _EIGHT, _DRAWN),
    ("layerwise | layer wise", LAYERWISE),
    *_BLOCKS,
)
"""By folded phrase."""
