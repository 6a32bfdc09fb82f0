"""So much of one thing for so much of another is read as people and trainers write it, or told what would do."""

import math
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import InvalidValueError
from estimator.base.speeds import parse_step_s, parse_tokens_per_second, parse_usd_per_hour

_GPUS = 8


def _speed(written: object) -> tuple[float, bool]:
    return parse_tokens_per_second(written, "observed_tokens_per_second", n_gpus=_GPUS, most=1e15)


@pytest.mark.parametrize(
    "written",
    [
        *("60k", "60k tokens/s", "60,000 tok/s", "60 ktok/s", "60k tps", "60 k Tokens pro Sekunde", "60000 t/s"),
        *("60 000 jetons/s", "6万トークン/秒", "每秒6万词元", "~60k tokens per second", "60k tok/s (all GPUs)"),
        *("3.6M tok/min", "216M tokens per hour", "5.184B tokens/day", "60.0k tok/s", 60_000, 6e4),
    ],
)
def test_a_speed_of_all_devices_is_read_as_it_is_meant(written: object) -> None:
    speed, of_each = _speed(written)
    assert speed == pytest.approx(60_000)
    assert not of_each


@pytest.mark.parametrize(
    "written",
    ["7.5k tok/s/GPU", "7,500 tokens/s per GPU", "7.5k tps/gpu", "7.5k TGS", "7500 tokens/gpu/s", "7,5k tok/s/GPU"],
)
def test_a_speed_of_each_device_is_times_their_number(written: str) -> None:
    speed, of_each = _speed(written)
    assert speed == pytest.approx(7_500 * _GPUS)
    assert of_each


@pytest.mark.parametrize(
    ("written", "belongs"),
    [
        ("12 it/s", "observed_step_seconds"),
        ("35 samples/s", "tokens of each"),
        ("400 TFLOPS", "observed_tflops_per_gpu"),
        ("45% MFU", "observed_mfu"),
        ("50-60k tok/s", "such as"),
        ("0", "such as"),
        ("fast", "such as"),
    ],
)
def test_another_speed_is_told_where_it_belongs(written: str, belongs: str) -> None:
    with pytest.raises(InvalidValueError, match=belongs):
        _speed(written)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        *(
            (text, 6.28)
            for text in ("6.28", "6.28s", "6.28s/it", "6.28 sec per step", "6,28 Sekunden", "6280 ms", 6.28)
        ),
        *(
            (text, 0.8)
            for text in ("1.25 it/s", "1.25it/s", "75 steps/min", "1.25 iterations per second", "800ms/step")
        ),
        *(("2m", 120.0), ("2 min", 120.0), ("30 秒", 30.0), ("half a second", 0.5), ("00:01:30", 90.0)),
    ],
)
def test_the_time_of_a_step_is_read_either_way_up(written: object, seconds: float) -> None:
    """Authority: how trainers' progress bars write it: `s/it` above a second and `it/s` below."""
    assert parse_step_s(written, "observed_step_seconds", most=1e7) == pytest.approx(seconds)


@given(st.floats(min_value=0.01, max_value=100.0))
def test_steps_in_a_second_are_the_inverse_of_seconds_a_step(seconds: float) -> None:
    steps = parse_step_s(f"{1.0 / seconds:.6f} it/s", "observed_step_seconds", most=1e7)
    assert steps == pytest.approx(parse_step_s(f"{seconds:.6f} s/it", "observed_step_seconds", most=1e7), rel=1e-3)


@pytest.mark.parametrize(
    "written",
    [
        *("2.5", "$2.50", "$2.50/hr", "2.5 USD per hour", "$2.50/GPU-hr", "$2.50 per GPU hour", "2,50 $/h"),
        *("$2.50/h per GPU", "USD 2.50/gpu/hour", "2.5美元/小时", "250 cents/h", "$60/day", "$1826.25/month", 2.5),
        *("2,5 dólares por hora", "2.5 Dollar pro Stunde", "~$2.50 an hour"),
    ],
)
def test_a_price_is_read_with_the_time_and_the_device_that_it_is_for(written: object) -> None:
    assert parse_usd_per_hour(written, "price_per_gpu_hour", most=1e4) == pytest.approx(2.5)


@pytest.mark.parametrize("written", ["0", 0, 0.0, "free", "$0", "$0/h", "0.00", "gratis", "owned"])
def test_what_costs_nothing_is_told_of_electricity(written: object) -> None:
    with pytest.raises(InvalidValueError, match="electricity"):
        parse_usd_per_hour(written, "price_per_gpu_hour", most=1e4)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$98/node-hr", "divide"),
        ("2.5 €/h", "convert"),
        ("$2-3/hr", "range"),
        ("$2M/h", "at most"),
        ("cheap", "such as"),
    ],
)
def test_another_price_is_refused_with_what_would_do(written: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        parse_usd_per_hour(written, "price_per_gpu_hour", most=1e4)


@given(st.text(max_size=80))
def test_any_text_is_a_finite_rate_above_zero_or_refused(text: str) -> None:
    """No input may end in another kind of error."""
    read: tuple[Callable[[], float], ...] = (
        lambda: _speed(text)[0],
        lambda: parse_step_s(text, "observed_step_seconds", most=1e7),
        lambda: parse_usd_per_hour(text, "price_per_gpu_hour", most=1e4),
    )
    for each in read:
        with suppress(InvalidValueError):
            value = each()
            assert math.isfinite(value)
            assert value > 0
