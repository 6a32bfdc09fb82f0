"""A profile from a file, checked: what is wrong with it is told in one line."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast

from pydantic import ValidationError

from estimator.base.errors import EstimatorError, InvalidValueError, shown
from estimator.question.profile import Profile
from estimator.question.request import Request
from estimator.resolve.run import checked_own_runs
from server.profiles.document import VERSION, ProfileDocument, profile_of

__all__ = ["LARGEST_BYTES", "profile_in"]

LARGEST_BYTES = 1 << 20
"""What is measured and told of one machine takes some ten kB."""
_REMEDY = "`traintime measure` writes one"


def profile_in(path: Path) -> Profile:
    """Return the profile in the file at `path`.

    Raises InvalidValueError for what cannot be read, is no plain file, is too large, or is no profile.
    """
    raw = _object(path, _text(path))
    version: object = raw.get("version")
    if type(version) is not int or version != VERSION:
        said = "has no version" if version is None else f"has version {shown(version)}"
        _refuse(path, f"{said}; this program reads version {VERSION}: measure anew with `traintime measure`")
    try:
        profile = profile_of(ProfileDocument.model_validate(raw))
        machines = replace(profile, runs=())
        # A run that cannot be read would be told in every answer instead.
        checked_own_runs(Request(model="", gpu="", n_gpus=1, my_runs=profile.runs, profile=machines))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        place = ".".join(str(step) for step in faults[0]["loc"]) or "it"
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        _refuse(path, f"is no profile: {place}: {_plain(faults[0]['msg'])}{more}; {_REMEDY}")
    except EstimatorError as error:
        _refuse(path, f"is no profile: {error}")
    return profile


def _text(path: Path) -> str:
    try:
        # A pipe would wait for its writer, and a device never end: neither is read.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        plain = stat.S_ISREG(os.fstat(handle).st_mode)
        if not plain:
            os.close(handle)
            content = b""
        else:
            with os.fdopen(handle, "rb") as file:
                content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a file's name"
        _refuse(path, f"cannot be read ({why}); give a profile's file: {_REMEDY}")
    if not plain:
        _refuse(path, f"is not a plain file; give a profile's file: {_REMEDY}")
    if len(content) > LARGEST_BYTES:
        _refuse(path, f"is larger than 1 MiB; a profile has some ten kB: {_REMEDY}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(path, f"is not text in UTF-8; {_REMEDY}")


def _object(path: Path, text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text, parse_constant=_not_finite)
        # Spelt back: a number too large for a float is read as an infinity, half a character as itself.
        json.dumps(raw, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        numbers = "NaN" in str(error) or "JSON compliant" in str(error)
        _refuse(path, f"must hold {'finite numbers only' if numbers else 'a JSON object'}; {_REMEDY}")
    if not isinstance(raw, dict):
        _refuse(path, f"must hold a JSON object; {_REMEDY}")
    return cast("dict[str, Any]", raw)


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"NaN or an infinity: {name}")


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ").replace("Field required", "is missing")


def _refuse(path: Path, remedy: str) -> NoReturn:
    raise InvalidValueError("profile", str(path), remedy) from None
