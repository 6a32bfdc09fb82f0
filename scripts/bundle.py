"""Build the MCP bundle: one file that a desktop host installs, with uv of its own to run what is inside.

Made of what git tracks, in a fixed order and with a fixed date, so that the same commit gives the same bytes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.base.version import VERSION  # noqa: E402 - the checkout's own packages come first
from scripts.manifests import ICON_SIZES, NAME, PYPROJECT, bundle_manifest, icon, written  # noqa: E402
from server.protocol.listing import listed_prompts, listed_tools  # noqa: E402
from server.protocol.prompts import PROMPTS  # noqa: E402
from server.protocol.registry import TOOLS  # noqa: E402

__all__ = ["MANIFEST", "TARGETS", "bundled", "copied", "staged", "tracked"]

MANIFEST = "manifest.json"
TARGETS: dict[str, dict[str, Any]] = PYPROJECT["tool"]["hatch"]["build"]["targets"]
"""What goes into the wheel and the sdist, and under which name."""


def tracked(*places: str) -> list[str]:
    """Return the paths of the files that git tracks, of those below `places` where any are named."""
    command = ["git", "ls-files", "-z", "--", *places]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted(path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file())


def copied(paths: Iterable[str], folder: Path) -> None:
    """Copy files of the checkout into `folder`, each to the same path there."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)


def staged(folder: Path) -> None:
    """Lay what the bundle holds into `folder`, as its host will unpack it."""
    beside = ["pyproject.toml", "README.md", "LICENSE", *map(icon, ICON_SIZES)]
    copied(tracked(*TARGETS["wheel"]["only-include"], *beside), folder)
    (folder / MANIFEST).write_text(written(_manifest()), encoding="utf-8")


def bundled(stage: Path, folder: Path) -> Path:
    """Return the bundle of what is laid out in `stage`, written into `folder`.

    Every file has the date of SOURCE_DATE_EPOCH, or of 1980 where it is not set: the earliest that an archive can tell.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    date = time.gmtime(int(epoch))[:6] if epoch else (1980, 1, 1, 0, 0, 0)
    path = folder / f"{NAME}-{VERSION}.mcpb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(stage.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(stage).as_posix(), date)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, file.read_bytes())
    return path


def _manifest() -> dict[str, Any]:
    """Return the manifest, with the tools and prompts that the server will list."""
    tools = [{"name": tool.name, "description": tool.description or ""} for tool in listed_tools(TOOLS)]
    prompts = [
        {
            "name": prompt.name,
            "description": prompt.description or "",
            "arguments": [argument.name for argument in prompt.arguments or []],
            "text": PROMPTS[prompt.name].text(
                {argument.name: f"${{arguments.{argument.name}}}" for argument in prompt.arguments or []}
            ),
        }
        for prompt in listed_prompts()
    ]
    return bundle_manifest(tools, prompts)


def main() -> None:
    """Write the bundle of this checkout into dist/."""
    folder = ROOT / "dist"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as stage:
        staged(Path(stage))
        print(bundled(Path(stage), folder).relative_to(ROOT))


if __name__ == "__main__":
    main()
