"""Logs of every trainer, each read as a careful person reads it.

Authority: the source of each trainer, named beside its excerpt; the figures are made up.
"""

from dataclasses import fields

import pytest

from estimator.answers.check.logs import LogReading, log_reading
from estimator.base.errors import InvalidValueError
from tests.answers.check.excerpts import EXCERPTS, HOSTILE, Excerpt

_FIELDS = {field.name for field in fields(LogReading)}


def _held(excerpt: Excerpt) -> None:
    if "refused" in excerpt.reads:
        with pytest.raises(InvalidValueError, match=excerpt.reads["refused"].replace("_", " ")):
            log_reading(excerpt.text)
        return
    read = log_reading(excerpt.text)
    for name, expected in excerpt.reads.items():
        assert name in _FIELDS
        value = getattr(read, name)
        if name == "dialect":
            assert value == expected
        elif expected in {"None", "True", "False"}:
            assert str(value) == expected, name
        else:
            assert value == pytest.approx(float(expected), rel=0.01), name


@pytest.mark.parametrize("excerpt", EXCERPTS, ids=lambda excerpt: excerpt.name)
def test_a_log_is_read_as_a_careful_person_reads_it(excerpt: Excerpt) -> None:
    _held(excerpt)


@pytest.mark.parametrize("excerpt", HOSTILE, ids=lambda excerpt: excerpt.name)
def test_a_hostile_log_is_read_right_or_refused_and_never_silently_wrong(excerpt: Excerpt) -> None:
    _held(excerpt)
