"""The command `measure`: what this machine's GPUs reach, as a profile."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from estimator.base.errors import InfeasibleError, InvalidValueError
from server.command_line.destination import STANDARD_OUTPUT
from server.command_line.files import checked_output, write_output
from server.measure.budget import Budget, Clock
from server.measure.collectives import Rank
from server.measure.driver import driver_facts
from server.measure.gathering import Gathered
from server.measure.processes import Ending, free_port, run_collectives, run_device, seconds_of_process, started
from server.profiles.document import ProfileDocument

__all__ = ["measure_command", "measured_profile"]

_LEAST_S, _MOST_S = 10.0, 3600.0
_TICK_S = 0.01
_COLLECTIVES = 0.25
"""Of the budget, where there are several GPUs."""
_ENDING_S, _ENDING = 0.4, 0.04
"""To end what is still running, and to write: seconds, and of the budget."""


def measured_profile(
    seconds: float, clock: Clock, note: Callable[[str, float], None], *, spent_s: float = 0.0
) -> ProfileDocument:
    """Return what this machine reaches, measured within `seconds`; `note` is told what is done and when.

    Of them `spent_s` have passed before the call.

    Raises InfeasibleError where nothing could be measured.
    """
    budget = Budget(seconds=(1.0 - _ENDING) * seconds - _ENDING_S, clock=clock, started_s=clock() - spent_s)
    gathered = Gathered()

    def hear(name: str, fields: dict[str, Any]) -> None:
        gathered.hear(name, fields)
        note(gathered.doing, clock() - budget.started_s)

    gathered.hear("facts", driver_facts())

    def alone_s() -> float:
        # How many there are is not known before PyTorch has started.
        return budget.left_s - (_COLLECTIVES * seconds if gathered.facts.get("devices", 1) > 1 else 0.0)

    ending = started(run_device, [(budget.left_s, _COLLECTIVES)], alone_s, _with_clocks(hear, gathered))
    _tell_end(gathered, ending, "measuring")
    ranks = gathered.facts.get("devices", 1)
    if ranks > 1:
        gathered.hear("doing", {"what": f"all-reduce and all-to-all over {ranks} GPUs"})
        port, left_s = free_port(), budget.left_s
        works = [(left_s, Rank(rank=rank, ranks=ranks, port=port)) for rank in range(ranks)]
        ending = started(run_collectives, works, lambda: budget.left_s, hear)
        _tell_end(gathered, ending, "all-reduce and all-to-all")
    if not gathered.anything:
        why = gathered.left_out[-1] if gathered.left_out else "no time was left to"
        raise InfeasibleError(f"nothing could be measured in {seconds:g} s ({why}); give more --seconds")
    return gathered.document(
        date=datetime.now(UTC).date().isoformat(), seconds=max(round(clock() - budget.started_s, 2), _TICK_S)
    )


def _with_clocks(hear: Callable[[str, dict[str, Any]], None], gathered: Gathered) -> Callable[..., None]:
    """Return `hear`, with the clocks read once more while the device is busy: at rest they say nothing."""

    def with_clocks(name: str, fields: dict[str, Any]) -> None:
        hear(name, fields)
        if name == "steps" and "driver" in gathered.facts:
            clock = driver_facts().get("sm_clock_mhz")
            gathered.hear("facts", {"sm_clock_mhz": clock})

    return with_clocks


def _tell_end(gathered: Gathered, ending: Ending, what: str) -> None:
    if ending != "done":
        why = "was ended at the end of the time" if ending == "late" else "died"
        gathered.hear("left_out", {"why": f"{what} {why}, during: {gathered.doing}"})


@click.command("measure", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--seconds", type=float, default=120.0, show_default=True, help="The longest that measuring may take.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="The profile.  [default: stdout]")
def measure_command(*, seconds: float, output: Path | None) -> None:
    """Measure this machine's GPUs, and write a profile for --profile.

    Matrix products, memory, all-reduce and all-to-all, and training steps of small and large decoders by PyTorch (and
    by Transformers, where installed). Nothing else should use the GPUs meanwhile.
    """
    if not _LEAST_S <= seconds <= _MOST_S:
        raise InvalidValueError("seconds", seconds, f"must be from {_LEAST_S:g} to {_MOST_S:g}")
    if find_spec("torch") is None:
        raise click.UsageError(
            "measure needs PyTorch in this environment, and it is not installed; https://pytorch.org tells how for "
            "your GPU"
        )
    # Told before anything is measured.
    file = None if output is None or str(output) == STANDARD_OUTPUT else checked_output("output", output)
    bar = Progress(
        BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
    )
    with bar:
        task = bar.add_task("starting", total=seconds)
        document = measured_profile(
            seconds,
            time.monotonic,
            lambda what, spent_s: bar.update(task, description=what, completed=spent_s),
            spent_s=seconds_of_process(),
        )
    text = document.model_dump_json(indent=2, exclude_none=True) + "\n"
    if file is None:
        click.echo(text, nl=False)
    else:
        write_output("output", file, text.encode())
    for line in _told(document):
        click.echo(line, err=True)


def _told(document: ProfileDocument) -> list[str]:
    """Return what was found, for a person."""
    found = document.measured
    if found is None:
        return []
    lines = [f"{document.name}: {found.seconds:.1f} s"]
    if found.kind == "cpu":
        lines.append("PyTorch sees no GPU here: the CPU was measured")
    best: dict[str, float] = {}
    for matmul in found.matmul:
        best[matmul.precision] = max(best.get(matmul.precision, 0.0), matmul.tflops.median)
    lines += [f"matmul {precision}: {tflops:.4g} TFLOPS" for precision, tflops in best.items()]
    rates = {"copy": found.copy_gb_s, "all-reduce": found.all_reduce_gb_s, "all-to-all": found.all_to_all_gb_s}
    lines += [f"{name}: {rate.median:.4g} GB/s" for name, rate in rates.items() if rate is not None]
    lines += [
        f"step of {step.name} by {step.trainer}: {step.tokens_per_second:,.4g} tokens/s ({step.step_seconds.n} steps)"
        for step in found.steps
    ]
    return [*lines, *(f"left out: {why}" for why in found.left_out)]
