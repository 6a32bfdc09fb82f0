"""What people call optimizers, those of low rank, and those that step layer by layer or block by block."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from estimator.question.practice import OptimizerName, Practice
from estimator.resolve.framework.blocks import BLOCKWISE
from estimator.resolve.framework.meaning import Meaning, by_phrase, practised

__all__ = ["LAYERWISE", "OPTIMIZERS", "low_rank_optimizer"]


def _trainers_own(row: tuple[str, Meaning]) -> tuple[str, Meaning]:
    """Return words for an optimizer that stacks of vendors do not have, and Hugging Face's trainer does."""
    words, meaning = row
    return words, replace(meaning, implies="huggingface")


_WHOLE = (
    practised(
        "adam | adamw | adamw torch | adamw torch fused | fused adam | fused adamw | adam w",
        Practice(optimizer="adamw"),
    ),
    practised("adamw hf | adamw apex fused | adamw 32 bit | adam 32 bit", Practice(optimizer="adamw")),
    _trainers_own(
        practised("paged adamw | paged adamw 32 bit | paged adam", Practice(optimizer="adamw", offload_optimizer=True))
    ),
    _trainers_own(
        practised(
            "adamw 8 bit | adam 8 bit | 8 bit adam | 8 bit adamw | adamw bnb 8 bit | bnb adamw 8 bit | "
            "8 bit optimizer | bnb 8 bit adam | optim adamw 8 bit",
            Practice(optimizer="adamw_8bit"),
            Practice(optimizer="adamw"),
        )
    ),
    _trainers_own(
        practised(
            "paged adamw 8 bit | 8 bit paged adamw | paged 8 bit adamw | paged adam 8 bit",
            Practice(optimizer="paged_adamw_8bit"),
            Practice(optimizer="adamw"),
        )
    ),
    practised("adafactor", Practice(optimizer="adafactor")),
    practised("lion", Practice(optimizer="lion")),
    practised("sgd", Practice(optimizer="sgd")),
    practised("muon", Practice(optimizer="muon")),
    practised("cpu adam", Practice(optimizer="adamw", offload_optimizer=True)),
    practised(
        "ema | use ema | ema weights | ema model | model ema | ema decay | ema of weights | weights ema | "
        "ema of the weights | exponential moving average | exponential moving average of weights | "
        "exponential moving average of the weights | moving average of weights",
        Practice(averages_weights=True),
        Practice(averages_weights=False),
    ),
)
_RELEASED = Practice(releases_gradients=True)
_RELEASES = (
    # Fused with the backward pass by their nature (Lv et al. 2023, section 3.1): LOMO is SGD, AdaLomo keeps a row and a
    # column of each matrix's second moment.
    _trainers_own(practised("lomo", Practice(optimizer="sgd", releases_gradients=True, master_weights=False))),
    _trainers_own(
        practised("adalomo | ada lomo", Practice(optimizer="adafactor", releases_gradients=True, master_weights=False))
    ),
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
        _trainers_own(practised("|".join(names), plain)),
        _trainers_own(practised("|".join(layerwise), replace(plain, releases_gradients=True))),
    )


LAYERWISE = Meaning()
"""A bare `layerwise`, which tells of what it stands beside."""


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
    *BLOCKWISE,
)
"""By folded phrase."""
