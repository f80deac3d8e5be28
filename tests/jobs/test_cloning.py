"""A job as a notebook: it holds what the job was, and runs by papermill."""

from __future__ import annotations

import math

import nbformat
import numpy as np
import papermill
import pytest

from kernel_tools import jobs
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.jobs.cells import submit_cell
from kernel_tools.jobs.cloning import clone_as_notebook
from kernel_tools.jobs.sources import source_files
from tests.jobs.conftest import END


def run_clone(workspace, job, tmp_path, **parameters):
    """Execute the clone of a job, and return it and the job that it has submitted."""
    before = {record.name for record in jobs.list_jobs()[0]}
    path = clone_as_notebook(workspace, job.name, tmp_path / "clones")
    assert path == tmp_path / "clones" / f"{job.name}.ipynb"
    output = tmp_path / "clones" / "executed.ipynb"
    papermill.execute_notebook(path, output, parameters, cwd=path.parent, progress_bar=False, kernel_name="python3")
    (made,) = {record.name for record in jobs.list_jobs()[0]} - before
    again = jobs.get(made)
    assert again.wait(END) == "Completed", again.logs()
    return nbformat.read(path, as_version=4), again


def code_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def test_a_script_with_its_folder_is_written_out_and_submitted_again(workspace, tmp_path):
    source = tmp_path / "src"
    (source / "pkg dir").mkdir(parents=True)
    (source / "train.py").write_text("import json, os, helper\nprint(helper.NAME, os.environ['SM_HPS'])\n")
    (source / "helper.py").write_text("NAME = 'é'\n")
    (source / "pkg dir" / "note.txt").write_text("with a space\n")
    (source / "blob.bin").write_bytes(bytes(range(256)))
    (tmp_path / "data.csv").write_text("1,2")
    params = {"max_depth": 6, "learning-rate": 0.1, "nothing": math.inf, "lambda": "x"}
    job = jobs.submit(
        "train.py", source, params, {"train": "data.csv"}, "clones", resources=jobs.Resources(cpus=1), priority=3,
        tags={"team": "a"}, retries=jobs.Retries(errors=1),
    )  # fmt: skip
    assert job.wait(END) == "Completed"
    notebook, again = run_clone(workspace, job, tmp_path, max_depth=9)
    assert "é" in again.logs() and again.spec.params == {**params, "max_depth": 9}
    for name in ("entry", "inputs", "experiment", "resources", "priority", "tags", "retries"):
        assert getattr(again.spec, name) == getattr(job.spec, name), name
    files = {name for name, _ in source_files(again._folder.source)}
    assert files == {"train.py", "helper.py", "pkg dir/note.txt", "blob.bin"}
    assert "%%writefile" in code_of(notebook) and "blob.bin" in code_of(notebook)
    with pytest.raises(ConflictError, match="already a file"):
        clone_as_notebook(workspace, job.name, tmp_path / "clones")


def test_a_notebooks_own_cells_are_taken_over(workspace, tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell("# Report"),
        nbformat.v4.new_code_cell("x = 1\ny = 2", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("print('x, y is', x, y)"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "report.ipynb")
    job = jobs.submit("report.ipynb", params={"x": 5})
    assert job.wait(END) == "Completed", job.logs()
    notebook, again = run_clone(workspace, job, tmp_path, x=7)
    assert "print('x, y is', x, y)" in code_of(notebook)
    assert "x, y is 7 2" in again.output().file("report.ipynb").read_text() and again.spec.rerun_of == job.name


def test_functions_commands_and_cells_are_submitted_again(workspace, tmp_path):
    def multiply(a, b):
        return a * b

    product = jobs.submit(multiply, args=(2,), params={"b": 5})
    command = jobs.submit(["sh", "-c", "echo $SM_HP_COLOR"], params={"color": "red"})
    cell = submit_cell(workspace, "print(grid.sum(), rate)", "--input grid rate", {"grid": np.eye(3), "rate": 2})
    for job in (product, command, cell):
        assert job.wait(END) == "Completed", job.logs()
    notebook, again = run_clone(workspace, product, tmp_path)
    assert again.output().value() == 10 and "def multiply" in notebook.cells[-3].source
    _, again = run_clone(workspace, command, tmp_path, color="blue")
    assert again.logs() == "blue"
    _, again = run_clone(workspace, cell, tmp_path, rate=4)
    assert again.logs() == "3.0 4"


def test_a_job_that_is_not_there_has_no_clone(workspace, tmp_path):
    with pytest.raises(NotFoundError):
        clone_as_notebook(workspace, "gone", tmp_path)
