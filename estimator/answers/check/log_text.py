"""The text of a log as lines to be read: entities, escapes, colours, wrappers and tables taken off."""

import csv
import html
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
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
_SURROGATES = (0xD800, 0xDFFF)
_BACKSPACES = re.compile("\x08+")
_BLOCK = re.compile(r"\[(?:step|epoch|batch|iter)=\d")
_SUMMARY = "wandb: "
"""Before each line of what Weights & Biases prints when a run ends."""
_INDENTED = re.compile(r"^\s{1,16}\S[^\n]{0,200}[=:]\s?\S")
_WRAPPER_KEYS = ("log", "message", "msg", "text", "textPayload", "content", "line", "body")
_HEADER = re.compile(
    r'^"?(?:wall[ _]?time|step|_step|iteration|global_step|time|timestamp|epoch)"?\s?[,;\t]', re.IGNORECASE
)


def log_lines(text: str) -> list[str]:
    """Return the lines of a log: one a step where a trainer prints blocks, `name: value` where it is a table.

    Linear in the length of `text`.
    """
    records = _records(text)
    if records is not None:
        return records
    plain = _plain(text)
    lines = [line[:_LONGEST_LINE] for line in plain.split("\n")]
    if len(lines) > _FIRST_LINES + _LAST_LINES:
        lines = [*lines[:_FIRST_LINES], *lines[-_LAST_LINES:]]
    lines = _of_table(lines) or lines
    return list(_joined(_unwrapped(line) for line in lines))


def _plain(text: str) -> str:
    """Return `text` without colours, entities and full-width forms; what overwrites a line begins one."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "&" in text:
        text = html.unescape(text)
    if "np." in text:
        text = _SCALAR.sub(r"\1", text)
    if "\\u" in text:
        text = _ESCAPE.sub(lambda match: _character(match[1]), text)
    if "\\r" in text or "\\n" in text:
        text = text.replace("\\r", "\n").replace("\\n", "\n")
    if not text.isascii():
        # Full-width digits and colons, no-break and thin spaces: what an input method or a web page makes of a log.
        text = (
            unicodedata.normalize("NFKC", text)
            if re.search("[\uff01-\uff5e\u00a0\u2000-\u200b\u202f\u3000]", text)
            else text
        )
    text = _NO_NUMBER.sub(" ", text)
    if "\x08" in text:
        text = _BACKSPACES.sub("\n", text)
    return text.replace("\r", "\n").replace("\u2028", "\n")


def _character(code: str) -> str:
    point = int(code, 16)
    return chr(point) if not _SURROGATES[0] <= point <= _SURROGATES[1] else " "


def _unwrapped(line: str) -> str:
    """Return the message of a line that a collector wrapped in JSON."""
    stripped = line.strip()
    if not stripped.startswith("{") or not any(f'"{key}"' in stripped for key in _WRAPPER_KEYS):
        return line
    try:
        wrapped = json.loads(stripped)
    except (ValueError, RecursionError):
        return line
    if isinstance(wrapped, dict):
        fields = cast("dict[str, object]", wrapped)
        for key in _WRAPPER_KEYS:
            message = fields.get(key)
            if isinstance(message, str) and any(character.isdigit() for character in message):
                return _plain(message).replace("\n", " ")
    return line


def _joined(lines: Iterator[str]) -> Iterator[str]:
    """Yield lines, a block's indented ones behind its head."""
    head: list[str] = []
    for line in lines:
        summed = line.startswith(_SUMMARY)
        if (
            head
            and len(head) < _MOST_JOINED
            and (head[0].startswith(_SUMMARY) if summed else _INDENTED.match(line) is not None)
        ):
            head.append(line.removeprefix(_SUMMARY).strip())
            continue
        if head:
            yield " | ".join(head)
            head = []
        if summed or _BLOCK.search(line):
            head = [line]
        else:
            yield line
    if head:
        yield " | ".join(head)


def _of_table(lines: list[str]) -> list[str]:
    """Return a CSV export's rows as `name: value`; empty where the text is none."""
    start = next((i for i, line in enumerate(lines[:50]) if line.strip()), None)
    if start is None or not _HEADER.match(lines[start].strip()):
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
    return [line[:_LONGEST_LINE] for line in _flattened(document)]


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
                yield _plain(entry).replace("\n", " ")
    elif isinstance(document, dict):
        fields = cast("dict[str, object]", document)
        inner = [cast("object", value) for value in fields.values() if isinstance(value, list)]
        for listed in inner:
            yield from _flattened(listed)
        yield _unwrapped(json.dumps(fields)) if not inner else _fields(fields)


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
