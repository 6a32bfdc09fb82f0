"""Prompts a person picks in the host: each turns a few words into the right calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from server.protocol.registry import TOOLS

__all__ = ["PROMPTS", "Prompt", "PromptArgument"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptArgument:
    """One blank of a prompt."""

    name: str
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A message for the model, with blanks that the host fills."""

    name: str
    title: str
    description: str
    arguments: tuple[PromptArgument, ...]
    text: Callable[[Mapping[str, str]], str]


_MODEL = PromptArgument(name="model", description="model to train: a name such as llama-3.1-8b, or a size such as 7B")
_GPU = PromptArgument(name="gpu", description="accelerator, such as h100-sxm")
_N_GPUS = PromptArgument(name="n_gpus", description="how many of them")


def _said(filled: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """Return what was filled in as a list, one line each."""
    lines = [f"- {label}: {filled[name]}" for name, label in labels.items() if filled.get(name, "").strip()]
    return "\n".join(lines) if lines else "- nothing yet"


def _plan(filled: Mapping[str, str]) -> str:
    said = _said(
        filled,
        {
            "model": "model",
            "tokens": "training tokens",
            "gpu": "GPU",
            "n_gpus": "number of GPUs",
            "deadline": "deadline",
            "budget": "budget",
        },
    )
    inverse = (
        "call plan_training with what is fixed and `solve_for` set to what is open (n_gpus, tokens, model_size, layout "
        "or gpu)"
        if "plan_training" in TOOLS.names
        else "call estimate_training_time at a few values of what is open, and go where the constraint is met"
    )
    return f"""Help me plan a training run. What I know:
{said}

Ask me for the model, the amount of data and the GPU if they are missing; nothing else is required.
1. If model, tokens, GPU and count are all known, call estimate_training_time with exactly these; otherwise {inverse}.
2. Tell me whether it fits in memory, the time with its range, the GPU-hours, and the cost if a price is known. Of a
   plan, tell me both what keeps to the limit at even odds and what surely does.
3. Name the assumptions that you did not get from me (`assumptions` with a source other than `user`) and every warning.
4. If `narrow_by` names something I could tell you, ask for the one that narrows the range most.
Use list_gpus to compare accelerators or to resolve a name."""


def _is_normal(filled: Mapping[str, str]) -> str:
    said = _said(
        filled,
        {"model": "model", "gpu": "GPU", "n_gpus": "number of GPUs", "observed": "what I see", "setup": "set-up"},
    )
    call = (
        "call check_training_speed with the observation in the form it was made (tokens per second of all GPUs "
        "together, seconds per step with the batch, hours for given tokens, MFU, TFLOPS per GPU, or a trainer's log)"
        if "check_training_speed" in TOOLS.names
        else "call estimate_training_time without the observation for what to expect, and again with "
        "`observed_tokens_per_second` (all GPUs together) for what is happening"
    )
    return f"""Is the speed of my training run normal?
{said}

Ask me for what is missing of: model, GPU, number of GPUs, and one observation.
1. With these and what I said of the software (`framework`), {call}.
2. Say whether it is faster, normal, slow or implausible, and against which range.
3. If it is not normal, name the likeliest causes and how to tell them apart. A utilization may be off because a sparse
   peak was divided by, or other FLOPs were counted: list_gpus shows the dense peak, explain_coefficient the count.
4. Say how long is left at the speed observed, if the amount of data is known."""


PROMPTS: Mapping[str, Prompt] = {
    prompt.name: prompt
    for prompt in (
        Prompt(
            name="plan_a_run",
            title="Plan a training run",
            description="How long a training run takes, what it costs, and what would meet a deadline or budget.",
            arguments=(
                _MODEL,
                PromptArgument(name="tokens", description="training tokens, such as 15T"),
                _GPU,
                _N_GPUS,
                PromptArgument(name="deadline", description="when it must be done, such as 30 days"),
                PromptArgument(name="budget", description="what it may cost, such as $250k"),
            ),
            text=_plan,
        ),
        Prompt(
            name="is_this_normal",
            title="Is this speed normal?",
            description="Whether an observed training speed is what such a run should reach, and why if not.",
            arguments=(
                PromptArgument(
                    name="observed",
                    description="what was measured, such as 380k tokens/s, 2.1 s/step at batch 512, or 38 % MFU",
                    required=True,
                ),
                _MODEL,
                _GPU,
                _N_GPUS,
                PromptArgument(name="setup", description="framework, precision, batch, parallelism"),
            ),
            text=_is_normal,
        ),
    )
}
