"""Quantities as people write them are read right or refused in a sentence."""

import math
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base import units
from estimator.base.errors import InvalidValueError

_PARSERS = (units.parse_count, units.parse_duration_s, units.parse_gpu_hours, units.parse_usd, units.parse_bytes)


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("15T", 15e12),
        ("15t", 15e12),
        ("1.4e12", 1.4e12),
        ("300B", 300e9),
        ("300 bn", 300e9),
        ("7B", 7e9),
        ("0.5b", 0.5e9),
        ("500M", 500e6),
        ("500m", 500e6),
        ("128k", 128e3),
        ("2,000,000", 2e6),
        ("1_000_000", 1e6),
        ("1 000 000", 1e6),
        ("1.5 trillion", 1.5e12),
        ("2 billion tokens", 2e9),
        ("15T tokens", 15e12),
        ("8B params", 8e9),
        ("1000 samples", 1000),
        ("1.5 × 10^13", 1.5e13),
        ("1.5*10**13", 1.5e13),
        (".5T", 0.5e12),
        ("+3", 3),
        (" 12 ", 12),
        ("1,5B", 1.5e9),
        ("1.5 Mrd", 1.5e9),
        ("1,5 Milliarden Tokens", 1.5e9),
        ("2,5 milliards de jetons", 2.5e9),
        ("3 mil millones de tokens", 3e9),
        ("2 Mio. Beispiele", 2e6),
        ("10^10", 1e10),
        ("2^20 tokens", 2**20),
        ("100K+", 1e5),
        ("over 50k", 5e4),
        ("50 mil ejemplos", 5e4),
        ("12k Q&A pairs", 12e3),
        ("20000 JSON records", 2e4),
        ("5万件", 5e4),
        ("10¹⁰", 1e10),
        ("~1B", 1e9),
        ("about 1B tokens", 1e9),
        ("ungefähr 500 Mio", 5e8),
        ("约15万亿词元", 15e12),
        ("1.5億トークン", 1.5e8),
        ("\uff11\uff0e\uff15\uff22", 1.5e9),
        ("100BT", 1e11),
        ("5Mtok", 5e6),
        ("2.000.000", 2e6),
        ("1.234.567,5", 1234567.5),
        ("1'000'000", 1e6),
        ("10,00,000", 1e6),
        ("3 crore", 3e7),
        ("30 млн", 3e7),
        ("20 тысяч", 2e4),
        ("20 тыс. примеров", 2e4),
        ("20k примеров", 2e4),
        ("20к", 2e4),
        ("5 миллиардов токенов", 5e9),
        ("около 1,5 трлн токенов", 1.5e12),
        ("два миллиона", 2e6),
        ("20 हज़ार उदाहरण", 2e4),
        ("20 हजार", 2e4),
        ("5 करोड़ टोकन", 5e7),
        ("लगभग २ अरब", 2e9),
        ("one billion", 1e9),
        ("a hundred thousand", 1e5),
        ("полтора миллиона токенов", 1.5e6),
        ("полтора млн", 1.5e6),
        ("около полутора миллиардов", 1.5e9),
        ("полторы тысячи примеров", 1500),
        ("полмиллиона", 5e5),
        ("полтысячи", 500),
        ("два с половиной миллиона", 2.5e6),  # noqa: RUF001 - Cyrillic letters
        ("डेढ़ लाख", 1.5e5),
        ("ढाई लाख", 2.5e5),
        ("डेढ़ करोड़ टोकन", 1.5e7),
        ("सवा लाख", 1.25e5),
        ("साढ़े तीन लाख", 3.5e5),
        ("पौने दो लाख", 1.75e5),
        ("two and a half million", 2.5e6),
        ("half a million", 5e5),
        ("a dozen", 12),
        (7_000_000_000, 7e9),
        (1.4e12, 1.4e12),
    ],
)
def test_a_count_is_read_as_it_is_meant(written: object, count: float) -> None:
    """Authority: how papers and people write tokens and parameters; a small m is a million, never a thousandth."""
    assert units.parse_count(written, "tokens") == pytest.approx(count, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30 days", 30 * 86400),
        ("30d", 30 * 86400),
        ("2 weeks", 14 * 86400),
        ("12h", 12 * 3600),
        ("36 hours", 36 * 3600),
        ("90 min", 5400),
        ("45 s", 45),
        ("1d12h", 36 * 3600),
        ("1 day, 12 hours", 36 * 3600),
        ("1 hour and 30 minutes", 5400),
        ("1.5 days", 36 * 3600),
        ("1 year", 365.25 * 86400),
        ("6 months", 365.25 / 2 * 86400),
        ("two weeks", 14 * 86400),
        ("a week", 7 * 86400),
        ("fortnight", 14 * 86400),
        ("a weekend", 2 * 86400),
        ("a long weekend", 3 * 86400),
        ("2 weekends", 4 * 86400),
        ("overnight", 12 * 3600),
        ("over night (12 hours)", 12 * 3600),
        ("overnight (10 h)", 10 * 3600),
        ("one night", 12 * 3600),
        ("a night", 12 * 3600),
        ("eine Nacht", 12 * 3600),
        ("за ночь", 12 * 3600),
        ("3 дня", 3 * 86400),
        ("две недели", 14 * 86400),
        ("12 часов", 12 * 3600),
        ("3 दिन", 3 * 86400),
        ("२ हफ्ते", 14 * 86400),
        ("half a day", 43200),
        ("1½ weeks", 10.5 * 86400),
        ("30-day", 30 * 86400),
        ("2 Wochen", 14 * 86400),
        ("1,5 Stunden", 5400),
        ("3 jours", 3 * 86400),
        ("dos semanas", 14 * 86400),
        ("两周", 14 * 86400),
        ("3日間", 3 * 86400),
        ("350 ms", 0.35),
        ("12:30:00", 45000),
    ],
)
def test_a_duration_is_read_as_it_is_meant(written: str, seconds: float) -> None:
    """Authority: the calendar; a month is a twelfth of a year of 365.25 days."""
    assert units.parse_duration_s(written, "deadline") == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "usd"),
    [
        ("$250k", 250e3),
        ("1.2M USD", 1.2e6),
        ("USD 1,200,000", 1.2e6),
        ("US$ 5,000", 5e3),
        ("2.5 million dollars", 2.5e6),
        ("250000", 250e3),
        (250_000, 250e3),
        ("$3.99", 3.99),
        ("3,99 $", 3.99),
        ("20 000 $", 20e3),
        ("20.000,50 $", 20000.5),
        ("2,5 Mio. Dollar", 2.5e6),
        ("$5MM", 5e6),
        ("20 grand", 20e3),
        ("two million dollars", 2e6),
        ("$10,00,000", 1e6),
    ],
)
def test_an_amount_of_money_is_read_as_it_is_meant(written: object, usd: float) -> None:
    """Authority: how people write budgets."""
    assert units.parse_usd(written, "budget") == pytest.approx(usd, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "size_bytes"),
    [("100 MB", 100e6), ("80GiB", 80 * 2**30), ("1.5 TB", 1.5e12), ("512", 512), ("1 kb", 1e3)],
)
def test_a_size_is_read_in_decimal_unless_binary_is_written(written: str, size_bytes: float) -> None:
    """Authority: IEC 80000-13."""
    assert units.parse_bytes(written, "text_size") == pytest.approx(size_bytes, rel=1e-12)


@pytest.mark.parametrize("parse", _PARSERS)
@pytest.mark.parametrize(
    "bad",
    [
        *("", " ", "abc", "nan", "NaN", "inf", "-inf", "infinity", "1e400", "-5", "0", "-3B", "0 days", "1.2.3"),
        *("0x10", "e5", ".", "--1", "$", "5€", "1,2345", "12,34,5", "15X", "15 T of gold", "1" * 500, "9" * 100_000),
        *(math.nan, math.inf, -math.inf, 0, -1, 0.0, True, False, None, 10**400, [], {}, b"5"),
    ],
)
def test_what_is_no_quantity_is_refused_by_the_name_of_its_argument(
    parse: Callable[[object, str], float], bad: object
) -> None:
    """Authority: the public contract: which argument, what was given, what would do, no echo beyond 80 characters."""
    with pytest.raises(InvalidValueError, match=r"^the_argument: ") as caught:
        parse(bad, "the_argument")
    assert "such as" in str(caught.value) or "at most" in str(caught.value)
    assert len(str(caught.value)) < 300


def test_an_absurdly_large_number_asks_about_its_suffix() -> None:
    """Authority: no text has 1e18 tokens, so 15 million trillion is a slip."""
    with pytest.raises(InvalidValueError, match="suffix"):
        units.parse_count("15000000T", "tokens")


def test_a_duration_without_a_unit_is_refused() -> None:
    """A deadline of 30 may be days or hours: guessing would be wrong by 24."""
    with pytest.raises(InvalidValueError, match="30 days"):
        units.parse_duration_s("30", "deadline")


@pytest.mark.parametrize(
    ("parse", "written", "said"),
    [
        (units.parse_duration_s, "6m", "minutes or months"),
        (units.parse_duration_s, "by Friday", "date"),
        (units.parse_duration_s, "10-20 days", "range"),
        (units.parse_duration_s, "5 business days", "whole days"),
        (units.parse_duration_s, "1:30", "such as"),
        (units.parse_count, "5 mil", "k or M"),
        (units.parse_count, "1 B B", "none of K, M, B, T"),
        (units.parse_count, "100B T", "none of K, M, B, T"),
        (units.parse_count, "12,34", "separates no thousands"),
        (units.parse_count, "1-2B", "range"),
        (units.parse_usd, "$5 mil", "k or M"),
        (units.parse_usd, "$2-3", "range"),
    ],
)
def test_what_may_mean_several_amounts_is_refused_with_what_would_do(
    parse: Callable[[object, str], float], written: str, said: str
) -> None:
    """Authority: each could be another amount, ten times as much and more."""
    with pytest.raises(InvalidValueError, match=said):
        parse(written, "the_argument")


@pytest.mark.parametrize("parse", _PARSERS)
@given(text=st.text(max_size=100))
def test_any_text_is_a_finite_quantity_above_zero_or_refused(parse: Callable[[object, str], float], text: str) -> None:
    """No input may end in another kind of error."""
    with suppress(InvalidValueError):
        value = parse(text, "argument")
        assert math.isfinite(value)
        assert value > 0


@given(st.floats(min_value=1, max_value=9.9e17))
def test_a_formatted_count_reads_back_as_itself(count: float) -> None:
    """Three significant digits keep half a per cent."""
    assert units.parse_count(units.format_count(count), "count") == pytest.approx(count, rel=0.0051)


@given(st.floats(min_value=0.01, max_value=3e10))
def test_a_formatted_duration_reads_back_as_itself(seconds: float) -> None:
    """Three significant digits keep half a per cent."""
    assert units.parse_duration_s(units.format_duration(seconds), "time") == pytest.approx(seconds, rel=0.0051)


@given(st.floats(min_value=1, max_value=9e12))
def test_a_formatted_amount_of_money_reads_back_as_itself(usd: float) -> None:
    """Three significant digits or whole cents."""
    assert units.parse_usd(units.format_usd(usd), "cost") == pytest.approx(usd, rel=0.0051)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (33.9 * 86400, "33.9 days"),
        (59.99 * 60, "1 hour"),
        (86400, "24 hours"),
        (2 * 86400, "2 days"),
        (90, "1.5 minutes"),
        (0.25, "0.25 seconds"),
        (3 * 365.25 * 86400, "3 years"),
    ],
)
def test_a_duration_is_told_in_the_unit_that_people_would_use(seconds: float, text: str) -> None:
    """Authority: one number below a thousand with its unit, never 60 minutes."""
    assert units.format_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(15e12, "15T"), (8.03e9, "8.03B"), (999_999, "1M"), (512, "512"), (0, "0"), (1.23e15, "1,230T")]
)
def test_a_count_is_told_with_three_digits_and_a_suffix(count: float, text: str) -> None:
    """Authority: how papers write tokens and parameters."""
    assert units.format_count(count) == text


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("5000 GPU-hours", 5000),
        ("5k gpu hours", 5000),
        ("1.3M H100 hours", 1.3e6),
        ("2.788M H800 GPU hours", 2.788e6),
        ("1.5 million GPU hours", 1.5e6),
        ("10,000 A100-hours", 1e4),
        ("200 GPU-days", 4800),
        ("100 4090 hours", 100),
        ("64 TPU-weeks", 64 * 168),
        ("5000", 5000),
        (5000, 5000),
    ],
)
def test_gpu_hours_are_read_as_papers_and_people_write_them(written: object, hours: float) -> None:
    assert units.parse_gpu_hours(written, "budget") == pytest.approx(hours)
    assert units.is_gpu_time(written) == (isinstance(written, str) and not written.isdigit())


@pytest.mark.parametrize(
    "written", ["33.0000 hours", "10000 hours", "30 days", "36h", "1 day 12 hours", "$250k", "1 000 h"]
)
def test_a_duration_and_money_are_no_gpu_time(written: str) -> None:
    assert not units.is_gpu_time(written)


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1 token"), (1.0, "1 token"), (0.5, "0.5 tokens"), (2, "2 tokens"), (1e12, "1T tokens")]
)
def test_one_of_something_is_told_in_the_singular(count: float, text: str) -> None:
    assert units.format_counted(count, "tokens") == text
