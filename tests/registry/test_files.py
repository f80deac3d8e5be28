"""Models that were trained elsewhere: their files become versions, checked, and run nothing unless it is trusted."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kernel_tools import experiments, registry
from kernel_tools.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    InvalidDataError,
    NotFoundError,
)
from kernel_tools.registry import logged_models

SIGNATURE = json.dumps([{"type": "double", "name": "a", "required": True}, {"type": "long", "name": "b"}])


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame({"a": random.normal(size=80), "b": random.integers(0, 9, 80)})


@pytest.fixture(scope="module")
def target(table) -> np.ndarray:
    return (table["a"] + table["b"] / 4 > 1).astype(int).to_numpy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    return path


def write_mlmodel(folder: Path, flavors: dict, **more: object) -> None:
    import yaml

    content = {"flavors": flavors, "mlflow_version": "3.17.2", "signature": {"inputs": SIGNATURE}, **more}
    (folder / "MLmodel").write_text(yaml.safe_dump(content))


def write_mark(folder: Path, mark: Path, text: str) -> None:
    (folder / "predict.py").write_text(f"from pathlib import Path\nPath({str(mark)!r}).touch()\n{text}")


def test_an_xgboost_file_becomes_a_version_of_the_class_that_is_asked_for(any_workspace, folder, table, target):
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=4).fit(table, target)
    model.save_model(folder / "my.ubj")
    booster = registry.register_files("plain", folder / "my.ubj", workspace=any_workspace)
    assert (booster.record.format, booster.record.model_class) == ("xgboost-ubj", "xgboost.Booster")
    assert booster.load().num_boosted_rounds() == 4
    version = registry.register_files(
        "census",
        str(folder / "my.ubj"),
        sample_input=table.head(),
        model_class="xgboost.XGBClassifier",
        source="https://example.org/my.ubj",
        tags={"from": "elsewhere"},
        workspace=any_workspace,
    )
    np.testing.assert_array_equal(version.load().predict_proba(table), model.predict_proba(table))
    record = version.record
    assert (record.source, record.tags) == ("https://example.org/my.ubj", {"from": "elsewhere"})
    assert [column.name for column in record.signature.columns] == ["a", "b"]
    assert len(record.sample) == 5
    with pytest.raises(InvalidArgumentError, match="no class of XGBoost"):
        registry.register_files("x", folder / "my.ubj", model_class="os.system", workspace=any_workspace)


def test_an_xgboost_json_needs_its_format_named(workspace, folder, table, target):
    import xgboost

    xgboost.XGBClassifier(n_estimators=2).fit(table, target).save_model(folder / "m.json")
    with pytest.raises(InvalidArgumentError, match="of no format that is known"):
        registry.register_files("census", folder / "m.json", workspace=workspace)
    version = registry.register_files("census", folder / "m.json", format="xgboost-ubj", workspace=workspace)
    assert [file.path for file in version.record.files] == ["model.ubj"]
    assert version.load().num_boosted_rounds() == 2


def test_skops_safetensors_and_torch_files_become_versions(workspace, folder, table, target):
    import skops.io
    import torch
    from safetensors.torch import save_file
    from sklearn.linear_model import LogisticRegression

    from kernel_tools.registry.formats.torch_export import TorchExportFormat

    model = LogisticRegression().fit(table, target)
    skops.io.dump(model, folder / "a.skops")
    save_file({"w": torch.ones(2)}, folder / "b.safetensors")
    (folder / "c").mkdir()
    TorchExportFormat().save(torch.nn.Linear(3, 2), folder / "c", torch.randn(4, 3))
    first = registry.register_files("skops", folder / "a.skops", workspace=workspace)
    assert first.record.model_class == "sklearn.linear_model._logistic.LogisticRegression"
    np.testing.assert_array_equal(first.load().predict(table), model.predict(table))
    assert registry.register_files("st", folder / "b.safetensors", workspace=workspace).load()["w"].tolist() == [1, 1]
    program = registry.register_files("pt", folder / "c", workspace=workspace)
    assert (program.record.format, program.record.has_code) == ("torch-export", False)
    assert program.load()(torch.randn(9, 3)).shape == (9, 2)


@pytest.mark.parametrize("name", ["m.ubj", "m.skops", "m.safetensors", "m.pt2", "m.onnx", "m.lgb", "MLmodel"])
def test_a_file_that_is_not_what_its_name_says_is_refused_and_leaves_nothing(workspace, folder, name):
    (folder / name).write_bytes(b"this is no model")
    with pytest.raises(InvalidArgumentError):
        registry.register_files("census", folder / name, workspace=workspace)
    assert registry.list_models(workspace=workspace) == ([], None)


def test_files_that_are_not_there_or_of_no_format_are_refused_with_what_helps(workspace, folder):
    with pytest.raises(NotFoundError, match=r"absent\.ubj"):
        registry.register_files("census", folder / "absent.ubj", workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="no files to register"):
        registry.register_files("census", folder, workspace=workspace)
    (folder / "notes.md").write_text("hello")
    with pytest.raises(InvalidArgumentError, match="lightgbm-text, mlflow, onnx"):
        registry.register_files("census", folder, workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="no format 'pmml'"):
        registry.register_files("census", folder, format="pmml", workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="not a path inside"):
        registry.register_files("census", {"../out": folder / "notes.md"}, format="files", workspace=workspace)


def test_files_of_any_kind_can_be_kept_and_written_back(workspace, folder, tmp_path):
    (folder / "deep").mkdir()
    (folder / "a.bin").write_bytes(b"abc")
    (folder / "deep" / "b.bin").write_bytes(b"defg")
    version = registry.register_files("blob", folder, format="files", workspace=workspace)
    assert [(file.path, file.size) for file in version.record.files] == [("a.bin", 3), ("deep/b.bin", 4)]
    assert version.open_file("deep/b.bin").read() == b"defg"
    written = version.download(tmp_path / "back")
    assert (written / "deep" / "b.bin").read_bytes() == b"defg"
    with pytest.raises(InvalidArgumentError, match=r"version\.download\(folder\)"):
        version.load()
    with pytest.raises(NotFoundError, match=r"no file 'x'.*a\.bin"):
        version.open_file("x")


def test_a_folder_with_a_predict_function_runs_only_when_it_is_trusted(any_workspace, folder, tmp_path):
    mark = tmp_path / "executed"
    write_mark(folder, mark, "import helper\ndef predict(rows):\n    return helper.double(rows)\n")
    (folder / "helper.py").write_text("def double(rows):\n    return [2 * row for row in rows]\n")
    version = registry.register_files("custom", folder, workspace=any_workspace)
    record = version.record
    assert (record.format, record.has_code, record.untrusted_types) == ("python-folder", True, ["predict.py"])
    with pytest.raises(ForbiddenError, match="trust=True"):
        version.load()
    assert not mark.exists()
    assert version.load(trust=True).predict([1, 2]) == [2, 4]
    assert mark.exists()


def test_a_folder_with_an_inference_script_runs_nothing_here(any_workspace, folder, tmp_path):
    mark = tmp_path / "executed"
    (folder / "code").mkdir()
    script = folder / "code" / "inference.py"
    script.write_text(f"open({str(mark)!r}, 'w')\ndef model_fn(model_dir): ...\ndef input_fn(body, kind): ...\n")
    version = registry.register_files("script", folder, workspace=any_workspace)
    record = version.record
    assert (record.format, record.model_class, record.has_code) == ("inference-script", "model_fn, input_fn", True)
    with pytest.raises(ForbiddenError, match="trust=True"):
        version.load()
    assert (version.load(trust=True).folder / "code" / "inference.py").exists()
    assert not mark.exists()
    script.write_text("def input_fn(body, kind): ...\n")
    with pytest.raises(InvalidArgumentError, match="neither model_fn"):
        registry.register_files("script", folder, format="inference-script", workspace=any_workspace)


def test_a_folder_with_a_load_function_reads_its_files_as_long_as_the_model_lives(workspace, folder):
    (folder / "weights.txt").write_text("3")
    (folder / "predict.py").write_text(
        "class Model:\n"
        "    def __init__(self, folder):\n        self.folder = folder\n"
        "    def predict(self, rows):\n"
        "        factor = int((self.folder / 'weights.txt').read_text())\n"
        "        return [factor * row for row in rows]\n"
        "def load(folder):\n    return Model(folder)\n"
    )
    model = registry.register_files("custom", folder, workspace=workspace).load(trust=True)
    place = model.folder
    assert model.predict([1, 2]) == [3, 6]
    del model
    assert not place.exists()


def test_two_versions_may_have_modules_of_the_same_name(workspace, folder):
    (folder / "predict.py").write_text("import helper\ndef predict(rows):\n    return helper.NAME\n")
    (folder / "helper.py").write_text("NAME = 'first'\n")
    first = registry.register_files("custom", folder, workspace=workspace)
    (folder / "helper.py").write_text("NAME = 'second'\n")
    second = registry.register_files("custom", folder, workspace=workspace)
    models = [version.load(trust=True) for version in (first, second, first)]
    assert [model.predict([]) for model in models] == ["first", "second", "first"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def predict(rows:\n", "not valid Python"),
        ("x = 1\n", "defines neither"),
    ],
)
def test_an_entry_point_that_cannot_work_is_refused_without_running_it(workspace, folder, text, said):
    (folder / "predict.py").write_text(text)
    with pytest.raises(InvalidArgumentError, match=said):
        registry.register_files("custom", folder, workspace=workspace)


def test_an_entry_point_that_fails_says_so(workspace, folder):
    (folder / "predict.py").write_text("def load(folder):\n    return folder.absent\n")
    version = registry.register_files("custom", folder, workspace=workspace)
    with pytest.raises(InvalidDataError, match="AttributeError"):
        version.load(trust=True)
    (folder / "predict.py").write_text("def load(folder):\n    return 7\n")
    version = registry.register_files("custom", folder, workspace=workspace)
    with pytest.raises(InvalidDataError, match="returned int, without predict"):
        version.load(trust=True)


def test_a_folder_of_mlflow_with_a_native_file_needs_no_trust(any_workspace, folder, table, target):
    import skops.io
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(table, target)
    skops.io.dump(model, folder / "model.skops")
    (folder / "input_example.json").write_text('{"columns": ["a", "b"], "data": [[0.5, 1], [1.5, 2]]}')
    flavor = {"pickled_model": "model.skops", "serialization_format": "skops", "sklearn_version": "1.9.1"}
    example = {"artifact_path": "input_example.json", "type": "dataframe", "pandas_orient": "split"}
    write_mlmodel(folder, {"sklearn": flavor, "python_function": {"loader_module": "mlflow.sklearn"}})
    write_mlmodel(folder, {"sklearn": flavor}, saved_input_example_info=example)
    version = registry.register_files("census", folder, workspace=any_workspace)
    record = version.record
    assert (record.format, record.has_code, record.untrusted_types) == ("mlflow", False, [])
    assert record.libraries == {"scikit-learn": "1.9.1", "mlflow": "3.17.2"}
    assert [(column.name, column.dtype) for column in record.signature.columns] == [("a", "float64"), ("b", "int64")]
    assert record.sample == [{"a": 0.5, "b": 1}, {"a": 1.5, "b": 2}]
    np.testing.assert_array_equal(version.load().predict(table), model.predict(table))


def test_a_folder_of_mlflow_with_xgboost_is_read_as_its_class(workspace, folder, table, target):
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=3).fit(table, target)
    model.save_model(folder / "model.ubj")
    flavor = {"data": "model.ubj", "model_class": "xgboost.sklearn.XGBClassifier", "xgb_version": "3.2.0"}
    write_mlmodel(folder, {"xgboost": flavor})
    version = registry.register_files("census", folder, workspace=workspace)
    np.testing.assert_array_equal(version.load().predict_proba(table), model.predict_proba(table))


def test_a_pickle_of_mlflow_is_restored_only_when_it_is_trusted(workspace, folder):
    (folder / "model.pkl").write_bytes(pickle.dumps({"a": 1}))
    write_mlmodel(folder, {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "pickle"}})
    version = registry.register_files("census", folder, workspace=workspace)
    assert (version.record.has_code, version.record.untrusted_types) == (True, ["the pickle model.pkl"])
    with pytest.raises(ForbiddenError, match=r"the pickle model\.pkl"):
        version.load()
    assert version.load(trust=True) == {"a": 1}


def test_what_only_mlflow_can_load_says_that_it_is_needed(workspace, folder):
    write_mlmodel(folder, {"python_function": {"loader_module": "mlflow.pyfunc.model", "code": "code"}})
    (folder / "code").mkdir()
    (folder / "code" / "own.py").write_text("")
    version = registry.register_files("census", folder, workspace=workspace)
    assert version.record.untrusted_types == ["code of mlflow.pyfunc.model"]
    with pytest.raises(ForbiddenError):
        version.load()
    with pytest.raises(InvalidDataError, match="pip install mlflow"):
        version.load(trust=True)


def test_an_mlmodel_that_names_files_outside_is_refused(workspace, folder):
    write_mlmodel(folder, {"sklearn": {"pickled_model": "../../secret.pkl", "serialization_format": "pickle"}})
    with pytest.raises(InvalidArgumentError, match="not a path inside"):
        registry.register_files("census", folder, workspace=workspace)


def test_a_version_is_made_from_a_logged_model(any_workspace, folder, table, target):
    import skops.io
    from sklearn.linear_model import LogisticRegression

    run = experiments.start_run("census", workspace=any_workspace)
    logged = logged_models.create(run.record.experiment_id, "xgb", source_run_id=run.id, workspace=any_workspace)
    skops.io.dump(LogisticRegression().fit(table, target), folder / "model.skops")
    write_mlmodel(folder, {"sklearn": {"pickled_model": "model.skops", "serialization_format": "skops"}})
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            logged_models.put_artifact(logged.id, path.name, file, workspace=any_workspace)
    with pytest.raises(NotFoundError, match="no model 'census'"):
        registry.create_version_from_source("census", f"models:/{logged.id}", workspace=any_workspace)
    registry.create_model("census", workspace=any_workspace)
    record = registry.create_version_from_source("census", f"models:/{logged.id}", workspace=any_workspace)
    assert (record.run_id, record.model_id, record.format) == (run.id, logged.id, "mlflow")
    assert {file.path for file in record.files} == {"MLmodel", "model.skops"}
    logged_models.delete(logged.id, workspace=any_workspace)
    assert {file.sha256 for file in record.files} <= registry.artifact_references(any_workspace)
    assert registry.get("census", 1, workspace=any_workspace).load().predict(table).shape == (80,)


def test_a_version_is_made_from_the_artifacts_of_a_run(workspace, folder):
    run = experiments.start_run("census", workspace=workspace)
    (folder / "w.bin").write_bytes(b"abc")
    run.log_artifact(folder / "w.bin", "model")
    registry.create_model("census", workspace=workspace)
    record = registry.create_version_from_source("census", f"runs:/{run.id}/model", workspace=workspace)
    assert ([file.path for file in record.files], record.format, record.run_id) == (["w.bin"], "files", run.id)


def test_a_version_is_copied_with_everything_that_loading_needs(workspace, model):
    original = registry.register("census", model, licence="MIT", workspace=workspace)
    registry.create_model("production", workspace=workspace)
    record = registry.create_version_from_source("production", "models:/census/1", workspace=workspace)
    assert (record.files, record.format, record.licence) == (original.record.files, "skops", "MIT")
    assert registry.get("production", workspace=workspace).load().predict([[3.0]]).tolist() == [1]


def test_a_version_may_only_point_elsewhere(workspace):
    registry.create_model("census", workspace=workspace)
    record = registry.create_version_from_source(
        "census", "s3://bucket/model", run_id="unknown", run_link="https://x", description="d", workspace=workspace
    )
    assert (record.format, record.files, record.run_link, record.run_id) == ("source", [], "https://x", "unknown")
    with pytest.raises(InvalidArgumentError, match="points to 's3://bucket/model'"):
        registry.get("census", 1, workspace=workspace).load()


@pytest.mark.parametrize("source", ["models:/m-" + "0" * 32, "models:/none/1", "runs:/" + "f" * 32 + "/model"])
def test_a_source_that_does_not_exist_is_named(workspace, source):
    registry.create_model("census", workspace=workspace)
    with pytest.raises(NotFoundError):
        registry.create_version_from_source("census", source, workspace=workspace)
    assert registry.count_versions(workspace=workspace) == 0


def test_files_of_every_origin_are_encrypted_when_there_is_a_key(workspace, folder, monkeypatch):
    monkeypatch.setenv("ATELIER_ENCRYPTION_KEY", "22" * 32)
    (folder / "predict.py").write_text("SECRET = 'in the clear'\ndef predict(rows):\n    return SECRET\n")
    version = registry.register_files("custom", folder, workspace=workspace)
    run = experiments.start_run("census", workspace=workspace)
    logged = logged_models.create(run.record.experiment_id, workspace=workspace)
    with (folder / "predict.py").open("rb") as file:
        logged_models.put_artifact(logged.id, "model/predict.py", file, workspace=workspace)
    blobs = [path for path in (workspace.root / "blobs").rglob("*") if path.is_file()]
    assert blobs
    assert all(b"in the clear" not in path.read_bytes() for path in blobs)
    assert version.load(trust=True).predict([]) == "in the clear"
    with logged_models.open_artifact(logged.id, "model/predict.py", workspace=workspace) as file:
        assert b"in the clear" in file.read()


def test_garbage_collection_keeps_the_files_of_logged_models(workspace):
    import io

    run = experiments.start_run("census", workspace=workspace)
    logged = logged_models.create(run.record.experiment_id, workspace=workspace)
    logged_models.put_artifact(logged.id, "a", io.BytesIO(b"kept"), workspace=workspace)
    workspace.artifacts.collect_garbage(registry.artifact_references(workspace), older_than=0)
    assert logged_models.open_artifact(logged.id, "a", workspace=workspace).read() == b"kept"


def test_parameters_of_a_logged_model_do_not_change(workspace):
    run = experiments.start_run("census", workspace=workspace)
    logged = logged_models.create(run.record.experiment_id, params={"a": 1}, workspace=workspace)
    assert logged_models.log_params(logged.id, {"a": 1, "b": 2}, workspace=workspace).params == {"a": "1", "b": "2"}
    with pytest.raises(ConflictError, match="cannot become"):
        logged_models.log_params(logged.id, {"a": 3}, workspace=workspace)
