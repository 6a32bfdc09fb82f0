"""Build what a release uploads, check it, and say what is missing; or prepare a release. Nothing is uploaded here."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
from hatchling.build import build_sdist, build_wheel
from mcp import StdioServerParameters

from estimator.base.version import VERSION
from scripts.bundle import TARGETS, bundled, staged, tracked
from scripts.changelog import CHANGELOG, moved, notes
from scripts.demo import answer
from scripts.fetched import UnavailableError, binaries, python_program
from scripts.manifests import NAME, PROJECT, ROOT, SERVER_NAME, documents, written

__all__ = ["SBOM_TOOL"]

DIST = ROOT / "dist"
NOTES = ROOT / "build" / "release-notes.md"
VERSION_FILE = ROOT / "estimator" / "base" / "version.py"
SBOM_TOOL = "cyclonedx-bom==7.5.0"
METADATA_TOOL = "twine==7.0.0"
SECONDS_PER_COMMAND = 600


def main(arguments: list[str]) -> int:
    """Prepare a release, or build one; return 0 where nothing is missing."""
    match arguments:
        case []:
            return _build()
        case ["prepare", version]:
            _prepare(version)
            return 0
        case _:
            print("usage: scripts/release [prepare VERSION]", file=sys.stderr)
            return 2


def _prepare(version: str) -> None:
    """Set the version where it is told, in the changelog, and in the manifests."""
    if re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version) is None:
        sys.exit(f"no version: {version!r}; write 1.2.3, or 1.2.3rc1")
    try:
        changelog = moved(CHANGELOG.read_text(encoding="utf-8"), version, datetime.now(UTC).date())
    except ValueError as error:
        sys.exit(str(error))
    told = VERSION_FILE.read_text(encoding="utf-8").replace(f'VERSION = "{VERSION}"', f'VERSION = "{version}"')
    CHANGELOG.write_text(changelog, encoding="utf-8")
    VERSION_FILE.write_text(told, encoding="utf-8")
    # In a process of its own: this one has read the version before.
    _run([sys.executable, "scripts/manifests.py"])
    print(f"{version} is prepared: run the tests, commit, scripts/release, then tag it v{version}")


def _build() -> int:
    """Build everything into dist/, and check it."""
    os.environ["SOURCE_DATE_EPOCH"] = _run(["git", "log", "-1", "--format=%ct"]).strip()
    os.chdir(ROOT)
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    faults = list(_unready())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheel, sdist = DIST / build_wheel(str(DIST)), DIST / build_sdist(str(DIST))
        (folder / "bundle").mkdir()
        staged(folder / "bundle")
        bundle = bundled(folder / "bundle", DIST)
        faults += _changed_when_built_again((wheel, sdist, bundle), folder)
        faults += _contents(wheel, sdist)
        python = _installed(wheel, folder / "environment")
        command = python.with_name(NAME)
        for what, server in (
            ("wheel", StdioServerParameters(command=str(command), args=["serve"], cwd=folder)),
            (
                "bundle",
                StdioServerParameters(command=str(python), args=["-m", NAME, "serve"], cwd=folder / "bundle"),
            ),
        ):
            print(f"{what}: {anyio.run(answer, server)['summary']}")
        try:
            _described(python, folder)
            _run([python_program(METADATA_TOOL, "twine"), "check", "--strict", str(wheel), str(sdist)])
        except UnavailableError as error:
            faults.append(str(error))
    _print_plan()
    for fault in faults:
        print(f"missing: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _unready() -> Iterator[str]:
    """Yield what of the checkout is not as a release should be."""
    if _run(["git", "status", "--porcelain"]).strip():
        yield "a clean checkout: something is not committed"
    tag = f"v{VERSION}"
    if (pushed := os.environ.get("GITHUB_REF_NAME")) and os.environ.get("GITHUB_REF_TYPE") == "tag" and pushed != tag:
        yield f"the tag {tag}: the one pushed is {pushed}"
    for path, document in documents().items():
        if (ROOT / path).read_text(encoding="utf-8") != written(document):
            yield f"{path} as scripts/manifests writes it"
    if f"<!-- mcp-name: {SERVER_NAME} -->" not in (ROOT / PROJECT["readme"]).read_text(encoding="utf-8"):
        yield f"the registry's name of the server in {PROJECT['readme']}"
    text = notes(CHANGELOG.read_text(encoding="utf-8"), VERSION)
    if not text:
        yield f"a section for {VERSION} in {CHANGELOG.name}: scripts/release prepare {VERSION}"
    NOTES.parent.mkdir(exist_ok=True)
    NOTES.write_text(text, encoding="utf-8")


def _changed_when_built_again(built: tuple[Path, Path, Path], scratch: Path) -> Iterator[str]:
    """Yield each file that comes out otherwise when it is built a second time."""
    again = scratch / "again"
    again.mkdir()
    build_wheel(str(again))
    build_sdist(str(again))
    bundled(scratch / "bundle", again)
    for path in built:
        if path.read_bytes() != (again / path.name).read_bytes():
            yield f"the same bytes of {path.name} from the same commit"


def _contents(wheel: Path, sdist: Path) -> Iterator[str]:
    """Yield what is in the packages and should not be, or should be and is not."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    packages, names = TARGETS["wheel"]["only-include"], TARGETS["wheel"]["sources"]
    program = {
        path.replace(package, names.get(package, package), 1) for package in packages for path in tracked(package)
    }
    yield from (f"{path} in {wheel.name}" for path in sorted(program - inside))
    yield from (f"{path} out of {wheel.name}" for path in sorted(inside - program))
    with tarfile.open(sdist) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    # Its own metadata, and what keeps a build of it from packing what git ignores.
    known = {*tracked(), "PKG-INFO", ".gitignore"}
    needed = {*tracked(*TARGETS["sdist"]["only-include"]), "PKG-INFO"}
    yield from (f"{path} in {sdist.name}" for path in sorted(needed - sources))
    yield from (f"{path} out of {sdist.name}" for path in sorted(sources - known))


def _installed(wheel: Path, environment: Path) -> Path:
    """Return the interpreter of a new environment with the wheel and what is locked for it, nothing else."""
    venv.create(environment, symlinks=sys.platform != "win32")
    python = binaries(environment) / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--no-deps"]
    _run([*pip, "--require-hashes", "-r", "requirements.txt"])
    _run([*pip, "--no-index", str(wheel)])
    return python


def _described(python: Path, scratch: Path) -> None:
    """Write the bill of materials of what was installed (CycloneDX 1.6)."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    # The tool reads no version that is worked out.
    (scratch / "pyproject.toml").write_text(project.replace('dynamic = ["version"]', f'version = "{VERSION}"'), "utf-8")
    command = [python_program(SBOM_TOOL, "cyclonedx-py"), "environment", "--output-reproducible", "--validate"]
    bill = DIST / f"{NAME}-{VERSION}.cdx.json"
    _run([*command, "--pyproject", str(scratch / "pyproject.toml"), "-o", str(bill), str(python)])


def _print_plan() -> None:
    """Say what would be uploaded, and where."""
    for path in sorted(DIST.iterdir()):
        where = "package index, release page" if path.suffix in {".whl", ".gz"} else "release page"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes  sha256 {digest}  -> {where}")
    print(f"server.json  {SERVER_NAME} {VERSION}  -> MCP registry, by hand: mcp-publisher publish")


def _run(command: list[str]) -> str:
    """Return what a command printed; ends here where it fails."""
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=SECONDS_PER_COMMAND)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
