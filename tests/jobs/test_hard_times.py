"""Jobs that print too much, fill the disk, or cannot be started."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from kernel_tools import jobs
from kernel_tools.core.errors import ConflictError
from kernel_tools.jobs import catalog
from kernel_tools.jobs.logs import log_bounds, read_log
from kernel_tools.jobs.supervision import output
from tests.jobs.conftest import END
from tests.jobs.test_life import wait_until


def test_a_log_keeps_its_newest_parts_and_their_offsets(tmp_path):
    writer = output.OutputWriter(tmp_path, part_bytes=100, kept=3)
    text = "".join(f"line {number:04d}\n" for number in range(500)).encode()
    for start in range(0, len(text), 37):
        writer.write(text[start : start + 37])
    writer.close()
    first, end = log_bounds(tmp_path)
    assert end == len(text) and 0 < end - first <= 300
    content, after = read_log(tmp_path, 0, 10_000)
    assert content == text[first:] and after == end
    assert read_log(tmp_path, end - 5, 3) == (text[-5:-2], end - 2)


def test_a_log_of_many_megabytes_is_read_at_its_end(workspace):
    job = jobs.submit(["sh", "-c", "head -c 60000000 /dev/zero | tr '\\0' 'x' | fold -w 100; echo the end"])
    assert job.wait(END) == "Completed"
    assert job.logs(tail=2).endswith("the end")
    assert sum(1 for _ in job.logs(follow=True)) > 500_000


def test_a_log_is_followed_while_it_grows(workspace, script):
    job = jobs.submit(script("import time\nfor n in range(5): print('line', n, flush=True); time.sleep(0.05)"))
    assert list(job.logs(follow=True)) == [f"line {number}" for number in range(5)]
    job.wait(END)


def test_a_program_that_is_gone_when_the_job_starts_is_named(workspace, tmp_path):
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    jobs.set_max_concurrent(1)
    first = jobs.submit(["sleep", "1000"], grace=0.1)
    job = jobs.submit([str(program)])
    program.unlink()
    first.stop()
    assert job.wait(END) == "Failed" and "could not be started" in job.reason


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_fails_the_job_and_loses_nothing_that_was_said(tmp_path, monkeypatch, script):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(disk)], check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        monkeypatch.setenv("ATELIER_HOME", str(disk / "home"))
        path = script(
            """
            import os, sys, time
            print("begun", flush=True)
            while not os.path.exists(os.environ["SM_HP_GO"]):
                time.sleep(0.01)
            with open(os.environ["SM_OUTPUT_DATA_DIR"] + "/big", "wb") as file:
                while True:
                    file.write(os.urandom(65536)); file.flush()
            """
        )
        job = jobs.submit(path, params={"go": str(tmp_path / "go")})
        (tmp_path / "go").touch()
        wait_until(lambda: job._folder.history().state.is_end, job)
        assert job._folder.history().state == "Failed"
        (disk / "home" / "jobs" / job.name / "output" / "data" / "big").unlink()
        assert job.status == "Failed" and "No space left" in job.reason
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)
        shutil.rmtree(disk, ignore_errors=True)


def test_a_job_that_cannot_be_listed_runs_nevertheless(workspace, script, monkeypatch, caplog):
    with monkeypatch.context() as broken:
        broken.setattr(catalog, "index_job", lambda *_: (_ for _ in ()).throw(OSError("No space left on device")))
        job = jobs.submit(script("print('ran')"))
        assert "No space left" in caplog.text and jobs.list_jobs()[0] == []
    assert jobs.get(job.name).wait(END) == "Completed"
    assert [record.name for record in jobs.list_jobs()[0]] == [job.name]


def test_what_a_killed_submission_has_left_does_not_keep_its_name(workspace, script):
    left = catalog.root_of(workspace) / "again" / "source"
    left.mkdir(parents=True)
    (left / "half.py").write_text("x")
    os.utime(left.parent, (0, 0))
    job = jobs.submit(script("print('ran')"), name="again")
    assert job.wait(END) == "Completed" and not (left / "half.py").exists()
    with pytest.raises(ConflictError, match="already a job 'again'"):
        jobs.submit(script("pass"), name="again")


@pytest.mark.parametrize("has_left", [False, True])
def test_of_submissions_with_one_name_at_once_one_wins(workspace, script, has_left):
    path = script("print('ran')")
    if has_left:
        (catalog.root_of(workspace) / "same" / "source").mkdir(parents=True)
        os.utime(catalog.root_of(workspace) / "same", (0, 0))

    def submit(number):
        try:
            return jobs.submit(path, name="same", params={"number": number}, workspace=workspace)
        except ConflictError:
            return None

    with ThreadPoolExecutor(8) as pool:
        won = [job for job in pool.map(submit, range(8)) if job is not None]
    assert len(won) == 1 and won[0].wait(END) == "Completed"
    assert len(won[0].attempts) == 1
