"""Profiles that tests ask with, as they lie in a file."""

import copy
from typing import Any

from estimator.question.profile import Profile
from server.measure.sizes import DECODERS
from server.profiles.document import ProfileDocument, profile_of

__all__ = ["MEASURED", "TOLD", "profile", "spread", "with_change"]


def spread(median: float) -> dict[str, float]:
    """Return a quantity measured five times, within 2 %."""
    return {"median": median, "low": 0.99 * median, "high": 1.01 * median, "n": 5}


TOLD: dict[str, Any] = {
    "version": 1,
    "name": "the lab's",
    "date": "2026-11-20",
    "machine": {
        "gpu": "h100-sxm",
        "n_gpus": 16,
        "gpus_per_node": 4,
        "network_gbps_per_gpu": 200.0,
        "price_per_gpu_hour": "$2.20",
        "framework": "nemo 25.09",
    },
}
"""What one always has to say."""

MEASURED: dict[str, Any] = {
    "version": 1,
    "name": "one server",
    "date": "2026-11-26",
    "machine": {"gpu": "h100-sxm", "n_gpus": 8, "gpus_per_node": 8},
    "goodput": {"interval_hours": 6.0, "restart_minutes": 10.0, "checkpoint_seconds": 30.0},
    "measured": {
        "device": "NVIDIA H100 80GB HBM3",
        "kind": "cuda",
        "devices": 8,
        "seconds": 118.5,
        "torch": "2.13.0",
        "driver": "580.65.06",
        "power_limit_w": 500.0,
        "default_power_limit_w": 700.0,
        "matmul": [
            {"precision": "bf16", "size": 4096, "tflops": spread(520.0)},
            {"precision": "bf16", "size": 8192, "tflops": spread(556.0)},
            {"precision": "fp8", "size": 8192, "tflops": spread(980.0)},
        ],
        "copy_gb_s": spread(2800.0),
        "all_reduce_gb_s": spread(330.0),
        "all_to_all_gb_s": spread(300.0),
        "steps": [
            {
                "name": "decoder-1.3b",
                "trainer": "pytorch",
                "hf_config": next(d for d in DECODERS if d.name == "decoder-1.3b").hf_config(2048),
                "parameters": 1_345_423_360,
                "precision": "bf16",
                "framework": "pytorch, eager, sdpa, adamw",
                "sequence_length": 2048,
                "micro_batch_size": 4,
                "step_seconds": spread(0.32),
                "tokens_per_second": 25_600.0,
                "memory_gb": 45.0,
            }
        ],
        "left_out": [],
    },
}
"""What a measurement of a capped server would write; its numbers are made up."""


def with_change(document: dict[str, Any], place: str, value: object) -> dict[str, Any]:
    """Return `document` with the value at `place` (`machine.gpu`) changed; `...` takes it out."""
    changed = copy.deepcopy(document)
    *path, last = place.split(".")
    inner: Any = changed
    for step in path:
        inner = inner[int(step) if step.isdigit() else step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return changed


def profile(document: dict[str, Any]) -> Profile:
    """Return the profile of a document."""
    return profile_of(ProfileDocument.model_validate(document))
