"""The form of a profile, as it lies in a file; `profile.schema.json` beside this module is made from it.

Version 1. Everything but the version may be left out, so that a profile can be written by hand with what always has to
be said of one's machines; `traintime measure` adds what it measured.
"""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from estimator.base.speeds import parse_usd_per_hour
from estimator.base.units import GIGA, TERA
from estimator.catalogue.accelerators import RATED_PRECISIONS
from estimator.question.profile import Goodput, Profile, Rates
from estimator.resolve.measured import is_catalogued
from estimator.resolve.own_runs import MOST_OWN_RUNS
from estimator.resolve.rates import MOST_USD_PER_GPU_HOUR

__all__ = [
    "VERSION",
    "GoodputTold",
    "Machine",
    "MatmulMeasured",
    "Measured",
    "ProfileDocument",
    "Spread",
    "StepMeasured",
    "profile_of",
    "profile_schema",
]

VERSION: Literal[1] = 1
_DIGEST_CHARACTERS = 16
_HOUR_S, _MINUTE_S = 3600.0, 60.0
_CAPPED = 0.98
"""Of the usual power limit: below it a card is said to be capped."""
_Name = Annotated[str, Field(max_length=200)]
_Positive = Annotated[float, Field(gt=0, le=1e12)]
_Count = Annotated[int, Field(ge=1, le=10_000_000)]
_Precision = Annotated[str, Field(json_schema_extra={"enum": list(RATED_PRECISIONS)})]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Spread(_Part):
    """A quantity measured several times."""

    median: _Positive
    low: _Positive = Field(description="First quartile")
    high: _Positive = Field(description="Third quartile")
    n: int = Field(ge=1, description="Measurements")

    @model_validator(mode="after")
    def _ordered(self) -> "Spread":
        if not self.low <= self.median <= self.high:
            raise ValueError("have low ≤ median ≤ high")
        return self


class Machine(_Part):
    """What always holds of the caller's machines; each is the default of the argument of its name."""

    gpu: _Name | None = Field(default=None, description="Id or common name from list_gpus, or the driver's name")
    n_gpus: _Count | None = Field(default=None, description="GPUs in all")
    gpus_per_node: _Count | None = None
    network_gbps_per_gpu: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        default=None, description="Network between nodes, Gb/s of each GPU"
    )
    price_per_gpu_hour: str | float | None = Field(default=None, description='USD: 2.5, "$2.50"')
    framework: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None, description="Software, as the argument of an estimate takes it"
    )

    @model_validator(mode="after")
    def _priced(self) -> "Machine":
        if self.price_per_gpu_hour is not None:
            parse_usd_per_hour(self.price_per_gpu_hour, "price_per_gpu_hour", most=MOST_USD_PER_GPU_HOUR)
        return self


class GoodputTold(_Part):
    """How often a run is interrupted (failures, spot machines taken back), and what each time costs."""

    interval_hours: Annotated[float, Field(ge=0.1, le=1e6)] | None = Field(
        default=None, description="Mean time between interruptions of the whole run"
    )
    restart_minutes: Annotated[float, Field(ge=0, le=1e5)] | None = None
    checkpoint_seconds: Annotated[float, Field(ge=0, le=1e5)] | None = Field(
        default=None, description="That training waits for one"
    )

    @model_validator(mode="after")
    def _possible(self) -> "GoodputTold":
        if self.interval_hours is not None:
            lost_s = max((self.restart_minutes or 0.0) * _MINUTE_S, self.checkpoint_seconds or 0.0)
            if lost_s >= self.interval_hours * _HOUR_S:
                raise ValueError("leave time to train: a restart or a checkpoint takes as long as its interval")
        return self


class MatmulMeasured(_Part):
    """Square matrix products of one size."""

    precision: _Precision
    size: int = Field(ge=1)
    tflops: Spread

    @model_validator(mode="after")
    def _known(self) -> "MatmulMeasured":
        if self.precision not in RATED_PRECISIONS:
            raise ValueError(f"have a precision of {', '.join(RATED_PRECISIONS)}")
        return self


class StepMeasured(_Part):
    """A training step of one decoder on one device."""

    name: _Name
    trainer: Literal["pytorch", "transformers"]
    hf_config: dict[str, Any]
    parameters: int = Field(ge=1)
    precision: _Precision
    framework: _Name
    sequence_length: int = Field(ge=1)
    micro_batch_size: int = Field(ge=1)
    step_seconds: Spread
    tokens_per_second: _Positive = Field(description="By the median step")
    memory_gb: _Positive | None = Field(default=None, description="Allocated at most")


class Measured(_Part):
    """What `traintime measure` found on the machine it ran on."""

    device: _Name = Field(description="As the driver calls it")
    kind: Literal["cuda", "rocm", "cpu"]
    devices: _Count
    seconds: _Positive = Field(description="That measuring took")
    memory_gb: _Positive | None = None
    torch: _Name = ""
    driver: _Name = ""
    power_limit_w: _Positive | None = None
    default_power_limit_w: _Positive | None = None
    sm_clock_mhz: _Positive | None = Field(default=None, description="Under load")
    max_sm_clock_mhz: _Positive | None = None
    matmul: list[MatmulMeasured] = Field(default=[], max_length=1000)
    copy_gb_s: Spread | None = Field(default=None, description="Bytes read and written by a copy on the device")
    all_reduce_gb_s: Spread | None = Field(default=None, description="Bus bandwidth of one device: 2 (n-1)/n size/time")
    all_to_all_gb_s: Spread | None = Field(default=None, description="Of one device: (n-1)/n size/time")
    steps: list[StepMeasured] = Field(default=[], max_length=MOST_OWN_RUNS)
    left_out: list[_Name] = Field(default=[], max_length=100, description="What was not measured, and why")


class ProfileDocument(_Part):
    """A profile of the caller's own machines."""

    version: Literal[1]
    name: _Name = ""
    date: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    machine: Machine = Machine()
    goodput: GoodputTold | None = None
    measured: Measured | None = None
    my_runs: list[dict[str, Any]] = Field(
        default=[],
        max_length=MOST_OWN_RUNS,
        description="Other measured runs: arguments of an estimate with tokens_per_second or step_seconds",
    )


def profile_schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ProfileDocument.model_json_schema()}


def profile_of(document: ProfileDocument) -> Profile:
    """Return what a document tells, in SI units."""
    machine, measured = document.machine, document.measured
    told = json.dumps(document.model_dump(mode="json", exclude_defaults=True), sort_keys=True, allow_nan=False)
    gpu = machine.gpu or (measured.device if measured else None)
    return Profile(
        name=document.name or gpu or "without a name",
        date=document.date,
        digest=hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGEST_CHARACTERS],
        gpu=gpu,
        n_gpus=machine.n_gpus,
        gpus_per_node=machine.gpus_per_node,
        network_gbps_per_gpu=machine.network_gbps_per_gpu,
        price_per_gpu_hour=machine.price_per_gpu_hour,
        framework=machine.framework,
        rates=_rates(measured) if measured else Rates(),
        goodput=_goodput(document.goodput) if document.goodput else None,
        remark=_remark(measured) if measured else "",
        runs=(*(_steps(measured, gpu) if measured and gpu else ()), *document.my_runs),
    )


def _rates(measured: Measured) -> Rates:
    best: dict[str, float] = {}
    for matmul in measured.matmul:
        best[matmul.precision] = max(best.get(matmul.precision, 0.0), matmul.tflops.median * TERA)
    copied, reduced = measured.copy_gb_s, measured.all_reduce_gb_s
    return Rates(
        matmul_flop_per_s=tuple(sorted(best.items())),
        copy_bytes_per_s=copied.median * GIGA if copied else None,
        all_reduce_bytes_per_s=reduced.median * GIGA if reduced else None,
    )


def _goodput(goodput: GoodputTold) -> Goodput:
    def seconds(value: float | None, unit: float) -> float | None:
        return None if value is None else value * unit

    return Goodput(
        interval_s=seconds(goodput.interval_hours, _HOUR_S),
        restart_s=seconds(goodput.restart_minutes, _MINUTE_S),
        checkpoint_s=goodput.checkpoint_seconds,
    )


def _remark(measured: Measured) -> str:
    limit, usual = measured.power_limit_w, measured.default_power_limit_w
    if limit is None or usual is None or limit >= _CAPPED * usual:
        return ""
    return f"power limit {limit:g} of {usual:g} W"


def _steps(measured: Measured, gpu: str) -> list[dict[str, object]]:
    """Return the measured steps as the arguments of an estimate; none where the device cannot be predicted."""
    return [_run(step, gpu) for step in measured.steps] if is_catalogued(gpu) else []


def _run(step: StepMeasured, gpu: str) -> dict[str, object]:
    """Return a measured step as the arguments of an estimate."""
    return {
        "model": step.name,
        "hf_config": step.hf_config,
        "gpu": gpu,
        "n_gpus": 1,
        "precision": step.precision,
        "framework": step.framework,
        "sequence_length": step.sequence_length,
        "micro_batch_size": step.micro_batch_size,
        "global_batch_sequences": step.micro_batch_size,
        "activation_recompute": "none",
        "tokens_per_second": step.tokens_per_second,
    }
