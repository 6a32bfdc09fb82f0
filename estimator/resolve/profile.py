"""What a profile of the caller's machines adds to a request: facts that were left out, measured rates and runs."""

from dataclasses import dataclass, replace

from estimator.base.units import GIGA, TERA
from estimator.question.profile import Profile
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.measured import is_catalogued, names_profiled
from estimator.resolve.own_runs import MOST_OWN_RUNS

__all__ = ["Profiled", "with_profile"]

_AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """A request with what its profile tells, and which arguments that were."""

    request: Request
    filled: tuple[str, ...] = ()
    rates_used: bool = False

    def marked(self, assumptions: tuple[Assumption, ...]) -> tuple[Assumption, ...]:
        """Return `assumptions` with the profile named before them, and what came from it marked as such."""
        profile = self.request.profile
        if profile is None:
            return assumptions
        note = f"from the profile {profile.name}"
        of_it = tuple(
            replace(one, note=f"{note}; {one.note}" if one.note else note) if one.name in self.filled else one
            for one in assumptions
        )
        return (self._named(profile), *of_it)

    def _named(self, profile: Profile) -> Assumption:
        dated = f" of {profile.date}" if profile.date else ""
        told = [", ".join(self.filled)] if self.filled else []
        if self.rates_used:
            told.append(f"measured {_rates(profile)}")
        elif profile.rates:
            told.append(f"its rates are of {profile.gpu}, and are not used")
        if profile.runs:
            told.append(f"{len(profile.runs)} measured runs")
        if profile.goodput is not None:
            told.append("interruptions")
        note = f"{profile.name}{dated}: {'; '.join(told) or 'nothing in it is of this question'}"
        return Assumption(name="profile", value=profile.digest, source="user", note=note)


def with_profile(request: Request) -> Profiled:
    """Return `request` with what its profile tells and nobody said.

    Node, network and price are those of the profile's device, and left out of a question about another; the software
    is the caller's on whatever they ask about.
    """
    profile = request.profile
    if profile is None:
        return Profiled(request=request)
    own = names_profiled(str(request.gpu), profile)
    listed = own and is_catalogued(str(request.gpu))
    told: dict[str, object] = {}
    if profile.framework is not None and request.framework.strip().casefold() == _AUTO:
        told["framework"] = profile.framework
    if own:
        facts = {
            "gpus_per_node": profile.gpus_per_node,
            "network_gbps_per_gpu": profile.network_gbps_per_gpu,
            "price_per_gpu_hour": profile.price_per_gpu_hour,
            "peak_tflops": _measured_tflops(profile) if not listed else None,
        }
        told |= {name: value for name, value in facts.items() if value is not None and getattr(request, name) is None}
    if profile.runs:
        told["my_runs"] = (*request.my_runs, *profile.runs)[:MOST_OWN_RUNS]
    return Profiled(
        request=replace(request, **told),  # type: ignore[arg-type]
        filled=tuple(name for name in told if name != "my_runs"),
        rates_used=listed and bool(profile.rates),
    )


def _measured_tflops(profile: Profile) -> float | None:
    """Return the best 16-bit rate measured, else the best: the peak of a card that no catalogue has."""
    rates = dict(profile.rates.matmul_flop_per_s)
    best = rates.get("bf16") or rates.get("fp16") or max(rates.values(), default=0.0)
    return best / TERA or None


def _rates(profile: Profile) -> str:
    """Return the rates that were measured, in words."""
    rates = profile.rates
    words = [f"{precision} {rate / TERA:,.4g} TFLOPS" for precision, rate in rates.matmul_flop_per_s]
    if rates.copy_bytes_per_s is not None:
        words.append(f"copy {rates.copy_bytes_per_s / GIGA:,.4g} GB/s")
    if rates.all_reduce_bytes_per_s is not None:
        words.append(f"all-reduce {rates.all_reduce_bytes_per_s / GIGA:,.4g} GB/s")
    return ", ".join((*words, profile.remark) if profile.remark else words)
