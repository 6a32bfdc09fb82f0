"""What the changelog says of a release."""

import re
from datetime import date
from pathlib import Path

__all__ = ["CHANGELOG", "moved", "notes"]

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
UNRELEASED = "## [Unreleased]\n"


def moved(changelog: str, version: str, day: date) -> str:
    """Return the changelog with what is unreleased as the section of `version`, released on `day`.

    Raises ValueError where nothing is unreleased, or the version has a section.
    """
    before, heading, after = changelog.partition(UNRELEASED)
    if not heading or not notes(changelog, "Unreleased"):
        raise ValueError(f"nothing is listed under {UNRELEASED.strip()!r}")
    if notes(changelog, version):
        raise ValueError(f"{version} has a section already")
    return f"{before}{heading}\n## [{version}] - {day.isoformat()}\n{after}"


def notes(changelog: str, version: str) -> str:
    """Return what the section of `version` lists, or nothing where there is none."""
    found = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## \[|\Z)", changelog, flags=re.MULTILINE | re.DOTALL
    )
    return found[1].strip() + "\n" if found and found[1].strip() else ""
