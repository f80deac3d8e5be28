"""Inputs that are reached through fsspec: copied once, when the job is submitted."""

from __future__ import annotations

import hashlib

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from kernel_tools import jobs
from kernel_tools.core.errors import (
    ConflictError,
    InvalidArgumentError,
    MissingExtraError,
    NotFoundError,
    UnavailableError,
)
from tests.jobs.conftest import END

SHOW = """
    import os, pathlib
    place = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
    for path in sorted(place.rglob("*")):
        if path.is_file():
            print(path.relative_to(place).as_posix(), path.read_text())
"""


class BrokenFileSystem(MemoryFileSystem):
    """A store that is there and does not answer."""

    protocol = "broken"

    def isdir(self, path):
        raise TimeoutError("nobody answers")


@pytest.fixture
def store():
    """A file system of this process, emptied afterwards."""
    files = fsspec.filesystem("memory")
    yield files
    files.rm("/", recursive=True)


def test_what_a_url_names_is_copied_once_and_its_digest_is_in_the_spec(workspace, script, store, tmp_path):
    store.pipe("/bucket/adult.csv", b"1,2,3")
    path = script(SHOW)
    job = jobs.submit(path, inputs={"train": "memory://bucket/adult.csv"})
    assert job.wait(END) == "Completed", job.logs()
    assert job.logs() == "adult.csv 1,2,3"
    data = job.spec.inputs["train"]
    assert (data.path, data.size, data.is_kept) == ("memory://bucket/adult.csv", 5, True)
    assert data.sha256 == hashlib.sha256(b"1,2,3").hexdigest()
    store.pipe("/bucket/adult.csv", b"changed")
    again = job.rerun()
    assert again.wait(END) == "Completed"
    assert again.logs() == "adult.csv 1,2,3" and again.spec.inputs["train"] == data
    fresh = job.rerun(inputs={"train": "memory://bucket/adult.csv"})
    assert fresh.wait(END) == "Completed" and fresh.logs() == "adult.csv changed"
    (workspace.root / "jobs" / job.name / "input" / "data" / "train" / "adult.csv").write_text("damaged")
    with pytest.raises(ConflictError, match="no longer what it was"):
        job.rerun()


def test_a_url_may_name_a_folder_and_a_file_url_is_linked(workspace, script, store, tmp_path):
    store.pipe({"/bucket/set/a.txt": b"A", "/bucket/set/deep/b.txt": b"B"})
    job = jobs.submit(script(SHOW), inputs={"train": "memory://bucket/set"})
    assert job.wait(END) == "Completed", job.logs()
    assert job.logs().splitlines() == ["a.txt A", "deep/b.txt B"]
    assert job.spec.inputs["train"].is_folder and job.spec.inputs["train"].size == 2
    assert job.rerun().wait(END) == "Completed"
    (tmp_path / "with space.txt").write_text("here")
    local = jobs.submit(script(SHOW), inputs={"train": (tmp_path / "with space.txt").as_uri()})
    assert local.wait(END) == "Completed" and local.logs() == "with space.txt here"
    assert not local.spec.inputs["train"].is_kept


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("memory://bucket/gone.csv", NotFoundError, "nothing"),
        ("s3://bucket/data.csv", MissingExtraError, r"jupyter-atelier\[s3\]"),
        ("nowhere://bucket/data.csv", InvalidArgumentError, "not understood"),
        ("memory://user:secret@bucket/data.csv", InvalidArgumentError, "name or password"),
        ("broken://bucket/data.csv", UnavailableError, "TimeoutError: nobody answers"),
    ],
)
def test_a_url_that_cannot_be_read_is_named_and_leaves_nothing(workspace, script, store, url, error, says):
    fsspec.register_implementation("broken", BrokenFileSystem, clobber=True)
    with pytest.raises(error, match=says) as caught:
        jobs.submit(script(SHOW), inputs={"train": url})
    assert "secret" not in str(caught.value)
    assert jobs.list_jobs()[0] == []
    assert [path.name for path in (workspace.root / "jobs").glob("[!.]*")] == []


def test_a_schedule_reads_a_url_anew_for_each_job(workspace, script, store):
    store.pipe("/bucket/adult.csv", b"old")
    url = "memory://bucket/adult.csv"
    schedule = jobs.create_schedule("nightly", script(SHOW), inputs={"train": url}, every="1d")
    store.pipe("/bucket/adult.csv", b"new")
    job = schedule.run_now()
    assert job.wait(END) == "Completed" and job.logs() == "adult.csv new"
    store.rm("/bucket/adult.csv")
    with pytest.raises(NotFoundError, match="nothing"):
        schedule.run_now()
    with pytest.raises(InvalidArgumentError, match="password"):
        jobs.create_schedule("other", ["true"], inputs={"train": "s3://key:secret@bucket/x"}, every="1d")
