"""Standard output as it may be: in any encoding, full, or closed."""

import codecs
import errno
import io
import json
import sys
from typing import TextIO

import click

__all__ = ["UNWRITABLE", "lenient", "print_json"]

UNWRITABLE = frozenset({errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EBADF, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""What a system says of output that cannot be written: it is not a fault of ours."""


def lenient(stream: TextIO) -> None:
    """Let `stream` show a mark for what its encoding lacks, such as ≤ in a Windows code page, and not fail on it."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="replace")


def print_json(text: str) -> None:
    """Print JSON that is UTF-8 whatever the output's encoding: outside UTF-8 in ASCII, with escapes."""
    if codecs.lookup(sys.stdout.encoding or "ascii").name != "utf-8":
        text = json.dumps(json.loads(text), separators=(",", ":"))
    click.echo(text)
