"""What the caller's own runs show to be in order: a cause that lies in what they share with a run is none of its."""

from collections.abc import Sequence
from dataclasses import dataclass

from estimator.answers.check.candidate import Shared
from estimator.answers.estimate.best_step import own_run_log, own_runs_say
from estimator.answers.estimate.runnable import runnable
from estimator.base.errors import InfeasibleError
from estimator.evidence.calibration import committed_calibration
from estimator.physics.choice import setting_of
from estimator.physics.stacks import stack_of
from estimator.question.question import OwnRun, Question
from estimator.resolve.run import Run

__all__ = ["OwnMachine", "own_machines", "ruled_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMachine:
    """A run of the caller's on the same device, with what it shares with the run that is asked about."""

    ratio_logs: tuple[float, float]
    """Log of its measured speed over what is predicted of it: by itself, and with the correction that the question has
    by all of them."""
    shared: frozenset[Shared]


def own_machines(run: Run) -> tuple[OwnMachine, ...]:
    """Return the caller's own runs on the device of `run`, as far as a speed could be predicted of them."""
    question = run.question
    if question is None or not run.own_runs:
        return ()
    try:
        corrected = own_runs_say(setting_of(runnable(question, committed_calibration().constants))).correction_log
    except InfeasibleError:
        return ()
    return tuple(
        OwnMachine(ratio_logs=(ratio_log, ratio_log + corrected), shared=_shared(own, question))
        for own in run.own_runs
        if own.question.cluster.accelerator.id == question.cluster.accelerator.id
        and (ratio_log := own_run_log(own)) is not None
    )


def _shared(own: OwnRun, asked: Question) -> frozenset[Shared]:
    """Return what a run has in common with the question: the stack as it is set up, its links, its network."""
    shared: set[Shared] = set()
    its = own.question
    same = (its.precision, its.method.name, _stack(its)) == (asked.precision, asked.method.name, _stack(asked))
    if same:
        shared.add("machine")
    if its.cluster.n_gpus >= min(asked.cluster.n_gpus, asked.cluster.gpus_per_node) > 1:
        shared.add("links")
    if its.cluster.n_gpus > its.cluster.gpus_per_node:
        shared.add("network")
    return frozenset(shared)


def _stack(question: Question) -> str:
    return stack_of(question.framework, question.cluster.accelerator, question.method.name).name


def ruled_out(shared: Shared, move_log: float, machines: Sequence[OwnMachine]) -> bool:
    """Return whether a run that shares a cause is nearer to what is predicted without it than with it.

    By itself, too: one that is as slow as the cause would make it shows nothing of it to be in order. `move_log`: log
    of the speed with the cause over that without.
    """
    return any(
        shared in machine.shared and all(abs(ratio_log) < abs(ratio_log - move_log) for ratio_log in machine.ratio_logs)
        for machine in machines
    )
