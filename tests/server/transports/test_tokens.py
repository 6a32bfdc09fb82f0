"""Tokens come from a private file, several if it holds several, and are read anew when it changes.

Authority: RFC 6750, 2.1 and 5.2 (bearer tokens in a header; short-lived tokens), and the program's security policy.
"""

import logging
import os
from pathlib import Path

import pytest

from estimator.base.errors import InvalidValueError
from server.transports import tokens as module
from server.transports.access import access
from server.transports.tokens import Tokens

FIRST, SECOND, OTHER = b"the-first-of-the-tokens", b"the-second-of-the-tokens", b"one-that-nobody-gave-out"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private file with two tokens, looked at on every call."""
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.0)
    path = tmp_path / "tokens"
    path.touch(mode=0o600)
    path.write_bytes(b"  " + FIRST + b" \r\n\n" + SECOND + b"\n")
    return path


def test_every_line_is_a_token_and_spaces_about_it_are_none_of_it(file: Path) -> None:
    tokens = Tokens(file)
    assert [tokens.admit(given) for given in (FIRST, SECOND, OTHER, b"", FIRST + b"\n" + SECOND)] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_token_that_is_replaced_no_longer_holds(file: Path) -> None:
    tokens = Tokens(file)
    file.write_bytes(SECOND + b"\n" + OTHER)
    assert [tokens.admit(given) for given in (FIRST, SECOND, OTHER)] == [False, True, True]


@pytest.mark.parametrize("broken", [b"", b"short", None])
def test_a_file_that_is_broken_later_changes_nothing_and_is_told(
    file: Path, broken: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = Tokens(file)
    if broken is None:
        file.unlink()
    else:
        file.write_bytes(broken)
    assert tokens.admit(FIRST)
    assert "still hold" in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_may_read_is_told(
    file: Path, mode: int, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        Tokens(file)
    assert ("chmod 600" in caplog.text) == is_told


@pytest.mark.parametrize("origin", ["null", "NULL", "app.example.org", "https://", "https://a@b", "https://a/path"])
def test_an_origin_that_is_none_is_not_allowed(origin: str) -> None:
    with pytest.raises(InvalidValueError, match="allowed_origins"):
        access("127.0.0.1", allowed_hosts=(), allowed_origins=(origin,), token_file=None)
