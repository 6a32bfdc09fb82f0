"""The command line: `serve` for hosts, and the tools themselves for people and scripts."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line that the process was started with, and exit with its code."""
    if sys.argv[1:] == ["serve"]:
        # What every host starts: nothing is imported that only people at a terminal need.
        from server.protocol.app import build

        build().run()
        return
    from server.command_line.commands import exit_code

    sys.exit(exit_code(sys.argv[1:]))
