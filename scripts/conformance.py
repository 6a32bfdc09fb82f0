"""Run the conformance suite against a served process, in two tiers, then lint the schemas and verify the skills.

First tier: the server as it is, all scenarios; those that need fixtures of the suite's reference server are listed, by
check, in tests/conformance/. Second tier: the same factory with those fixtures added (tests/conformance/everything.py),
and what a protocol revision requires of every server. Scenarios of extensions belong to no revision and run by name.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["INSPECTOR", "LINT", "VERIFY"]

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "conformance"
NODE = "node@22"
SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
REVISIONS = ("2025-11-25", "2026-07-28")
EXTENSIONS = ("sep-2640-skills-enumeration", "sep-2640-skills-manifest", "sep-2640-skills-directory")
PLAIN = ["-m", "traintime", "serve", "--http", "--port", "0"]
EVERYTHING = ["-m", "tests.conformance.everything"]
STDIO = ["-m", "traintime", "serve"]
LINT = ["--method", "tools/list", "--strict"]
VERIFY = ["--method", "skills/list", "--verify", "--require-digests"]
SUMMARY = "=== SUMMARY ==="


def main() -> int:
    """Return 0 where everything passed."""
    failed: list[str] = []
    for tier, command in (("server", PLAIN), ("server and fixtures", EVERYTHING)):
        with _served(command) as url:
            for revision in REVISIONS:
                for which in _scenarios(revision, required=command is EVERYTHING):
                    title = f"{tier}, {revision}: {which[1]}"
                    print(f"\n## {title}")
                    if not _conforms(url, which):
                        failed.append(title)
    for title, question in (("strict lint", LINT), ("skills", VERIFY)):
        print(f"\n## Inspector, {title}")
        if not _is_clean(question):
            failed.append(title)
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


def _scenarios(revision: str, *, required: bool) -> list[list[str]]:
    if required:
        return [["--requirements", revision]]
    expected = FOLDER / f"expected-failures-{revision}.yml"
    return [
        ["--suite", "all", "--spec-version", revision, "--expected-failures", str(expected)],
        *(["--scenario", extension, "--spec-version", revision, "--force"] for extension in EXTENSIONS),
    ]


def _conforms(url: str, which: list[str]) -> bool:
    with tempfile.TemporaryDirectory() as results:
        run = subprocess.run(
            ["npx", "-y", "-p", NODE, "-p", SUITE, "conformance", "server", "--url", url, *which, "-o", results],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
        )
    print(run.stdout[run.stdout.find(SUMMARY) :] if SUMMARY in run.stdout else run.stdout + run.stderr)
    return run.returncode == 0


def _is_clean(question: list[str]) -> bool:
    run = subprocess.run(
        [
            *("npx", "-y", "-p", NODE, "-p", INSPECTOR, "mcp-inspector"),
            *("--cli", sys.executable, *STDIO, *question),
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
