"""Where the tests find the checkout and the figures that others published."""

from pathlib import Path

__all__ = ["PUBLISHED", "ROOT"]

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "tests" / "published"
