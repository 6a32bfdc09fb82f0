"""Seconds the host needs to launch a micro-batch: where a layer has little work, the device waits for it."""

import numpy as np

from estimator.physics.case import BROADCAST, Case
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts
from estimator.physics.network import surroundings_slowness, where
from estimator.physics.recomputation import again_share, where_recomputed
from estimator.physics.sharing import ZERO3

__all__ = ["beside_launches_s", "launches_s"]

_BACKWARD_OPERATIONS = 1.2
"""Kernels launched backward per kernel launched forward: two for each product, from C++ and therefore faster."""


def launches_s(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return seconds of the host for one micro-batch on one stage, forward and backward.

        slowness · (kernels · launch · (1 + again + backward)  +  gathered modules · hook · passes
                    +  recomputed layers · checkpoint  +  the trainer's)

    An expert's kernels backward are not the forward's in number where the host goes through them.

    Kernels are counted per layer by how it is run, and per local expert where the host goes through them.
    """
    again = again_share(case, constants, lay)
    kernels = case.operations * case.pairs + case.expert_operations * case.n_expert_layers
    each = case.operations_per_expert * (1.0 + again) + case.backward_per_expert
    looped = each * case.n_experts / lay.expert * case.n_expert_layers
    passes = 1.0 + again + _BACKWARD_OPERATIONS
    launching = constants["launch_s"] * (kernels * passes + looped) / lay.pipeline
    hook_s = where(case.module_hooks, constants["module_hook_s"], constants["hook_s"])
    gathers = case.gathers * case.pairs + case.expert_gathers * case.n_expert_layers / lay.expert
    hooks = hook_s * gathers / lay.pipeline * (2.0 + again)
    sharded = np.where((lay.shard_stage >= ZERO3) & (lay.shard_group > 1), hooks, 0.0)
    trainer_s = constants["micro_step_s"] * case.eager_trainer
    checkpoints = where_recomputed(lay, full=case.recomputed_share * case.checkpoints, selective=case.checkpoints)
    checkpointing = constants["checkpoint_s"] * checkpoints / lay.pipeline
    return surroundings_slowness(case, constants) * (launching + sharded + checkpointing + trainer_s)


def beside_launches_s(constants: Constants, busy_s: BROADCAST, host_s: BROADCAST) -> BROADCAST:
    """Return seconds of device and host together: neither the longer alone nor the sum.

        (busy^p + host^p)^(1/p)

    The host runs ahead under large kernels and is waited for under small ones, so part of each shows.
    """
    power = 1.0 + constants["launch_hiding"]
    longer = np.maximum(busy_s, host_s)
    return longer * ((busy_s / longer) ** power + (host_s / longer) ** power) ** (1.0 / power)
