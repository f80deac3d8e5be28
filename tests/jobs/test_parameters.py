"""What a script or notebook can be given, read without running it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError, NotFoundError
from kernel_tools.jobs.parameters import read_parameters

SCRIPT = """
import argparse, json, os

open("ran", "w")
parser = argparse.ArgumentParser()
group = parser.add_argument_group("model")
parser.add_argument("-d", "--max-depth", type=int, default=6, help="How deep")
group.add_argument("--rate", type=float, default=1e-1)
parser.add_argument("--booster", choices=["hist", "exact"], default="hist")
parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
parser.add_argument("--verbose", action="store_true")
parser.add_argument("--layers", nargs="+", type=int)
parser.add_argument("--conf", type=json.loads, default={"a": 1})
parser.add_argument("-n", required=True)
parser.add_argument("--version", action="version", version="1")
parser.add_argument("file")
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str) -> Path:
        path = tmp_path / "train.py"
        path.write_text(textwrap.dedent(text))
        return path

    return written


def notebook(path: Path, source: str, tags: list[str], **metadata: Any) -> Path:
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": tags})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), path)
    return path


def test_a_script_is_read_and_not_run(write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = read_parameters(write(SCRIPT))
    assert [(p.name, p.type, p.default) for p in found.parameters] == [
        ("max-depth", "int", 6),
        ("rate", "float", 0.1),
        ("booster", "str", "hist"),
        ("model-dir", "str", None),
        ("conf", "json", {"a": 1}),
        ("n", "str", None),
    ]
    by_name = {parameter.name: parameter for parameter in found.parameters}
    assert by_name["max-depth"].comment == "How deep"
    assert by_name["booster"].choices == ("hist", "exact")
    assert "SM_MODEL_DIR" in by_name["model-dir"].comment
    assert by_name["n"].is_required
    assert found.left_out == ("verbose", "layers")
    assert not (tmp_path / "ran").exists()


def test_the_parameters_cell_of_a_notebook_is_read(tmp_path: Path) -> None:
    source = "rate = 0.1  # learning rate\nname: str = 'x'\ncols = ['a']\nday = date.today()\nflag = True\nnone = None"
    found = read_parameters(notebook(tmp_path / "n.ipynb", source, ["parameters"]))
    assert found.has_parameters_cell
    assert [(p.name, p.type, p.default) for p in found.parameters] == [
        ("rate", "float", 0.1),
        ("name", "str", "x"),
        ("cols", "json", ["a"]),
        ("day", "json", None),
        ("flag", "bool", True),
        ("none", "json", None),
    ]
    assert found.parameters[0].comment == "learning rate"
    assert found.parameters[3].comment == "Default: date.today()"


def test_a_notebook_without_such_a_cell_says_so(tmp_path: Path) -> None:
    found = read_parameters(notebook(tmp_path / "n.ipynb", "rate = 1", []))
    assert (found.has_parameters_cell, found.parameters) == (False, ())


def test_a_language_that_papermill_cannot_read_has_no_parameters(tmp_path: Path) -> None:
    kernel = {"name": "unheard-of", "display_name": "?", "language": "unheard-of"}
    found = read_parameters(notebook(tmp_path / "n.ipynb", "rate = 1", ["parameters"], kernelspec=kernel))
    assert (found.has_parameters_cell, found.parameters) == (True, ())


def test_python_that_is_none_names_the_line(write: Any) -> None:
    with pytest.raises(InvalidDataError, match=r"'train.py' is not Python: line 2"):
        read_parameters(write("a = 1\nb = = 2\n"))


@pytest.mark.parametrize("content", ["{", "[]", '{"nbformat": 4}', '{"nbformat": 4, "nbformat_minor": 5, "cells": 3}'])
def test_a_notebook_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content)
    with pytest.raises(InvalidDataError, match="is no notebook"):
        read_parameters(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="no script"):
        read_parameters(tmp_path / "data.csv")
    with pytest.raises(NotFoundError, match="no file"):
        read_parameters(tmp_path / "gone.py")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="parser.add_argument('--x', type=int, default=1)\n[{(\0\\", max_size=200))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "any.py"
    path.write_text(text)
    try:
        read_parameters(path)
    except InvalidDataError as error:
        assert "any.py" in str(error)
