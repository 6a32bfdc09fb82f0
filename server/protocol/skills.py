"""The skills that come with the program: what they say of themselves, and their files under `skill://`.

Source: Agent Skills for the files, the protocol's Skills extension (SEP-2640) for entries and addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

__all__ = ["MIME_TYPE", "SCHEME", "Skill", "SkillFile", "file_at", "skills"]

SCHEME = "skill://"
MIME_TYPE = "text/markdown"
_MAIN = "SKILL.md"
# The same place in a checkout and in an installed environment: beside this package.
_FOLDER = Path(__file__).resolve().parents[2] / "skills"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillFile:
    """One file of a skill, as it lies on disk."""

    address: str
    content: bytes

    @property
    def text(self) -> str:
        """What is served: the same bytes, so that size and digest fit."""
        return self.content.decode()

    @property
    def digest(self) -> str:
        """`sha256:` and 64 hexadecimal digits, over the bytes."""
        return f"sha256:{sha256(self.content).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A folder of instructions: its front matter, and every file in it, `SKILL.md` first."""

    front_matter: Mapping[str, str]
    files: tuple[SkillFile, ...]

    @property
    def address(self) -> str:
        """`skill://<name>/SKILL.md`, by which the skill is known."""
        return self.files[0].address


@cache
def skills(within: Path = _FOLDER) -> tuple[Skill, ...]:
    """Return every skill, by name; read when first asked for."""
    return tuple(_skill(path.parent) for path in sorted(within.glob(f"*/{_MAIN}")))


def file_at(address: str) -> SkillFile | None:
    """Return the file at `address`, or None; a skill's folder stands for its `SKILL.md`."""
    served = {file.address: file for skill in skills() for file in skill.files}
    return served.get(address) or served.get(f"{address.rstrip('/')}/{_MAIN}")


def _skill(folder: Path) -> Skill:
    others = sorted(path for path in folder.rglob("*.md") if path != folder / _MAIN)
    files = tuple(
        SkillFile(address=SCHEME + path.relative_to(folder.parent).as_posix(), content=path.read_bytes())
        for path in (folder / _MAIN, *others)
    )
    return Skill(front_matter=_front_matter(files[0].text), files=files)


def _front_matter(text: str) -> dict[str, str]:
    """Return the fields between the first two `---`: plain scalars, one a line, which need no YAML reader."""
    lines = text.splitlines()
    return dict(line.split(": ", 1) for line in lines[1 : lines.index("---", 1)])
