"""A phrase about software, read: what each part of it means, what is denied, and what nobody here has heard of."""

from collections.abc import Sequence
from dataclasses import dataclass

from estimator.resolve.framework.addresses import told_addresses
from estimator.resolve.framework.blocks import told_blocks
from estimator.resolve.framework.degrees import told_degrees
from estimator.resolve.framework.fillers import (
    FILLERS,
    LINKS,
    NEGATORS,
    OFF,
    OFF_AFTER_IS,
    ON,
    ON_AFTER_IS,
    STRONG_NEGATORS,
)
from estimator.resolve.framework.goals import told_goal
from estimator.resolve.framework.host_memory import told_host_memory
from estimator.resolve.framework.machines import told_machines
from estimator.resolve.framework.meaning import Meaning, folded
from estimator.resolve.framework.names import NAMES
from estimator.resolve.framework.negatives import told_negatives
from estimator.resolve.framework.networks import told_network
from estimator.resolve.framework.offload_phrases import told_offload
from estimator.resolve.framework.padded_lengths import told_padded_length
from estimator.resolve.framework.practices import PRACTICES
from estimator.resolve.framework.releases import MONTHS, PARTS_OF_YEAR, dated, is_year, month_start, version_date
from estimator.resolve.framework.schedules import told_schedule
from estimator.resolve.framework.target_lengths import told_target_length
from estimator.resolve.framework.tokens import Token, text_tokens

__all__ = ["Part", "Phrase", "Reading", "apart", "reading_of"]

_MEANINGS = {**PRACTICES, **NAMES}
_LONGEST = max(map(len, _MEANINGS))
_WEAK_PROJECTS = frozenset({"rocm"})
"""Platforms: as old as the oldest thing that runs on them, and a date only where nothing else has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words that mean something together, as they were written."""

    text: str
    meaning: Meaning
    denied: bool
    """Whether it was said not to be so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of the text, from `start` to before `end`."""

    text: str
    start: int
    end: int
    understood: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All of a text."""

    phrases: tuple[Phrase, ...]
    dates: tuple[float, ...]
    """Years, months and containers that were named."""
    version_dates: tuple[float, ...]
    """Of versions of projects whose release pages are known."""
    platform_dates: tuple[float, ...]
    parts: tuple[Part, ...]
    """All of the text but its fillers, in order."""

    @property
    def understood(self) -> tuple[str, ...]:
        """The parts with a meaning."""
        return tuple(part.text for part in self.parts if part.understood)

    @property
    def not_understood(self) -> tuple[str, ...]:
        """The parts without one."""
        return tuple(part.text for part in self.parts if not part.understood)

    @property
    def begins_unknown(self) -> bool:
        """Whether the first thing said is not understood: then it is most likely a stack's name."""
        return bool(self.parts) and not self.parts[0].understood


def reading_of(text: str) -> Reading:
    """Return what `text` says; never raises."""
    reader = _Reader(text)
    while reader.at < len(reader.tokens):
        reader.step()
    return reader.reading()


def apart(phrase: Phrase) -> tuple[Phrase, ...]:
    """Return what the words of `phrase` mean without the rest of it; nothing where none of them means anything."""
    reader = _Reader(phrase.text, whole=False)
    while reader.at < len(reader.tokens):
        reader.step()
    return reader.reading().phrases


class _Reader:
    """Goes through the tokens of one text from left to right, taking the longest phrase that means something."""

    def __init__(self, text: str, *, whole: bool = True) -> None:
        self.text = text
        self._whole = whole
        """Whether all of the text may be one phrase."""
        self._addresses = told_addresses(text)
        self.tokens = text_tokens(text)
        self.at = 0
        self._phrases: list[Phrase] = []
        self._dates: list[float] = []
        self._version_dates: list[float] = []
        self._platform_dates: list[float] = []
        self._spans: list[tuple[int, int, bool]] = []
        """First and last token of each part, and whether it was understood."""
        self._negator: int | None = None
        self._strong = False
        self._project = ""
        self._named = False
        """Whether the token before was a name or its version, so that a bare number is a version."""

    def step(self) -> None:
        """Take what begins at the present token."""
        token = self.tokens[self.at]
        if token.kind in {"end", "is"}:
            if token.kind == "end":
                self._negator, self._named = None, False
            self.at += 1
        elif token.kind == "commit":
            self._take(self.at, self.at, understood=True)
        elif not (
            self._took_date(token) or self._took_machine(token) or self._took_phrase() or self._took_version(token)
        ):
            self._take_word(token)

    def reading(self) -> Reading:
        """Return what was read."""
        return Reading(
            phrases=tuple(self._phrases),
            dates=tuple(self._dates),
            version_dates=tuple(self._version_dates),
            platform_dates=tuple(self._platform_dates),
            parts=tuple(
                Part(
                    text=self._slice(first, last),
                    start=self.tokens[first].start,
                    end=self.tokens[last].end,
                    understood=known,
                )
                for first, last, known in _joined(self._spans)
            ),
        )

    def _slice(self, first: int, last: int) -> str:
        return self.text[self.tokens[first].start : self.tokens[last].end]

    def _take(self, first: int, last: int, *, understood: bool) -> None:
        self._spans.append((first, last, understood))
        self.at = last + 1

    def _took_date(self, token: Token) -> bool:
        """Take `2025-06`, `2025Q2`, `25.09`, `2024`, `Aug 2026`, `2026 Aug` or `early 2024`."""
        if (date := dated(token.text, of_name=self._named)) is not None:
            self._dates.append(date)
            self._take(self.at, self.at, understood=True)
            return True
        after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        pair = (token.text, after.text if after else "")
        for year, other in (pair, pair[::-1]):
            if is_year(year) and (other in MONTHS or other in PARTS_OF_YEAR):
                part = PARTS_OF_YEAR.get(other)
                self._dates.append(float(year) + part if part is not None else month_start(float(year), MONTHS[other]))
                self._take(self.at, self.at + 1, understood=True)
                return True
        if is_year(token.text):
            self._dates.append(float(token.text) + 0.5)
            self._take(self.at, self.at, understood=True)
            return True
        return False

    def _took_machine(self, token: Token) -> bool:
        """Take `10 GbE`, `64 GB of RAM`, `4 nodes of 4 GPUs`, `7 hard negatives`, `TP 4`, `padded to 512` or crops.

        Likewise lengths of targets. A denial of it says nothing.
        """
        if self._negator is not None:
            return False
        readers = (told_blocks, told_degrees, told_network, told_host_memory, told_machines, told_negatives)
        told = (*readers, told_padded_length, told_target_length, told_schedule, told_goal)
        found = next((one for read in told if (one := read(self.text, token.start)) is not None), None)
        if found is None:
            return False
        end, meaning = found
        first = last = self.at
        while last + 1 < len(self.tokens) and self.tokens[last + 1].start < end:
            last += 1
        self._phrases.append(Phrase(text=self._slice(first, last), meaning=meaning, denied=False))
        self._take(first, last, understood=True)
        self._named = False
        return True

    def _took_phrase(self) -> bool:
        found = max((self._longest(), self._offload()), key=lambda read: -1 if read is None else read[0])
        if found is None:
            return False
        last, meaning = found
        first, denied = self.at, self._negator is not None
        if self._negator is not None:
            first = self._negator
            while self._spans and self._spans[-1][0] >= first:
                self._spans.pop()
        last, switched_off = self._switch(last)
        self._phrases.append(Phrase(text=self._slice(first, last), meaning=meaning, denied=denied or switched_off))
        self._take(first, last, understood=True)
        self._named = bool(meaning.stack or meaning.project)
        self._project = meaning.project if self._named else self._project
        self._negator = self.at if denied and self._goes_on() else None
        return True

    def _longest(self) -> tuple[int, Meaning] | None:
        """Return the last token and the meaning of the longest known phrase from here."""
        best: tuple[int, Meaning] | None = None
        key = ""
        for index in range(self.at, len(self.tokens)):
            token = self.tokens[index]
            if token.kind == "is":
                continue
            if best and token.text in ON and self.tokens[index - 1].kind == "is":
                # A switch: `bf16=True` is not Lightning's `bf16-true`.
                break
            # A number with a dot is a word within a phrase (`PCIe 3.0 x4`), and begins none.
            if token.kind != "word" and (token.kind != "version" or not key):
                break
            key += folded(token.text)
            if len(key) > _LONGEST:
                break
            meaning = _MEANINGS.get(key) or _MEANINGS.get(key.removesuffix("s"))
            is_whole = self.at == 0 and index == len(self.tokens) - 1
            if meaning is not None and (self._whole or not is_whole):
                best = index, meaning
        return best

    def _offload(self) -> tuple[int, Meaning] | None:
        """Return the last token and the meaning of what is told of offloading from here."""
        found = told_offload(self.text, self.tokens[self.at].start)
        if found is None:
            return None
        end, meaning = found
        return max(index for index, token in enumerate(self.tokens) if token.start < end), meaning

    def _switch(self, last: int) -> tuple[int, bool]:
        """Return the last token of a switch behind a phrase (`packing: false`), and whether it is off."""
        index, told, reversed_ = last + 1, False, False
        while index < len(self.tokens) and (self.tokens[index].kind == "is" or self.tokens[index].text in LINKS):
            told |= self.tokens[index].kind == "is"
            reversed_ |= self.tokens[index].text == "not"
            index += 1
        if index >= len(self.tokens):
            return last, False
        word = self.tokens[index].text
        if word in (OFF_AFTER_IS if told else OFF):
            return index, True
        if word in ON_AFTER_IS and (told or reversed_):
            return index, reversed_
        return last, False

    def _goes_on(self) -> bool:
        """Return whether a negation holds for what follows: `without packing or offload`."""
        word = self.tokens[self.at].text if self.at < len(self.tokens) else ""
        return word in {"or", "nor"} or (word == "and" and self._strong)

    def _took_version(self, token: Token) -> bool:
        """Take the version of what was named before it; a bare number is one only right behind a name."""
        bare = token.kind == "word" and token.text.lstrip("vr").isdecimal()
        if not ((bare and self._named) or (token.kind == "version" and self._project_fits(token.text))):
            return False
        date = version_date(self._project, token.text)
        if date is not None:
            (self._platform_dates if self._project in _WEAK_PROJECTS else self._version_dates).append(date)
        self._take(self.at, self.at, understood=True)
        return True

    def _project_fits(self, text: str) -> bool:
        """Return whether `text` may be a version of what was named: containers have months, `25.13` is none."""
        major = text.lstrip("vr").partition(".")[0]
        return bool(self._phrases) and int(major) < _LEAST_CONTAINER

    def _take_word(self, token: Token) -> None:
        if token.text in NEGATORS:
            self._negator, self._strong = self.at, token.text in STRONG_NEGATORS
            self.at += 1
            return
        if token.text in FILLERS:
            if token.text == "with":
                self._negator = None
            self._named = self._named and token.text in _BEFORE_VERSIONS
            self.at += 1
            return
        self._named = False
        if any(start <= token.start < end for start, end in self._addresses):
            self.at += 1
            return
        self._take(self.at, self.at, understood=False)


_LEAST_CONTAINER = 20
_BEFORE_VERSIONS = frozenset({"release", "version", "v", "container", "docker", "image"})


def _joined(spans: Sequence[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
    """Return `spans`, neighbours that are not understood as one."""
    out: list[tuple[int, int, bool]] = []
    for first, last, known in spans:
        if out and not known and not out[-1][2] and out[-1][1] == first - 1:
            out[-1] = out[-1][0], last, False
        else:
            out.append((first, last, known))
    return out
