"""`%%job` and `%jobs`, in IPython's own shell and in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import numpy as np
import pandas as pd
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from kernel_tools import jobs
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.jobs.cells import submit_cell
from tests.jobs.conftest import END


@pytest.fixture
def shell(workspace) -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "kernel_tools")
    yield shell
    InteractiveShell.clear_instance()


def only_job():
    (record,) = jobs.list_jobs()[0]
    return jobs.get(record.name)


def test_a_cell_takes_its_inputs_along_and_runs_as_it_was_typed(shell, tmp_path, capsys):
    (tmp_path / "beside.py").write_text("SCALE = 10")
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.to_datetime(["2026-01-01", "2026-01-02"])}, [5, 7])
    shell.user_ns |= {"df": frame, "weights": np.eye(2), "target": frame["a"], "rate": np.float64(0.5), "names": ["é"]}
    code = """import beside, numpy as np, pandas as pd, pickle
print(train.loc[7, "a"] * beside.SCALE, weights.sum(), target.name, rate, names, list(train.dtypes.astype(str)))
pickle.dump([train, weights, target, rate, names], open("seen.pkl", "wb"))
"""
    line = "--name cell --input train=df weights target --input rate names --experiment cells --cpus 1 --wait"
    shell.run_cell_magic("job", line, code)
    job = only_job()
    assert (job.name, job.status, job.run.status) == ("cell", "Completed", "FINISHED"), job.logs()
    assert "20 2.0 a 0.5 ['é']" in job.logs() and "20 2.0 a 0.5" in capsys.readouterr().out
    seen = pd.read_pickle(tmp_path / "seen.pkl")
    pd.testing.assert_frame_equal(seen[0], frame)
    pd.testing.assert_series_equal(seen[2], frame["a"])
    assert np.array_equal(seen[1], np.eye(2)) and seen[3:] == [0.5, ["é"]]
    assert dict(job.spec.params) == {"rate": 0.5, "names": ["é"]}
    assert {channel: data.path for channel, data in job.spec.inputs.items()} == {
        "train": "variable train", "weights": "variable weights", "target": "variable target",
    }  # fmt: skip
    kept = job._folder.source / "cell.py"
    assert kept.read_text().splitlines()[1:] == code.splitlines()
    again = job.rerun()
    assert again.wait(END) == "Completed"
    assert again.spec.inputs["train"] == job.spec.inputs["train"]
    shown = shell.run_line_magic("jobs", "completed cells")
    assert set(shown.index) == {job.name, again.name} and set(shown["state"]) == {"Completed"}
    assert len(shell.run_line_magic("jobs", "")) == 2 and shell.run_line_magic("jobs", "Running").empty


def test_a_cell_that_fails_names_the_line_as_the_notebook_counts_and_fails_with_wait(shell):
    with pytest.raises(UsageError, match=r"ZeroDivisionError.*cell\.py, line 3"):
        shell.run_cell_magic("job", "--wait", "x = 1\nprint(x / 0)\n")
    shell.run_cell_magic("job", "--name later", "print('later')\n")
    assert jobs.get("later").wait(END) == "Completed"


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("--input nothing", "pass", "no variable 'nothing'"),
        ("--input 1x=df", "pass", "not a name"),
        ("--input model", "pass", "does not travel"),
        ("--input pair", "pass", "tuple"),
        ("--input objects", "pass", "cannot be written"),
        ("", "%time 1", "line 2"),
        ("", "x = (", "plain Python"),
        ("--memory lots", "pass", "memory"),
        ("--what", "pass", "unrecognized"),
    ],
)
def test_what_cannot_travel_is_said_and_leaves_nothing(shell, line, code, says):
    shell.user_ns |= {"model": object(), "pair": (1, 2), "objects": np.array([object()])}
    with pytest.raises(UsageError, match=says):
        shell.run_cell_magic("job", line, code)
    assert jobs.list_jobs()[0] == []


def test_a_long_value_travels_as_a_file(workspace):
    job = submit_cell(workspace, "print(len(text), numbers[-1])", "", {"text": "é" * 1_000_000, "numbers": [1, 2]})
    assert job.wait(END) == "Completed", job.logs()
    assert job.logs() == "1000000 2" and list(job.spec.inputs) == ["text"]
    with pytest.raises(InvalidArgumentError, match="variable"):
        jobs.create_schedule_of_job("nightly", job, every=60)


def test_the_first_word_of_jobs_may_be_an_experiment(shell):
    assert shell.run_line_magic("jobs", "census").empty
    with pytest.raises(UsageError, match="no state"):
        shell.run_line_magic("jobs", "Sleeping census")


def test_in_a_kernel_a_failed_job_fails_the_cell_and_progress_is_one_line(workspace):
    sources = [
        "%load_ext kernel_tools",
        "%%job --wait --name good\nimport kernel_tools as kt\nkt.jobs.progress(3, 3, 'fitting')",
        "%%job --wait --name bad\nraise SystemExit(3)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.raises(CellExecutionError, match="Job bad is Failed: It ended with exit code 3"):
        NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (line,) = notebook.cells[1].outputs
    assert line.data["text/plain"] == "Job good: Completed, fitting 3 of 3" and "=job/good" in line.data["text/html"]
