"""Settings in a pasted configuration: YAML, JSON, a trainer's flags or keyword arguments, and the text beside them."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

__all__ = ["Pasted", "Setting", "folded_key", "pasted", "tidied"]

_MOST_OBJECTS = 4
"""JSON objects that are looked for in a text."""
_MOST_DEEP = 12
_LINE = re.compile(
    r"(?P<indent>[ \t]*)(?P<dash>-[ \t]+)?[\"']?(?P<key>[A-Za-z_][\w.-]*)[\"']?[ \t]*:(?:[ \t]+(?P<value>\S.*))?[ \t]*"
)
"""A line of YAML: one key, and what follows its colon."""
_ITEM = re.compile(r"(?P<indent>[ \t]*)-[ \t]+(?P<value>\S.*)")
_FEWEST_LINES = 2
_REMARK = re.compile(r"(?:^|\s)#.*$")
_NOTHING = frozenset({"", "null", "~", "None", "[]", "{}"})
"""Values that leave a setting as its trainer has it."""
_VALUE = r"\"[^\"\n]*\"|'[^'\n]*'|\[[^\]\n]*\]|(?!-{1,2}[A-Za-z])(?![A-Za-z_][\w.-]*[\"']?\s*[:=])[^\s,;(){}\[\]]+"
_FLAG = re.compile(rf"(?<![\w-])--(?P<key>[A-Za-z][\w.-]*)(?:(?P<tied>=)|[ \t]+)?(?P<value>{_VALUE})?")
_PAIR = re.compile(rf"(?<![\w./-])[\"']?(?P<key>[A-Za-z][\w.]*)[\"']?[ \t]*(?:=|:(?=\s|$))[ \t]*(?P<value>{_VALUE})?")
_SPACED = re.compile(r"(?<![\w./-])(?P<key>[A-Za-z]+(?:_[A-Za-z]+)+)[ \t]+(?P<value>\d[\d_.e-]*)(?![\w%])")


_CALL = re.compile(r"\b[A-Z]\w*(?:Config|Arguments|Args)\s*\((?:[^()]|\([^()]*\))*\)?")
"""A configuration as a call: what it is given are settings, whatever their names."""
_SHORT = frozenset({"bias", "epochs", "fused", "lr", "optim", "optimizer", "packing", "r", "seed", "stage"})
"""Keys without a low line that are one where there are others."""


_COMMAS = re.compile(r"\s*(?:,(?!\d)|(?<!\d),)[\s,]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key of a configuration with its value."""

    path: tuple[str, ...]
    """Keys from the outermost to its own, in lower case with low lines."""
    value: str
    """As text, without quotes; empty where it is null."""
    written: str
    """The key as it was written."""
    said: str = ""
    """In running words, what was said; empty of a key with its value."""

    @property
    def key(self) -> str:
        """Its own key."""
        return self.path[-1]

    @property
    def words(self) -> str:
        """Key and value, as they are repeated to the reader."""
        return self.said or f"{self.key} {self.value}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """The settings of a text, and the rest of it."""

    settings: tuple[Setting, ...]
    rest: str


def folded_key(key: str) -> str:
    """Return `key` as tables hold it: `--Micro-Batch-Size` is `micro_batch_size`."""
    return key.strip("-").replace("-", "_").casefold()


def pasted(text: str, *, knows: Callable[[str], bool], takes: Callable[[str, str], bool]) -> Pasted:
    """Return the settings of `text`; never raises.

    In running text only keys that somebody `knows` are settings, unless there are several of them. A flag's value is
    one where the key `takes` it: `--bf16 with 8 GPUs` has none.
    """
    settings: list[Setting] = []
    rest = _without_objects(text, settings)
    lines = rest.splitlines()
    if sum(_LINE.fullmatch(line) is not None for line in lines) >= _FEWEST_LINES:
        rest = _without_lines(lines, settings)
    rest = _FLAG.sub(lambda flag: _flagged(flag, settings, takes), rest)
    several = len([*_known(rest, knows)]) >= _FEWEST_LINES or bool(settings)
    calls = [call.span() for call in _CALL.finditer(rest)]

    def paired(pair: re.Match[str]) -> str:
        is_key = several and ("_" in pair["key"] or pair["key"] in _SHORT)
        if not (is_key or knows(pair["key"]) or any(start < pair.start() < end for start, end in calls)):
            return pair[0]
        settings.append(_setting(tuple(pair["key"].split(".")), pair["value"] or ""))
        return " , "

    rest = _PAIR.sub(paired, rest)
    calls = []
    rest = _SPACED.sub(lambda pair: paired(pair) if knows(pair["key"]) else pair[0], rest)
    return Pasted(settings=tuple(settings), rest=tidied(rest))


def tidied(rest: str) -> str:
    """Return what is left of a text, one comma where settings were taken from; those within numbers stay."""
    return _COMMAS.sub(", ", rest).strip(" ,\n")


def _known(text: str, knows: Callable[[str], bool]) -> Iterator[str]:
    return (pair["key"] for pair in _PAIR.finditer(text) if "_" in pair["key"] and knows(pair["key"]))


def _flagged(flag: re.Match[str], settings: list[Setting], takes: Callable[[str, str], bool]) -> str:
    value = flag["value"]
    if value is not None and (flag["tied"] or takes(flag["key"], _scalar(value))):
        settings.append(_setting(tuple(flag["key"].split(".")), value, written=f"--{flag['key']}"))
        return " , "
    settings.append(_setting(tuple(flag["key"].split(".")), "true", written=f"--{flag['key']}"))
    return f" , {value or ''}"


def _setting(path: Sequence[str], value: str, *, written: str = "") -> Setting:
    folded = tuple(folded_key(key) for key in path if key)
    return Setting(path=folded or ("",), value=_scalar(value), written=written or (path[-1] if path else ""))


def _scalar(value: str) -> str:
    """Return a value without quotes; empty for one that is null."""
    plain = value.strip().rstrip(",")
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "\"'":
        return plain[1:-1].strip()
    return "" if plain in _NOTHING else plain


def _without_objects(text: str, settings: list[Setting]) -> str:
    """Return `text` without the JSON objects in it, whose settings are kept."""
    for _ in range(_MOST_OBJECTS):
        start = text.find("{")
        if start < 0:
            break
        found = _object(text[start:])
        if found is None:
            break
        value, length = found
        settings.extend(_entries(value, ()))
        text = f"{text[:start]} , {text[start + length :]}"
    return text


def _object(text: str) -> tuple[dict[str, object], int] | None:
    """Return the object that `text` begins with, and how long it is; one that was cut off ends where the text does."""
    end = _closed(text)
    tidy = re.sub(r"(?m)(?<![:\"'/])//.*$", "", text[:end])
    tidy = re.sub(r",(\s*(?:[}\]]|$))", r"\1", tidy)
    for attempt in (tidy, _as_json(tidy)):
        try:
            value: object = json.loads(attempt + _closing(attempt))
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return cast("dict[str, object]", value), end
    return None


def _as_json(text: str) -> str:
    """Return a Python dictionary as JSON."""
    for ours, theirs in (("'", '"'), ("True", "true"), ("False", "false"), ("None", "null")):
        text = text.replace(ours, theirs)
    return text


def _open(text: str) -> Iterator[tuple[int, str]]:
    """Yield what brackets are open behind each that opens or closes, outside of strings, with where it stands."""
    stack, quoted, escaped = "", False, False
    for at, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "{[":
            stack += "}" if character == "{" else "]"
            yield at, stack
        elif not quoted and character in "}]":
            stack = stack[:-1]
            yield at, stack


def _closed(text: str) -> int:
    return next((at + 1 for at, stack in _open(text) if not stack), len(text))


def _closing(text: str) -> str:
    return next((stack for _, stack in reversed([*_open(text)])), "")[::-1]


def _entries(value: object, path: tuple[str, ...]) -> Iterator[Setting]:
    if isinstance(value, dict) and len(path) < _MOST_DEEP:
        for key, child in cast("dict[str, object]", value).items():
            yield from _entries(child, (*path, *key.split(".")))
        return
    if isinstance(value, list):
        text = " ".join(str(item) for item in cast("list[object]", value) if not isinstance(item, dict | list))
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        text = "" if value is None or isinstance(value, dict) else str(value)
    yield _setting(path, text)


def _without_lines(lines: Sequence[str], settings: list[Setting]) -> str:
    """Return the lines that are none of YAML, and keep the settings of the others, with the keys they stand below."""
    rest: list[str] = []
    above: list[tuple[int, str]] = []
    for line in lines:
        bare = _REMARK.sub("", line).rstrip()
        match = _LINE.fullmatch(bare)
        item = None if match is not None else _ITEM.fullmatch(bare)
        if match is not None:
            depth = len(match["indent"]) + len(match["dash"] or "")
            # Items may stand as far to the left as the key that they are of.
            above = [(at, key) for at, key in above if at < depth]
            path = (*(key for _, key in above), *match["key"].split("."))
            above = [*above, (depth, match["key"])][-_MOST_DEEP:]
            settings.append(_setting(path, match["value"] or ""))
        elif item is not None and above:
            above = [(at, key) for at, key in above if at <= len(item["indent"])]
            settings.append(_setting([key for _, key in above], item["value"]))
        elif bare:
            rest.append(bare)
    return " , ".join(rest)
