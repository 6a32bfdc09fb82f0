"""Render the icon at the sizes that hosts ask for."""

import subprocess

from scripts.fetched import python_program
from scripts.manifests import ICON_SIZES, ROOT, icon

__all__: list[str] = []

RENDERER = "resvg-py==0.5.0"
RENDER = (
    "import pathlib, resvg_py, sys; svg, png, size = sys.argv[1:]; size = int(size);"
    "picture = resvg_py.svg_to_bytes(svg_path=svg, width=size, height=size, skip_system_fonts=True);"
    "pathlib.Path(png).write_bytes(bytes(picture))"
)


def main() -> None:
    """Write the pictures."""
    python = python_program(RENDERER, "python")
    for size in ICON_SIZES:
        subprocess.run(
            [python, "-c", RENDER, str(ROOT / "assets" / "icon.svg"), str(ROOT / icon(size)), str(size)], check=True
        )


if __name__ == "__main__":
    main()
