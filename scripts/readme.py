"""The commands that the documents show and what they print, and the accuracy that they state.

A ```console block is one command after `$ `, and the first lines that it prints; a last line `…` says that more
follow. Figures stand between two comments that name their block (see scripts/figures.py). The tests hold the documents
to all of it; run this file to put what is printed and measured now in place of what was.
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

from scripts.figures import BLOCKS, Language  # noqa: E402 - the checkout's own packages come first

__all__ = ["DOCUMENTS", "README", "RUN_AS", "filled", "printed", "sessions"]

README = ROOT / "README.md"
DOCUMENTS: dict[Path, Language] = {
    README: "en",
    ROOT / "README.zh-CN.md": "zh",
    ROOT / "docs" / "accuracy.md": "en",
}
"""What shows commands or figures, and the language that it is written in."""
RUN_AS = {
    "traintime": [sys.executable, "-m", "traintime"],
    "scripts/demo": [sys.executable, "-m", "scripts.demo"],
}
COLUMNS = "100"
SECONDS_PER_COMMAND = 120
MORE = "…"
INTERNAL_FAULT = 1  # 2 is an answer too: the one sentence for a bad argument

_BLOCK = re.compile(r"(<!-- (\w+):begin -->\n).*?(<!-- \2:end -->)", flags=re.DOTALL)
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


def filled(text: str, language: Language) -> str:
    """Return a document with the figures of the committed backtest in its blocks."""
    return _BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[block[2]](language)}{block[3]}", text)


def main() -> None:
    """Rewrite the documents' answers and figures."""
    answers: dict[str, str] = {}
    for path, language in DOCUMENTS.items():
        text = path.read_text(encoding="utf-8")
        for command, shown in sessions(text):
            if command not in answers:
                answers[command] = printed(command, shown)
        text = _SESSION.sub(lambda session: f"```console\n$ {session[1]}\n{answers[session[1]]}```", text)
        path.write_text(filled(text, language), encoding="utf-8")


if __name__ == "__main__":
    main()
