"""How often is evaluated and saved, and on how much, among the words on software: `evaluated every 10 steps`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from estimator.question.schedule import NOTHING_SCHEDULED, Schedule, Times
from estimator.resolve.framework.meaning import Facts, Meaning

__all__ = ["told_schedule"]

_NUMBER = r"\d[\d,_]{0,14}(?:\.\d{1,9})?(?:e\d)?"
_KEPT = r"(?:held[ -]?out|hold(?:ing)?[ -]out|validation|eval(?:uation)?|val|test|dev)"
_SAMPLES = r"(?:samples?|examples?|rows|sequences|conversations|pairs|documents|prompts|questions|items|records)"
_EVALUATES = (
    r"(?:evaluat(?:ions?|ed?|es|ing)|evals?|validations?|validat(?:ed?|es|ing))"
    r"(?:[ _-](?:loss|loop|pass(?:es)?|runs?|set|split|data(?:set)?|subset|size|strategy|steps))*"
)
_EVERY = r"(?:(?:after|at)\s+)?(?:(?:the\s+)?end\s+of\s+)?(?:once\s+)?(?:every|each|per|an?|after)"
_UNIT = (
    r"(?P<unit>steps?|iterations?|iters?|updates?|batches|epochs?|minutes?|mins?|hours?|"
    r"%\s*of\s+(?:the\s+|all\s+)?(?:training|run|steps))"
)
_OFTEN = (
    rf"{_EVERY}\s+(?:(?P<other>other)\s+|(?P<every>{_NUMBER})\s?(?P<every_k>k)?(?:th|nd|rd)?[ -]?)?{_UNIT}|"
    rf"(?:(?P<many>{_NUMBER})\s*(?:x|×|times)|(?P<word>once|twice))\s*(?:an?|per|each|every|/)\s*epoch|"
    r"(?P<at_end>(?:only\s+|once\s+)*(?:at|in)\s+the\s+(?:very\s+)?end(?:\s+of\s+(?:the\s+)?(?:training|run))?)"
)
_COUNTED = r"(?=\s+(?:evaluations?|evals?|validations|checkpoints?|saves)(?![a-z]))"
_SIZE = (
    rf"(?P<percent>{_NUMBER})\s?(?:%|percent)"
    r"(?:\s+of\s+(?:the\s+|all\s+|my\s+)?(?:training\s+)?(?:data(?:set)?|samples|set))?|"
    rf"(?P<samples>{_NUMBER})\s?(?P<samples_k>k)?[ -](?:(?P<kept_samples>{_KEPT})[ -])?{_SAMPLES}|"
    rf"(?P<tokens>{_NUMBER})\s?(?P<tokens_k>[kmb])?[ -]tokens|"
    rf"(?P<batches>{_NUMBER})[ -](?:{_KEPT}[ -])?(?:batches|iterations|iters|steps)"
)
_WEIGHTS_ALONE = (
    r"only[\s_]+(?:the\s+)?(?:model|weights|adapters?)(?:\s+weights)?|"
    r"(?:model\s+)?(?:weights|model|adapters?)\s+(?:only|alone)"
)
_BENCHMARKS = (
    r"generat(?:ion|ing|e)(?:[ _-](?:metrics|evals?))?|mmlu|gsm[ -]?8k|humaneval|mt[ -]?bench|alpaca[ -]?eval|"
    r"hellaswag|ifeval|benchmarks?|bleu|rouge|lm[ _-]eval(?:uation)?(?:[ _-]harness)?|lighteval"
)
_GENERATES = (
    r"(?:generat(?:es?|ing)|sampl(?:es?|ing)|draw(?:s|ing)?|render(?:s|ing)?)\s+(?:\w+\s+)?"
    r"(?:samples|texts?|outputs?|images?|pictures?|videos?|answers)"
)
_SAVES = (
    r"sav(?:ed?|es|ing)|checkpoints?|snapshots?|"
    r"(?:writ(?:es?|ing)|tak(?:es?|ing))(?=\s+(?:an?\s+|the\s+)?(?:checkpoint|snapshot))"
)
_SAVED = r"(?:full\s+|model\s+|training\s+|optimizer\s+)*(?:checkpoints?|ckpts?|snapshots?|models?|weights|states?)"
_KEPT_APART = r"(?P<held>held[ -]?out|hold(?:ing)?[ -]out)|(?:test|dev|val)[ _-](?:set|split|data(?:set)?|size)|val"
_ATOMS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        name: re.compile(rf"(?:{words})(?![a-z])", re.IGNORECASE)
        for name, words in {
            "none": r"no|without|w/o|skip(?:ping|s)?|disabl(?:e[sd]?|ing)|never",
            "off": r"(?:turned\s+|switched\s+)?off|none|no|never|disabled|false|skipped",
            "often": _OFTEN,
            "number": rf"(?P<number>{_NUMBER}){_COUNTED}",
            "size": _SIZE,
            "weights": _WEIGHTS_ALONE,
            "background": r"async(?:hronous(?:ly)?)?|in\s+the\s+background",
            "bench": _BENCHMARKS,
            "predicts": r"predict[ _-]with[ _-]generate",
            "generates": _GENERATES,
            "kept": _KEPT_APART,
            "evaluates": _EVALUATES,
            "saves": _SAVES,
            # By itself it is what activations are subject to.
            "checkpointing": r"checkpoint(?:ing|ed)|ckpts?",
            "object": _SAVED,
        }.items()
    }
)
"""What words of a clause tell, each by how it is said."""
_LINKS = re.compile(
    r"(?:[\s_\-=:(/&+]|(?:and|or|nor|of|on|over|with|using|by|via|for|the|an?|as|is|are|be|was|done|run|full|from|each\s+time)"
    r"(?![a-z]))*",
    re.IGNORECASE,
)
_SUBJECTS = frozenset({"evaluates", "kept", "saves", "checkpointing", "generates"})
_FIRST = _SUBJECTS | {"none", "often", "number", "size", "background", "predicts"}
"""What a clause may begin with."""
_ALONE = re.compile(r"(?:on|over)\s+(?:the\s+|an?\s+)?", re.IGNORECASE)
_MENTIONED = re.compile(r"(?<![a-z])(?:eval|validat)", re.IGNORECASE)
_SIZES = ("percent", "samples", "tokens", "batches")
_MOST = 1e12
_MOST_HELD = 0.9
"""Share of a set that anybody keeps for evaluation."""
_THOUSAND = MappingProxyType({"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9})
_SECONDS = MappingProxyType({"m": 60.0, "h": 3600.0})


def told_schedule(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where what is said from `at` on of evaluations and checkpoints ends; None where nothing is said of them.

    A clause of words that stand together: who does it, how often, on how much, or that it is not done. What is said of
    `checkpointing` alone is said of activations.
    """
    clause = _clause(text, at)
    if clause is None:
        return None
    schedule = clause.schedule(text[at : clause.end])
    # That it evaluates is what nearly every run does.
    if schedule == NOTHING_SCHEDULED and clause.told.keys() != {"evaluates"}:
        return None
    return clause.end, Meaning(says=Facts(schedule=schedule))


@dataclass(slots=True)
class _Clause:
    """Words of one clause, by what they tell."""

    end: int
    told: dict[str, re.Match[str]] = field(default_factory=dict)

    def takes(self, name: str) -> bool:
        """Return whether what an atom tells belongs to it, or begins another."""
        if name in self.told:
            return False
        said = self.told.keys()
        complete = bool(said & {"often", "size", "weights", "off"}) and bool(said & _SUBJECTS)
        return not (complete and name in _SUBJECTS - {"kept"}) and not (name == "often" and "none" in said)

    def schedule(self, words: str) -> Schedule:
        """Return what it tells, of which `words` are the text; nothing where it is no clause of these."""
        said = self.told.keys()
        if "predicts" in said or said >= {"bench", "evaluates"}:
            return Schedule(generated=words)
        if "generates" in said:
            return Schedule(generated=words) if "often" in said else NOTHING_SCHEDULED
        evaluates, saves = bool(said & {"evaluates", "kept"}), bool(said & {"saves", "checkpointing"})
        evaluates |= "size" in said and bool(self.told["size"]["kept_samples"])
        never = bool(said & {"none", "off"})
        if never and "saves" not in said:
            saves = False
        times = Times(count=0.0) if never else self._times()
        schedule = Schedule(
            evaluated=times if evaluates else None,
            saved=times if saves else None,
            saves_weights_alone=True if saves and "weights" in said else None,
            saves_in_background=True if saves and "background" in said else None,
        )
        return self._sized(schedule) if evaluates and "size" in said and not never else schedule

    def _times(self) -> Times | None:
        often, number = self.told.get("often"), self.told.get("number")
        in_all = None if number is None else _number(number["number"])
        if often is None:
            return None if in_all is None else Times(count=in_all)
        if often["at_end"]:
            return Times(count=1.0)
        if often["unit"]:
            return _every(often, in_all or 1.0)
        many = _number(often["many"]) if often["many"] else {"once": 1.0}.get(often["word"].casefold(), 2.0)
        return Times(epochs=1.0 / many) if many else Times(count=0.0)

    def _sized(self, schedule: Schedule) -> Schedule:
        """Return `schedule` with how much an evaluation is of; a share that is kept is of the set that was told."""
        size, kept = self.told["size"], self.told.get("kept")
        if not _number(next(size[name] for name in _SIZES if size[name])):
            return schedule
        held = (kept is not None and kept["held"]) or (size["kept_samples"] or "").casefold().startswith("h")
        if size["percent"]:
            share = min(_number(size["percent"]) / 100.0, _MOST_HELD)
            kept_apart = bool(held or kept) or not _is_verb(self.told["evaluates"])
            own = Schedule(held_share=share) if kept_apart else Schedule(evaluated_share=share)
        elif size["samples"]:
            samples = _number(size["samples"], size["samples_k"] or "")
            own = Schedule(held_samples=samples) if held else Schedule(evaluated_samples=samples)
        elif size["tokens"]:
            own = Schedule(evaluated_tokens=_number(size["tokens"], size["tokens_k"] or ""))
        else:
            own = Schedule(evaluated_batches=_number(size["batches"]))
        return own.over(schedule)


def _every(often: re.Match[str], many: float) -> Times | None:
    """Return how often something is done that is done so `many` times in each; None for every 0 steps."""
    every = (2.0 if often["other"] else _number(often["every"] or "1", often["every_k"] or "")) / many
    unit = often["unit"].casefold()
    if not every:
        return None
    if unit.startswith("epoch"):
        return Times(epochs=every)
    if unit.startswith("%"):
        return Times(share=every / 100.0)
    return Times(seconds=every * _SECONDS[unit[0]]) if unit[0] in _SECONDS else Times(steps=every)


def _is_verb(evaluates: re.Match[str]) -> bool:
    """Return whether something is evaluated on what follows, and not kept for it: `validation split 10%`."""
    return re.search(r"set|split|data|subset|size", evaluates[0], re.IGNORECASE) is None


def _clause(text: str, at: int) -> _Clause | None:
    """Return the words from `at` on that belong to one clause; None where none begins there.

    What is not done ends before that of which it is told how often: `no evaluation and save every 200 steps`.
    """
    if _ALONE.match(text, at) is not None:
        return _size_alone(text, at)
    clause, here = _Clause(end=at), at
    while (atom := _atom(text, here, clause)) is not None:
        name, found = atom
        clause.told[name] = found
        clause.end = here = found.end()
        if (gap := _LINKS.match(text, here)) is not None:
            here = gap.end()
    subjects = [name for name in clause.told if name in _SUBJECTS]
    if "none" in clause.told and len(subjects) > 1 and _ATOMS["often"].match(text, here):
        del clause.told[subjects[-1]]
        clause.end = max(found.end() for found in clause.told.values())
    return clause if clause.told else None


def _atom(text: str, at: int, clause: _Clause) -> tuple[str, re.Match[str]] | None:
    """Return what the words at `at` tell, with their name, as far as they belong to `clause`."""
    for name, pattern in _ATOMS.items():
        if (clause.told or name in _FIRST) and clause.takes(name) and (found := pattern.match(text, at)) is not None:
            return name, found
    return None


def _size_alone(text: str, at: int) -> _Clause | None:
    """Return `on 1000 samples` as what is evaluated on, where an evaluation is spoken of elsewhere in the text."""
    on = _ALONE.match(text, at)
    size = None if on is None else _ATOMS["size"].match(text, on.end())
    spoken_of = None if size is None else _MENTIONED.search(text[:at] + text[size.end() :])
    if size is None or spoken_of is None:
        return None
    return _Clause(end=size.end(), told={"size": size, "evaluates": spoken_of})


def _number(text: str, scale: str = "") -> float:
    return min(float(text.replace(",", "").replace("_", "")) * _THOUSAND[scale.casefold()], _MOST)
