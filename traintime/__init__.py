"""The launcher: the one import name an installed `traintime` adds to an environment.

The program's packages are called `server`, `tools` and `estimator`, names that a user's own folder may
have too. Installed, they lie in `traintime/_app`, out of sight; in a checkout, beside this package.
"""

import sys
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Run the command line with the program's own packages first on the import path."""
    here = Path(__file__).resolve().parent
    installed = here / "_app"
    # First, not last: under `PYTHONPATH=.` the caller's own `server` or `tools` would be imported instead.
    sys.path.insert(0, str(installed if installed.is_dir() else here.parent))

    from server.command_line.cli import main as run_command_line

    run_command_line()
