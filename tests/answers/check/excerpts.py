"""Excerpts of logs as data: a name, what prints such lines, and how they are to be read."""

from dataclasses import dataclass

from tests.places import ROOT

__all__ = ["EXCERPTS", "HOSTILE", "Excerpt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """One excerpt and its right reading, by name of a field of the reading."""

    name: str
    source: str
    reads: dict[str, str]
    text: str


def _excerpts(file: str) -> tuple[Excerpt, ...]:
    blocks = (ROOT / "tests/answers/check" / file).read_text(encoding="utf-8").split("\n=== ")[1:]
    out: list[Excerpt] = []
    for block in blocks:
        head, _, text = block.partition("\n---\n")
        name, source, reads = head.split("\n")
        pairs = (pair.partition("=") for pair in reads.removeprefix("reads: ").split())
        out.append(
            Excerpt(
                name=name,
                source=source.removeprefix("source: "),
                reads={field: value for field, _, value in pairs},
                text=text.replace("<ESC>", "\x1b").rstrip("\n"),
            )
        )
    return tuple(out)


_FILES = ("", "_trainers", "_dressed", "_own_loops", "_seen", "_epochs")
EXCERPTS = tuple(excerpt for part in _FILES for excerpt in _excerpts(f"excerpts{part}.txt"))
HOSTILE = _excerpts("hostile.txt")
