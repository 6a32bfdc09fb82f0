"""Quantities as Chinese, Japanese and Korean write them are read right, and other currencies are named as such."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base import units
from estimator.base.east_asian import latin
from estimator.base.errors import InvalidValueError


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("1万亿", 1e12),
        ("15万亿词元", 15e12),
        ("15万亿 tokens", 15e12),
        ("15万亿个token", 15e12),
        ("1.5万亿", 1.5e12),
        ("一万亿", 1e12),
        ("十五万亿", 15e12),
        ("三千亿词元", 300e9),
        ("70亿参数", 7e9),
        ("130亿", 13e9),
        ("十亿", 1e9),
        ("1千亿", 100e9),
        ("百万", 1e6),
        ("500万", 5e6),
        ("5百万", 5e6),
        ("1亿2千万", 1.2e8),
        ("一百二十亿", 12e9),
        ("两万", 20_000),
        ("5万条", 50_000),
        ("5万样本", 50_000),
        ("1万步", 10_000),
        ("1,000万", 1e7),
        ("１５００万", 1.5e7),
        ("8张", 8),
        ("64卡", 64),
        ("30萬億", 30e12),
        ("100億トークン", 10e9),
        ("1조 토큰", 1e12),
        ("3억", 3e8),
    ],
)
def test_a_count_is_read_as_it_is_meant(written: str, count: float) -> None:
    """Authority: 万 is ten thousand and 亿 a hundred million; 万亿 is both."""
    assert units.parse_count(written, "tokens") == pytest.approx(count, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("30天", 720),
        ("三十天", 720),
        ("1天12小时", 36),
        ("两周", 336),
        ("2星期", 336),
        ("36个小时", 36),
        ("90分钟", 1.5),
        ("45秒", 0.0125),
        ("3个月", 3 * 365.25 * 2),
        ("1年", 8766),
        ("半天", 12),
        ("1万小时", 10_000),
        ("72時間", 72),
        ("3日間", 72),
        ("30일", 720),
        ("10시간", 10),
    ],
)
def test_a_duration_is_read_as_it_is_meant(written: str, hours: float) -> None:
    assert units.parse_duration_s(written, "deadline") == pytest.approx(hours * 3600, rel=1e-12)


@pytest.mark.parametrize(("written", "usd"), [("5万美元", 50_000), ("100万美金", 1e6), ("2.5万 USD", 25_000)])
def test_us_dollars_are_read_in_any_script(written: str, usd: float) -> None:
    assert units.parse_usd(written, "budget") == pytest.approx(usd, rel=1e-12)


@pytest.mark.parametrize(
    "written",
    [
        "5万元",
        "5万人民币",
        "50k RMB",
        "¥50000",
        "10000 CNY",
        "€5k",
        "20 euros",
        "£3",
        "30万日元",
        "₹50,000",
        "5000 yuan",
    ],
)
def test_another_currency_is_refused_with_what_would_do(written: str) -> None:
    """No rate is kept: one of last year would be wrong by more than most answers."""
    with pytest.raises(InvalidValueError, match=r"another currency.*convert.*\$250k"):
        units.parse_usd(written, "budget")


@pytest.mark.parametrize("written", ["3兆", "1万5", "1个半月", "万万", "亿", "5万斤", "十五T万"])
def test_what_could_mean_two_things_is_refused(written: str) -> None:
    """Authority: 兆 is a million in mainland China and a million million in Taiwan and Japan."""
    for parse in (units.parse_count, units.parse_duration_s):
        with pytest.raises(InvalidValueError):
            parse(written, "argument")


@given(st.text(alphabet="0123456789.,eE+- kKmMbBtT$"))
def test_latin_text_stays_as_it_is(text: str) -> None:
    assert latin(text) == text
