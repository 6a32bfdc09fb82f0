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

from server.rendering.terminal import print_answer

__all__ = ["CHECKOUT", "answer"]

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "How long does it take to train Llama-3.1-8B on 15T tokens with 512 H100s?"
TOOL = "estimate_training_time"
ARGUMENTS = {"model": "meta-llama/Llama-3.1-8B", "tokens": "15T", "gpu": "H100", "n_gpus": 512}
CHECKOUT = StdioServerParameters(command=sys.executable, args=["-m", "traintime", "serve"], cwd=ROOT)


async def answer(server: StdioServerParameters) -> dict[str, Any]:
    """Return what the server says, as structured content; exits where it refuses."""
    async with Client(server) as client:
        result = await client.call_tool(TOOL, ARGUMENTS)
    if result.is_error or result.structured_content is None:
        sys.exit("\n".join(part.text for part in result.content if isinstance(part, TextContent)))
    content: dict[str, Any] = result.structured_content
    return content


def main() -> None:
    """Ask and print."""
    print(f"{QUESTION}\n")
    print_answer(TOOL, anyio.run(answer, CHECKOUT), Console(highlight=False))


if __name__ == "__main__":
    main()
