"""A folder of Parquet files that a sweep fills: each appears whole or not at all, and later runs go on."""

import contextlib
import json
import os
from collections.abc import Generator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from estimator.base.errors import InvalidValueError
from server.sweep.part import Plan

__all__ = ["Store", "opened"]

# Readers of Parquet folders pass over names that begin with an underscore.
MANIFEST, _LOCK = "_manifest.json", "_lock"
_UNFINISHED = ".unfinished"


class Store:
    """The parts of one sweep. Only `opened` makes one."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self._plan = plan

    def done(self) -> set[int]:
        """Return the parts that are there and whole; what a killed run left half-written is removed."""
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
        for path in self.folder.glob(f"*{_UNFINISHED}"):
            path.unlink()
        parts: set[int] = set()
        for path in self.folder.glob("part-*.parquet"):
            number = path.stem.removeprefix("part-")
            part = int(number) if number.isdecimal() else -1
            # A file system that lost power may keep a name without its data.
            with contextlib.suppress(arrow.ArrowInvalid, OSError):
                if 0 <= part < self._plan.parts and parquet.read_metadata(path).num_rows == self._plan.rows(part):
                    parts.add(part)
        return parts

    def put(self, part: int, data: bytes) -> None:
        """Keep the file of `part`."""
        _written(self.folder / f"part-{part:07d}.parquet", data)

    def complete(self) -> None:
        """Note that nothing is left to do."""
        _written(self.folder / MANIFEST, _manifest(self._plan, complete=True))


@contextlib.contextmanager
def opened(folder: Path, plan: Plan) -> Generator[Store]:
    """Yield the store of `plan` in `folder`, which is new, empty, or an earlier run's of the same plan.

    Raises InvalidValueError for a folder that holds anything else, or that another process is filling.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w", encoding="ascii")
    except OSError as error:
        raise InvalidValueError("out", str(folder), f"cannot be written ({error.strerror})") from error
    with lock:
        _lock_or_refuse(folder, lock.fileno())
        manifest = folder / MANIFEST
        if manifest.exists():
            _check_same(folder, json.loads(manifest.read_text(encoding="utf-8")), plan)
        elif any(path.name != _LOCK for path in folder.iterdir()):
            raise InvalidValueError("out", str(folder), "holds other files; give a new folder")
        else:
            _written(manifest, _manifest(plan, complete=False))
        yield Store(folder, plan)


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
    return f"{value:,}" if isinstance(value, int) else str(value)


def _manifest(plan: Plan, *, complete: bool) -> bytes:
    kept = asdict(plan) | {"spec": json.loads(plan.spec), "parts": plan.parts, "complete": complete}
    return (json.dumps(kept, ensure_ascii=False, indent=2) + "\n").encode()


def _written(path: Path, data: bytes) -> None:
    """Write `path` so that it has all of `data` or does not change, even through a loss of power."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    if os.name != "posix":
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
