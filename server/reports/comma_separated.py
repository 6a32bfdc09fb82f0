"""An answer as CSV that reads back equal to its JSON.

A row is an answer, or one option of an answer that has several. A column is a value, named by its dotted path:
`cost_usd.low`. Of an answer with options, `option` says where in it the row stands (`rows.0`, `solution`,
`alternatives.2`), the option's own values follow, and those of the whole answer are on every row under `answer.`.

- Text is quoted; a number, true and false are not, and null is nothing at all, unquoted, as PostgreSQL has it.
- A list is one cell of JSON, in a column whose name ends in `[]`.
- An object that is null is null in each of its columns, and so is what an option does not tell.
- Text that a spreadsheet would take for a formula has an apostrophe before it, and so has text that begins with one:
  a reader takes one apostrophe off every text that begins with it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["OPTIONS", "comma_separated"]

_Object = Mapping[str, Any]

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "compare_training_options": ("rows",),
    "plan_training": ("solution", "sure_solution", "alternatives"),
}
"""Where the options of a tool's answer are: under keys that hold one, none (null), or a list of them."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
"""How text begins that a spreadsheet would run, the signs also in their wide forms; and what is put before it."""


def comma_separated(tool: str, answer: _Object, schema: _Object) -> str:
    """Return the answer of `tool`, whose output schema is `schema`, as CSV: a header, and a row an option."""
    keys = OPTIONS.get(tool, ())
    whole_schema = {"properties": {name: part for name, part in schema["properties"].items() if name not in keys}}
    if not keys:
        rows = [dict(_cells("", answer, whole_schema))]
    else:
        whole = dict(_cells("answer", answer, whole_schema))
        kind = _option_schema(schema["properties"][keys[0]])
        rows = [
            {"option": _text(place), **dict(_cells("", option, kind)), **whole}
            for place, option in _placed_options(answer, keys)
        ]
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def _option_schema(schema: _Object) -> _Object:
    option: _Object = schema.get("items", schema)
    return option


def _placed_options(answer: _Object, keys: tuple[str, ...]) -> Iterator[tuple[str, _Object]]:
    for key in keys:
        held: _Object | list[_Object] | None = answer[key]
        if isinstance(held, list):
            yield from ((f"{key}.{place}", option) for place, option in enumerate(held))
        elif held is not None:
            yield key, held


def _cells(path: str, value: Any, schema: _Object) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON
    """Yield each column below `path` with its cell; by the schema, so that every answer of a tool has the same."""
    if "properties" in schema:
        for name, part in schema["properties"].items():
            yield from _cells(f"{path}.{name}" if path else name, None if value is None else value.get(name), part)
    elif "items" in schema:
        yield f"{path}[]", "" if value is None else _quoted(_json(value))
    else:
        yield path, _text(value) if isinstance(value, str) else _json(value) if value is not None else ""


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _text(value: str) -> str:
    return _quoted(f"'{value}" if value.startswith(_FORMULA) else value)


def _quoted(text: str) -> str:
    # As `csv.QUOTE_STRINGS` would, which Python has from 3.12 on.
    return '"' + text.replace('"', '""') + '"'
