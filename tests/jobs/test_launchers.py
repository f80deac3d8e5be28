"""What every launcher must do: the conformance suite of the seam. A driver is put beside `local` in `LAUNCHERS`."""

from __future__ import annotations

import os
import threading
import time

import pytest

from kernel_tools import jobs
from kernel_tools.core import seams
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.jobs.catalog import root_of
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.launchers import SEAM, LocalLauncher, launcher_of
from kernel_tools.jobs.states import STEPS, JobState
from tests.jobs.conftest import END
from tests.jobs.test_life import wait_until


class Forwarding:
    """A driver made outside of the room, as other engines are: it forwards each call and says which it got."""

    def __init__(self):
        self.calls = []
        self._inner = LocalLauncher()

    def __getattr__(self, name):
        self.calls.append(name)
        return getattr(self._inner, name)


@pytest.fixture(params=["local", "forwarding"])
def launcher(request):
    if request.param == "forwarding":
        driver = Forwarding()
        seams.provide(SEAM, "forwarding", driver)
        yield "forwarding"
        assert {"submit", "poll"} <= set(driver.calls)
        seams.withdraw(SEAM, "forwarding")
    else:
        yield request.param


@pytest.fixture
def submit(workspace, script, launcher):
    def send(code, **options):
        return jobs.submit(script(code), launcher=launcher, **options)

    return send


def folder_of(workspace, job):
    return JobFolder(root_of(workspace) / job.name)


def test_submit_returns_before_the_job_runs_to_its_end(submit):
    job = submit("import time; print('up', flush=True); time.sleep(1000)", grace=0.1)
    assert not job.status.is_end
    job.stop()
    assert job.wait(END) == "Stopped"


@pytest.mark.parametrize(
    ("code", "end"),
    [("pass", "Completed"), ("raise ValueError('no')", "Failed"), ("import os; os.kill(os.getpid(), 11)", "Failed")],
)
def test_poll_tells_the_true_end_and_only_steps_that_are_allowed(submit, workspace, launcher, code, end):
    job = submit(code)
    assert job.wait(END) == end
    history = launcher_of(launcher).poll(folder_of(workspace, job))
    assert history.state == end
    states = [stretch.state for stretch in history.stretches]
    assert all(after in STEPS[before] for before, after in zip([None, *states], states, strict=False))


def test_stop_is_asked_for_at_once_and_as_often_as_one_likes(submit, workspace, launcher):
    job = submit(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(1000)",
        grace=0.2,
    )
    wait_until(lambda: "up" in job.logs(), job)
    for _ in range(3):
        launcher_of(launcher).stop(folder_of(workspace, job), "somebody")
    assert job.wait(END) == "Stopped" and "somebody" in job.reason
    launcher_of(launcher).stop(folder_of(workspace, job), "somebody")
    assert job.status == "Stopped"


def test_logs_are_read_from_any_offset_while_the_job_runs(submit, workspace, launcher):
    job = submit("import time; print('a' * 10 + 'ü', flush=True); time.sleep(1000)", grace=0.1)
    wait_until(lambda: "ü" in job.logs(), job)
    driver, folder = launcher_of(launcher), folder_of(workspace, job)
    content, end = driver.logs(folder, 1, 0, 1000)
    assert content.decode() == "a" * 10 + "ü\n" and end == len(content)
    assert driver.logs(folder, 1, 4, 3) == (b"aaa", 7)
    assert driver.logs(folder, 1, end, 1000) == (b"", end)
    job.stop()
    job.wait(END)


def test_a_job_is_found_again_by_a_process_that_did_not_start_it(submit, workspace, launcher):
    job = submit("import time; print('up', flush=True); time.sleep(1000)", grace=0.1)
    wait_until(lambda: job.status == "Running", job)
    assert launcher_of(launcher).reattach(folder_of(workspace, job)).state is JobState.RUNNING
    job.stop()
    job.wait(END)


def test_calls_from_many_threads_do_not_disturb_one_another(submit, workspace, launcher):
    job = submit("import time\nfor n in range(200): print(n, flush=True); time.sleep(0.001)")
    driver, folder = launcher_of(launcher), folder_of(workspace, job)
    problems = []

    def look():
        try:
            while not driver.poll(folder).state.is_end:
                driver.logs(folder, 1, 0, 100)
                driver.reattach(folder)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [] and job.wait(END) == "Completed"
    assert driver.logs(folder, 1, 0, 10_000)[0].decode().split() == [str(number) for number in range(200)]


def test_environment_and_exit_code_are_the_workload_s_own(submit):
    job = submit("import os, sys; print(os.environ['GIVEN'], os.getcwd()); sys.exit(7)", environment={"GIVEN": "yes"})
    assert job.wait(END) == "Failed" and job.attempts[0].exit_code == 7
    assert job.logs().split()[0] == "yes" and "ATELIER_JOB" not in os.environ


def test_an_unknown_launcher_is_named(script, workspace):
    with pytest.raises(InvalidArgumentError, match="no launcher 'moon'"):
        jobs.submit(script("pass"), launcher="moon")


def test_time_is_told_in_order(submit):
    job = submit("pass")
    job.wait(END)
    record = job.record
    assert record.created_at <= record.running_at <= record.ended_at <= time.time_ns() // 1_000_000
