"""Networks that no size answers for: what is not modelled at all, and families that read pictures or sounds."""

import math
import re
from difflib import SequenceMatcher
from functools import lru_cache

from estimator.base.errors import UnsupportedModelError, shown
from estimator.base.names import normalised
from estimator.catalogue import catalogue
from estimator.catalogue.entries import Match
from estimator.models.foreign import built_like, modelled_like, without_senses
from estimator.models.kinds import KIND_NAMES, kind_of
from estimator.models.named_size import NamedSize, named_size
from estimator.models.not_modelled import not_modelled
from estimator.models.parameters import parameter_counts
from estimator.models.telling_words import says_otherwise, without_telling
from estimator.models.transformer import Transformer

__all__ = ["checked_modelled", "language_part", "of_media_family", "of_seeing_family", "suggested"]

_NEAR = 1.3
"""Factor on parameters up to which a member of a family stands for a size of it, as `partial_names` has it."""
_MOST_NAMED = 5
_WORD = re.compile(r"[^\W\d_]{2,}")
"""Of a name, without versions and sizes: `1.5`, `v1`, `13b`."""
_NUMBER, _SIZED = re.compile(r"\d+(?:\.\d+)?"), re.compile(r"(?<![a-z\d.])\d+(?:\.\d+)?[mb](?![a-z])")


def checked_modelled(name: str, *, anywhere: bool = False) -> None:
    """Raise UnsupportedModelError where `name` is that of a network which nothing here stands for, whatever its size.

    `anywhere`: by words that stand beside others, too. What is catalogued by that name is what it is.
    """
    size = named_size(name)
    found = not_modelled(name, None if size is None else size.total, anywhere=anywhere)
    if found is None or catalogue.is_named(name):
        return
    raise UnsupportedModelError(
        f"model: {shown(name)} is {found.kind}, which is not modelled here, and whose size tells nothing of its time: "
        f"{found.why}; {found.remedy}"
    )


@lru_cache(maxsize=256)
def of_media_family(name: str, size: NamedSize) -> Match[Transformer] | None:
    """Return the network of pictures or sounds that a size of its family means: `swin-88m` is Swin Base.

    None where no catalogued family is called so, or one that reads text too.
    Raises UnsupportedModelError where no member is near that size: a decoder of text as large is none.
    """
    family = catalogue.family(name)
    networks = [catalogue.model(model_id).transformer for model_id in family]
    if not networks or any(network.media is None or not network.media.main for network in networks):
        return None
    apart = {network.id: abs(math.log(parameter_counts(network).total / size.total)) for network in networks}
    nearest = sorted(apart, key=lambda model_id: (apart[model_id], model_id))
    found = catalogue.model(nearest[0]).transformer
    if says_otherwise(name, found.id, found):
        return None
    if apart[nearest[0]] <= math.log(_NEAR):
        return Match(value=found, matched=found.id, note=f"read as {found.id}, of its family the nearest in size")
    kind = KIND_NAMES[kind_of(found)]
    raise UnsupportedModelError(
        f"model: {shown(name)} is called like a {kind} and is near none of those catalogued in size: "
        f"{', '.join(nearest[:_MOST_NAMED])}; name one of them, or give its config.json as hf_config; a decoder of "
        "text of that size is a size alone"
    )


@lru_cache(maxsize=256)
def of_seeing_family(name: str, size: NamedSize) -> Match[Transformer] | None:
    """Return the network of pictures or sounds and text that a size of its family means: `llava-13b` is LLaVA 1.5 13B.

    It is one of that size that says no less than `name` but a version, the newest; else the only one of that size.
    """
    words, of_family = _words(name), _family(name, reads_media=True)
    as_large = [model_id for model_id in of_family if (told := named_size(model_id)) and told.total == size.total]
    alike = [
        model_id
        for model_id in as_large
        if _versions(name) <= _versions(model_id) and _known(words, of_family) <= _words(model_id)
    ]
    found = [model_id for model_id in alike if _words(model_id) <= words] or (alike if len(as_large) == 1 else [])
    if not found:
        return None
    newest = max(found, key=lambda model_id: sorted(_versions(model_id)))
    one = "newest" if len(found) > 1 else "one"
    return Match(
        value=catalogue.model(newest).transformer,
        matched=newest,
        note=f"read as {newest}, of its family the {one} of that size",
    )


def suggested(name: str, kind: str, size: NamedSize | None) -> tuple[str, ...]:
    """Return catalogued models to name in place of one of `kind`: its family's first, and the nearest in size of each.

    Of those as near, the most alike in name. None where none of its kind is modelled.
    """
    like = modelled_like(kind)
    if not like:
        return ()
    reads_media = any(catalogue.model(model_id).transformer.media for model_id in like)
    of_family, built = _family(name, reads_media=reads_media), built_like(name)
    letters, words = normalised(name.rpartition("/")[2]), _known(_words(name), of_family)

    def rank(model_id: str) -> tuple[bool, float, int, float]:
        total = parameter_counts(catalogue.model(model_id).transformer).total
        apart = 0.0 if size is None else round(abs(math.log(total / size.total)), 1)
        if model_id not in of_family:
            return model_id not in built, apart, 0, 0.0
        alike = SequenceMatcher(None, letters, normalised(model_id), autojunk=False).ratio()
        return False, apart, len(_words(model_id) ^ words), -alike

    return tuple(sorted(dict.fromkeys((*of_family, *built, *like)), key=rank))[:_MOST_NAMED]


def _family(name: str, *, reads_media: bool) -> tuple[str, ...]:
    """Return the ids that begin as `name` does, without those of networks that do not read what it says."""
    networks = {model_id: catalogue.model(model_id).transformer for model_id in catalogue.family(name)}
    return tuple(
        model_id
        for model_id, network in networks.items()
        if (network.media is not None or not reads_media) and not says_otherwise(name, model_id, network)
    )


def _known(words: frozenset[str], of_family: tuple[str, ...]) -> frozenset[str]:
    """Return those of `words` that tell members of a family apart."""
    return words & frozenset[str]().union(*(_words(model_id) for model_id in of_family))


def _versions(name: str) -> frozenset[float]:
    """Return the numbers before a name's size; those behind it are of a release."""
    return frozenset(float(number) for number in _NUMBER.findall(_SIZED.split(name.casefold().rpartition("/")[2])[0]))


def _words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(name.casefold().rpartition("/")[2]))


def language_part(name: str) -> str:
    """Return the id of the decoder that a name holds beside words of other senses; empty where it holds none."""
    plain = without_senses(without_telling(name))
    found = catalogue.found_transformer(plain) or catalogue.held_transformer(plain)
    return found.value.id if found is not None and found.value.causal and found.value.media is None else ""
