"""A folder of Parquet files that a sweep fills: each appears whole or not at all, and later runs go on.

    _manifest.json    the plan, and once all is done the checksum of every part
    _checksums        a line a part as it is finished, as `sha256sum --check` reads them
    _lock             held while a process fills the folder
    part-0000000.parquet, …

Whatever else lies there is somebody's own: it is never opened, changed or removed.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import asdict
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar, cast

from estimator.base.errors import InvalidValueError, shown
from server.command_line.files import NO_LINK, write_whole
from server.sweep.part import Plan

_Value = TypeVar("_Value")

__all__ = ["Store", "opened", "part_name"]

# Readers of Parquet folders pass over names that begin with an underscore.
MANIFEST, CHECKSUMS, _LOCK = "_manifest.json", "_checksums", "_lock"
_UNFINISHED = ".unfinished"
_CHECKED = re.compile(r"([0-9a-f]{64})  (part-\d{7,}\.parquet)")
_LARGEST_KEPT_BYTES = 256 << 20
"""Of a manifest or a list of checksums: twice those of a billion points."""
_MOST_NAMED = 5


class Store:
    """The parts of one sweep. Only `opened` makes one."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self._plan = plan
        self._checksums: dict[str, str] = {}

    def done(self) -> set[int]:
        """Return the parts that are there with the checksum they were written with.

        What a killed run of this sweep left half-written is removed.
        """
        noted = self._noted()
        parts: set[int] = set()
        for name, checksum in noted.items():
            part = int(name.removeprefix("part-").removesuffix(".parquet"))
            # A file system that lost power may keep a name without its data.
            if part < self._plan.parts and name == part_name(part) and _checksum(self.folder / name) == checksum:
                parts.add(part)
                self._checksums[name] = checksum
        for name in self._unfinished():
            with contextlib.suppress(OSError):
                (self.folder / name).unlink()
        with _said(self.folder):
            _written(self.folder / CHECKSUMS, "".join(map(_line, sorted(self._checksums.items()))).encode())
        return parts

    def foreign(self) -> tuple[str, ...]:
        """Return the names of what lies in the folder and is not of this sweep."""
        return tuple(sorted(name for name in os.listdir(self.folder) if not self._is_ours(name)))  # noqa: PTH208 - names

    def put(self, part: int, data: bytes) -> None:
        """Keep the file of `part`.

        Raises InvalidValueError where the disk takes no more; what was kept stays.
        """
        name = part_name(part)
        checksum = hashlib.sha256(data).hexdigest()
        with _said(self.folder):
            _written(self.folder / name, data)
            _appended(self.folder / CHECKSUMS, _line((name, checksum)).encode())
        self._checksums[name] = checksum

    def complete(self) -> None:
        """Note that nothing is left to do."""
        with _said(self.folder):
            _written(self.folder / MANIFEST, _manifest(self._plan, complete=True, checksums=self._checksums))

    def _noted(self) -> Mapping[str, str]:
        """Return the checksums that earlier runs noted; the last of a part counts."""
        text = _read(self.folder / CHECKSUMS) or ""
        lines = (_CHECKED.fullmatch(line) for line in text.splitlines())
        return {found[2]: found[1] for found in lines if found}

    def _unfinished(self) -> list[str]:
        return [name for name in os.listdir(self.folder) if name.endswith(_UNFINISHED) and self._is_ours(name)]  # noqa: PTH208 - names

    def _is_ours(self, name: str) -> bool:
        name = name.removesuffix(_UNFINISHED)
        if name in {MANIFEST, CHECKSUMS, _LOCK}:
            return True
        number = name.removeprefix("part-").removesuffix(".parquet")
        return (
            number.isascii()
            and number.isdecimal()
            and name == part_name(int(number))
            and (int(number) < self._plan.parts)
        )


@contextlib.contextmanager
def opened(folder: Path, plan: Plan) -> Generator[Store]:
    """Yield the store of `plan` in `folder`, which is new, empty, or an earlier run's of the same plan.

    Raises InvalidValueError for a folder that holds anything else, or that another process is filling.
    """
    with _said(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Neither through a link nor cut short: it may be a file of somebody's own.
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | NO_LINK, 0o644)
    try:
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            raise InvalidValueError("out", str(folder), f"holds a {_LOCK} that is no file; give a new folder")
        _lock_or_refuse(folder, lock)
        store = Store(folder, plan)
        earlier = _earlier(folder)
        if earlier is not None:
            _check_same(folder, earlier, plan)
        else:
            others = sorted(name for name in os.listdir(folder) if name != _LOCK)  # noqa: PTH208 - names
            if others:
                raise InvalidValueError("out", str(folder), f"holds other files ({_named(others)}); give a new folder")
            with _said(folder):
                _written(folder / MANIFEST, _manifest(plan, complete=False))
        yield store
    finally:
        os.close(lock)


def _named(names: Iterable[str]) -> str:
    several = [shown(name) for name in names]
    return ", ".join(several[:_MOST_NAMED]) + (f" and {len(several) - _MOST_NAMED} more" * (len(several) > _MOST_NAMED))


@contextlib.contextmanager
def _said(folder: Path) -> Generator[None]:
    """Say in one line what the disk refuses."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        remedy = f"cannot be written ({why}); what is finished is kept, and the same command goes on once it can be"
        raise InvalidValueError("out", str(folder), remedy) from error


def part_name(part: int) -> str:
    """Return the name of the file of `part`."""
    return f"part-{part:07d}.parquet"


def _line(kept: tuple[str, str]) -> str:
    name, checksum = kept
    return f"{checksum}  {name}\n"


def _read(path: Path) -> str | None:
    """Return the text of a file; None where there is none, or what is there is no file or no text."""
    kept = _of_file(path, lambda readable: readable.read(_LARGEST_KEPT_BYTES))
    try:
        return None if kept is None else kept.decode("utf-8")
    except ValueError:
        return None


def _checksum(path: Path) -> str | None:
    """Return the checksum of a file; None where there is none."""
    return _of_file(path, lambda readable: hashlib.file_digest(readable, "sha256").hexdigest())


def _of_file(path: Path, taken: Callable[[BufferedReader], _Value]) -> _Value | None:
    """Return what `taken` makes of a file; None where none can be read, or a link or a pipe is there."""
    try:
        file = os.open(path, os.O_RDONLY | NO_LINK)
        with open(file, "rb") as readable:  # noqa: PTH123 - a descriptor
            return taken(readable) if stat.S_ISREG(os.fstat(file).st_mode) else None
    except OSError:
        return None


def _earlier(folder: Path) -> dict[str, Any] | None:
    """Return what an earlier run noted of its plan; None where there was none.

    Raises InvalidValueError for a manifest that cannot be read: its parts could be another sweep's.
    """
    if not os.path.lexists(folder / MANIFEST):
        return None
    try:
        noted = json.loads(_read(folder / MANIFEST) or "")
    except (ValueError, RecursionError):
        noted = None
    if not isinstance(noted, dict):
        remedy = f"holds a {MANIFEST} that cannot be read; give a new folder, or remove this one"
        raise InvalidValueError("out", str(folder), remedy)
    return cast("dict[str, Any]", noted)


def _lock_or_refuse(folder: Path, file: int) -> None:
    if os.name != "posix":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InvalidValueError("out", str(folder), "is being filled by another sweep") from error


def _check_same(folder: Path, earlier: dict[str, Any], plan: Plan) -> None:
    ours = json.loads(_manifest(plan, complete=False))
    differing = [key for key, value in ours.items() if key != "complete" and earlier.get(key) != value]
    if differing:
        what = ", ".join(f"{key} was {_short(earlier.get(key))}" for key in differing if key != "spec")
        remedy = "holds another sweep" + (f" ({what})" if what else ", of another specification")
        raise InvalidValueError("out", str(folder), f"{remedy}; give a new folder")


def _short(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else shown(str(value))


def _manifest(plan: Plan, *, complete: bool, checksums: Mapping[str, str] | None = None) -> bytes:
    kept: dict[str, Any] = asdict(plan) | {
        "spec": json.loads(plan.spec),
        "parts": plan.parts,
        "complete": complete,
    }
    if checksums is not None:
        kept["sha256"] = dict(sorted(checksums.items()))
    return (json.dumps(kept, ensure_ascii=False, indent=2) + "\n").encode()


def _written(path: Path, data: bytes) -> None:
    write_whole(path, data, path.with_name(path.name + _UNFINISHED))


def _appended(path: Path, line: bytes) -> None:
    """Add a line; one that a loss of power cuts short is read as none, and its part is done again."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | NO_LINK, 0o644)
    with open(file, "ab") as writable:  # noqa: PTH123 - a descriptor
        writable.write(line)
        writable.flush()
        os.fsync(file)
