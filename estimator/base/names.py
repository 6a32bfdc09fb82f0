"""Match what people call things to one catalogued id: exactly through normalised names, never by substring."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache

from estimator.base.errors import UnknownNameError
from estimator.base.pauses import pause

__all__ = ["Name", "NameIndex", "Resolved", "name_index", "normalised", "tokens"]

_TOKEN = re.compile(r"[^\W_]+(?:\.\d+)*")
_PLUS = re.compile(r"(?<=[^\W_])(?:\++(?![^\W_+])| \+$)")
"""Behind a word and before none: `Command R+` is another model than Command R, while `h100+a100` are two devices."""
_BETWEEN_NUMBERS = re.compile(r"(?<=\d) (?=\d)")
_RUN = re.compile(r"\d+|[^\W\d_]+")
_GIGABYTES = re.compile(r"(\d+)g(?:i?b)?")
_LONGEST_NAME = 128
"""Characters; longer text is nobody's name, and its tail is not looked at."""
_LONGEST_COMPARED = 64
_NEAREST = 3
_FEWEST_REORDERED = 2
"""Words of a name that can be in another order."""
_NEAR_ENOUGH = 0.65
_SHARED_TOKEN_WEIGHT = 0.5
"""What sharing whole words counts beside sharing letters: `h100-smx` is nearer to h100-pcie than to h200-sxm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One name of one entry; `note` says what was assumed where the name could mean several."""

    text: str
    id: str
    note: str = ""
    holds: int | None = None
    """How many of the entry are in what is named, where it is a machine with some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The entry a given name stands for, the catalogued name it equals, and what was assumed."""

    id: str
    matched: str
    note: str
    holds: int | None = None
    count: int | None = None
    """How many of the entry the given name counts, as `8x H100` does; with `holds`, how many machines."""
    of_machines: bool = False
    """Whether `count` is of machines, and where `holds` is None of as many devices each as usual."""
    slice_of: int | None = None
    """The number in the name of a slice of `count`, of cores or of chips; None where the name is no slice's."""
    memory_gb: float | None = None
    """Memory that the given name tells, where the entry is sold with several."""
    network: str = ""
    """What the given name says of the network between machines, behind what it is the name of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameIndex:
    """All names of one catalogue, by normalised text."""

    argument: str
    """The argument that errors name, e.g. `gpu`."""
    names: Mapping[str, Name]
    filler: frozenset[str]

    def resolved(self, given: str) -> Resolved:
        """Return the entry that `given` names.

        Raises UnknownNameError, with up to three nearest ids, where no catalogued name equals it.
        """
        found = self.found(given)
        if found is None:
            raise UnknownNameError(self.argument, given, self.nearest(given))
        return found

    def found(self, given: str) -> Resolved | None:
        """Return the entry that `given` names; None where no catalogued name equals it."""
        name = self.names.get(_key(given, self.filler)) if len(given) <= _LONGEST_NAME else None
        return None if name is None else Resolved(id=name.id, matched=name.text, note=name.note, holds=name.holds)

    def reordered(self, given: str) -> Resolved | None:
        """Return the entry whose name has the words of `given` in another order; None where none or several have."""
        if len(given) > _LONGEST_NAME:
            return None
        wanted = sorted(tokens(given, self.filler))
        if len(wanted) < _FEWEST_REORDERED:
            return None
        found = [name for name in self.names.values() if sorted(tokens(name.text, self.filler)) == wanted]
        if len({name.id for name in found}) != 1:
            return None
        name = found[0]
        return Resolved(id=name.id, matched=name.text, note=name.note, holds=name.holds)

    def nearest(self, given: str, *, alike: Callable[[str], bool] | None = None) -> tuple[str, ...]:
        """Return up to three ids whose names look most like `given`, nearest first; the work is bounded.

        Of names that are near, those that are not `alike` are left out; and where an id itself is not, the name that is
        stands for it, for the id of an embedder says nothing to whoever wrote another of its names.
        """
        text = normalised(given[:_LONGEST_COMPARED], self.filler)
        if not text:
            return ()
        pause()
        wanted = _parts(given[:_LONGEST_COMPARED], self.filler)
        best: dict[str, float] = {}
        near: dict[str, str] = {}
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(text)
        for key, name in self.names.items():
            matcher.set_seq1(key)
            shared = wanted & _parts_of_name(name.text, self.filler)
            bonus = _SHARED_TOKEN_WEIGHT * _weight(shared) / _weight(wanted)
            floor = max(_NEAR_ENOUGH, best.get(name.id, 0.0))
            if matcher.real_quick_ratio() + bonus > floor and matcher.quick_ratio() + bonus > floor:
                score = matcher.ratio() + bonus
                if score > floor and (alike is None or alike(name.text)):
                    best[name.id] = score
                    near[name.id] = name.id if alike is None or alike(name.id) else name.text
        ranked = sorted(best, key=lambda entry_id: (-best[entry_id], entry_id))
        return tuple(near[entry_id] for entry_id in ranked[:_NEAREST])


def name_index(argument: str, names: Iterable[Name], filler: frozenset[str] = frozenset()) -> NameIndex:
    """Return the index of `names`; the first of two equal names wins, so list exact ones first.

    A name with a plus is also known without it, unless that is another's.
    """
    by_key: dict[str, Name] = {}
    listed = tuple(names)
    signless = (replace(name, text=_PLUS.sub("", name.text)) for name in listed if _PLUS.search(name.text))
    for name in (*listed, *signless):
        key = normalised(name.text, filler)
        if key:
            by_key.setdefault(key, name)
    return NameIndex(argument=argument, names=by_key, filler=filler)


def normalised(text: str, filler: frozenset[str] = frozenset()) -> str:
    """Return `text` without case, spaces, punctuation and the words in `filler`.

    `NVIDIA H100-SXM5 80G` and `h100 sxm5 80GB` give the same. A decimal point between digits is kept, and so
    is the border between two numbers: `opt-1-3b` is not `opt-13b`.
    """
    return _BETWEEN_NUMBERS.sub("-", " ".join(tokens(text, filler))).replace(" ", "")


@lru_cache(maxsize=1024)
def _key(text: str, filler: frozenset[str]) -> str:
    """Return `text` normalised; callers ask for the same few names again and again."""
    return normalised(text, filler)


def tokens(text: str, filler: frozenset[str] = frozenset()) -> Sequence[str]:
    """Return the words of `text` in lower case, without those in `filler`; `80G` reads `80gb`, and `R+` `r plus`."""
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    if "+" in folded:
        folded = _PLUS.sub(" plus ", folded)
    return [
        _GIGABYTES.sub(r"\1gb", word) if word[0].isdigit() and _GIGABYTES.fullmatch(word) else word
        for word in _TOKEN.findall(folded)
        if word not in filler
    ]


def _parts(text: str, filler: frozenset[str]) -> frozenset[str]:
    """Return the words of `text` and their runs of digits and letters: `4090ti` also holds `4090` and `ti`."""
    words = tokens(text, filler)
    return frozenset(words).union(run for word in words for run in _RUN.findall(word))


@lru_cache(maxsize=32_768)
def _parts_of_name(text: str, filler: frozenset[str]) -> frozenset[str]:
    """Return the parts of a catalogued name: every name that nobody knows is compared with all of them."""
    return _parts(text, filler)


def _weight(words: frozenset[str]) -> float:
    """Return how much `words` tell: one with a digit (`4090`) counts twice one without (`super`)."""
    return float(sum(2 if any(map(str.isdigit, word)) else 1 for word in words))
