"""Unlike GPUs in one run: `8 A100 and 16 H100`."""

import re
from collections.abc import Sequence
from dataclasses import replace

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.base.inputs import MOST_GPUS
from estimator.catalogue import catalogue
from estimator.question.cluster import Accelerator
from estimator.question.pools import Pool

__all__ = ["common_precision", "named_pools", "pooled_accelerator", "pools_text"]

_BETWEEN = re.compile(r"\s*(?:\+|,|;|&|\band\b|\bplus\b|\bund\b|\by\b|\bet\b)\s*", re.IGNORECASE)
_COUNTED = (
    re.compile(r"(?P<count>\d{1,7})\s*(?:[x×*]\s*|\s)(?P<device>\S.*)", re.IGNORECASE),
    re.compile(r"(?P<device>.*\S)\s*(?:[x×*]\s*|:\s*)(?P<count>\d{1,7})", re.IGNORECASE),
    re.compile(r"(?P<device>.*)(?P<count>)", re.DOTALL),
)
"""A count before the device, behind it, or none."""
_MOST_POOLS = 8
_USUAL_PRECISIONS = ("bf16", "fp16", "fp32")


def named_pools(gpu: str) -> tuple[Pool, ...]:
    """Return the pools that `gpu` names, each with its count; empty where it does not name several kinds.

    Where none is counted there is one of each. Raises InvalidValueError where some are and others are not.
    """
    parts = [part for part in _BETWEEN.split(gpu.strip()) if part]
    if not 1 < len(parts) <= _MOST_POOLS:
        return ()
    pools: dict[str, Pool] = {}
    for part in parts:
        pool = _pool(part)
        if pool is None:
            return ()
        earlier = pools.get(pool.accelerator.id)
        pools[pool.accelerator.id] = replace(pool, count=pool.count + earlier.count) if earlier else pool
    if len(pools) == len(parts) and not any(pool.count for pool in pools.values()):
        # A 3090 + a 4090 in one machine.
        pools = {name: replace(pool, count=1) for name, pool in pools.items()}
    if not all(1 <= pool.count <= MOST_GPUS for pool in pools.values()):
        raise InvalidValueError("gpu", gpu, 'names several kinds: say how many of each, "8 A100 + 16 H100"')
    return tuple(pools.values())


def _pool(part: str) -> Pool | None:
    """Return the devices that `part` counts, 0 where it has no count; None where it names none."""
    for pattern in _COUNTED:
        if match := pattern.fullmatch(part):
            try:
                device = catalogue.accelerator(match["device"]).value.accelerator
            except UnknownNameError:
                continue
            return Pool(accelerator=device, count=int(match["count"] or 0))
    return None


def common_precision(pools: Sequence[Pool], wanted: str) -> str | None:
    """Return the precision that all of `pools` run in: the wanted one, or a usual one; None where there is none."""
    usual = (pools[0].accelerator.training_precision, *_USUAL_PRECISIONS)
    tried = usual if wanted == "auto" else (wanted,)
    return next((one for one in tried if all(one in pool.accelerator.peak_flop_per_s for pool in pools)), None)


def pooled_accelerator(pools: Sequence[Pool], precision: str) -> Accelerator:
    """Return the device whose pace and memory equal shares have: the slowest's, with the least of each other thing.

    A step ends when its slowest rank does, and what one rank cannot hold none is given; power is the mean of all.
    """
    slowest = min((pool.accelerator for pool in pools), key=lambda device: device.peak_flop_per_s[precision])
    devices = [pool.accelerator for pool in pools]
    total = sum(pool.count for pool in pools)
    return replace(
        slowest,
        memory_bytes=min(device.memory_bytes for device in devices),
        scale_out_bytes_per_s=min(device.scale_out_bytes_per_s for device in devices),
        gpus_per_node=min(device.gpus_per_node for device in devices),
        tdp_w=sum(pool.count * pool.accelerator.tdp_w for pool in pools) / total,
    )


def pools_text(pools: Sequence[Pool]) -> str:
    """Return pools as a reader counts them: `8 × A100 SXM 80GB + 16 × H100 SXM5 80GB`."""
    return " + ".join(f"{pool.count:,} × {pool.accelerator.name}" for pool in pools)
