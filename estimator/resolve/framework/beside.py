"""What is said of the network beside a device: `A100 80GB, InfiniBand HDR`, `8xH100 NDR400`, `A100 over TCP`."""

from functools import lru_cache

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.request import Quantity
from estimator.resolve.framework.fabrics import fabric_in
from estimator.resolve.framework.named import named_framework

__all__ = ["with_said_beside"]


def with_said_beside(practice: Practice, gpu: Quantity) -> Practice:
    """Return `practice`, as was said of the software, with what `gpu` tells of its network where that says nothing."""
    return practice.over(_beside(str(gpu)))


@lru_cache(maxsize=512)
def _beside(gpu: str) -> Practice:
    try:
        told = catalogue.accelerator(gpu).network
    except UnknownNameError:
        told = ""
    if not told:
        # `InfiniBand H100`
        kind = fabric_in(gpu)
        return NOTHING_SAID if kind is None else Practice(transport=kind)
    said = named_framework(told).practice
    return Practice(
        network_gbps=said.network_gbps,
        network_ports=said.network_ports,
        network_of=said.network_of,
        transport=said.transport,
    )
