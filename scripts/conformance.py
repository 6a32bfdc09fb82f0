"""Run the conformance suite against a served process, in two tiers, then lint the schemas.

First tier: the server as it is, all scenarios; those that need fixtures of the suite's reference server are listed, by
check, in tests/conformance/. Second tier: the same factory with those fixtures added (tests/conformance/everything.py),
and what a protocol revision requires of every server.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["INSPECTOR"]

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "conformance"
NODE = "node@22"
SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
REVISIONS = ("2025-11-25", "2026-07-28")
PLAIN = ["-m", "traintime", "serve", "--http", "--port", "0"]
EVERYTHING = ["-m", "tests.conformance.everything"]
STDIO = ["-m", "traintime", "serve"]
SUMMARY = "=== SUMMARY ==="


def main() -> int:
    """Return 0 where everything passed."""
    failed: list[str] = []
    for tier, command in (("server", PLAIN), ("server and fixtures", EVERYTHING)):
        with _served(command) as url:
            for revision in REVISIONS:
                print(f"\n## {tier}, {revision}")
                if not _conforms(url, revision, required=command is EVERYTHING):
                    failed.append(f"{tier}, {revision}")
    print("\n## Inspector, strict lint")
    if not _lint_is_clean():
        failed.append("lint")
    print(f"\nfailed: {'; '.join(failed)}" if failed else "\nall passed")
    return 1 if failed else 0


@contextmanager
def _served(command: list[str]) -> Generator[str]:
    with subprocess.Popen([sys.executable, *command], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None  # noqa: S101 - a pipe was asked for
            found = re.search(r"serving (http://\S+)", process.stderr.readline())
            if found is None:
                sys.exit(f"the server did not start: {process.stderr.read()}")
            yield found[1]
        finally:
            process.terminate()
            process.communicate()


def _conforms(url: str, revision: str, *, required: bool) -> bool:
    expected = FOLDER / f"expected-failures-{revision}.yml"
    which = (
        ["--requirements", revision]
        if required
        else ["--suite", "all", "--spec-version", revision, "--expected-failures", str(expected)]
    )
    with tempfile.TemporaryDirectory() as results:
        run = subprocess.run(
            ["npx", "-y", "-p", NODE, "-p", SUITE, "conformance", "server", "--url", url, *which, "-o", results],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
        )
    print(run.stdout[run.stdout.find(SUMMARY) :] if SUMMARY in run.stdout else run.stdout + run.stderr)
    return run.returncode == 0


def _lint_is_clean() -> bool:
    run = subprocess.run(
        [
            *("npx", "-y", "-p", NODE, "-p", INSPECTOR, "mcp-inspector"),
            *("--cli", sys.executable, *STDIO, "--method", "tools/list", "--strict"),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    problems = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith(("Warning:", "Error:"))]
    print("\n".join(problems) or ("clean" if run.returncode == 0 else run.stderr))
    return run.returncode == 0 and not problems


if __name__ == "__main__":
    sys.exit(main())
