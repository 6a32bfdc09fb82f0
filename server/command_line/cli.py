"""The command line: `serve` for hosts, and the tools themselves for people and scripts."""

import gc
import sys
from collections.abc import Callable

__all__ = ["main"]


def main() -> None:
    """Run the command line that the process was started with, and exit with its code."""
    # What is imported stays until the end: to look through it for garbage again and again is a twelfth of the start.
    gc.disable()
    run = _server() if sys.argv[1:] == ["serve"] else _command()
    gc.freeze()
    gc.enable()
    run()


def _server() -> Callable[[], None]:
    """Return what every host starts: nothing is imported that only people at a terminal need."""
    from server.protocol.app import build

    return build().run


def _command() -> Callable[[], None]:
    from server.command_line.commands import exit_code

    return lambda: sys.exit(exit_code(sys.argv[1:]))
