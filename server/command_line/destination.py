"""Where an answer goes, and as what: a terminal, or a report to send on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from estimator.base.errors import InvalidValueError, UnknownNameError
from server.command_line.files import checked_output, write_output
from server.protocol.errors import nearest

__all__ = ["FORMATS", "STANDARD_OUTPUT", "Destination", "destination", "destination_flags"]

FORMATS: Mapping[str, tuple[str, ...]] = {
    "text": (".txt",),
    "md": (".md", ".markdown"),
    "csv": (".csv",),
    "html": (".html", ".htm"),
    "json": (".json",),
}
"""How an answer can be written, and how files end that hold it so."""
_BY_ENDING = {ending: name for name, endings in FORMATS.items() for ending in endings}
STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What an answer is written as, and to which file; None is standard output."""

    format: str
    file: Path | None
    argument: str
    """The flag that named the file."""

    def write(self, text: str) -> None:
        """Write a report: in UTF-8 whatever a terminal has, as its readers expect."""
        if self.file is None:
            click.echo(text.encode(), nl=False)
        else:
            write_output(self.argument, self.file, text.encode())


def destination_flags(*, reports: bool) -> list[click.Option]:
    """Return the flags that say where an answer goes; without `reports`, only whether it is for a program."""
    as_json = click.Option(["--json", "as_json"], is_flag=True, help="Print the answer as JSON, for programs.")
    if not reports:
        return [as_json]
    return [
        as_json,
        click.Option(
            ["--format", "format_name"],
            metavar="NAME",
            help="text, md, csv (a row an option), html or json.  [default: as the output's name ends, or text]",
        ),
        click.Option(
            ["--output"], metavar="FILE", help="File to write, as a whole or not at all.  [default: -, standard output]"
        ),
    ]


def destination(format_name: str | None, output: str | None, *, as_json: bool, argument: str = "output") -> Destination:
    """Return where an answer goes, as the flags of `destination_flags` say; `argument` is the flag that names the file.

    Raises InvalidValueError where they contradict one another, or the file cannot be written, and says what would do.
    """
    named = None if format_name is None else _named(format_name)
    if as_json and named not in {None, "json"}:
        raise InvalidValueError("format", format_name, "is not what --json says; give one of the two")
    wanted = "json" if as_json else named
    if output is None or output == STANDARD_OUTPUT:
        return Destination(format=wanted or "text", file=None, argument=argument)
    file = checked_output(argument, Path(output))
    told = _BY_ENDING.get(Path(output).suffix.lower())
    form = wanted or told
    if form is None:
        endings = ", ".join(endings[0] for endings in FORMATS.values())
        otherwise = ", or give --format" if argument == "output" else ""
        remedy = f"does not say what to write: end it in {endings}{otherwise}"
        raise InvalidValueError(argument, output, remedy)
    if told not in {None, form}:
        remedy = f"ends as {told} does, and {form} is asked for; end it in {FORMATS[form][0]}, or ask for {told}"
        raise InvalidValueError(argument, output, remedy)
    return Destination(format=form, file=file, argument=argument)


def _named(name: str) -> str:
    plain = name.strip().lower().removeprefix(".")
    found = plain if plain in FORMATS else _BY_ENDING.get(f".{plain}")
    if found is None:
        near = nearest(plain, [*FORMATS, *(ending[1:] for ending in _BY_ENDING)], most=1)
        raise UnknownNameError("format", name, near or tuple(FORMATS))
    return found
