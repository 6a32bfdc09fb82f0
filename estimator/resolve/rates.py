"""Rates that a caller gives: a utilization, an observed speed, a price."""

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import checked_fraction
from estimator.base.units import parse_count, parse_usd
from estimator.question.question import Assumption
from estimator.question.request import Request

__all__ = ["given_rates"]

_MOST_TOKENS_PER_SECOND = 1e15
_MOST_USD_PER_GPU_HOUR = 1e4


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
        observed = parse_count(
            request.observed_tokens_per_second, "observed_tokens_per_second", most=_MOST_TOKENS_PER_SECOND
        )
        assumptions.append(
            Assumption(
                name="observed_tokens_per_second",
                value=observed,
                unit="tokens/s, all GPUs together",
                source="user",
                note="steady state",
            )
        )
    if request.price_per_gpu_hour is not None:
        price = parse_usd(request.price_per_gpu_hour, "price_per_gpu_hour", most=_MOST_USD_PER_GPU_HOUR)
        assumptions.append(Assumption(name="price_per_gpu_hour", value=price, unit="USD", source="user"))
    return utilization, observed, price, tuple(assumptions)
