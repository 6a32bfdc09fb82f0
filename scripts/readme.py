"""The commands that the README shows and what they print, and the accuracy that it states.

A ```console block is one command after `$ `, and the first lines that it prints; a last line `…` says that more
follow. The figures of the backtest stand between two comments, those of further tables between two more. The tests hold
the README to all of it; run this file to put what is printed and measured now in place of what was.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.catalogue import catalogue  # noqa: E402 - the checkout's own packages come first
from estimator.catalogue.shapes import TableRow  # noqa: E402

__all__ = ["README", "RUN_AS", "accuracy_block", "printed", "sessions", "tables_block"]

README = ROOT / "README.md"
RUN_AS = {
    "traintime": [sys.executable, "-m", "traintime"],
    "scripts/demo": [sys.executable, "-m", "scripts.demo"],
}
COLUMNS = "100"
SECONDS_PER_COMMAND = 120
MORE = "…"
INTERNAL_FAULT = 1  # 2 is an answer too: the one sentence for a bad argument

ACCURACY_BLOCK = re.compile(r"(?<=<!-- accuracy:begin -->\n).*?(?=<!-- accuracy:end -->)", flags=re.DOTALL)
TABLES_BLOCK = re.compile(r"(?<=<!-- tables:begin -->\n).*?(?=<!-- tables:end -->)", flags=re.DOTALL)

_SESSION = re.compile(r"^```console\n\$ (.*?[^\\])\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def sessions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command shown, as written, and what is shown of its output."""
    for session in _SESSION.finditer(text):
        yield session[1], session[2]


def printed(command: str, shown: str) -> str:
    """Return what `command` prints now, cut to as many lines as are `shown` where those end with `…`.

    Raises RuntimeError where the command fails by a fault of its own.
    """
    # A backslash at the end of a line continues the command, as in a shell.
    program, *arguments = shlex.split(command.replace("\\\n", ""))
    done = subprocess.run(
        [*RUN_AS[program], *arguments],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": COLUMNS, "NO_COLOR": "1", "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=SECONDS_PER_COMMAND,
        check=False,
    )
    if done.returncode == INTERNAL_FAULT:
        raise RuntimeError(f"{command}\n{done.stderr}")
    lines = re.sub(r"[ \t]+$", "", done.stdout + done.stderr, flags=re.MULTILINE).strip("\n").split("\n")
    kept = shown.rstrip("\n").split("\n")
    if kept[-1] == MORE and len(lines) >= len(kept):
        lines = [*lines[: len(kept) - 1], MORE]
    return "\n".join(lines) + "\n"


def accuracy_block() -> str:
    """Return the backtest's figures as a table, a regime a row."""
    measured = catalogue.accuracy()
    lines = [
        "| runs | rows | labs | median error | 90% of errors below | labs alike | in range | range, high ÷ low |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {row['rows']:,} | {row['labs']} | {row['median']:.1%} | {row['p90']:.1%} "
            f"| {row['labs_alike']:.1%} | {row['covered']:.0%} | {row['range_width']:.2f}× |"
            for name, row in measured["regimes"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def tables_block() -> str:
    """Return the errors on tables of measurements, a table a row."""
    lines = [
        "| measurements | left out of the fit | rows | mean error | median | 90% of errors below | others there |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
        *(
            f"| {row['name']}{' (time lost)' if row['of'] == 'time lost' else ''} | {row['left_out']} "
            f"| {row['rows']:,} | {row['mean']:.1%} | {row['median']:.1%} | {row['p90']:.1%} | {_beside(row)} |"
            for row in catalogue.tables()["tables"]
        ),
    ]
    return "\n".join(lines) + "\n"


def _beside(row: TableRow) -> str:
    """Return what others reach, or how many of the rows lie in their ranges."""
    if "covered" in row and "range_width" in row:
        return f"{row['covered']:.0%} in their range, {row['range_width']:.1f}× wide"
    return row.get("peers", "")


def main() -> None:
    """Rewrite the README's answers and figures."""
    text = README.read_text(encoding="utf-8")
    text = _SESSION.sub(lambda session: f"```console\n$ {session[1]}\n{printed(session[1], session[2])}```", text)
    text = ACCURACY_BLOCK.sub(lambda _: accuracy_block(), text)
    text = TABLES_BLOCK.sub(lambda _: tables_block(), text)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
