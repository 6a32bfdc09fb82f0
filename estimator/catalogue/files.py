"""The data files, as they lie on disk."""

import json
from pathlib import Path
from typing import Any

__all__ = ["DATA", "loaded"]

DATA = Path(__file__).parent / "data"


def loaded(file_name: str) -> Any:  # noqa: ANN401 - the caller names the file's shape; validation.checked_files checks it
    """Return the content of one data file."""
    return json.loads((DATA / file_name).read_bytes())
