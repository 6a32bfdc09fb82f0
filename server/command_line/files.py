"""Files that a caller names, read whole and no further than they may be long."""

import stat
from pathlib import Path

from estimator.base.errors import InvalidValueError

__all__ = ["read_text"]


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
