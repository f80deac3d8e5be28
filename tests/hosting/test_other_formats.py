"""ONNX, LightGBM, MLflow's folders and folders with code answer as endpoints do; lineage knows who serves what."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import kernel_tools as kt
from kernel_tools.core.errors import ConflictError, UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.engines.framework import FrameworkEngine
from kernel_tools.hosting.wire.replies import plain_values


def answer(engine, body):
    """The reply of an engine, as JSON has it."""
    return plain_values(engine.predict(engine.read(body)))


@pytest.fixture(scope="module")
def numbers() -> SimpleNamespace:
    random = np.random.default_rng(2)
    X = pd.DataFrame(random.normal(size=(90, 2)).astype(np.float32), columns=["a", "b"])
    return SimpleNamespace(X=X, y=np.array(["no", "yes"])[(X["a"] > X["b"]).astype(int)])


def engine_of(workspace: Workspace, name: str) -> FrameworkEngine:
    version = kt.registry.get(name, workspace=workspace)
    return FrameworkEngine(version.record, version.load())


@pytest.mark.parametrize("has_map", [True, False])
def test_an_onnx_classifier_answers_from_one_run_of_its_graph(workspace, numbers, has_map, monkeypatch):
    to_onnx = pytest.importorskip("skl2onnx").to_onnx

    from kernel_tools.registry.formats.onnx import OnnxModel

    model = LogisticRegression().fit(numbers.X.to_numpy(), numbers.y)
    converted = to_onnx(model, numbers.X.to_numpy()[:1], options={id(model): {"zipmap": has_map}})
    name = f"onnx-{has_map}"
    kt.registry.register(name, converted, sample_input=numbers.X, workspace=workspace)
    engine = engine_of(workspace, name)
    runs = []
    original = OnnxModel.run
    monkeypatch.setattr(OnnxModel, "run", lambda self, rows: runs.append(1) or original(self, rows))
    reply = answer(engine, {"dataframe_records": numbers.X[:7].to_dict("records")})
    assert (reply["predictions"], len(runs)) == (numbers.y[:7].tolist(), 1)
    assert np.allclose(reply["probabilities"], model.predict_proba(numbers.X.to_numpy())[:7], atol=1e-6)
    assert reply.get("classes") == (["no", "yes"] if has_map else None)


def test_an_onnx_endpoint_takes_arrays_without_a_sample(workspace, numbers):
    to_onnx = pytest.importorskip("skl2onnx").to_onnx

    model = LogisticRegression().fit(numbers.X.to_numpy(), numbers.y)
    kt.registry.register("onnx", to_onnx(model, numbers.X.to_numpy()[:1]), workspace=workspace)
    endpoint = kt.hosting.deploy("onnx", 1, workspace=workspace)
    assert endpoint.predict(numbers.X.to_numpy()[:9]).tolist() == model.predict(numbers.X.to_numpy()[:9]).tolist()
    endpoint.delete()


def test_a_lightgbm_classifier_answers_as_its_own_predict(workspace, numbers):
    lightgbm = pytest.importorskip("lightgbm")
    table = numbers.X.assign(job=pd.Categorical(np.array(["x", "y", "z"])[np.arange(90) % 3]))
    model = lightgbm.LGBMClassifier(n_estimators=4, verbose=-1, min_child_samples=5).fit(table, numbers.y)
    kt.registry.register("lightgbm", model, sample_input=table, workspace=workspace)
    body = {"dataframe_records": table[:8].to_dict("records")}
    reply = answer(engine_of(workspace, "lightgbm"), body)
    assert reply["predictions"] == model.predict(table[:8]).tolist()
    assert reply["probabilities"] == model.predict_proba(table[:8]).tolist()
    assert reply["classes"] == ["no", "yes"]


def test_an_endpoint_of_custom_code_starts_only_when_it_is_trusted(workspace, tmp_path: Path):
    (tmp_path / "own.py").write_text("def twice(rows):\n    return (2 * rows['a']).tolist()\n")
    (tmp_path / "predict.py").write_text("from own import twice\ndef predict(rows):\n    return twice(rows)\n")
    sample = pd.DataFrame({"a": [1.5]})
    kt.registry.register_files("custom", tmp_path, sample_input=sample, workspace=workspace)
    with pytest.raises(UnavailableError, match="trust=True"):
        kt.hosting.deploy("custom", 1, "distrusted", workspace=workspace)
    kt.hosting.get("distrusted", workspace=workspace).delete()
    endpoint = kt.hosting.deploy("custom", 1, "trusted", trust=True, workspace=workspace)
    assert endpoint.predict(pd.DataFrame({"a": [2.0, 3.0]})).tolist() == [4.0, 6.0]
    endpoint.delete()


def test_a_folder_of_mlflow_answers_with_the_model_in_it(workspace, numbers, tmp_path: Path):
    import skops.io

    model = LogisticRegression().fit(numbers.X, numbers.y)
    skops.io.dump(model, tmp_path / "model.skops")
    (tmp_path / "MLmodel").write_text(
        "flavors:\n  sklearn:\n    pickled_model: model.skops\n    serialization_format: skops\n"
        'signature:\n  inputs: \'[{"type": "float", "name": "a"}, {"type": "float", "name": "b"}]\'\n'
    )
    kt.registry.register_files("mlflow", tmp_path, workspace=workspace)
    reply = answer(engine_of(workspace, "mlflow"), {"dataframe_records": numbers.X[:5].to_dict("records")})
    assert reply["predictions"] == model.predict(numbers.X[:5]).tolist()
    assert reply["classes"] == ["no", "yes"]


def test_lineage_leads_to_the_endpoint_also_after_its_model_was_renamed(workspace, numbers):
    model = LogisticRegression().fit(numbers.X, numbers.y)
    version = kt.registry.register("before", model, sample_input=numbers.X, workspace=workspace)
    endpoint = kt.hosting.deploy("before", 1, "traced", workspace=workspace)
    try:
        (node,) = version.lineage("downstream").of_kind("endpoint")
        assert (node.id, node.state) == ("endpoint/traced", "InService")
        kt.registry.rename_model("before", "after", workspace=workspace)
        (node,) = kt.registry.lineage(endpoint, "upstream", workspace=workspace).of_kind("version")
        assert (node.id, node.label) == ("model/after/1", "after 1")
        with pytest.raises(ConflictError, match="used by 'endpoint traced'"):
            kt.registry.get("after", 1, workspace=workspace).delete()
    finally:
        endpoint.delete()
    kt.registry.delete_model("after", workspace=workspace)
