"""torch modules with 8-bit integers, recipes with their model as one graph, and graphs of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from torch import nn

from kernel_tools import wrangler
from kernel_tools.compiler import ParityError, UnsupportedModelError, compile
from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError


class Network(nn.Module):
    """A small convolutional network."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(), nn.Linear(16, 3)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return scores, shape (rows, 3)."""
        return self.layers(images)  # type: ignore[no-any-return]  # torch says Any


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(40, 1, 8, 8)).astype(np.float32)


def test_auto_measures_what_passes_and_says_why_others_were_refused(images: np.ndarray) -> None:
    torch.manual_seed(0)
    network = Network()
    package = compile(network, "auto", torch.tensor(images), max_loss=1.0, measure_memory=False)
    assert [line.target for line in package.candidates] == ["original", "onnx", "onnx-int8"]
    assert sum(line.is_chosen for line in package.candidates) == 1
    assert network.training
    rows = package.load().answer({"instances": images[:2].tolist()})["predictions"]
    network.eval()
    assert rows == pytest.approx(network(torch.tensor(images[:2])).detach().numpy(), abs=0.1)


def test_integers_that_lose_accuracy_are_refused() -> None:
    torch.manual_seed(0)
    network = Network().eval()
    noise = np.random.default_rng(0).normal(size=(1500, 1, 8, 8)).astype(np.float32)
    scores = network(torch.tensor(noise)).detach().numpy()
    best = np.sort(scores, axis=1)
    close = noise[(best[:, -1] - best[:, -2]).argsort()[:60]]  # rows whose two best classes are nearly as good
    labels = network(torch.tensor(close)).argmax(dim=1).numpy()
    with pytest.raises(ParityError) as refused:
        compile(network, "onnx-int8", close, labels=labels, max_loss=0.0, tolerance=1e-3)
    assert refused.value.parity.rows == len(close)


def test_trees_gain_nothing_from_integers() -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(UnsupportedModelError, match="onnx-int8"):
        compile(model, "onnx-int8", np.array([[0.0], [1.0]]), measure_memory=False)
    with pytest.raises(InvalidArgumentError, match="Use one of auto, onnx, onnx-int8"):
        compile(model, "fortran", np.array([[0.0]]))


def test_a_recipe_and_its_model_are_one_graph(people: pd.DataFrame, income: np.ndarray) -> None:
    rows = people.assign(when=pd.date_range("2020", periods=len(people), freq="h"))
    recipe = wrangler.read(rows).impute(["hours"], strategy="median").one_hot(["job", "sex"], max_categories=5)
    recipe.fit()
    given = recipe.transform(rows).drop(columns="when").astype("float64")
    model = LogisticRegression(max_iter=300).fit(given, income)
    loaded = compile((recipe, model), "onnx", rows, measure_memory=False).load()
    answer = loaded.answer(
        {"dataframe_records": [{"age": 30, "hours": None, "job": None, "sex": "f", "is_new": True, "when": None}]}
    )
    row = rows[:1].assign(age=30, hours=np.nan, job=None, sex="f", is_new=True)
    expected = model.predict_proba(recipe.transform(row).drop(columns="when").astype("float64"))
    assert answer["probabilities"] == pytest.approx(expected, abs=1e-9)

    table = compile(recipe, "onnx", rows, measure_memory=False).load()
    first = table.predict(table.read_rows(rows[:1]))["predictions"][0]
    assert first["when"] == "2020-01-01T00:00:00.000000"
    assert first["is_new"] is bool(rows.is_new[0])
    assert isinstance(first["job_boss"], int)


def graph(*nodes: Any, initializers: tuple[Any, ...] = (), domain: str = "") -> onnx.ModelProto:
    """Return a graph from X, shape (rows, 2), to Y."""
    made = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 2])],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", 21)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(made, opset_imports=opsets, ir_version=10)


ROWS = np.ones((3, 2), dtype=np.float32)


def test_operators_of_other_libraries_are_refused() -> None:
    model = graph(helper.make_node("Anything", ["X"], ["Y"], domain="my.library"), domain="my.library")
    with pytest.raises(ForbiddenError, match=r"'Anything' of 'my\.library'"):
        compile(model, "onnx", ROWS)


@pytest.mark.parametrize("place", ["../weights", "/etc/passwd", "a/../../weights"])
def test_weights_outside_of_the_folder_are_refused(place: str, tmp_path: Any) -> None:
    weights = numpy_helper.from_array(np.ones(2, dtype=np.float32), "W")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=place)
    model = graph(helper.make_node("Add", ["X", "W"], ["Y"]), initializers=(weights,))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ForbiddenError, match="outside of its folder"):
        compile(path, "onnx", ROWS)


def test_a_graph_of_others_is_kept_as_it_is() -> None:
    model = graph(helper.make_node("Add", ["X", "X"], ["Y"]))
    loaded = compile(model, "onnx", ROWS, measure_memory=False).load()
    assert loaded.answer({"instances": [[1, 2.5]]})["predictions"].tolist() == [[2.0, 5.0]]
