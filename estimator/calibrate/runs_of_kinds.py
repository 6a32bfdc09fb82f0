"""Published runs of models that are no decoders, as questions that a caller would ask, and what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from estimator.base.errors import EstimatorError
from estimator.base.units import HOUR_S
from estimator.catalogue.kind_runs import kind_config, kind_rows
from estimator.models.huggingface.prediction import prediction_modules
from estimator.models.kinds import Kind, kind_of
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.run import resolve

__all__ = ["MeasuredRun", "measured_runs"]

_OWN_KEYS = frozenset({"_source", "assumed", "generator", "teacher", "training"})
_OBJECTIVES = {
    "masked": "masked",
    "classification": "classification",
    "question answering": "classification",
    "replaced token detection": "replaced_token",
    "dino, 8 local crops": "dino 8 local crops",
    "dinov2, 8 local crops": "dinov2 8 local crops",
}
"""Objectives as callers name them; all others are priced as they are by default: what they add lies in the towers."""
_PADDED = {"padded": "padded", "fixed": "packed", "packed": "packed", "unpadded": "packed"}
_ATTENTION = {"flash": "", "flash2": "flash-attn 2", "eager": "eager attention"}
"""Kernels as callers name them; `flash` is whatever fused one the stack of that year has."""
_REPORT = "a person's report"
_TRAINED = {
    "projector": "projector",
    "projector, language model": "language, projector",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """One row."""

    id: str
    lab: str
    kind: Kind
    question: Question
    measured_s: float
    """Of a step of the question."""
    whole_s: float | None
    """Seconds of the whole run, where that was measured, with all that lies between its steps."""
    accelerator_id: str
    framework: str


def measured_runs() -> tuple[tuple[MeasuredRun, ...], dict[str, str]]:
    """Return the usable rows of runs_of_kinds.csv, and why each other one was left out, by id."""
    runs: list[MeasuredRun] = []
    left_out: dict[str, str] = {}
    for row in kind_rows():
        if row["usable"] != "yes":
            left_out[row["id"]] = "not comparable"
            continue
        try:
            runs.append(_measured(row))
        except (EstimatorError, _UnclearError) as error:
            left_out[row["id"]] = str(error)
    return tuple(runs), left_out


class _UnclearError(Exception):
    """A row that does not say enough."""


def _measured(row: Mapping[str, str]) -> MeasuredRun:
    request = _request(row)
    run = resolve(request)
    if run.question is None:
        raise _UnclearError("is not modelled")
    whole = row["level"] == "run"
    # Who tells the speed of a step, or takes part in a benchmark, chose the machine and the versions; any other run
    # from start to end is as people have it, and so is what a person reports of an own machine.
    as_people = (whole or _REPORT in row["flags"]) and not row["group"].startswith("mlperf")
    question = replace(run.question, published=not as_people)
    if question.released is None:
        # The middle of the year that it was measured in.
        question = replace(question, released=float(row["year"]) + 0.5)
    if "default recipe" in row["flags"] or "default recipe" in row["notes"]:
        question = replace(question, practice=replace(question.practice, recipe="default"))
    samples_per_s = _samples_per_s(row, question.sequence_length)
    batch = question.global_batch_sequences or 1
    return MeasuredRun(
        id=row["id"],
        lab=row["lab"],
        kind=kind_of(question.transformer),
        question=question,
        measured_s=batch / samples_per_s,
        whole_s=_whole_s(row) if whole else None,
        accelerator_id=row["accelerator"],
        framework=row["framework"],
    )


def _request(row: Mapping[str, str]) -> Request:
    config = kind_config(row["config"])
    n_gpus = int(row["gpus"])
    micro = _number(row["micro_batch"])
    batch = _number(row["global_batch"]) or (None if micro is None else micro * n_gpus)
    if batch is None:
        raise _UnclearError("says no batch")
    pictures = bool(row["images"])
    own = row["kind"] in {"vision", "diffusion"} or (row["kind"] == "audio" and not row["text_tokens"])
    text, told = _number(row["text_tokens"]), _number(row["sequence"])
    # Samples that are counted one by one and not padded: in packed rows there are several of them.
    shorter = row["packing"] == "unpadded" or (row["packing"] == "packed" and (text or 0.0) < (told or 0.0))
    length = None if own else text if shorter and text else told
    size = row["image_size"] or (f"{row['sequence']} tokens" if own and row["kind"] == "audio" else "")
    if row["frames"] and size:
        size = f"{size if 'x' in size else f'{size}x{size}'}x{row['frames']}"
    parts = _TRAINED.get(row["trained"])
    return Request(
        model=row["model"],
        hf_config={key: value for key, value in config.items() if key not in _OWN_KEYS},
        gpu=row["accelerator"],
        n_gpus=n_gpus,
        gpus_per_node=int(row["gpus_per_node"]) if row["gpus_per_node"] else None,
        steps=1000,
        image_size=size or None,
        images_per_sample=_number(row["images"]) if pictures else None,
        packing=_PADDED.get(row["packing"], "auto"),
        method="full" if row["method"] == "frozen" else row["method"],
        trained_layers=parts if row["kind"] == "vision_language" else None,
        lora_rank=int(row["lora_rank"]) if row["lora_rank"] and row["method"] != "full" else None,
        objective=_OBJECTIVES.get(row["objective"], "next_token"),
        precision=row["precision"] or "auto",
        activation_recompute=row["recompute"] or "auto",
        sequence_length=length,
        global_batch_sequences=batch,
        micro_batch_size=int(float(row["micro_batch"])) if row["micro_batch"] else None,
        tensor_parallel=int(row["tp"]) if row["tp"] else None,
        pipeline_parallel=int(row["pp"]) if row["pp"] else None,
        context_parallel=int(row["cp"]) if row["cp"] else None,
        expert_parallel=int(row["ep"]) if row["ep"] and int(row["ep"]) > 1 else None,
        data_sharding=row["sharding"] or "auto",
        framework=_framework(row),
    )


def _framework(row: Mapping[str, str]) -> str:
    said = [row["framework"]]
    if row["attention"]:
        said.append(_ATTENTION.get(row["attention"], row["attention"]))
    if row["compiled"] == "yes":
        said.append("torch.compile")
    if row["cuda_graphs"] == "yes":
        said.append("CUDA graphs")
    if "synthetic data" in row["flags"]:
        said.append("synthetic data")
    if prediction_modules(kind_config(row["config"])):
        said.append("MTP")
    if "cached" in row["encoders"]:
        said.append("cached latents" + ("" if "text run" in row["encoders"] else ", cached text encoder outputs"))
    elif row["encoders"]:
        said.append("online vae" if row["encoders"] == "VAE run" else "encoders run")
    return ", ".join(filter(None, said))


def _samples_per_s(row: Mapping[str, str], length: int) -> float:
    """Return samples a second of all devices; where tokens were counted, in rows of the question's own length."""
    if row["samples_per_s"]:
        return float(row["samples_per_s"])
    if row["tokens_per_s_per_gpu"]:
        told = _number(row["sequence"]) or length
        return float(row["tokens_per_s_per_gpu"]) * int(row["gpus"]) / told
    if row["step_s"] and row["global_batch"]:
        return float(row["global_batch"]) / float(row["step_s"])
    run_s = _whole_s(row)
    samples = _number(row["total_samples"])
    if samples is None and row["total_steps"] and row["global_batch"]:
        samples = float(row["total_steps"]) * float(row["global_batch"])
    if run_s is None or samples is None:
        raise _UnclearError("says no speed")
    return samples / run_s


def _whole_s(row: Mapping[str, str]) -> float | None:
    """Return the seconds that a run took."""
    if row["hours"]:
        return float(row["hours"]) * HOUR_S
    return float(row["gpu_hours"]) * HOUR_S / int(row["gpus"]) if row["gpu_hours"] else None


def _number(text: str) -> float | None:
    return float(text) if text else None
