"""What a run that fits needs for it: that its longest rows do, too, and that its trainer shards."""

from dataclasses import replace

from estimator.base.units import format_bytes
from estimator.physics.choice import Setting
from estimator.physics.layout import Layouts
from estimator.physics.memory import memory_of
from estimator.physics.stacks import XLA
from estimator.question.question import Caution, Layout, Prediction

__all__ = ["told_of_memory"]

_UNKNOWN = "unknown"
"""What a stack is called that nobody knows."""
_STAGES = {"zero1": "ZeRO-1", "zero2": "ZeRO-2", "zero3": "ZeRO-3"}


def told_of_memory(setting: Setting, best: Layouts, step: Prediction) -> tuple[Caution, ...]:
    """Return what to beware of in the memory of a layout that fits."""
    # Whoever is asked how a script was started is asked what shards as well.
    asked = any(caution.code == "devices_in_turn" for caution in step.warnings)
    return (*_long_rows(setting, best), *(() if asked else _sharded(setting, step.layout)))


def _long_rows(setting: Setting, best: Layouts) -> tuple[Caution, ...]:
    """Return a warning where the longest row of a run would not fit, as long as samples are likely to be."""
    question = setting.question
    likely = question.likely_longest_row
    if likely <= question.longest_row:
        return ()
    used = float(memory_of(replace(setting.case, longest_row=likely), best).total_bytes[0])
    if used <= setting.usable_bytes:
        return ()
    message = (
        f"the longest rows of the run, likely about {question.sequence_length * likely:,.0f} tokens, would take "
        f"{format_bytes(used)} and run out of memory: say how long samples are at most in tokens_per_sample "
        '("mean 300, max 1000"), or cut them with sequence_length'
    )
    return (Caution(code="long_rows_may_not_fit", message=message),)


def _sharded(setting: Setting, layout: Layout) -> tuple[Caution, ...]:
    """Return a warning where states are sharded by a trainer that shards nothing unless it is told."""
    question = setting.question
    told = question.layout.data_sharding is not None or question.practice.zero_engine is not None
    # What XLA compiles is sharded by annotations; who has layers of their own for many devices has sharded them.
    unasked = setting.stack.kin in XLA or setting.stack.sharding != "ddp" or bool(question.practice.own_experts)
    if told or unasked or layout.data_sharding == "ddp" or question.published:
        return ()
    stage = _STAGES[layout.data_sharding]
    # A stack that nobody knows is no name to call it by.
    who = "a trainer of one's own" if setting.stack.name == _UNKNOWN else setting.stack.name
    message = (
        f"states are sharded ({stage}), for no GPU holds them all, which {who} does only where "
        "DeepSpeed or FSDP is turned on: name it in framework"
    )
    return (Caution(code="sharding_assumed", message=message),)
