"""`atelier jobs`, `schedules`, `scheduler` and `spot`, as a person at a terminal uses them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from kernel_tools import jobs
from kernel_tools.core.errors import InvalidArgumentError
from tests.jobs.conftest import END
from tests.jobs.test_life import wait_until

ATELIER = [sys.executable, "-m", "kernel_tools.cli"]


def atelier(*arguments, fails=False):
    done = subprocess.run([*ATELIER, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done
    if fails:
        assert "Traceback" not in done.stderr
    return done.stderr if fails else done.stdout


def test_a_job_from_its_submission_to_its_deletion(workspace, script):
    script("import sys; print(sys.argv[1:])")
    shown = atelier("jobs", "submit", "train.py", "--name", "one", "-p", "depth=3", "-p", "kind=deep net", "--wait")
    assert shown.splitlines() == ["one", "['--depth', '3', '--kind', 'deep net']"]
    job = jobs.get("one")
    assert dict(job.spec.params) == {"depth": 3, "kind": "deep net"}
    assert json.loads(atelier("jobs", "list", "--json", "--state", "Completed"))[0]["name"] == "one"
    assert "Completed" in atelier("jobs", "list") and "depth=3" in atelier("jobs", "show", "one")
    assert json.loads(atelier("jobs", "show", "one", "--json"))["spec"]["params"]["depth"] == 3
    assert atelier("jobs", "logs", "one", "--tail", "1").startswith("['--depth'")
    assert atelier("jobs", "rerun", "one", "--name", "two", "-p", "depth=4", "--wait").startswith(
        "two\n['--depth', '4'"
    )
    assert "Deleted one." in atelier("jobs", "delete", "one")
    assert [row.name for row in jobs.list_jobs()[0]] == ["two"]


def test_a_failure_is_one_line_and_an_exit_code(workspace):
    said = atelier("jobs", "submit", "--name", "bad", "--wait", "--", "sh", "-c", "exit 3", fails=True)
    assert said.strip() == "bad is Failed: It ended with exit code 3."
    assert "There is no job 'gone'" in atelier("jobs", "show", "gone", fails=True)
    assert "name=value" in atelier("jobs", "submit", "-p", "depth", "--", "true", fails=True)
    assert "already a job 'bad'" in atelier("jobs", "submit", "--name", "bad", "--", "true", fails=True)
    assert "not understood" in atelier("schedules", "create", "s", "--cron", "x", "--", "true", fails=True)
    assert "There is no trace" in atelier("spot", "simulate", "--trace", "gone.csv", fails=True)


def test_a_running_job_is_followed_and_stopped(workspace, script):
    job = jobs.submit(script("import time; print('up', flush=True); time.sleep(1000)"), grace=0.1)
    following = subprocess.Popen([*ATELIER, "jobs", "logs", job.name, "-f"], stdout=subprocess.PIPE, text=True)
    assert following.stdout.readline() == "up\n"
    assert job.name in atelier("jobs", "stop", job.name)
    assert job.wait(END) == "Stopped"
    assert following.wait(END) == 0


def test_schedules_are_made_shown_changed_and_deleted(workspace):
    made = atelier("schedules", "create", "nightly", "--cron", "0 3 * * *", "--time-zone", "UTC", "--", "true")
    assert made.startswith("nightly: At 03:00 every day (UTC), next ")
    assert "nightly" in atelier("schedules", "list")
    name = atelier("schedules", "run", "nightly").strip()
    jobs.get(name).wait(END)
    assert name in atelier("schedules", "show", "nightly")
    atelier("schedules", "pause", "nightly")
    assert json.loads(atelier("schedules", "list", "--json"))[0]["is_paused"]
    atelier("schedules", "resume", "nightly")
    assert "Every 2 hours" in atelier("schedules", "change", "nightly", "--every", "2h")
    detail = json.loads(atelier("schedules", "show", "nightly", "--json"))
    assert len(detail["next_times"]) == 5 and detail["jobs"][0]["name"] == name
    atelier("schedules", "delete", "nightly")
    assert "no schedules" in atelier("schedules", "list")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_scheduler_says_what_it_fires_and_ends_cleanly(workspace, number):
    jobs.create_schedule("often", ["true"], every=1)
    process = subprocess.Popen([*ATELIER, "scheduler"], stdout=subprocess.PIPE, text=True, env=_unbuffered())
    assert "now 1" in process.stdout.readline()
    fired = process.stdout.readline()
    process.send_signal(number)
    rest = process.stdout.read()
    assert process.wait(END) == 0 and rest.endswith("Ended; jobs that run go on.\n")
    name = fired.split()[-1]
    assert "often: submitted often-" in fired and jobs.get(name).wait(END) == "Completed"
    jobs.get_schedule("often").delete()


def test_spot_capacity_is_taken_back_after_a_trace_and_prices_are_kept(workspace, script, tmp_path):
    path = script(
        """
        import os, time
        print("up", flush=True)
        if os.environ["ATELIER_ATTEMPT"] == "1":
            time.sleep(1000)
        """
    )
    job = jobs.submit(path, spot=jobs.Spot())
    wait_until(lambda: "up" in job.logs(attempt=1), job)
    (tmp_path / "trace.csv").write_text("at,notice\n0,0.1\n")
    shown = atelier("spot", "simulate", "--trace", "trace.csv")
    assert f"interrupted {job.name}" in shown and "1 times" in shown
    assert job.wait(END) == "Completed" and len(job.attempts) == 2
    assert "0.5 EUR/h" in atelier("spot", "prices", "--on-demand", "0.5", "--currency", "EUR")
    assert json.loads(atelier("spot", "prices", "--json")) == {"on_demand": 0.5, "spot": 0.06, "currency": "EUR"}


def test_old_jobs_are_deleted_and_the_last_are_kept(workspace):
    for number in range(4):
        jobs.submit(["true"], name=f"job-{number}").wait(END)
    schedule = jobs.create_schedule("often", ["true"], every="1h")
    kept = schedule.run_now()
    kept.wait(END)
    running = jobs.submit(["sleep", "1000"], name="running", grace=0.1)
    assert jobs.delete_ended("1d").jobs == ()
    shown = atelier("jobs", "gc", "--older-than", "1ms", "--keep-last", "1", "--dry-run")
    assert shown.splitlines()[:-1] == ["job-2", "job-1", "job-0"]
    removed = jobs.delete_ended("1ms", keep_last=1)
    assert removed.jobs == ("job-2", "job-1", "job-0") and removed.bytes > 0
    assert {row.name for row in jobs.list_jobs()[0]} == {"job-3", kept.name, "running"}
    running.stop()
    running.wait(END)
    atelier("jobs", "gc", "--older-than", "1ms")
    assert jobs.list_jobs()[0] == []
    with pytest.raises(InvalidArgumentError, match="keep_last"):
        jobs.delete_ended("1d", keep_last=-1)


def _unbuffered():
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
