"""The command `sweep`: millions of estimates from one specification, into a folder of Parquet files."""

import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from estimator.answers.sweep.points import sweep
from estimator.base.errors import InvalidValueError, shown
from estimator.base.version import VERSION
from estimator.catalogue.catalogue import data_version
from server.command_line.delivery import deliver
from server.command_line.destination import STANDARD_OUTPUT, Destination, destination
from server.command_line.files import read_text
from server.sweep.engine import Cores, Engine, Here
from server.sweep.part import Plan
from server.sweep.ray import RayCluster
from server.sweep.store import opened

__all__ = ["ROWS_PER_PART", "Swept", "plan_of", "sweep_command", "swept"]

ROWS_PER_PART = 4_096
"""A part takes from a fraction of a second to a few: what a kill costs at most, for each core."""
_LARGEST_SPEC_BYTES = 16 << 20
_MOST_NAMED = 5
_QUOTES = "'\""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a run of a sweep did."""

    folder: str
    points: int
    parts: int
    parts_found: int
    """Parts that an earlier run had finished."""
    foreign: tuple[str, ...] = ()
    """Names in the folder that are not of this sweep: left as they are, though readers of the folder may read them."""


def plan_of(spec: Path, rows_per_part: int) -> Plan:
    """Return the plan of the sweep that the file `spec` describes."""
    too_large = "is larger than 16 MiB; use ranges instead of lists"
    written = read_text("spec", spec, most_bytes=_LARGEST_SPEC_BYTES, too_large=too_large)
    try:
        described = tomllib.loads(written)
    except ValueError as error:
        raise InvalidValueError("spec", str(spec), f"is not TOML: {shown(str(error)).strip(_QUOTES)}") from error
    except RecursionError as error:
        raise InvalidValueError("spec", str(spec), "is nested too deeply; tables [vary] and [fixed] do") from error
    try:
        text = json.dumps(described, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError("spec", str(spec), "may hold text and finite numbers only") from error
    return Plan(
        spec=text,
        points=len(sweep(described)),
        rows_per_part=rows_per_part,
        version=VERSION,
        data_version=data_version(),
    )


def swept(plan: Plan, folder: Path, engine_of: Callable[[Plan], Engine], note: Callable[[int], None]) -> Swept:
    """Work out the parts of `plan` that `folder` lacks, and return what was done; `note` is told rows as they come.

    Killed at any moment, nothing that was noted is lost, and the next run does the rest.
    """
    with opened(folder, plan) as store:
        done = store.done()
        note(sum(plan.rows(part) for part in done))
        left = iter([part for part in range(plan.parts) if part not in done])
        under_way = 0
        if len(done) < plan.parts:
            engine = engine_of(plan)
            try:
                while True:
                    while under_way < engine.slots and (part := next(left, None)) is not None:
                        engine.start(part)
                        under_way += 1
                    if not under_way:
                        break
                    finished, data = engine.finished()
                    under_way -= 1
                    store.put(finished, data)
                    note(plan.rows(finished))
            finally:
                engine.close()
        store.complete()
        foreign = store.foreign()
    return Swept(folder=str(folder), points=plan.points, parts=plan.parts, parts_found=len(done), foreign=foreign)


def _cores() -> int:
    """Return the cores that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@click.command("sweep", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the Parquet files.  [default: SPEC with .parquet]"
)
@click.option("--workers", type=click.IntRange(1, 4096), help="Processes.  [default: one for each core]")
@click.option("--ray", "ray_address", metavar="ADDRESS", help="Run on the Ray cluster at ADDRESS, or auto.")
@click.option(
    "--rows-per-part", default=ROWS_PER_PART, show_default=True, type=click.IntRange(1, 1 << 20), help="Rows of a file."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON, for programs.")
@click.option(
    "--report",
    metavar="FILE",
    help="Then report the Pareto front and the times by number of GPUs: .html, .md, .csv, .json or .txt; - prints it.",
)
def sweep_command(
    *,
    spec: Path,
    out: Path | None,
    workers: int | None,
    ray_address: str | None,
    rows_per_part: int,
    as_json: bool,
    report: str | None,
) -> None:
    """Estimate every point of a sweep, into a folder of Parquet files.

    SPEC is a TOML file. Its table [vary] gives arguments of estimate_training_time lists of values, or ranges
    ({from = 8, to = 4096, step = 8}, {from = 1e9, to = 1e12, times = 10}); its table [fixed] gives others one value.
    Run it again after it was stopped, and it goes on where it was; run it again with --report once it is done, and only
    the report is made.
    """
    if find_spec("pyarrow") is None:
        raise click.UsageError("sweep needs pyarrow: pip install 'traintime[sweep]'")
    if ray_address is not None and workers is not None:
        raise click.UsageError("--workers is for this machine; with --ray the cluster has its own")
    if report == STANDARD_OUTPUT and as_json:
        raise click.UsageError("--json and --report - would both be on standard output; name a file for the report")
    where = None if report is None else destination(None, report, as_json=False, argument="report")
    plan = plan_of(spec, rows_per_part)

    def engine_of(part_plan: Plan) -> Engine:
        if ray_address is not None:
            return RayCluster(part_plan, ray_address)
        processes = min(workers or _cores(), part_plan.parts)
        return Cores(part_plan, processes) if processes > 1 else Here(part_plan)

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("points", total=plan.points)
        result = swept(plan, out or spec.with_suffix(".parquet"), engine_of, lambda rows: bar.advance(task, rows))
    if result.foreign:
        names = ", ".join(map(shown, result.foreign[:_MOST_NAMED]))
        more = f" and {len(result.foreign) - _MOST_NAMED} more" if len(result.foreign) > _MOST_NAMED else ""
        click.echo(f"traintime: not of this sweep, and left as they are: {names}{more}", err=True)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "folder": result.folder,
                    "points": result.points,
                    "parts": result.parts,
                    "parts_found": result.parts_found,
                    "version": plan.version,
                    "data_version": plan.data_version,
                }
            )
        )
    else:
        kept = f" ({result.parts_found:,} were there already)" if result.parts_found else ""
        click.echo(f"{result.points:,} points in {result.parts:,} files{kept}: {result.folder}")
    if where is not None:
        _report(plan, Path(result.folder), where)


def _report(plan: Plan, folder: Path, where: Destination) -> None:
    from server.sweep.report import asked_of, report_tool, sweep_answer

    deliver(where, report_tool(), asked_of(plan), sweep_answer(plan, folder), title="Sweep")
