"""Passes told beside an amount are epochs over it.

Authority: the definition in the program's contract: tokens × epochs.
"""

import pytest

from estimator.base.errors import InvalidValueError
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.compare_training_options import compare_training_options


def _tokens(**changes: object) -> float:
    asked: dict[str, object] = {"model": "7B", "gpu": "h100", "n_gpus": 8, "packing": "packed", **changes}
    return resolve(Request(**asked)).amount.tokens  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "form",
    [
        *("{}, 3 epochs", "{} x 3", "{} x3", "{} × 3", "3 epochs of {}", "{} (3 epochs)", "3 x {}", "{} for 3 epochs"),
        *("three epochs of {}", "{} times 3", "{}, 3 passes", "{} thrice", "{}, 3 Epochen"),
    ],
)
@pytest.mark.parametrize("amount", ["2B tokens", "about 2B", "2 GB of German text", "300 books"])
def test_passes_beside_an_amount_multiply_it(amount: str, form: str) -> None:
    assert _tokens(tokens=form.format(amount)) == pytest.approx(3 * _tokens(tokens=amount))


@pytest.mark.parametrize("form", ["{} x 3", "{}, 3 epochs", "3 epochs of {}", "{} samples x 3 epochs"])
def test_passes_beside_samples_multiply_them(form: str) -> None:
    assert _tokens(samples=form.format("52k"), tokens_per_sample=300) == pytest.approx(3 * 52e3 * 300)


def test_a_power_of_ten_is_no_pass() -> None:
    assert _tokens(tokens="1.5 x 10^9") == pytest.approx(1.5e9)


def test_passes_said_twice_have_to_agree() -> None:
    assert _tokens(tokens="2B x 3", epochs=3) == pytest.approx(6e9)
    with pytest.raises(InvalidValueError, match="disagree"):
        _tokens(tokens="2B x 3", epochs=2)


def test_a_comparison_reads_them_too() -> None:
    compared = compare_training_options(models=["7B"], gpus=["h100"], n_gpus=[8], tokens=["1B x 3", "3B"])
    assert [row.tokens for row in compared.rows] == pytest.approx([3e9, 3e9])
