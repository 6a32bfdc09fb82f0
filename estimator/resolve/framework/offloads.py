"""What people call offloading by fixed names; in words of any order it is read by `told_offload`."""

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning, practised

__all__ = ["OFFLOADS", "ZERO_INFINITY"]

_OFFLOADED = Practice(offload_optimizer=True)
_BOTH = Practice(offload_optimizer=True, offload_parameters=True)
_NEITHER = Practice(offload_optimizer=False, offload_parameters=False)
ZERO_INFINITY = Meaning(says=Facts(sharding="zero3", practice=Practice(zero_engine="deepspeed")))
"""Stage 3 of DeepSpeed's; of optimizer and weights, what lies where is told beside it, or both lie in host memory."""
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
    ("zero infinity", ZERO_INFINITY),
    # Told again by what is said to be done with them.
    ("optimizer state | both", Meaning()),
    practised("full offload | full cpu offload | fully offload | fully offloaded", _BOTH, _NEITHER),
    # DeepSpeed's own name for it, and of its configurations in Lightning, ms-swift, LLaMA-Factory and LLaVA.
    (
        "zero 3 offload | zero stage 3 offload | stage 3 offload | z 3 offload | zero 3 offloading",
        Meaning(says=Facts(sharding="zero3", practice=_BOTH), denies=Facts(sharding="zero3", practice=_NEITHER)),
    ),
    practised("cpu offload policy | offload policy", _OFFLOADED, Practice(offload_optimizer=False)),
    practised(
        "nvme offload | offload nvme | nvme | offload to nvme | nvme optimizer offload | optimizer nvme offload | "
        "offload optimizer nvme | offload optimizer to nvme | optimizer offload nvme | optimizer offload to nvme",
        Practice(offload_optimizer=True, states_on_disk=True),
        Practice(states_on_disk=False),
    ),
    (
        "zero infinity nvme",
        Meaning(
            says=Facts(sharding="zero3", practice=Practice(states_on_disk=True, zero_engine="deepspeed").over(_BOTH))
        ),
    ),
    practised("ssd offload", Practice(states_on_disk=True).over(_BOTH), Practice(states_on_disk=False)),
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
