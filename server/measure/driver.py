"""What NVIDIA's driver says of a device: its version, power limits and clocks."""

import math
import os
import shutil
import subprocess
from collections.abc import Mapping

__all__ = ["driver_facts", "facts_in"]

_FIELDS: Mapping[str, str] = {
    "driver": "driver_version",
    "power_limit_w": "power.limit",
    "default_power_limit_w": "power.default_limit",
    "sm_clock_mhz": "clocks.sm",
    "max_sm_clock_mhz": "clocks.max.sm",
}
_PATIENCE_S = 3.0


def driver_facts() -> dict[str, str | float]:
    """Return the facts of the first device by the names that a profile has for them; none where no driver answers."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    # PyTorch's first device is the first of those that are left visible, by number or by name.
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip() or "0"
    query = f"--query-gpu={','.join(_FIELDS.values())}"
    try:
        answered = subprocess.run(  # noqa: S603 - the driver's own program
            [program, query, "--format=csv,noheader,nounits", f"--id={visible}"],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    return facts_in(answered.stdout)


def facts_in(line: str) -> dict[str, str | float]:
    """Return the facts in the driver's line; what it does not know (`[N/A]`) is left out."""
    facts: dict[str, str | float] = {}
    for name, text in zip(_FIELDS, (part.strip() for part in line.strip().split(",")), strict=False):
        if name == "driver":
            facts[name] = text
            continue
        try:
            value = float(text)
        except ValueError:
            continue
        if math.isfinite(value) and value > 0.0:
            facts[name] = value
    return facts
