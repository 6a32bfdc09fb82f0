"""Software that nobody else has: on a cluster its owner's, which splits models as the vendor's does."""

from dataclasses import replace

from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.physics.stacks import LARGE_CLUSTER
from estimator.question.request import Request
from estimator.resolve.framework.software import AUTO, NamedFramework

__all__ = ["own_on_cluster"]

_UNKNOWN = "unknown"


def own_on_cluster(framework: NamedFramework, request: Request) -> NamedFramework:
    """Return a stack that nobody here has heard of, on a cluster, as one's own; any other as it is.

    Raises InvalidValueError for a count of GPUs that is none.
    """
    if framework.name != _UNKNOWN or checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS) < LARGE_CLUSTER:
        return framework
    return replace(framework, name=AUTO, practice=replace(framework.practice, own_stack=True))
