"""Where no device that was named holds a run, what is advised is the least change of all that were named.

Authority: the same question with its devices in another order, and with what is advised.
"""

from itertools import permutations
from typing import Any

import pytest

from estimator.base.errors import InfeasibleError
from tools.plan_training import plan_training

NAMED: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("T4", "RTX 3090"), {"model": "llama-3.1-70b", "n_gpus": 4, "tokens": "10M"}),
    (("T4", "L4", "A10"), {"model": "llama-3.1-70b", "n_gpus": 4, "tokens": "10M"}),
    (("V100", "RTX 4090", "GTX 1080 Ti"), {"model": "qwen2.5-32b", "n_gpus": 2, "tokens": "10M"}),
)


def _refusal(names: tuple[str, ...], **asked: Any) -> str:  # noqa: ANN401 - any argument
    with pytest.raises(InfeasibleError) as refused:
        plan_training(solve_for="gpu", gpu=", ".join(names), **asked)
    return str(refused.value)


@pytest.mark.parametrize(("names", "asked"), NAMED)
def test_what_is_advised_does_not_depend_on_the_order_of_the_devices(
    names: tuple[str, ...], asked: dict[str, Any]
) -> None:
    told = {_refusal(order, **asked) for order in permutations(names)}
    assert len(told) == 1


@pytest.mark.parametrize(("names", "asked"), NAMED)
def test_another_method_is_advised_where_one_of_the_devices_holds_it(
    names: tuple[str, ...], asked: dict[str, Any]
) -> None:
    """Whoever named devices has them, and is not sent to another or to more of them."""
    plan = plan_training(solve_for="gpu", gpu=", ".join(names), method="qlora", **asked)
    assert plan.solution.fits
    ways = _refusal(names, **asked).partition("likeliest to suit first: ")[2].split("; or ")
    assert any('"qlora"' in way and "n_gpus" not in way for way in ways)
