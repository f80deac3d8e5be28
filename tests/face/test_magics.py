"""The magics, in real kernels and in IPython's own shell."""

import re
import sys
import textwrap
from collections.abc import Iterator

import nbformat
import numpy as np
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from kernel_tools import experiments


@pytest.fixture(autouse=True)
def _captured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATELIER_CAPTURE_SOURCE")


@pytest.fixture
def shell(workspace) -> Iterator[InteractiveShell]:
    """Return a shell with the magics, working in the test's workspace."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "kernel_tools")
    yield shell
    InteractiveShell.clear_instance()


def run_notebook(*cells: str, fails: bool = False) -> nbformat.NotebookNode:
    """Execute cells in a kernel of their own, after the extension is loaded."""
    sources = ["%load_ext kernel_tools\nimport kernel_tools as kt", *(textwrap.dedent(cell).strip() for cell in cells)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=False)
    if fails:
        with pytest.raises(CellExecutionError):
            client.execute()
    else:
        client.execute()
    return notebook


def only_run() -> experiments.Run:
    """Return the only run of the workspace."""
    (record,) = experiments.search_run_records()[0]
    return experiments.get_run(record.id)


def test_a_cell_is_one_run_with_parameters_code_training_metrics_and_figures(workspace):
    notebook = run_notebook(
        """
        import numpy as np
        from sklearn.linear_model import LogisticRegression
        X = np.arange(40.0).reshape(20, 2)
        y = np.arange(20) % 2
        """,
        """
        %%experiment "my experiment" --run first
        strength, seed = 0.5, 1
        options = {"solver": "lbfgs", "data": X}
        _hidden = 3
        count = 0
        count = count + 1
        import plotly.graph_objects as go
        model = LogisticRegression(C=strength, **{"solver": options["solver"]}).fit(X, y)
        kt.experiments.active_run().log_metric("mine", 1.0)
        figure = go.Figure(go.Scatter(y=[1, 2, 3]))
        kt.experiments.active_run().log_figure(go.Figure(go.Bar(y=[1])), "logged")
        display(go.Figure(go.Bar(y=[1])))
        print("epoch 1: loss=0.5")
        figure
        """,
        "assert kt.experiments.active_run() is None and model.C == 0.5",
    )
    run = only_run()
    assert (run.experiment, run.name, run.status) == ("my experiment", "first", experiments.RunStatus.FINISHED)
    assert {"strength": "0.5", "seed": "1", "options.solver": "lbfgs", "C": "0.5"}.items() <= run.params.items()
    assert not {"_hidden", "count", "options.data", "X"} & run.params.keys()
    assert {"mine", "train/accuracy"} <= run.metrics.keys()
    assert "loss" not in run.metrics, "printed metrics are taken only where nothing else logs any"
    paths = [artifact.path for artifact in run.artifacts]
    assert [path for path in paths if path.endswith(".plotly.json")] == [
        "figures/displayed-1.plotly.json",
        "logged.plotly.json",
    ]
    with run.open_artifact("source/cell.py") as file:
        code = file.read().decode()
    assert code.startswith("strength, seed = 0.5, 1") and code.rstrip().endswith("figure")
    assert run.tags["mlflow.source.type"] == "NOTEBOOK"
    outputs = notebook.cells[2].outputs
    assert any("application/vnd.plotly.v1+json" in output.get("data", {}) for output in outputs)
    assert any(
        "Run first of my experiment: FINISHED" in output.get("data", {}).get("text/plain", "") for output in outputs
    )


def test_a_failing_cell_shows_its_error_once_fails_the_run_and_stops_the_notebook(workspace):
    notebook = run_notebook("%%experiment broken\ndepth = 3\nraise ValueError('no such luck')", "later = 1", fails=True)
    outputs = [output for output in notebook.cells[1].outputs if output.output_type == "error"]
    assert len(outputs) == 1
    assert (outputs[0].ename, outputs[0].evalue) == ("ValueError", "no such luck")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(outputs[0].traceback))
    assert "raise ValueError" in shown and "kernel_tools" not in shown
    assert notebook.cells[2].execution_count is None
    run = only_run()
    assert run.status is experiments.RunStatus.FAILED
    assert run.params["depth"] == "3"


def test_a_cell_that_is_no_python_fails_the_run(workspace):
    notebook = run_notebook("%%experiment broken\nx = = 3", fails=True)
    (error,) = [output for output in notebook.cells[1].outputs if output.output_type == "error"]
    assert error.ename == "SyntaxError"
    assert only_run().status is experiments.RunStatus.FAILED


def test_printed_metrics_are_taken_where_nothing_else_logs(shell):
    shell.run_cell_magic(
        "experiment", "printed", "for epoch in range(3):\n    print(f'Epoch {epoch}/3 - loss: {1 / (epoch + 1):.2f}')"
    )
    history = only_run().history("loss")
    assert history["step"].tolist() == [0, 1, 2]
    assert history["value"].tolist() == [1.0, 0.5, 0.33]


def test_images_are_kept_and_an_update_replaces_what_it_updates(shell):
    code = """
    from IPython.display import display

    class Picture:
        def __init__(self, content):
            self.content = content

        def _repr_png_(self):
            return self.content

    handle = display(Picture(b"one"), display_id=True)
    handle.update(Picture(b"two"))
    display(Picture(b"three"))
    """
    shell.display_formatter.active_types = ["text/plain", "image/png"]
    shell.run_cell_magic("experiment", "pictures", textwrap.dedent(code))
    run = only_run()
    contents = [run.open_artifact(f"figures/displayed-{number}.png").read() for number in (1, 2)]
    assert contents == [b"two", b"three"]


def test_await_at_the_top_of_the_cell_is_refused_with_a_way_out(shell):
    with pytest.raises(UsageError, match="with kt.experiments.start_run"):
        shell.run_cell_magic("experiment", "asynchronous", "import asyncio\nawait asyncio.sleep(0)")


def test_the_shell_is_as_before_after_a_cell(shell):
    streams = (sys.stdout, sys.stderr)
    shell.run_cell_magic("experiment", "clean", "a = 1")
    assert "showtraceback" not in vars(shell) and "showsyntaxerror" not in vars(shell)
    assert "publish" not in vars(shell.display_pub) and "compute_format_data" not in vars(shell.displayhook)
    assert (sys.stdout, sys.stderr) == streams
    assert shell.user_ns["a"] == 1


def start_three(workspace) -> list[experiments.Run]:
    """Start three finished runs with different values."""
    runs = []
    for number, (auc, loss) in enumerate([(0.8, 0.3), (0.9, 0.4), (0.7, 0.2)]):
        with experiments.start_run("census", name=f"run {number}", params={"depth": number, "same": 1}) as run:
            run.log_metrics({"auc": auc, "valid/loss": loss})
        runs.append(run)
    return runs


def test_runs_lists_an_experiment_or_what_a_filter_finds(shell, workspace):
    runs = start_three(workspace)
    experiments.start_run("other one", workspace=workspace).finish()
    assert len(shell.run_line_magic("runs", "")) == 4
    assert len(shell.run_line_magic("runs", "census")) == 3
    assert len(shell.run_line_magic("runs", "'other one'")) == 1
    assert shell.run_line_magic("runs", "census metrics.auc > 0.75 and params.depth = '0'")["run_id"].tolist() == [
        runs[0].id
    ]
    assert shell.run_line_magic("runs", "metrics.auc > 0.85")["name"].tolist() == ["run 1"]
    ordered = shell.run_line_magic("runs", "census metrics.auc > 0 ORDER BY metrics.auc DESC")
    assert ordered["name"].tolist() == ["run 1", "run 0", "run 2"]
    assert shell.run_line_magic("runs", "census order by metrics.auc")["name"].tolist() == ["run 2", "run 0", "run 1"]
    shell.user_ns["least"] = 0.85
    assert len(shell.run_line_magic("runs", "census metrics.auc > {least}")) == 1
    with pytest.raises(UsageError, match="no experiment 'cenzus'"):
        shell.run_line_magic("runs", "cenzus")
    with pytest.raises(ValueError, match="not understood at position 1"):
        shell.run_line_magic("runs", "census auc is >")


def test_compare_shows_the_differences_of_runs_by_id_beginning_or_name(shell, workspace):
    runs = start_three(workspace)
    table = shell.run_line_magic("compare", f"{runs[0].id} {runs[1].id[:12]} 'run 2'")
    assert table.columns.tolist() == ["run 0", "run 1", "run 2"]
    assert table.index.tolist() == [("param", "depth"), ("metric", "auc"), ("metric", "valid/loss")]
    assert table.loc[("metric", "auc")].tolist() == [0.8, 0.9, 0.7]
    assert ("param", "same") in shell.run_line_magic("compare", f"--all {runs[0].id} {runs[1].id}").index
    with pytest.raises(UsageError, match="at least two"):
        shell.run_line_magic("compare", runs[0].id)
    with pytest.raises(UsageError, match="no run 'nothing'"):
        shell.run_line_magic("compare", f"{runs[0].id} nothing")


def test_best_knows_what_is_better(shell, workspace):
    runs = start_three(workspace)
    assert shell.run_line_magic("best", "census auc").id == runs[1].id
    assert shell.run_line_magic("best", "census auc min").id == runs[2].id
    assert shell.run_line_magic("best", "census valid/loss").id == runs[2].id
    assert shell.run_line_magic("best", "census valid/loss max").id == runs[1].id
    with pytest.raises(UsageError, match="has the metric 'f1'"):
        shell.run_line_magic("best", "census f1")


def test_the_magic_tells_the_state_of_the_workspace(shell, workspace):
    experiments.start_run("census", workspace=workspace)
    assert shell.run_line_magic("atelier", "")["runs"] == "1 (1 running)"
    assert np.isscalar(shell.run_line_magic("atelier", "")["workspace"])


def test_debugger_shows_what_the_rules_have_found(shell) -> None:
    import torch

    import kernel_tools as kt

    with pytest.raises(UsageError, match="no run yet"):
        shell.run_line_magic("debugger", "")
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with experiments.start_run("watched") as run:
        shell.user_ns["hook"] = kt.debugger.watch(model, optimizer, rules=["ExplodingTensor"])
        for _ in range(3):
            (model(torch.ones(1, 2)).sum() * float("nan")).backward()
            optimizer.step()
    shell.user_ns["run"] = run
    for given in ("", "run", "hook", run.id):
        found = shell.run_line_magic("debugger", given)
        assert {finding.rule for finding in found} == {"ExplodingTensor"}
        assert "ExplodingTensor" in repr(found) and "<table>" in found._repr_html_()
    with pytest.raises(UsageError, match="no job 'nothing'|There is no"):
        shell.run_line_magic("debugger", "nothing")
