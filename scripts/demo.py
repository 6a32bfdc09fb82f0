"""Ask the server one question as an assistant would, over stdio, and print its answer for a person.

The server runs as a process of its own, started with the command line that a host's configuration holds.
"""

import sys
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import TextContent
from rich.console import Console
from rich.table import Table

__all__: list[str] = []

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "How long does it take to train Llama-3.1-8B on 15T tokens with 512 H100s?"
ARGUMENTS = {"model": "meta-llama/Llama-3.1-8B", "tokens": "15T", "gpu": "H100", "n_gpus": 512}


async def answer() -> dict[str, Any]:
    """Return what the server says, as structured content; exits where it refuses."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "traintime", "serve"], cwd=ROOT)
    async with Client(server) as client:
        result = await client.call_tool("estimate_training_time", ARGUMENTS)
    if result.is_error or result.structured_content is None:
        sys.exit("\n".join(part.text for part in result.content if isinstance(part, TextContent)))
    content: dict[str, Any] = result.structured_content
    return content


def show(console: Console, estimate: dict[str, Any]) -> None:
    """Print the days, their range, the formula and what was assumed."""
    days, low, high = (estimate[key] for key in ("training_days", "training_days_low", "training_days_high"))
    coverage = estimate["interval_coverage"]
    sure = f", {coverage:.0%} sure" if coverage else ""
    rule = estimate["rule_of_thumb"]
    console.print(f"[bold]{QUESTION}[/bold]\n")
    console.print(f"[bold green]{days:.1f} days[/bold green]  (between {low:.1f} and {high:.1f} days{sure})\n")
    console.print(estimate["summary"], highlight=False)
    console.print(f"\n[bold]Formula[/bold]  {estimate['formula']}", highlight=False)
    console.print(
        f"[bold]Rule of thumb[/bold]  {rule['days']:.1f} days ({rule['days_low']:.1f} to {rule['days_high']:.1f}):"
        f" {rule['formula']}\n",
        highlight=False,
    )

    assumptions = Table(title="Assumptions", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("what", "value", "from", "why"):
        assumptions.add_column(heading, overflow="fold")
    for assumption in estimate["assumptions"]:
        value = f"{assumption['value']} {assumption['unit']}".strip()
        assumptions.add_row(assumption["name"], value, assumption["source"], assumption["note"])
    console.print(assumptions)
    for warning in estimate["warnings"]:
        console.print(f"[yellow]warning[/yellow]  {warning['message']}", highlight=False)


def main() -> None:
    """Ask and print."""
    show(Console(), anyio.run(answer))


if __name__ == "__main__":
    main()
