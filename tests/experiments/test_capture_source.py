"""Where runs come from: scripts, notebooks, git, packages; cheap, and never in the way."""

import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import pytest

from kernel_tools import experiments
from kernel_tools.experiments.capture import environment, git, origin, source
from kernel_tools.experiments.capture.guard import CaptureWarning, forget_warnings


def run_git(folder: Path, *arguments: str) -> str:
    """Run git in a folder as somebody."""
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with one commit of `train.py`."""
    folder = tmp_path / "repository"
    folder.mkdir()
    run_git(folder, "init")
    (folder / "train.py").write_text("import kernel_tools as kt\nkt.experiments.start_run('e').finish()\n")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "-m", "first")
    return folder


def run_script(folder: Path, *arguments: str) -> experiments.Run:
    """Run `train.py` in a process of its own; return the run that it made."""
    subprocess.run([sys.executable, str(folder / "train.py"), *arguments], cwd=folder, check=True)
    return experiments.get_run(experiments.search_run_records()[0][0].id)


def read(run: experiments.Run, path: str) -> str:
    """Return an artifact as text."""
    with run.open_artifact(path) as file:
        return file.read().decode()


def test_a_script_in_a_clean_checkout(workspace, repository):
    run = run_script(repository)
    assert run.tags["mlflow.source.name"] == str(repository / "train.py")
    assert run.tags["mlflow.source.type"] == "LOCAL"
    assert run.tags["mlflow.source.git.commit"] == run_git(repository, "rev-parse", "HEAD").strip()
    assert run.tags["mlflow.source.git.branch"] == "main"
    assert run.tags["mlflow.source.git.dirty"] == "false"
    assert [artifact.path for artifact in run.artifacts] == ["environment/packages.txt"]


def test_what_is_not_committed_is_kept_as_a_patch_that_applies(workspace, repository):
    with (repository / "train.py").open("a") as file:
        file.write("# changed\n")
    run = run_script(repository)
    assert run.tags["mlflow.source.git.dirty"] == "true"
    changed = (repository / "train.py").read_text()
    run_git(repository, "checkout", "train.py")
    subprocess.run(["git", "apply"], cwd=repository, input=read(run, "source/diff.patch"), text=True, check=True)
    assert (repository / "train.py").read_text() == changed


@pytest.mark.parametrize("kind", ["worktree", "packed", "detached"])
def test_every_form_of_checkout_is_understood(repository, tmp_path, kind):
    commit = run_git(repository, "rev-parse", "HEAD").strip()
    folder, branch = repository, "main"
    if kind == "worktree":
        folder, branch = tmp_path / "other", "side/line"
        run_git(repository, "worktree", "add", "-b", branch, str(folder))
    elif kind == "packed":
        run_git(repository, "pack-refs", "--all")
    else:
        run_git(repository, "checkout", "--detach")
        branch = None
    checkout = git.read_checkout(folder)
    assert checkout is not None
    assert (checkout.commit, checkout.branch, checkout.diff) == (commit, branch, b"")


def test_without_commit_or_repository_there_is_no_checkout(tmp_path):
    assert git.read_checkout(tmp_path) is None
    run_git(tmp_path, "init")
    assert git.read_checkout(tmp_path) is None


def test_a_slow_git_is_asked_once(repository, monkeypatch):
    calls = []

    def run(command, **keywords):
        calls.append(command)
        raise subprocess.TimeoutExpired(command, keywords["timeout"])

    monkeypatch.setattr(git.subprocess, "run", run)
    monkeypatch.setattr(git, "_too_slow", set())
    for _ in range(3):
        checkout = git.read_checkout(repository)
        assert checkout is not None and checkout.diff is None
    assert len(calls) == 1


def test_a_missing_git_leaves_commit_and_branch(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    checkout = git.read_checkout(repository)
    assert checkout is not None and checkout.diff is None and checkout.branch == "main"


def test_a_huge_difference_is_left_out_and_the_run_says_so(workspace, repository, monkeypatch):
    (repository / "train.py").write_text("x" * 1000)
    monkeypatch.setattr(source, "MAX_DIFF", 500)
    monkeypatch.chdir(repository)
    monkeypatch.setattr(source, "_script", lambda: None)
    described = source.read_source()
    assert "left out" in described.tags["atelier.source.diff"]
    assert described.files == {}


def test_secrets_on_the_command_line_are_taken_out(workspace, repository):
    run = run_script(
        repository, "--rate=0.1", "--api-key=abc", "--password", "hunter2", "--token", "t0", "--depth", "3"
    )
    command = run.tags["atelier.source.command"]
    assert "abc" not in command and "hunter2" not in command and "t0" not in command
    assert command.endswith("train.py --rate=0.1 --api-key=*** --password *** --token *** --depth 3")


def test_the_packages_are_those_that_are_installed(workspace):
    import numpy
    import sklearn

    with experiments.start_run("e") as run:
        pass
    text = read(run, "environment/packages.txt")
    assert text.startswith(f"# Python {sys.version.split()[0]}")
    assert f"numpy=={numpy.__version__}\n" in text
    assert f"scikit-learn=={sklearn.__version__}\n" in text


def test_an_installation_in_between_is_noticed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "brand-new" not in environment.installed_packages()
    (tmp_path / "brand_new-1.2.dist-info").mkdir()
    assert environment.describe_environment()["packages"]["brand-new"] == "1.2"


def test_content_is_stored_once_in_a_process(workspace, monkeypatch):
    stored = []
    put = type(workspace.artifacts).put_bytes
    monkeypatch.setattr(
        type(workspace.artifacts), "put_bytes", lambda store, data: stored.append(data) or put(store, data)
    )
    for _ in range(5):
        experiments.start_run("e").finish()
    assert len(stored) == len(set(stored))


def test_starting_a_run_stays_quick(workspace):
    experiments.start_run("e").finish()
    times = []
    for _ in range(10):
        started = time.perf_counter()
        origin.describe_origin(workspace)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.01


def test_runs_of_others_have_no_source_of_ours(workspace):
    run = experiments.start_run("e", owned=False)
    assert run.tags == {} and run.artifacts == []


def test_capture_can_be_switched_off_and_own_tags_win(workspace, monkeypatch):
    run = experiments.start_run("e", tags={"mlflow.source.name": "mine"})
    assert run.tags["mlflow.source.name"] == "mine"
    monkeypatch.setenv("ATELIER_CAPTURE_SOURCE", "0")
    run = experiments.start_run("e")
    assert run.tags == {} and run.artifacts == []


@pytest.mark.parametrize(
    "broken", ["read_source", "describe_environment", "environment_text", "_keep"], ids=lambda name: name.strip("_")
)
def test_a_failure_of_capture_never_fails_a_run(broken, workspace, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError("injected")

    forget_warnings()
    monkeypatch.setattr(origin, broken, fail)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            with experiments.start_run("e") as run:
                run.log_metric("a", 1.0)
    messages = [str(item.message) for item in caught if item.category is CaptureWarning]
    assert messages and len(messages) == len(set(messages))
    assert run.status is experiments.RunStatus.FINISHED


def test_printed_output_is_kept_on_request(workspace, capsys):
    first = experiments.start_run("e", capture_output=True)
    print("to both")
    second = experiments.start_run("e", capture_output=True)
    print("wärning", file=sys.stderr)
    first.finish()
    print("to the second", end="")
    second.finish()
    print("to none")
    assert read(first, "output/output.txt") == "to both\nwärning\n"
    assert read(second, "output/output.txt") == "wärning\nto the second"
    shown = capsys.readouterr()
    assert shown.out == "to both\nto the secondto none\n" and shown.err == "wärning\n"


def test_endless_output_is_cut_with_a_word(workspace, monkeypatch, capsys):
    from kernel_tools.experiments.capture import output

    monkeypatch.setattr(output, "MAX_OUTPUT", 10)
    with experiments.start_run("e", capture_output=True) as run:
        for _ in range(5):
            print("12345")
    text = read(run, "output/output.txt")
    assert text.startswith("12345\n") and "is left out" in text and text.count("12345") == 1
    assert capsys.readouterr().out.count("12345") == 5


def test_output_survives_a_killed_process(workspace):
    script = """
    import os, signal, sys, kernel_tools as kt
    run = kt.experiments.start_run("e", capture_output=True)
    print("last words")
    os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    (record,) = experiments.search_run_records()[0]
    assert record.status is experiments.RunStatus.KILLED
    assert (workspace.root / "runs" / record.id / "output.txt").read_text() == "last words\n"


def test_output_that_cannot_be_written_is_shown_all_the_same(workspace, monkeypatch, capsys):
    from kernel_tools.experiments.capture import output

    forget_warnings()
    monkeypatch.setattr(output.OutputCapture, "start", lambda capture: 1 / 0)
    with pytest.warns(CaptureWarning, match="printed output"):
        run = experiments.start_run("e", capture_output=True)
    print("shown")
    run.finish()
    assert capsys.readouterr().out == "shown\n"
