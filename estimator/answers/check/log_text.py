"""The text of a log as lines to be read: entities, escapes, colours, wrappers and tables taken off."""

import csv
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

__all__ = ["log_lines"]

_LONGEST_LINE = 3_000
"""Characters of a line that are looked at: no trainer prints longer ones about its speed."""
_FIRST_LINES, _LAST_LINES = 1_000, 4_000
"""Of a text of very many: the set-up, and hundreds of steps even where each takes a block."""
_MOST_JOINED = 200
"""Lines of one block, as OLMo and Composer print them."""
_MOST_COLUMNS, _MOST_DEPTH = 400, 4
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b\][^\x07\x1b\n]{0,200}(?:\x07|\x1b\\)")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_NO_NUMBER = re.compile(r"[\d.,:_]{60,}")
"""Longer than any figure: a dump, whose every digit would be tried as a number's first."""
_SCALAR = re.compile(r"\bnp\.[a-z]{1,9}\d{0,3}\(([^()\n]{1,40})\)")
"""As NumPy 2 prints a number in a dict."""
_POINTED = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{3}){2,6}(?![\d.])")
_SPACED = re.compile("(?<=\\d)[\u00a0\u2009\u202f\u2019](?=\\d{3}(?!\\d))")
"""Between thousands, as a German spreadsheet and a French one have them."""
_SURROGATES = (0xD800, 0xDFFF)
_BACKSPACES = re.compile("\x08+")
_BLOCK = re.compile(r"\[(?:step|epoch|batch|iter)=\d")
_STEP_ALONE = re.compile(r"^\W{0,60}step\W{0,3}\s\d{1,9}(?:/\d{1,9})?\W{0,60}$", re.IGNORECASE)
"""The head of a report of many lines, each of which has one name and one figure."""
_OF_REPORT = re.compile(r"^[^:|%]{0,60}(?::\s{0,3}[\w.,%-]{0,40}(?: ?(?:GiB|GB|\([^()]{0,20}\)))?)?$")
_SUMMARY = "wandb: "
"""Before each line of what Weights & Biases prints when a run ends."""
_INDENTED = re.compile(r"^\s{1,16}\S[^\n]{0,200}[=:]\s?\S")
_FENCE = "```"
_PREFIX = re.compile(
    r"(?:\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP]|"
    r"\[(?:rank|default|local_rank)_?\d{1,5}\]:?|\d{1,5}: ?|\([\w.-]{1,60} (?:pid|rank)=[^()]{1,80}\)|>) ?"
)
"""Kubernetes', torchrun's, srun's, Ray's and SkyPilot's, a mail's."""
_NEARLY_ALL = 0.9
_WRAPPER_KEYS = ("log", "logs", "output", "message", "msg", "text", "textPayload", "content", "line", "body")
_RULE = re.compile(r"^\s{0,9}\|?(?:\s{0,9}:?-{2,60}:?\s{0,9}\|){1,40}")
"""Below the head of a table in Markdown."""
_GAP = re.compile(r"(?<=\S)(?: {2,20})(?=\S)")
"""Between the columns of a table that is aligned by spaces."""
_HEADER = re.compile(
    r'^"?(?:wall[ _]?time|step|_step|iteration|global_step|time|timestamp|epoch)"?\s?[,;\t]', re.IGNORECASE
)


def log_lines(text: str) -> list[str]:
    """Return the lines of a log: one a step where a trainer prints blocks, `name: value` where it is a table.

    Linear in the length of `text`.
    """
    text = _bare(text)
    records = _records(text)
    if records is not None:
        return records
    wrapped = [part for line in text.split("\n") for part in _unwrapped(line).split("\n")]
    lines = list(_plain_lines("\n".join(_without_prefixes(wrapped))))
    return list(_joined(_of_table(_without_markdown(lines)) or lines))


def _bare(text: str) -> str:
    """Return `text` without what editors, terminals and posts put around it: marks, colours, fences of code."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if _FENCE in text:
        inside = [part.partition("\n")[2] for part in text.split(_FENCE)[1::2]]
        text = "\n".join(inside) if any(part.strip() for part in inside) else text
    return text


def _without_prefixes(lines: list[str]) -> list[str]:
    """Return lines without what a launcher, a collector or a mail puts before each; kept where only some have it."""
    said = [line for line in lines if line.strip()]
    while said and sum(_PREFIX.match(line) is not None for line in said) >= _NEARLY_ALL * len(said):
        lines = [_PREFIX.sub("", line, count=1) for line in lines]
        said = [line for line in lines if line.strip()]
    return lines


def _plain_lines(text: str) -> Iterator[str]:
    """Yield the lines of `text` as they are read; what overwrites a line begins one.

    Of very many the first and the last, and of each no more than is looked at. One by one, for a pattern keeps all
    other threads waiting while it is sought in a long text.
    """
    for overwriting in ("\\r", "\\n", "\r", "\u2028"):
        text = text.replace(overwriting, "\n")
    if "\x08" in text:
        text = _BACKSPACES.sub("\n", text)
    lines = text.split("\n")
    if len(lines) > _FIRST_LINES + _LAST_LINES:
        lines = [*lines[:_FIRST_LINES], *lines[-_LAST_LINES:]]
    for line in lines:
        yield from (part[:_LONGEST_LINE] for part in _plain(line[:_LONGEST_LINE]).split("\n"))


def _plain(text: str) -> str:
    """Return `text` without entities and full-width forms."""
    if "&" in text:
        text = html.unescape(text)
    if "np." in text:
        text = _SCALAR.sub(r"\1", text)
    if "\\u" in text:
        text = _ESCAPE.sub(lambda match: _character(match[1]), text)
    if "." in text:
        text = _POINTED.sub(lambda match: match[0].replace(".", ""), text)
    if not text.isascii():
        text = _SPACED.sub("", text)
        # Full-width digits and colons, no-break and thin spaces: what an input method or a web page makes of a log.
        text = (
            unicodedata.normalize("NFKC", text)
            if re.search("[\uff01-\uff5e\u00a0\u2000-\u200b\u202f\u3000]", text)
            else text
        )
    return _NO_NUMBER.sub(" ", text)


def _character(code: str) -> str:
    point = int(code, 16)
    return chr(point) if not _SURROGATES[0] <= point <= _SURROGATES[1] else " "


def _unwrapped(line: str) -> str:
    """Return the message of a line that a collector wrapped in JSON, of several lines perhaps; else the line itself."""
    stripped = line.strip()
    if not stripped.startswith("{") or not any(f'"{key}"' in stripped for key in _WRAPPER_KEYS):
        return line
    try:
        message = _message(json.loads(stripped))
    except (ValueError, RecursionError):
        return line
    return line if message is None else message


def _message(document: object) -> str | None:
    """Return the message that a collector wrapped in an object, of several lines perhaps; None where there is none."""
    if not isinstance(document, dict):
        return None
    fields = cast("dict[str, object]", document)
    # `{"msg": "train", "step": 10}` tells its figures beside the message.
    figures = any(isinstance(value, int | float) for value in fields.values())
    for key in _WRAPPER_KEYS:
        message = fields.get(key)
        if isinstance(message, str) and (not figures or any(character.isdigit() for character in message)):
            return _bare(message).rstrip("\n")
    return None


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, a block's behind its head: indented ones, or the single figures of a report."""
    head: list[str] = []
    body: re.Pattern[str] | None = None
    for line in lines:
        summed = line.startswith(_SUMMARY)
        alone = _STEP_ALONE.match(line) is not None
        if (
            head
            and len(head) < _MOST_JOINED
            and not alone
            and (head[0].startswith(_SUMMARY) if summed else body is not None and body.match(line) is not None)
        ):
            head.append(line.removeprefix(_SUMMARY).strip())
            continue
        if head:
            yield " | ".join(head)
            head = []
        if summed or alone or _BLOCK.search(line):
            head, body = [line], _OF_REPORT if alone else _INDENTED
        else:
            yield line
    if head:
        yield " | ".join(head)


def _without_markdown(lines: list[str]) -> list[str]:
    """Return lines, the rows of a table in Markdown as those of a CSV export."""
    rule = next((i for i, line in enumerate(lines) if i and _RULE.match(line) and "|" in lines[i - 1]), None)
    if rule is None:
        return lines
    rows = (line for i, line in enumerate(lines) if i >= rule - 1 and i != rule and "|" in line)
    return ["\t".join(cell.strip() for cell in row.strip().strip("|").split("|")) for row in rows]


def _of_table(lines: list[str]) -> list[str]:
    """Return a CSV export's rows as `name: value`; empty where the text is none."""
    start = next((i for i, line in enumerate(lines[:50]) if line.strip()), None)
    if start is None:
        return []
    if not any(character.isdigit() or character == "\t" for character in lines[start]) and _HEADER.match(
        _GAP.sub("\t", lines[start].strip())
    ):
        lines = [_GAP.sub("\t", line.strip()) for line in lines]
    if not _HEADER.match(lines[start].strip()):
        return []
    separator = next((mark for mark in (",", "\t", ";") if mark in lines[start]), ",")
    try:
        rows = list(csv.reader(lines[start:], delimiter=separator))
    except csv.Error:
        return []
    names = [name.strip() for name in rows[0][:_MOST_COLUMNS]]
    return [
        " | ".join(f"{name}: {value.strip()}" for name, value in zip(names, row, strict=False) if value.strip())
        for row in rows[1:]
    ]


def _records(text: str) -> list[str] | None:
    """Return the records of a JSON document, one a line; None where the text is no document of several lines."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[{", "[[", "[\n", "[ ")) or not stripped.endswith(("}", "]")):
        return None
    try:
        document = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    message = _message(document)
    if message is not None and "\n" in message:
        return log_lines(message)
    return [line[:_LONGEST_LINE] for line in _joined(_flattened(document))]


def _flattened(document: object) -> Iterator[str]:
    if isinstance(document, list):
        for entry in cast("list[object]", document):
            if isinstance(entry, dict):
                yield _fields(cast("dict[str, object]", entry))
            elif isinstance(entry, list) and len(cast("list[object]", entry)) == 3:  # noqa: PLR2004
                # TensorBoard's JSON export: wall time, step, value.
                wall, step, value = cast("list[object]", entry)
                yield f"Wall time: {wall} | Step: {step} | Value: {value}"
            elif isinstance(entry, str):
                yield from _plain_lines(_bare(entry))
    elif isinstance(document, dict):
        fields = cast("dict[str, object]", document)
        inner = [cast("object", value) for value in fields.values() if isinstance(value, list)]
        for listed in inner:
            yield from _flattened(listed)
        if inner:
            yield _fields(fields)
            return
        message = _message(fields)
        yield from _plain_lines(json.dumps(fields) if message is None else message)


def _fields(fields: Mapping[str, object], depth: int = 0) -> str:
    """Return a record's numbers and short texts as `name: value`."""
    parts: list[str] = []
    for name, value in list(fields.items())[:_MOST_COLUMNS]:
        if isinstance(value, dict) and depth < _MOST_DEPTH:
            parts.append(_fields(cast("dict[str, object]", value), depth + 1))
        elif isinstance(value, bool | list) or value is None:
            continue
        else:
            parts.append(f"{name}: {value}")
    return " | ".join(parts)
