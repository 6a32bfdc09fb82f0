"""How a command starts a script: plainly, in one process, or by a launcher that starts one for each device."""

import re

__all__ = ["is_started_plainly"]

_LAUNCHERS = re.compile(
    r"\b(?:torchrun|torch\.distributed\.(?:run|launch)|torch_xla\.distributed|accelerate|deepspeed|mpirun|mpiexec|srun|"
    r"horovodrun|ray|composer|colossalai|fabric|lightning run|llamafactory-cli|xtuner|NPROC_PER_NODE)\b|no_trainer",
    re.IGNORECASE,
)
"""Words of a text that starts a process for each device, or names what does, wherever they stand in it; and scripts of
Transformers' without its Trainer, which Accelerate runs on one device unless it launches them."""
_PLAIN = re.compile(
    r"(?:^|[\s;&|$`(])(?:python3?|python3\.\d+|uv run(?: python3?)?)\s+(?:-u\s+)?"
    r"(?:[\w./~-]*\w\.py\b|-m\s+[a-z][\w.]*)"
)
"""An interpreter before a script's name or a module's."""


def is_started_plainly(text: str) -> bool:
    """Return whether `text` holds a command that runs a script by its interpreter alone (`python run_glue.py`).

    Not where a launcher is named beside it. Never raises.
    """
    return _PLAIN.search(text) is not None and _LAUNCHERS.search(text) is None
