"""Answers to questions that leave things unsaid, and what they warn of."""

from typing import Any

from tools.estimate_training_time import estimate_training_time

__all__ = ["answer", "codes"]


def answer(**asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the tool's arguments
    """Return the answer to what is `asked`, of 100M tokens unless it says otherwise."""
    run: dict[str, Any] = {"tokens": "100M", **asked}
    return estimate_training_time(**run).model_dump()


def codes(answered: dict[str, Any]) -> set[str]:
    """Return the codes of an answer's warnings."""
    return {warning["code"] for warning in answered["warnings"]}
