"""The commands and their flags, made from the tools' own signatures.

Exit codes: 0 answered, 2 bad arguments (one line on stderr), 1 a fault of ours.
"""

import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from estimator.base.errors import EstimatorError
from estimator.base.version import VERSION
from estimator.question.profile import Profile
from server.command_line.delivery import deliver
from server.command_line.destination import destination, destination_flags
from server.command_line.flags import flag_of, value_of
from server.command_line.output import UNWRITABLE, lenient, print_json
from server.protocol.errors import unknown
from server.protocol.registry import TOOLS
from server.protocol.tool import Tool

__all__ = ["COMMANDS", "exit_code"]

COMMANDS: Mapping[str, str] = {
    "estimate": "estimate_training_time",
    "gpus": "list_gpus",
    "explain": "explain_coefficient",
    "plan": "plan_training",
    "compare": "compare_training_options",
    "check": "check_training_speed",
}
"""Command to tool; a command is there when its tool is."""

_REPORTED = frozenset({"estimate", "plan", "compare", "check"})
"""Commands whose answers are sent on."""
_ANSWERED, _FAULT, _BAD_ARGUMENTS, _INTERRUPTED = 0, 1, 2, 130
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(click.Group):
    """Commands, each made when it is asked for, so that one tool's flags do not wait for the imports of another."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order they are listed."""
        tools = [command for command, tool in COMMANDS.items() if tool in TOOLS.names]
        others = sorted({*super().list_commands(ctx), "measure", "sweep"} - {"serve"})
        return ["serve", *tools, *others]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called `cmd_name`, or None."""
        if cmd_name == "sweep":
            from server.sweep.command import sweep_command

            return sweep_command
        if cmd_name == "measure":
            from server.measure.command import measure_command

            return measure_command
        tool = TOOLS.tool(COMMANDS.get(cmd_name, ""))
        return _command(cmd_name, tool) if tool is not None else super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` name; an unknown one is told the nearest."""
        if args and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(unknown("command", args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)


def exit_code(arguments: Sequence[str]) -> int:
    """Run the command line `arguments` and return its exit code."""
    code = _ANSWERED
    if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison] - as Python has it where it was closed
        return _refused("standard output is closed, so that nobody could read an answer")
    lenient(sys.stdout)
    try:
        # Outside its standalone mode, click returns the code of an early end, as after --version.
        ended = _traintime.main(args=list(arguments), prog_name="traintime", standalone_mode=False)
        code = ended if isinstance(ended, int) else _ANSWERED
        sys.stdout.flush()
    except click.Abort:
        code = _INTERRUPTED
    except click.ClickException as error:
        code = _refused(error.format_message())
    except EstimatorError as error:
        code = _refused(str(error))
    except BrokenPipeError:
        # The reader has seen enough; Python would complain about it once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno not in UNWRITABLE:
            code = _faulty()
        else:
            code = _refused(f"the answer cannot be written ({error.strerror})")
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception:  # noqa: BLE001 - whatever it is, it is ours
        code = _faulty()
    return code


def _faulty() -> int:
    traceback.print_exc()
    click.echo("traintime: failed on an internal fault, not on what it was asked (see above)", err=True)
    return _FAULT


def _refused(message: str) -> int:
    click.echo(f"traintime: {' '.join(message.split())}", err=True)
    return _BAD_ARGUMENTS


def _show_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from estimator.catalogue.catalogue import data_version

        click.echo(f"traintime {VERSION} (data {data_version()})")
        ctx.exit()


@click.group(cls=_Commands, context_settings=_HELP, invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version)
@click.pass_context
def _traintime(ctx: click.Context) -> None:
    """How long it takes to train a model on given GPUs, and how sure that is."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@_traintime.command("serve", context_settings=_HELP)
@click.option("--http", is_flag=True, help="Serve Streamable HTTP at /mcp instead of stdio.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to bind.")
@click.option(
    "--allowed-hosts",
    "--allowed-host",
    multiple=True,
    metavar="NAME",
    help="Host header to accept; needed beyond loopback. Repeat, or separate by commas.",
)
@click.option(
    "--allowed-origins",
    "--allowed-origin",
    multiple=True,
    metavar="URL",
    help="Origin header to accept. Repeat, or separate by commas.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="File with the bearer token that callers must send; needed beyond loopback.",
)
@click.option(
    "--call-timeout-s", type=float, default=None, help="Longest a call may take.", show_default="the server's"
)
@click.option(
    "--profile", type=click.Path(path_type=Path), metavar="FILE", help="Profile of the machines to answer for."
)
@click.option("--threads", type=int, default=None, help="Slow calls worked out at once.", show_default="2")
@click.option("--queue", type=int, default=None, help="Slow calls that may wait.", show_default="64")
@click.pass_context
def _serve(
    ctx: click.Context,
    /,
    *,
    http: bool,
    call_timeout_s: float | None,
    threads: int | None,
    queue: int | None,
    profile: Path | None,
    **options: Any,  # noqa: ANN401
) -> None:
    """Serve MCP over stdio, or over HTTP."""
    tools = TOOLS if profile is None else TOOLS.with_profile(_profile(profile))
    load = {"call_timeout_s": call_timeout_s, "threads": threads, "queue": queue}
    told: dict[str, Any] = {name: value for name, value in load.items() if value is not None}
    if not http:
        given = [name for name in options if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]
        if given:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise click.UsageError(f"{flags} needs --http: stdio has no address")
        from server.protocol.app import build

        build(tools, **told).run()
        return
    from server.protocol.app import build
    from server.transports.http import serve_http

    serve_http(
        options["host"],
        options["port"],
        allowed_hosts=_separated(options["allowed_hosts"]),
        allowed_origins=_separated(options["allowed_origins"]),
        token_file=options["token_file"],
        build_server=partial(build, tools),
        **told,
    )


@_traintime.command("validate", context_settings=_HELP)
@click.option("--refit", "anew", is_flag=True, help="Fit and judge anew instead of printing what was committed.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, for programs.")
def _validate(*, anew: bool, as_json: bool) -> None:
    """Print how far predictions were off on published runs."""
    from estimator.catalogue.catalogue import accuracy, tables

    if anew:
        from estimator.calibrate.refit import refitted

        fitted = refitted()
        figures, others = fitted.accuracy, fitted.tables
    else:
        figures, others = accuracy(), tables()
    if as_json:
        together = {**figures, "tables": others}
        print_json(json.dumps(together, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
        return
    from server.rendering.benchmarks import print_tables
    from server.rendering.terminal import print_accuracy

    print_accuracy(figures)
    print_tables(others)


def _separated(given: Sequence[str]) -> list[str]:
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def _command(name: str, tool: Tool) -> click.Command:
    """Return the command of one tool: a flag for each argument."""
    schema = tool.input_schema
    required = set(schema.get("required", ()))
    flags = [flag_of(argument, facts, required) for argument, facts in schema["properties"].items()]
    profiled = click.Option(
        ["--profile", "profile_file"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Profile of your machines: what it tells need not be said, and what it measured is counted with.",
    )

    def answer(
        *,
        as_json: bool,
        format_name: str | None = None,
        output: str | None = None,
        profile_file: Path | None = None,
        **given: Any,  # noqa: ANN401 - any flags
    ) -> None:
        # What cannot be written is told before anything is worked out.
        where = destination(format_name, output, as_json=as_json)
        asked = tool if profile_file is None else tool.with_profile(_profile(profile_file))
        # In the order of the schema, whatever the order of the flags: a report says what was asked.
        told = {argument: given[argument] for argument in schema["properties"]}
        sent = {argument: value_of(argument, value) for argument, value in told.items() if value not in (None, ())}
        deliver(where, tool, sent, asked.answer(sent))

    return click.Command(
        name,
        callback=answer,
        params=[*flags, *((profiled,) if tool.takes_profile else ()), *destination_flags(reports=name in _REPORTED)],
        help=tool.description,
        short_help=tool.title,
        # Both --n-gpus and --n_gpus: people know the arguments by the names that the tool has for them.
        context_settings={**_HELP, "token_normalize_func": _hyphenated},
    )


def _profile(path: Path) -> Profile:
    from server.profiles.file import profile_in

    return profile_in(path)


def _hyphenated(flag: str) -> str:
    return flag.replace("_", "-")
