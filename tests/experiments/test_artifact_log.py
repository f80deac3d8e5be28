"""The list of a run's artifacts: appended, replayed, torn by crashes, written anew when it has grown."""

import json
import os
from dataclasses import asdict

import pytest

from kernel_tools import experiments
from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.experiments import artifact_log
from kernel_tools.experiments.artifact_log import ArtifactLog, Deletion
from kernel_tools.experiments.records import ArtifactRecord


def _record(path: str, size: int = 1) -> ArtifactRecord:
    return ArtifactRecord(path, size, "ab" * 32, "text/plain", 17)


@pytest.fixture
def log(tmp_path) -> ArtifactLog:
    return ArtifactLog(tmp_path / "artifacts.jsonl")


def test_a_run_without_a_log_has_the_artifacts_that_it_was_started_with(log):
    assert log.replay([_record("source.py")]) == [_record("source.py")]


def test_later_lines_take_the_place_of_earlier_ones(log):
    log.append([_record("a/b.txt"), _record("a/c.txt"), _record("ab.txt")])
    log.append([_record("ab.txt", 2)])
    log.append([Deletion("a")])
    log.append([_record("a/d größe 🙂.txt")])
    assert log.replay([_record("a/source.py"), _record("ab.txt")]) == [
        _record("ab.txt", 2),
        _record("a/d größe 🙂.txt"),
    ]


def test_a_tail_torn_at_any_byte_is_dropped_and_the_next_line_is_whole(log):
    log.append([_record("a.txt")])
    whole = log.path.read_bytes()
    log.append([_record("b.txt")])
    both = log.path.read_bytes()
    for length in range(len(both)):
        log.path.write_bytes(both[:length])
        expected = ["a.txt"] if length >= len(whole) else []
        assert [record.path for record in log.replay([])] == expected
        log.append([_record("c.txt")])
        assert [record.path for record in log.replay([])] == [*expected, "c.txt"]


def test_a_log_that_has_doubled_is_written_anew(log, monkeypatch):
    monkeypatch.setattr(artifact_log, "MIN_COMPACTED_BYTES", 1000)
    first = [_record("source.py"), _record("packages.txt")]
    log.append([_record("kept.txt"), Deletion("source.py")])
    sizes = []
    for size in range(200):
        log.append([_record("checkpoint", size)])
        if log.is_overgrown():
            log.compact(first)
        sizes.append(log.path.stat().st_size)
    assert max(sizes) < 2000
    assert log.replay(first) == [_record("packages.txt"), _record("kept.txt"), _record("checkpoint", 199)]


@pytest.mark.parametrize("line", [b"{}", b"[]", b"\xff", b'{"deleted": 1}', b'{"path": "a"}'])
def test_a_damaged_line_is_an_error_that_names_it(log, line):
    log.append([_record("a.txt")])
    log.path.write_bytes(log.path.read_bytes() + line + b"\n")
    with pytest.raises(IntegrityError, match="Line 3 of .*jsonl"):
        log.replay([])


def test_a_log_of_a_newer_version_is_refused(log):
    log.path.write_bytes(b'{"version": 99}\n')
    with pytest.raises(IntegrityError, match="newer"):
        log.replay([])


def test_a_write_that_fails_half_way_leaves_the_log_as_it_was(log, monkeypatch):
    log.append([_record("a.txt")])
    before = log.path.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space"):
            log.append([_record("b.txt")])
    assert log.path.read_bytes() == before


def test_artifacts_of_a_run_of_version_1_are_kept_and_can_be_deleted(workspace):
    run = experiments.start_run("census", workspace=workspace)
    run.log_text("old", "old.txt")
    path = workspace.root / "runs" / run.id / "run.json"
    content = json.loads(path.read_bytes())
    content |= {"version": 1, "artifacts": [asdict(record) for record in run.artifacts]}
    path.write_text(json.dumps(content))
    (path.parent / "artifacts.jsonl").unlink()
    run.log_text("new", "new.txt")
    run.set_tag("a", 1)
    assert [record.path for record in run.artifacts] == ["new.txt", "old.txt"]
    assert experiments.artifact_references(workspace) == {record.sha256 for record in run.artifacts}
    run.delete_artifact("old.txt")
    assert [record.path for record in run.artifacts] == ["new.txt"]
    with pytest.raises(NotFoundError, match=r"old\.txt"):
        run.delete_artifact("old.txt")


def test_keeping_one_more_file_writes_one_line_however_many_there_are(workspace):
    run = experiments.start_run("census", workspace=workspace)
    document = workspace.root / "runs" / run.id / "run.json"
    before = document.stat().st_mtime_ns
    log = workspace.root / "runs" / run.id / "artifacts.jsonl"
    sizes = [0]
    for number in range(300):
        run.log_text("same", f"{number:04d}.txt")
        sizes.append(log.stat().st_size)
    assert document.stat().st_mtime_ns == before
    assert max(later - earlier for earlier, later in zip(sizes[1:], sizes[2:], strict=False)) < 250
    assert len(run.artifacts) == 300
