"""A collective is as long as its slowest link, each worked out here by hand.

Authority: the formulas in the docstrings of `physics.network` and their sources; where ranks lie (Megatron-Core:
tensor, context, data, pipeline); NVIDIA's and Google's system descriptions.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.catalogue import catalogue
from estimator.physics.network import Group, all_to_all_s, gather_s, group, stage_hop_s
from estimator.question.cluster import Cluster
from tests.physics_cases import CONSTANTS, small_case


@pytest.mark.parametrize(
    ("members", "expected_s"),
    [
        # 7/8 of 8 GB at 100 GB/s in one node.
        ((8, 8, 8), 0.07),
        # Two nodes of eight: a ring passes an eighth of 15/16 through each port at 5 GB/s.
        ((16, 8, 8), 0.1875),
        # The same where a domain spans both nodes: 15/16 of it at 100 GB/s.
        ((16, 16, 16), 0.075),
        # Domains of two in a node of eight: 3/8 of it over PCIe at 16 GB/s.
        ((8, 2, 8), 0.1875),
        # One device a node: 3/4 of it over the port.
        ((4, 1, 1), 1.2),
        ((1, 1, 1), 0.0),
    ],
)
def test_a_gather_is_as_long_as_its_slowest_link(members: tuple[int, int, int], expected_s: float) -> None:
    ranks, domain, node = map(float, members)
    one = _group(ranks, domain, node)
    assert gather_s(one, 8e9) == pytest.approx(expected_s)
    assert gather_s(replace(one, latency_s=1e-3), 8e9, 20.0) == pytest.approx(expected_s + 0.02)


@pytest.mark.parametrize(("nodes", "share"), [(2, 1 / 2), (4, 3 / 4), (16, 15 / 16)])
def test_a_tree_sends_a_node_what_it_lacks_and_a_ring_all_but_one_ranks(nodes: int, share: float) -> None:
    """An eighth of 8 GB through each port at 5 GB/s: NCCL's all-reduce by trees, all else by rings."""
    one = _group(8.0 * nodes, 8.0, 8.0)
    assert gather_s(one, 8e9, in_trees=1.0) == pytest.approx(0.2 * share)
    assert gather_s(one, 8e9) == pytest.approx(0.2 * (1.0 - 1.0 / (8.0 * nodes)))


@pytest.mark.parametrize(
    ("members", "top_k", "expected_s"),
    [
        # Each token to two ranks, seven of eight of them other ones; half of the rate.
        ((8, 8, 8), 2, 7 / 8 * 2 * 1e9 / 100e9 / 0.5),
        # Two nodes: with one expert half of the tokens cross, with two three quarters of them do.
        ((16, 8, 8), 1, 1 / 2 * 1e9 / 5e9 / 0.5),
        ((16, 8, 8), 2, 3 / 4 * 1e9 / 5e9 / 0.5),
        # Four domains of two in a node: to 3 · (1 − (3/4)²) others.
        ((8, 2, 8), 2, 3 * 7 / 16 * 1e9 / 16e9 / 0.5),
    ],
)
def test_an_exchange_sends_a_token_to_each_node_once(
    members: tuple[int, int, int], top_k: int, expected_s: float
) -> None:
    """DeepSeek-AI 2024 (V3), section 3.2.2: tokens cross to a node once and are copied there."""
    ranks, domain, node = map(float, members)
    assert all_to_all_s(_group(ranks, domain, node), 1e9, top_k, CONSTANTS) == pytest.approx(expected_s)


@given(
    places=st.sampled_from([(16.0, 8.0, 8.0), (64.0, 8.0, 8.0), (8.0, 2.0, 8.0), (8.0, 8.0, 8.0)]),
    top_k=st.integers(1, 16),
)
def test_a_copy_for_each_expert_never_costs_less_than_one_for_each_node(
    places: tuple[float, float, float], top_k: int
) -> None:
    """With one expert a token there is one copy either way."""
    once, each = (all_to_all_s(_group(*places), 1e9, top_k, CONSTANTS, each_expert=e) for e in (0.0, 1.0))
    assert each >= once
    if top_k == 1:
        assert each == pytest.approx(once)


def test_nccl_sends_a_token_to_each_of_its_experts_in_another_node() -> None:
    """Eight nodes of eight, eight experts a token: seven of its copies cross, where a library sends 4.6."""
    each = all_to_all_s(_group(64.0, 8.0, 8.0), 1e9, 8, CONSTANTS, each_expert=1.0)
    assert each == pytest.approx(7.0 * 1e9 / 5e9 / 0.5)


def _group(ranks: float, domain: float, node: float) -> Group:
    return Group(
        ranks=ranks,
        domain_ranks=domain,
        node_ranks=node,
        up_bytes_per_s=100e9,
        node_bytes_per_s=16e9,
        out_bytes_per_s=5e9,
        latency_s=0.0,
    )


@pytest.mark.parametrize(
    ("n_gpus", "node", "rate"), [(8, 8, 100e9), (8, 4, 5e9), (8, 1, 5e9), (64, 8, 5e9), (4, 8, 100e9)]
)
def test_a_stage_hands_on_to_one_in_another_node_wherever_there_are_several(
    n_gpus: int, node: int, rate: float
) -> None:
    case = small_case(n_gpus)
    case = replace(case, gpus_per_node=float(node), scale_up_domain=float(min(node, n_gpus)))
    assert stage_hop_s(case, CONSTANTS, 1e9) == pytest.approx(1e9 / rate + 10e-6)


@pytest.mark.parametrize(
    ("chip", "n_gpus", "node", "domain"),
    [
        ("h100-sxm", 16, 8, 8),
        ("h100-sxm", 16, 2, 2),
        ("h100-sxm", 2, 8, 2),
        ("a10", 4, 2, 2),
        # NVLink bridges pairs only.
        ("h100-nvl", 8, 8, 2),
        ("h100-nvl", 8, 1, 1),
        # A rack, and a slice, whatever their trays and hosts hold.
        ("gb200", 72, 4, 72),
        ("tpu-v6e", 256, 4, 256),
        # Boards of four GH200 are linked, though most have one.
        ("gh200-96gb", 64, 4, 4),
        ("gh200-96gb", 64, 1, 1),
    ],
)
def test_a_domain_ends_with_the_node_unless_the_link_leads_further(
    chip: str, n_gpus: int, node: int, domain: int
) -> None:
    """NVIDIA's and Google's system descriptions."""
    accelerator = catalogue.accelerator(chip).value.accelerator
    cluster = Cluster(accelerator=accelerator, n_gpus=n_gpus, gpus_per_node=node, scale_out_bytes_per_s=1e9)
    assert cluster.scale_up_domain == domain


@pytest.mark.parametrize(("stride", "in_node"), [(1, 8), (2, 4), (8, 1), (64, 1)])
def test_ranks_that_lie_apart_share_a_node_with_fewer(stride: int, in_node: int) -> None:
    """Megatron-Core's order: tensor-parallel ranks lie next to one another, pipeline stages farthest apart."""
    case = small_case(64)
    members = group(case, CONSTANTS, np.array([8.0]), float(stride))
    assert members.node_ranks == members.domain_ranks == in_node
