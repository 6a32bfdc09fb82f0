"""Numbers in digits are read alike however their thousands are set apart, and told where they may be another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import InvalidValueError
from estimator.base.numerals import other_reading
from estimator.base.units import parse_count


@given(st.integers(min_value=1_000, max_value=10**15), st.sampled_from([",", "_", " ", "'", "’", "\u202f"]))
def test_thousands_are_read_alike_however_they_are_set_apart(count: int, separator: str) -> None:
    assert parse_count(f"{count:,}".replace(",", separator), "tokens") == count


@given(st.integers(min_value=10**6, max_value=10**15))
def test_thousands_set_apart_by_points_twice_are_thousands(count: int) -> None:
    assert parse_count(f"{count:,}".replace(",", "."), "tokens") == count


@given(st.integers(min_value=1, max_value=999), st.integers(min_value=1, max_value=99))
def test_a_decimal_comma_before_a_multiple_is_a_decimal_point(whole: int, part: int) -> None:
    assert parse_count(f"{whole},{part}M", "tokens") == parse_count(f"{whole}.{part}M", "tokens")


@given(st.integers(min_value=1, max_value=999), st.integers(min_value=0, max_value=999))
def test_a_point_before_three_digits_alone_may_be_thousands(whole: int, part: int) -> None:
    readings = other_reading(f"{whole}.{part:03} tokens")
    assert readings is not None
    read, other = map(float, readings)
    assert read == parse_count(f"{whole}.{part:03}", "tokens")
    assert other == whole * 1000 + part


@pytest.mark.parametrize(
    ("written", "readings"),
    [
        ("60.000", ("60", "60000")),
        ("1.500 Mrd", ("1.5", "1500")),
        ("1,500 Mrd", ("1500", "1.5")),
        ("1,400B", ("1400", "1.4")),
        ("1.543B", None),
        ("60,000", None),
        ("0.125", None),
        ("60.00", None),
        ("12.345.678", None),
        ("1.234e9", None),
    ],
)
def test_only_what_may_be_another_amount_is_doubted(written: str, readings: tuple[str, str] | None) -> None:
    assert other_reading(written) == readings


@pytest.mark.parametrize("written", ["1,2345", "12,34,5", "1.23.456", "1,,000", "1,50,00"])
def test_digits_grouped_as_nobody_groups_them_are_refused(written: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_count(written, "tokens")
