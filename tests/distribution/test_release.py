"""A release says what changed, and is uploaded by steps that nobody can change unseen.

Authority: Keep a Changelog 1.1.0; GitHub's hardening guide for workflows (actions by commit, least permissions).
"""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.changelog import CHANGELOG, moved, notes
from tests.places import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
MAY_WRITE = {
    ("release.yml", "attest"): {"id-token", "attestations"},
    ("release.yml", "publish"): {"id-token"},
    ("release.yml", "page"): {"contents"},
}
"""Jobs that run nothing of the repository but what the build has checked."""

DAY = date(2026, 1, 31)
TOLD = "# Changelog\n\n## [Unreleased]\n\n### Added\n- New.\n\n## [0.1.0] - 2025-01-01\n\n### Added\n- Old.\n"


def _jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return jobs


def test_what_is_unreleased_becomes_the_section_of_the_version() -> None:
    after = moved(TOLD, "0.2.0", DAY)
    assert notes(after, "0.2.0") == notes(TOLD, "Unreleased") == "### Added\n- New.\n"
    assert notes(after, "Unreleased") == ""
    assert notes(after, "0.1.0") == "### Added\n- Old.\n"
    assert "## [0.2.0] - 2026-01-31\n" in after


@pytest.mark.parametrize(
    ("changelog", "version"),
    [(TOLD, "0.1.0"), (moved(TOLD, "0.2.0", DAY), "0.3.0"), ("# Changelog\n", "0.1.0")],
    ids=["released already", "nothing is unreleased", "no such heading"],
)
def test_a_release_that_changes_nothing_or_is_out_already_is_refused(changelog: str, version: str) -> None:
    with pytest.raises(ValueError, match=r"nothing is listed|section already"):
        moved(changelog, version, DAY)


def test_nothing_of_the_changelog_is_lost_by_a_release() -> None:
    text = TOLD + CHANGELOG.read_text(encoding="utf-8")
    assert moved(text, "999.0.0", DAY).replace("\n## [999.0.0] - 2026-01-31\n", "", 1) == text


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_named_by_a_commit_and_its_version(workflow: Path) -> None:
    used = re.findall(r"uses: *(.*)", workflow.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if PINNED.fullmatch(action) is None] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_may_do_no_more_than_it_needs(workflow: Path) -> None:
    assert yaml.safe_load(workflow.read_text(encoding="utf-8"))["permissions"] == {}
    for name, job in _jobs(workflow).items():
        written = {what for what, how in job["permissions"].items() if how == "write"}
        assert written == MAY_WRITE.get((workflow.name, name), set())
        assert set(job["permissions"].values()) <= {"read", "write"}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_that_may_write_checks_nothing_out_and_a_checkout_keeps_no_credentials(workflow: Path) -> None:
    for name, job in _jobs(workflow).items():
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)
        assert not checkouts or (workflow.name, name) not in MAY_WRITE


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_script_that_a_workflow_runs_is_there(workflow: Path) -> None:
    commands = [step["run"] for job in _jobs(workflow).values() for step in job["steps"] if "run" in step]
    named = {name for command in commands for name in re.findall(r"(?:scripts|\.ci)/[\w-]+", command)}
    assert named or workflow.name not in {"ci.yml", "release.yml"}
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
