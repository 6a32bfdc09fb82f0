"""The flags of a command, made from the schema of a tool's arguments, and the values they take."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from estimator.base.errors import InvalidValueError
from server.command_line.files import read_text
from server.command_line.log_file import LogText

__all__ = ["flag_of", "value_of"]

_LARGEST_FILE_BYTES = 1 << 20


def flag_of(argument: str, facts: Mapping[str, Any], required: set[str]) -> click.Option:
    """Return the flag of one argument, whose schema is `facts`."""
    kind = facts.get("type", "string")
    if kind == "array" and facts.get("items", {}).get("type") == "object":
        kind = "objects"
    help_text = facts.get("description", "")
    choices = facts.get("enum")
    if choices:
        help_text = f"{help_text} [{'|'.join(choices)}]".strip()
    if argument in required:
        help_text = f"{help_text}  [required]".strip()
    if kind == "boolean":
        return click.Option(
            [f"--{argument.replace('_', '-')}/--no-{argument.replace('_', '-')}", argument], default=None
        )
    documents = {"object": "{", "objects": "["}
    if kind in documents:
        help_text = f"{help_text} (a file, or JSON text)".strip()
    if argument in _READ_FROM:
        help_text = f"{help_text} (a file of any size, - for standard input, or the text)".strip()
    metavar = {"integer": "N", "number": "X", "object": "FILE", "objects": "FILE", "array": "A,B,…"}.get(kind, "TEXT")
    metavar = "FILE" if argument in _READ_FROM else metavar
    plain: click.ParamType[Any] = _List() if kind == "array" else click.STRING
    shaped = _Document(documents[kind]) if kind in documents else plain
    return click.Option(
        [f"--{argument.replace('_', '-')}", argument],
        type=_READ_FROM.get(argument, shaped),
        default=None,
        help=help_text,
        metavar=metavar,
    )


def value_of(argument: str, value: object) -> object:
    """Return a flag's text as the number that it is, so that it is refused as one where it does not fit."""
    if not isinstance(value, str) or argument in _READ_FROM:
        return value
    for number in (int, float):
        try:
            return number(value)
        except ValueError:
            continue
    return value


class _List(click.ParamType[list[object]]):
    """Several values in one flag, separated by commas."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[object]:  # noqa: ANN401
        """Return the values."""
        del param, ctx
        return [value_of("", part.strip()) for part in str(value).split(",") if part.strip()]


_YAML = re.compile(r"(\s*#[^\n]*\n|\s*\n|---\s*\n)*[A-Za-z_][\w.-]*:(\s|$)")
"""Text whose first line that says anything names a key, as YAML does."""


class _Document(click.ParamType[object]):
    """A JSON object, or a list of them: the name of a file that holds it, or its text."""

    name = "document"

    def __init__(self, opening: str) -> None:
        self.opening = opening
        """How such text begins."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> object:  # noqa: ANN401
        """Return the object."""
        del ctx
        argument = str(param.name if param else "file")
        # Some editors put a byte-order mark before all else.
        text = str(value).removeprefix("\ufeff")
        holds = "object" if self.opening == "{" else "list of objects"
        if not text.lstrip().startswith(("{", self.opening)):
            text = read_text(
                argument,
                Path(text),
                most_bytes=_LARGEST_FILE_BYTES,
                too_large="is larger than 1 MiB; a config.json has a few kB",
                otherwise="; give a JSON file",
            )
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            yaml = ", not YAML as trainers' files are" if _YAML.match(text) else ""
            raise InvalidValueError(argument, value, f"must hold a JSON {holds}{yaml}") from error


_READ_FROM: Mapping[str, click.ParamType[Any]] = {"observed_log": LogText()}
"""Arguments whose text is taken from a file."""
