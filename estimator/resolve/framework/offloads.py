"""What people say of what lies in host memory: optimizer, weights, activations."""

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning, practised

__all__ = ["OFFLOADS"]

_OFFLOADED = Practice(offload_optimizer=True)
OFFLOADS = (
    practised(
        "cpu offload | offload | offload to cpu | offload cpu | cpu offloading | offloading | zero offload",
        _OFFLOADED,
        Practice(offload_optimizer=False, offload_parameters=False, offload_activations=False),
    ),
    practised(
        "optimizer offload | offload optimizer | optimizer cpu offload | cpu offload optimizer | adam offload",
        _OFFLOADED,
        Practice(offload_optimizer=False),
    ),
    practised(
        "cpu optimizer | optimizer offloading | optimizer state offload | cpu offload of optimizer | paged optimizer",
        _OFFLOADED,
        Practice(offload_optimizer=False),
    ),
    practised(
        "param offload | offload param | parameter offload | offload parameters | weight offload | offload weights",
        Practice(offload_parameters=True),
        Practice(offload_parameters=False),
    ),
    practised(
        "zero infinity | full offload | offload everything", Practice(offload_optimizer=True, offload_parameters=True)
    ),
    practised(
        "offload optimizer and params | cpu offload of optimizer and params",
        Practice(offload_optimizer=True, offload_parameters=True),
    ),
    practised(
        "nvme offload | offload nvme | nvme | offload to nvme | nvme optimizer offload | optimizer nvme offload | "
        "offload optimizer nvme | offload optimizer to nvme | optimizer offload nvme | optimizer offload to nvme",
        Practice(offload_optimizer=True, states_on_disk=True),
        Practice(states_on_disk=False),
    ),
    practised(
        "zero infinity nvme | param offload nvme | offload param nvme | nvme param offload | offload params to nvme | "
        "parameter offload nvme | ssd offload",
        Practice(offload_optimizer=True, offload_parameters=True, states_on_disk=True),
        Practice(states_on_disk=False),
    ),
    practised(
        "activation offload | activation offloading | offload activations | activation cpu offload | "
        "cpu activation offload | cpu offload activations",
        Practice(offload_activations=True),
        Practice(offload_activations=False),
    ),
    (
        (
            "checkpointing with cpu offload | gradient checkpointing with cpu offload | checkpointing with offload | "
            "unsloth gradient checkpointing | gradient checkpointing unsloth | use gradient checkpointing unsloth | "
            "activation checkpointing with cpu offload | gradient checkpointing cpu offload | "
            "cpu offload checkpointing | activation checkpointing unsloth"
        ),
        Meaning(says=Facts(recompute="full", practice=Practice(offload_activations=True))),
    ),
)
"""Each with what its words mean."""
