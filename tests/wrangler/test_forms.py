"""A recipe as a file of another kind: each runs or loads alone and gives the same rows."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import skops.io

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler import read
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.forms import write_form
from kernel_tools.wrangler.recipe import Recipe

PEOPLE = pd.DataFrame({"age": [20.0, None, 40.0], "job": ["a", "b", "a"]})


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    PEOPLE.to_parquet(tmp_path / "people.parquet")
    return read(tmp_path / "people.parquet", name="people").impute(["age"]).standardize(["age"]).fit()


def test_a_notebook_builds_learns_and_writes(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_form(recipe, "notebook", tmp_path / "people")
    notebook = json.loads(path.read_text())
    nbformat.validate(notebook)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(cell["source"], names)
    written = pd.read_parquet(tmp_path / "people-out.parquet")
    pd.testing.assert_frame_equal(written, recipe.transform())


@pytest.mark.parametrize("form", ["pandas", "polars", "sql"])
def test_code_runs_alone(recipe: Recipe, tmp_path: Path, form: str) -> None:
    names: dict[str, pd.DataFrame] = {}
    exec(write_form(recipe, form, tmp_path / "people.py").read_text(), names)  # type: ignore[arg-type]
    np.testing.assert_allclose(np.asarray(names["df"]["age"], dtype=float), recipe.transform()["age"])


def test_models_load_without_the_recipe(recipe: Recipe, tmp_path: Path) -> None:
    path = write_form(recipe, "sklearn", tmp_path / "people.skops")
    pipeline = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    np.testing.assert_allclose(pipeline.transform(PEOPLE)["age"], recipe.transform()["age"])
    assert write_form(recipe, "onnx", tmp_path / "people").suffix == ".onnx"


def test_what_cannot_be_written_says_why(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"does not end with \.onnx"):
        write_form(recipe, "onnx", tmp_path / "people.py")
    with pytest.raises(UnsupportedError, match="n3"):
        write_form(recipe.aggregate(aggregations=[{"function": "rows"}]), "onnx", tmp_path / "people")
    assert not (tmp_path / "people.onnx").exists()
