"""The bearer tokens that callers must send, from a file that only its owner should read.

One a line; the file is read again when it changes, so that a token can be replaced while others still hold.
"""

import hmac
import logging
import os
import stat
import time
from pathlib import Path

from estimator.base.errors import InvalidValueError

__all__ = ["Tokens"]

_SHORTEST = 16
_LOOK_EVERY_S = 1.0
"""How old what is known of the file may be."""
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST_FILE_BYTES = 65_536

_logger = logging.getLogger(__name__)
_State = tuple[int, int, int]


class Tokens:
    """The tokens in a file.

    Raises InvalidValueError where the file cannot be read, holds none, or holds one that guards nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = _state(path)
        self._known = _read(path)
        self._looked_s = time.monotonic()
        _warn_if_open(path)

    def admit(self, given: bytes) -> bool:
        """Return whether `given` is one of the tokens; how long that takes says nothing of how much was right."""
        self._look_again()
        return sum(hmac.compare_digest(given, token) for token in self._known) > 0

    def _look_again(self) -> None:
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now_s
        try:
            state = _state(self._path)
            if state == self._state:
                return
            self._known = _read(self._path)
            self._state = state
            _warn_if_open(self._path)
        except InvalidValueError as error:
            _logger.warning("%s; the tokens it held before still hold", error)


def _state(path: Path) -> _State:
    """Return what changes when a file does."""
    try:
        facts = path.stat()
    except OSError as error:
        raise InvalidValueError("token_file", str(path), "cannot be read as text") from error
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def _read(path: Path) -> tuple[bytes, ...]:
    try:
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise InvalidValueError("token_file", str(path), f"is larger than {_LARGEST_FILE_BYTES} bytes")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError("token_file", str(path), "cannot be read as text") from error
    tokens = [line.strip() for line in lines if line.strip()]
    # Spaces and what is not ASCII do not go through a header as they stand.
    if not tokens or any(len(token) < _SHORTEST or not _is_printable(token) for token in tokens):
        raise InvalidValueError(
            "token_file",
            str(path),
            f"must hold one token of at least {_SHORTEST} characters without spaces, in ASCII, or several, one a line",
        )
    return tuple(token.encode("ascii") for token in tokens)


def _is_printable(token: str) -> bool:
    return token.isascii() and all("!" <= character <= "~" for character in token)


def _warn_if_open(path: Path) -> None:
    """Say so where others on this machine can read the file."""
    if os.name == "posix" and path.stat().st_mode & _FOR_OTHERS:
        _logger.warning("token_file: others on this machine may read %s; chmod 600 keeps it to its owner", path)
