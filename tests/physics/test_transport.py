"""Sockets and adapters between nodes: neither is faster over a slower line, and sockets are never the faster.

Authority: the formula in the docstring of `estimator.physics.network`.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.physics.network import gather_s, group
from estimator.physics.transport import sends_by_sockets, sockets_share
from tests.physics_cases import CONSTANTS, catalogued_cluster, small_case


def _gather_s(node_bytes_per_s: float, *, sockets: float, slowness: float) -> float:
    constants = type(CONSTANTS)({**CONSTANTS, "surroundings_slowness": slowness})
    case = replace(
        small_case(8), gpus_per_node=1.0, scale_up_domain=1.0, scale_out_bytes_per_s=node_bytes_per_s, sockets=sockets
    )
    taken = gather_s(group(case, constants, np.array([8.0]), 1.0), 1e9, messages=np.array([0.0]))
    return float(np.sum(taken))


@given(
    line=st.floats(1e8, 1e12),
    times=st.floats(1.0, 100.0),
    sockets=st.sampled_from([0.0, 1.0]),
    slowness=st.floats(1, 8),
)
def test_a_slower_line_is_never_faster_whatever_carries_bytes(
    line: float, times: float, sockets: float, slowness: float
) -> None:
    slower, faster = (_gather_s(rate, sockets=sockets, slowness=slowness) for rate in (line, line * times))
    assert faster <= slower * (1 + 1e-9)


@given(line=st.floats(1e8, 1e12), slowness=st.floats(1, 8))
def test_sockets_are_never_faster_and_keep_up_with_a_slow_line(line: float, slowness: float) -> None:
    adapters, sockets = (_gather_s(line, sockets=flag, slowness=slowness) for flag in (0.0, 1.0))
    assert adapters <= sockets * (1 + 1e-9)
    if line <= 3.125e9:
        assert sockets == pytest.approx(adapters)


@pytest.mark.parametrize("gpu", ["v100-sxm2-32gb", "a100-sxm-80gb", "l40s", "rtx-4090", "gaudi2"])
@pytest.mark.parametrize("transport", [None, "ethernet"])
def test_the_slower_a_nodes_network_the_more_send_through_sockets(gpu: str, transport: str | None) -> None:
    base = catalogued_cluster(gpu, 16)
    clusters = [
        replace(base, scale_out_bytes_per_s=gbps * 1e9 / 8 / base.gpus_per_node) for gbps in (10, 100, 200, 399, 800)
    ]
    shares = [sockets_share(cluster, "ethernet" if transport else None) for cluster in clusters]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0.0
    assert all(0.0 <= share < 1.0 for share in shares)


@pytest.mark.parametrize("gbps", [10.0, 100.0, 3200.0])
def test_what_was_said_is_what_carries_bytes(gbps: float) -> None:
    base = catalogued_cluster("h100-sxm", 16)
    cluster = replace(base, scale_out_bytes_per_s=gbps * 1e9 / 8 / base.gpus_per_node)
    for people in (False, True):
        assert sends_by_sockets(cluster, "sockets", as_people_run=people)
        assert not sends_by_sockets(cluster, "rdma", as_people_run=people)
    assert not sends_by_sockets(cluster, "ethernet", as_people_run=False)
