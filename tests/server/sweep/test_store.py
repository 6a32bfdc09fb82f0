"""A sweep's folder: nothing is lost, nothing of somebody else's is touched, and what the disk refuses is said.

Authority: the project's aim for sweeps; POSIX for links, locks and full disks.
"""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from estimator.base.errors import EstimatorError
from server.sweep.part import Plan
from server.sweep.store import opened

PLAN = Plan(spec='{"vary": {}}', points=10, rows_per_part=4, version="1", data_version="2")
posix = pytest.mark.skipif(os.name != "posix", reason="links and locks are POSIX's")


def _filled(folder: Path) -> None:
    with opened(folder, PLAN) as store:
        for part in range(PLAN.parts):
            store.put(part, f"part {part}".encode())
        store.complete()


def _done(folder: Path) -> set[int]:
    with opened(folder, PLAN) as store:
        return store.done()


def _same_length(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def _linked(path: Path) -> None:
    copy = path.with_name("theirs")
    path.rename(copy)
    path.symlink_to(copy)


@posix
@pytest.mark.parametrize("damage", [Path.unlink, _same_length, _longer, _linked])
def test_a_part_that_is_not_what_was_written_is_done_again(damage: Callable[[Path], None], tmp_path: Path) -> None:
    _filled(tmp_path / "out")
    damage(tmp_path / "out" / "part-0000001.parquet")
    assert _done(tmp_path / "out") == {0, 2}


def test_the_manifest_holds_the_checksum_of_every_part(tmp_path: Path) -> None:
    _filled(tmp_path)
    manifest = json.loads((tmp_path / "_manifest.json").read_text(encoding="utf-8"))
    assert manifest["sha256"] == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(tmp_path.glob("part-*"))
    }


def test_what_a_killed_run_had_finished_is_known_without_its_manifest_complete(tmp_path: Path) -> None:
    with opened(tmp_path, PLAN) as store:
        store.done()
        store.put(1, b"one")
    (tmp_path / "part-0000002.parquet.unfinished").write_bytes(b"half")
    with (tmp_path / "_checksums").open("ab") as file:
        file.write(b"0123  part-00000")
    assert _done(tmp_path) == {1}
    assert not list(tmp_path.glob("*.unfinished"))


@posix
@pytest.mark.parametrize("name", ["_lock", "_checksums", "part-0000001.parquet", "part-0000001.parquet.unfinished"])
def test_a_link_is_never_written_through(name: str, tmp_path: Path) -> None:
    theirs, out = tmp_path / "theirs.txt", tmp_path / "out"
    theirs.write_text("mine", encoding="utf-8")
    with opened(out, PLAN) as store:
        store.done()
    (out / name).unlink(missing_ok=True)
    (out / name).symlink_to(theirs)
    with contextlib.suppress(EstimatorError):
        _filled(out)
    assert theirs.read_text(encoding="utf-8") == "mine"


@posix
def test_a_lock_file_of_somebody_elses_keeps_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "_lock").write_text("mine", encoding="utf-8")
    _filled(tmp_path)
    assert (tmp_path / "_lock").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "name",
    ["notes.unfinished", "part-1.parquet", "part-00000001.parquet", "part-0000009.parquet", "part-x.parquet", "a.csv"],
)
def test_a_foreign_file_is_left_alone_and_named(name: str, tmp_path: Path) -> None:
    _filled(tmp_path)
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with opened(tmp_path, PLAN) as store:
        assert store.done() == {0, 1, 2}
        assert store.foreign() == (name,)
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000, "\x00"])
def test_a_manifest_that_cannot_be_read_is_refused(text: str, tmp_path: Path) -> None:
    _filled(tmp_path)
    (tmp_path / "_manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(EstimatorError, match=r"_manifest\.json that cannot be read"):
        _done(tmp_path)


@pytest.mark.parametrize("refused", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_what_the_disk_refuses_is_said_and_what_is_finished_is_kept(
    refused: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, PLAN) as store:
        store.done()
        store.put(0, b"zero")

        def full(_file: int) -> None:
            raise OSError(refused, os.strerror(refused))

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            with pytest.raises(EstimatorError, match=f"out: .*{os.strerror(refused)}"):
                store.put(1, b"one")
    assert _done(tmp_path) == {0}
    assert not list(tmp_path.glob("*.unfinished"))
