"""What is read from a cell's code and from what it prints."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.experiments.capture.cell_parameters import cell_parameters
from kernel_tools.experiments.capture.displayed_figures import PLOTLY, PNG, DisplayedFigures
from kernel_tools.experiments.capture.printed_metrics import PrintedLines, parse_line


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        ("depth = 6", {"depth": "6"}),
        ("rate: float = -1e-3", {"rate": "-0.001"}),
        ("a, (b, c) = 1, ('x', None)", {"a": "1", "b": "x", "c": "None"}),
        ("a = b = True", {"a": "True", "b": "True"}),
        ("layers = [64, 32]", {"layers": "[64, 32]"}),
        ("options = {'depth': 6, 'model': model, 3: 4}", {"options.depth": "6"}),
        ("_private = 1", {}),
        ("size = len(data)", {}),
        ("x = 1\nx = 2", {}),
        ("x = 1\nfor x in range(3): pass", {}),
        ("x = 1\nx += 1", {}),
        ("x = 1\nwith a as x: pass", {}),
        ("if True:\n    x = 1", {}),
        ("def f():\n    x = 1\nx = 2", {"x": "2"}),
        ("x = [x for x in y]\nz = 1", {"z": "1"}),
        ("f = 1\ndef f(): pass", {}),
    ],
)
def test_parameters_are_plain_literals_that_are_assigned_once(code, parameters):
    assert cell_parameters(code) == parameters


@pytest.mark.parametrize(
    ("line", "values", "step"),
    [
        ("[3]\ttrain-auc:0.91\tvalid-logloss:0.5", {"train/auc": 0.91, "valid/logloss": 0.5}, 3),
        ("[3]\ttrain-auc:0.91+0.01", {"train/auc": 0.91}, 3),
        ("[10]\ttraining's auc: 0.9\tvalid_0's l2: 1e-3", {"training/auc": 0.9, "valid_0/l2": 0.001}, 10),
        ("Epoch 3/10 - loss: 0.41 - val_loss: .5", {"loss": 0.41, "val_loss": 0.5}, 3),
        ("epoch=3, loss=nan", {"loss": pytest.approx(float("nan"), nan_ok=True)}, 3),
        ("step 100 | loss=0.41 | time: 3.2", {"loss": 0.41}, 100),
        ("{'loss': 0.5, 'epoch': 1.5}", {"loss": 0.5}, None),
        ("{'loss': '0.5', 'step': 7}", {"loss": 0.5}, 7),
        ("\x1b[32mEpoch 1: acc=0.5\x1b[0m", {"acc": 0.5}, 1),
    ],
)
def test_lines_of_loggers_are_understood(line, values, step):
    found = parse_line(line)
    assert found is not None
    assert (found.values, found.step) == (values, step)


@pytest.mark.parametrize(
    "line",
    ["", "loss: 0.5", "Epoch 3 begins", "port: 8080", "[info] ready", "{'loss': 0.5}", "2024-01-01 12:00:00 epoch"],
)
def test_other_lines_are_left_alone(line):
    assert parse_line(line) is None


@given(st.text())
def test_no_line_and_no_code_breaks_the_readers(text):
    found = parse_line(text)
    assert found is None or all(isinstance(value, float) for value in found.values.values())
    lines = PrintedLines()
    lines.write(text)
    assert all(line.values for line in lines.metrics)
    with contextlib.suppress(SyntaxError, ValueError):
        assert isinstance(cell_parameters(text), dict)


def test_a_line_may_come_in_pieces():
    lines = PrintedLines()
    for piece in ("Epoch 1: lo", "ss=0.5\rEpoch 2: loss=0.4", "\n"):
        lines.write(piece)
    assert [(found.step, found.values) for found in lines.metrics] == [(1, {"loss": 0.5}), (2, {"loss": 0.4})]


def test_a_figure_counts_once_with_its_best_type():
    figures = DisplayedFigures()
    figures.add({PLOTLY: {"data": [{"type": "bar", "y": [1, 2]}], "layout": {}}, PNG: "aGVsbG8="})
    figures.add({"text/plain": "no figure"})
    figures.add({PNG: "aGVsbG8="}, display_id="a")
    figures.add({PNG: b"later"}, display_id="a")
    assert [media_type for media_type, _ in figures._figures.values()] == [PLOTLY, PNG]
    assert figures._figures["a"] == (PNG, b"later")
