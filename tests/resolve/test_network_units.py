"""A network of next to nothing may be told in another unit, or be a node's and not a GPU's; the reader is told so.

Authority: IEEE 802.3: a port of 1 GbE passes a gigabit a second, whichever GPUs of its node share it.
"""

import pytest

from estimator.question.request import Request
from estimator.resolve.run import resolve


@pytest.mark.parametrize(
    ("gbps", "n_gpus", "hinted"), [(0.125, 16, True), (0.49, 16, True), (0.125, 8, False), (1.0, 16, False)]
)
def test_a_network_below_half_a_gigabit_deserves_a_hint(gbps: float, n_gpus: int, *, hinted: bool) -> None:
    run = resolve(Request(model="gpt-2", gpu="a100", n_gpus=n_gpus, tokens="1B", network_gbps_per_gpu=gbps))
    messages = [one.message for one in run.warnings if one.code == "network_slow"]
    assert bool(messages) is hinted
    assert all(f"{8 * gbps:g} for a node of 8" in message for message in messages)
