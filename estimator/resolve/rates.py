"""Rates that a caller gives: a utilization, an observed speed, a price."""

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import MOST_GPUS, checked_fraction, checked_whole_count
from estimator.base.speeds import parse_tokens_per_second, parse_usd_per_hour
from estimator.question.question import Assumption
from estimator.question.request import Request

__all__ = ["MOST_USD_PER_GPU_HOUR", "given_rates"]

_MOST_TOKENS_PER_SECOND = 1e15
MOST_USD_PER_GPU_HOUR = 1e4


def given_rates(request: Request) -> tuple[float | None, float | None, float | None, tuple[Assumption, ...]]:
    """Return utilization, observed speed and price, where given, and the assumptions they are."""
    assumptions: list[Assumption] = []
    utilization = observed = price = None
    if request.utilization is not None:
        utilization = checked_fraction("utilization", request.utilization)
        assumptions.append(
            Assumption(name="utilization", value=utilization, unit="of dense peak", source="user", note="not predicted")
        )
    if request.observed_tokens_per_second is not None:
        if utilization is not None:
            raise InvalidValueError(
                "utilization", utilization, "and observed_tokens_per_second both set the speed; give one of them"
            )
        observed, of_each = parse_tokens_per_second(
            request.observed_tokens_per_second,
            "observed_tokens_per_second",
            n_gpus=checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS),
            most=_MOST_TOKENS_PER_SECOND,
        )
        assumptions.append(
            Assumption(
                name="observed_tokens_per_second",
                value=observed,
                unit="tokens/s, all GPUs together",
                source="user",
                note="steady state; told of each GPU" if of_each else "steady state",
            )
        )
    if request.price_per_gpu_hour is not None:
        price = parse_usd_per_hour(request.price_per_gpu_hour, "price_per_gpu_hour", most=MOST_USD_PER_GPU_HOUR)
        assumptions.append(Assumption(name="price_per_gpu_hour", value=price, unit="USD", source="user"))
    return utilization, observed, price, tuple(assumptions)
