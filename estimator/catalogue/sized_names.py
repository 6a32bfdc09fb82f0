"""Catalogued networks by the words of their names that are no sizes of pictures: `vit_large_patch16_384` is ViT-L."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from estimator.base.names import Resolved
from estimator.catalogue.model_configs import ModelConfigRow
from estimator.catalogue.picture_sizes import PictureSizes, picture_sizes

__all__ = ["SizedName", "SizedNames", "sized_match", "sized_names"]

_LONGEST = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedName:
    """A catalogued name, cut into what it says of pictures and the rest."""

    id: str
    sizes: PictureSizes


SizedNames = Mapping[tuple[str, ...], Sequence[SizedName]]
"""By the words that are left of each name."""


def sized_names(rows: Iterable[ModelConfigRow]) -> SizedNames:
    """Return the networks of `rows` whose names say something of pictures, by their other words."""
    by_words: dict[tuple[str, ...], list[SizedName]] = {}
    for row in rows:
        for name in (row["id"], *row["hugging_face_ids"], *row["aliases"]):
            sizes = picture_sizes(name, usual=True)
            if sizes.are_said and sizes.left:
                by_words.setdefault(sizes.left, []).append(SizedName(id=row["id"], sizes=sizes))
    return by_words


def sized_match(
    name: str, names: SizedNames, exact: Callable[[str], Resolved | None]
) -> tuple[Resolved, PictureSizes] | None:
    """Return what `name` is but for the sizes of pictures that it says, and those; None where it says none.

    Of several networks the one most alike is returned; else what is called so, as `exact` finds it, without sizes.
    """
    sizes = picture_sizes(name)
    if not sizes.are_said or not sizes.left or len(name) > _LONGEST:
        return None
    alike = names.get(sizes.left, ())
    if alike:
        found = min(alike, key=lambda one: _unlike(one.sizes, sizes)).id
        return Resolved(id=found, matched=found, note=""), sizes
    match = exact(" ".join(sizes.left))
    # A name that is open says less than its number may: ResNet-200 is none of 200 pixels.
    return None if match is None or match.note else (match, sizes)


def _unlike(one: PictureSizes, other: PictureSizes) -> tuple[bool, bool, int]:
    return one.patch != other.patch, one.pixels != other.pixels, len(one.tails ^ other.tails)
