"""Files that a caller names: read whole and no further than they may be long, written whole or not at all."""

import contextlib
import os
import stat
from pathlib import Path

from estimator.base.errors import InvalidValueError

__all__ = ["NO_LINK", "checked_output", "read_text", "write_output", "write_whole"]

# Where a system has neither, nothing is lost but the protection.
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""What a file is opened with that may be a link or a pipe by now."""


def read_text(argument: str, path: Path, *, most_bytes: int, too_large: str, otherwise: str = "") -> str:
    """Return the text of the file at `path`, in UTF-8 with or without a byte-order mark.

    Raises InvalidValueError for what is no file (a device never ends, and a pipe may never begin), for one of more
    than `most_bytes`, and for what cannot be read; `too_large` and `otherwise` say what would do.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or pipe"
            raise InvalidValueError(argument, str(path), f"cannot be read (it is {kind}); give a file")
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise InvalidValueError(argument, str(path), too_large)
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not text in UTF-8"
        raise InvalidValueError(argument, str(path), f"cannot be read ({why}){otherwise}") from error


def checked_output(argument: str, path: Path) -> Path:
    """Return the file that `path` names, through any link to it, where one can be written there.

    Raises InvalidValueError for what is no file, and for a folder that is not there or takes none.
    """
    try:
        file = path.resolve()
        if file.is_dir():
            raise InvalidValueError(argument, str(path), "is a folder; name a file in it")
        if file.exists() and not file.is_file():
            raise InvalidValueError(argument, str(path), "is a device or pipe; give a file, or - for standard output")
        if not file.parent.is_dir():
            remedy = "cannot be written: its folder is not there; make the folder first, or name another"
            raise InvalidValueError(argument, str(path), remedy)
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise InvalidValueError(argument, str(path), "cannot be written (permission denied); name another file")
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a file's name"
        raise InvalidValueError(argument, str(path), f"cannot be written ({why}); name another file") from error
    return file


def write_output(argument: str, path: Path, data: bytes) -> None:
    """Write `data` to a file that `checked_output` returned: all of it, or what was there stays.

    Raises InvalidValueError where the disk does not take it.
    """
    try:
        # A name of its own, so that two that write at once do not write one file, and never too long a one.
        unfinished = path.with_name(f".traintime-{os.getpid()}.unfinished")
        # Who may read a file stays as its owner has set it.
        write_whole(path, data, unfinished, stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InvalidValueError(argument, str(path), f"cannot be written ({why})") from error


def write_whole(path: Path, data: bytes, unfinished: Path, mode: int = 0o644) -> None:
    """Write `path` so that it has all of `data` or does not change, even through a loss of power.

    It is written as `unfinished`, in the same folder; what has that name is removed.
    """
    with contextlib.suppress(FileNotFoundError):
        unfinished.unlink()
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, mode)
    try:
        with open(file, "wb") as writable:  # noqa: PTH123 - a descriptor
            writable.write(data)
            writable.flush()
            os.fsync(file)
        unfinished.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    _synced(path.parent)


def _synced(folder: Path) -> None:
    if os.name != "posix":
        return
    opened_folder = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened_folder)
    finally:
        os.close(opened_folder)
