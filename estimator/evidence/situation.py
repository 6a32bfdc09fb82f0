"""What differs from machine to machine in one step: hosts, links, kernels, and what of communication is waited for.

It is known before any error is: a range is as wide as runs of its kind are off by beyond it, and as this besides.
"""

import math

import numpy as np

from estimator.physics.choice import Setting
from estimator.physics.constants import PRIORS, Constants
from estimator.physics.layout import Layouts
from estimator.physics.matmul import Products
from estimator.physics.step import step_time

__all__ = ["SITUATIONAL", "situation_spread"]

SITUATIONAL = (
    "launch_s",
    "hook_s",
    "module_hook_s",
    "micro_step_s",
    "people_slowness",
    "people_alone",
    "dequantize_passes",
    "gptq_passes",
    "pcie_fraction",
    "pcie_host_fraction",
    "scale_out_fraction",
    "host_link_fraction",
    "host_bytes_per_s",
    "expert_floor_s",
    "expert_start_s",
)
"""Constants that differ from machine to machine and release to release: the host's speed, its kernels, its links."""
_CENTRAL = 3.29
"""Standard deviations from end to end of a prior."""
_FITTED_SHARE = 0.7
"""Of a prior's spread: what is left of it between machines, once its middle is fitted."""
_OVERLAP = 0.8
"""Standard deviation of the log of how long ranks are seen to wait for one another, where little else fills a step or
much: how much is hidden behind the rest, how nodes are wired and who else is on the network are not told. Where waits
are a hundredth of a step, left-out errors are 0.08 in the middle, where they are a tenth 0.13, a third 0.2."""


def situation_spread(setting: Setting, layouts: Layouts, constants: Constants, products: Products) -> float:
    """Return the standard deviation of log step time from what differs between machines, one layout.

        sqrt(Σ (∂ log t / ∂ log c · spread of c)² + (overlap · w · (1 − w))²)      w: share of a step in communication

    Differences, one call for all: none of the constants moves the matrix `products`. No more can be hidden than there
    is of either, waits or the rest.
    """
    spreads = np.array([_FITTED_SHARE * math.log(PRIORS[c].high / PRIORS[c].low) / _CENTRAL for c in SITUATIONAL])
    moved: dict[str, object] = dict(constants)
    for place, name in enumerate(SITUATIONAL):
        values = np.full(len(SITUATIONAL) + 1, constants[name])
        values[place + 1] *= math.exp(spreads[place])
        moved[name] = values
    times = step_time(setting.case, layouts, Constants(moved), products)  # type: ignore[arg-type]
    shifts = np.log(times.total_s[1:] / times.total_s[0])
    waits = float(times.communication_s[0] / times.total_s[0])
    return math.hypot(float(np.linalg.norm(shifts)), _OVERLAP * waits * (1.0 - waits))
