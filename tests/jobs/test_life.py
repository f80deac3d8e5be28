"""Jobs from their submission to their end, with real processes."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from kernel_tools import experiments, jobs
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError, TooLargeError
from kernel_tools.jobs.states import JobState
from kernel_tools.jobs.supervision.processes import is_alive
from tests.jobs.conftest import END


def wait_until(condition, job):
    """Wait for something that a job does; its log tells when it never comes."""
    end = time.monotonic() + END
    while not condition():
        assert time.monotonic() < end, (job.status, job.reason, job.logs())
        time.sleep(0.01)


def processes_of(job):
    return [
        p
        for p in psutil.process_iter()
        if job.name in _environment(p).get("ATELIER_JOB", "") and p.status() != "zombie"
    ]


def _environment(process):
    try:
        return process.environ()
    except psutil.Error:
        return {}


def test_a_script_gets_its_parameters_as_sagemakers_do(workspace, script, tmp_path):
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    path = script(
        """
        import argparse, json, os
        parser = argparse.ArgumentParser()
        parser.add_argument("--max_depth", type=int)
        parser.add_argument("--name")
        parser.add_argument("-k", type=float)
        parser.add_argument("--n", type=int)
        parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
        parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
        args = parser.parse_args()
        print(args.max_depth, args.name, args.k, args.n, open(args.train + "/data.csv").read().split()[0])
        assert json.loads(os.environ["SM_HPS"]) == {"max_depth": 6, "name": "--rm -rf $HOME", "k": -1.5, "n": 3}
        assert json.loads(os.environ["SM_TRAINING_ENV"])["channel_input_dirs"]["train"] == args.train
        open(args.model_dir + "/model.txt", "w").write("fitted")
        """
    )
    params = {"max_depth": 6, "name": "--rm -rf $HOME", "k": -1.5, "n": 3}
    job = jobs.submit(path, params=params, inputs={"train": "data.csv"})
    assert job.wait(END) == "Completed", job.logs()
    assert "6 --rm -rf $HOME -1.5 3 a,b" in job.logs()
    assert [file.path for file in job.output().files] == ["model/model.txt"]
    assert job.spec.inputs["train"].size == 8 and len(job.spec.source_sha256) == 64
    assert job.spec.packages["numpy"]
    again = job.rerun(params={"max_depth": 6})
    assert again.wait(END) == "Completed" and again.spec.rerun_of == job.name
    (tmp_path / "data.csv").write_text("changed")
    with pytest.raises(ConflictError, match="no longer what it was"):
        job.rerun()


def test_a_failure_names_the_line_of_user_code(workspace, script):
    path = script(
        """
        import json
        def read(text):
            return json.loads(text)
        print("before")
        read("no json")
        """
    )
    job = jobs.submit(path)
    assert job.wait(END) is JobState.FAILED
    assert job.failure["line"] == 4 and job.failure["code"] == "return json.loads(text)"
    assert "before" in job.failure["last_output"]
    assert "train.py, line 4" in job.reason and "workload.py" not in job.logs()


def test_an_exit_by_signal_is_named(workspace, script):
    job = jobs.submit(script("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))
    assert job.wait(END) == "Failed"
    assert "SIGSEGV" in job.reason and job.attempts[0].exit_code == -signal.SIGSEGV


def test_a_function_travels_by_value(workspace):
    factor = 3

    @jobs.job(max_runtime="5min")
    def multiply(a, b=2):
        return {"product": a * b * factor}

    assert multiply(2) == {"product": 12}
    job = multiply.submit(2, b=5)
    assert job.wait(END) == "Completed", job.logs()
    assert job.output().value() == {"product": 30}
    assert "def multiply" in (workspace.root / "jobs" / job.name / "source" / "multiply.py").read_text()
    with pytest.raises(InvalidArgumentError, match="missing a required argument"):
        multiply.submit()


def test_a_command_and_its_exit_code(workspace):
    job = jobs.submit(["sh", "-c", "echo $SM_HP_COLOR; exit 3"], params={"color": "grün"})
    assert job.wait(END) == "Failed"
    assert "exit code 3" in job.reason and "grün" in job.logs()


def test_a_notebook_keeps_what_it_shows(workspace, tmp_path):
    import nbformat

    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("print('x is', x)\n1 / (x - 7)"),
        ]
    )
    nbformat.write(notebook, tmp_path / "report.ipynb")
    job = jobs.submit("report.ipynb", params={"x": 5})
    assert job.wait(END) == "Completed", job.logs()
    assert "x is 5" in job.output().file("report.ipynb").read_text()
    bad = jobs.submit("report.ipynb", params={"x": 7})
    assert bad.wait(END) == "Failed"
    assert "ZeroDivisionError" in bad.reason and bad.failure["line"] == 2 and "cell" in bad.failure["file"]


def test_stop_ends_a_job_that_ignores_sigterm_and_all_that_it_started(workspace, script):
    path = script(
        """
        import os, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        daemon = "import os, time; os.setsid(); time.sleep(1000)"
        subprocess.Popen([sys.executable, "-c", daemon])
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
        print("ready", flush=True)
        time.sleep(1000)
        """
    )
    job = jobs.submit(path, grace=0.5)
    wait_until(lambda: "ready" in job.logs(), job)
    job.stop()
    assert job.wait(END) is JobState.STOPPED
    assert "Stopped by" in job.reason and job.attempts[0].exit_code == -signal.SIGKILL
    wait_until(lambda: not processes_of(job), job)


def test_daemons_left_behind_end_with_the_job(workspace, script):
    path = script(
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        os.wait()
        print("done")
        """
    )
    job = jobs.submit(path)
    assert job.wait(END) == "Completed"
    wait_until(lambda: not processes_of(job), job)


def test_a_job_that_runs_too_long_is_ended(workspace, script):
    job = jobs.submit(script("import time; time.sleep(1000)"), max_runtime=0.3)
    assert job.wait(END) is JobState.TIMED_OUT
    assert "max_runtime (0.3 s)" in job.reason


def test_errors_are_tried_again_as_often_as_was_said(workspace, script):
    path = script("import os; assert os.environ['ATELIER_ATTEMPT'] == '3'")
    job = jobs.submit(path, retries=jobs.Retries(errors=2))
    assert job.wait(END) == "Completed", job.reason
    assert [attempt.ended_state for attempt in job.attempts] == ["Restarting", "Restarting", "Completed"]
    again = jobs.submit(path, retries=jobs.Retries(errors=1))
    assert again.wait(END) == "Failed" and len(again.attempts) == 2


def test_a_killed_supervisor_takes_its_workload_along_and_the_job_is_lost(workspace, script):
    job = jobs.submit(script("import time; print('up', flush=True); time.sleep(1000)"))
    wait_until(lambda: "up" in job.logs() and job.attempts[-1].workload, job)
    attempt = job.attempts[-1]
    os.kill(attempt.supervisor["pid"], signal.SIGKILL)
    assert job.wait(END) is JobState.LOST
    assert "rerun()" in job.reason
    wait_until(lambda: not is_alive(attempt.workload), job)


def test_a_lost_attempt_is_started_again_where_that_was_allowed(workspace, script):
    path = script(
        """
        import os, time
        if os.environ["ATELIER_ATTEMPT"] == "1":
            print("up", flush=True)
            time.sleep(1000)
        """
    )
    job = jobs.submit(path, retries=jobs.Retries(lost=1))
    wait_until(lambda: "up" in job.logs() and job.attempts[-1].workload, job)
    os.kill(job.attempts[-1].supervisor["pid"], signal.SIGKILL)
    assert job.wait(END) == "Completed", job.reason
    assert len(job.attempts) == 2


def test_jobs_wait_for_a_place_by_priority_then_by_age(workspace, script):
    jobs.set_max_concurrent(1)
    path = script(
        "import os, time; print(os.environ['ATELIER_JOB'], flush=True); time.sleep(float(os.environ['SM_HP_S']))"
    )
    first = jobs.submit(path, params={"s": 1000}, name="first", grace=0.1)
    wait_until(lambda: first.status == "Running", first)
    late = [
        jobs.submit(path, params={"s": 0}, name=name, priority=rank) for name, rank in (("b", 0), ("c", 0), ("a", 5))
    ]
    assert [job.status for job in late] == ["Queued"] * 3
    first.stop()
    assert {job.wait(END) for job in late} == {"Completed"}
    begun = sorted(late, key=lambda job: job.attempts[0].started_at)
    assert [job.name for job in begun] == ["a", "b", "c"]


def test_a_waiting_job_starts_although_those_before_it_were_killed(workspace, script):
    jobs.set_max_concurrent(1)
    first = jobs.submit(script("import time; print('up', flush=True); time.sleep(1000)"))
    second = jobs.submit(script("print('ran')", "second.py"))
    wait_until(lambda: first.attempts and "up" in first.logs(), first)
    os.kill(first.attempts[0].supervisor["pid"], signal.SIGKILL)
    assert second.wait(END) == "Completed"


def test_a_waiting_job_is_stopped_without_ever_starting(workspace, script):
    jobs.set_max_concurrent(1)
    path = script("import time; time.sleep(1000)")
    first, second = jobs.submit(path, grace=0.1), jobs.submit(path)
    second.stop()
    assert second.wait(END) == "Stopped" and not second.attempts
    first.stop()
    first.wait(END)


def test_the_run_of_a_job_ends_with_it(workspace, script):
    path = script(
        """
        import kernel_tools as kt
        with kt.experiments.start_run("census", params={"depth": 3}) as run:
            for step in range(5):
                run.log_metric("loss", 1 / (step + 1), step=step)
                kt.jobs.progress(step + 1, 5, "fitting")
        """
    )
    job = jobs.submit(path, experiment="census", params={"rate": 0.1})
    assert job.wait(END) == "Completed", job.logs()
    run = job.run
    assert run.status == "FINISHED" and run.params == {"rate": "0.1", "depth": "3"}
    assert run.tags["atelier.job"] == job.name
    assert job.metrics()["value"].tolist() == [1 / (step + 1) for step in range(5)]
    assert (job.progress.done, job.progress.total) == (5, 5)
    assert len(experiments.search_run_records("census")[0]) == 1
    failing = jobs.submit(script("raise SystemExit(4)", "fail.py"), experiment="census")
    assert failing.wait(END) == "Failed" and failing.run.status == "FAILED"


def test_a_bar_of_tqdm_is_picked_up(workspace, script):
    job = jobs.submit(script("from tqdm import tqdm\nfor _ in tqdm(range(40), desc='rows'): pass"))
    assert job.wait(END) == "Completed"
    assert (job.progress.done, job.progress.total, job.progress.description) == (40, 40, "rows")


def test_limits_are_held_and_said(workspace, script):
    path = script("import os; print(len(os.sched_getaffinity(0))); bytearray(2 * 1024**3)")
    job = jobs.submit(path, resources=jobs.Resources(cpus=1, memory="1GiB"))
    assert job.wait(END) == "Failed"
    assert job.logs().startswith("1\n") and "MemoryError" in job.reason
    running = next(event for event in job._folder.read_events() if event["state"] == "Running")
    assert set(running["limits"]) == {"cpus", "memory"}


def test_secrets_reach_the_job_and_not_the_spec(workspace, script, monkeypatch, tmp_path):
    monkeypatch.setenv("MY_TOKEN", "s3cr3t-value")
    (tmp_path / "key").write_text("0th3r-value\n")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "stays behind")
    path = script(
        "import os; print(os.environ['TOKEN'][:3], os.environ['KEY'][:3], 'AWS_SECRET_ACCESS_KEY' in os.environ)"
    )
    job = jobs.submit(path, secrets={"TOKEN": "env:MY_TOKEN", "KEY": f"file:{tmp_path / 'key'}"})
    assert job.wait(END) == "Completed", job.logs()
    assert job.logs() == "s3c 0th False"
    for file in (workspace.root / "jobs" / job.name).rglob("*"):
        assert not file.is_file() or not {b"s3cr3t-value", b"0th3r-value"} & set(file.read_bytes().split(b'"'))
    with pytest.raises(NotFoundError, match="NOT_SET"):
        jobs.submit(path, secrets={"TOKEN": "env:NOT_SET"})


def test_what_cannot_be_used_is_refused_and_leaves_nothing(workspace, script):
    path = script("pass")
    with pytest.raises(NotFoundError, match=r"gone\.py"):
        jobs.submit("gone.py")
    with pytest.raises(InvalidArgumentError, match="no script"):
        jobs.submit("README")
    with pytest.raises(TooLargeError, match="command line"):
        jobs.submit(path, params={"text": "x" * 1_000_000})
    with pytest.raises(InvalidArgumentError, match="NUL"):
        jobs.submit(path, params={"text": "a\0b"})
    with pytest.raises(InvalidArgumentError, match="max_runtime"):
        jobs.submit(path, max_runtime="soon")
    with pytest.raises(NotFoundError, match="train"):
        jobs.submit(path, inputs={"train": "nowhere.csv"})
    job = jobs.submit(path, name="twice")
    with pytest.raises(ConflictError, match=r"rerun\(\)"):
        jobs.submit(path, name="twice")
    job.wait(END)
    assert [record.name for record in jobs.list_jobs()[0]] == ["twice"]
    job.delete()
    assert jobs.list_jobs()[0] == [] and not (workspace.root / "jobs" / "twice").exists()


def test_large_and_odd_parameters_reach_a_function(workspace):
    def measure(text, mark):
        return [len(text), mark]

    job = jobs.submit(measure, params={"text": "é" * 1_000_000, "mark": "\u202e🦉 $(rm) `x`"})
    assert job.wait(END) == "Completed", job.logs()
    assert job.output().value() == [1_000_000, "\u202e🦉 $(rm) `x`"]
