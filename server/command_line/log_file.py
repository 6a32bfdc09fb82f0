"""A trainer's log from a file or standard input, of any size: its head and its end are read."""

import sys
from collections import deque
from pathlib import Path
from typing import Any, BinaryIO

import click

from estimator.base.errors import InvalidValueError

__all__ = ["LogText"]

_HEAD_BYTES, _TAIL_BYTES = 64_000, 256_000
"""Where a run's set-up is printed, and where it is now."""
_MOST_WHOLE_BYTES = 3_000_000
"""A document is read whole: cut, it is none."""
_CHUNK_BYTES = 64_000
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""What a redirection writes on Windows."""
_LONGEST_NAME = 1_000


class LogText(click.ParamType[str]):
    """A log: a file's name, `-` for standard input, or its text."""

    name = "log"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        """Return the text of the log."""
        del ctx
        argument = str(param.name if param else "observed_log")
        text = str(value)
        if text == "-":
            return _decoded(*_ends(sys.stdin.buffer))
        if "\n" in text or "\r" in text or len(text) > _LONGEST_NAME or text.lstrip().startswith("{"):
            return text
        path = Path(text).expanduser()
        try:
            with path.open("rb") as file:
                return _decoded(*_ends(file))
        except (OSError, ValueError) as error:
            if " " in text.strip() and any(character.isdigit() for character in text):
                # A line of a log, not the name of a file that holds one.
                return text
            why = getattr(error, "strerror", None) or "not a file's name"
            remedy = f"cannot be read ({why}); give a file with a trainer's log, or - for standard input"
            raise InvalidValueError(argument, text, remedy) from error


def _ends(file: BinaryIO) -> tuple[bytes, bytes]:
    """Return all of a file, or the beginning and the end of a long one; no more is held than those."""
    head = file.read(_HEAD_BYTES)
    whole = _MOST_WHOLE_BYTES if head.lstrip()[:1] in {b"{", b"["} else _TAIL_BYTES
    if file.seekable():
        size = file.seek(0, 2)
        rest = size - len(head)
        file.seek(len(head) if rest <= whole else size - _TAIL_BYTES)
        tail = file.read(whole)
        return (head + tail, b"") if rest <= whole else (head, tail)
    chunks: deque[bytes] = deque()
    held, dropped = 0, False
    while chunk := file.read(_CHUNK_BYTES):
        chunks.append(chunk)
        held += len(chunk)
        while held - len(chunks[0]) > whole:
            held -= len(chunks.popleft())
            dropped = True
    tail = b"".join(chunks)
    return (head, tail[-_TAIL_BYTES:]) if dropped else (head + tail, b"")


def _decoded(head: bytes, tail: bytes) -> str:
    """Return the text of a log's beginning and end; what is no text stands as a question mark."""
    wide = head.startswith(_UTF_16)
    beginning = head.decode("utf-16" if wide else "utf-8", errors="replace")
    if not tail:
        return beginning
    encoding = "utf-8" if not wide else "utf-16-le" if head.startswith(_UTF_16[0]) else "utf-16-be"
    ending = tail[len(tail) % 2 if wide else 0 :].decode(encoding, errors="replace")
    return f"{beginning.rpartition(chr(10))[0]}\n{ending.partition(chr(10))[2] or ending}"
