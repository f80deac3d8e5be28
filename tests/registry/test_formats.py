"""Model files execute nothing when they are loaded, whatever is in them."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from kernel_tools import registry
from kernel_tools.core.errors import ForbiddenError, IntegrityError, InvalidArgumentError, InvalidDataError
from kernel_tools.registry.formats.torch_export import TorchExportFormat, refuse_code
from kernel_tools.registry.formats.xgboost import XgboostFormat


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    TorchExportFormat().save(torch.nn.Linear(3, 2), folder, torch.randn(4, 3))
    return folder / "model.pt2"


def _rewrite(path: Path, change) -> None:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def _find(files: dict[str, bytes], part: str) -> str:
    return next(name for name in files if part in name)


def test_a_clean_program_is_loaded(program: Path):
    refuse_code(program)
    loaded = TorchExportFormat().load(program.parent, "torch.nn.Linear", trust=False)
    assert loaded(torch.randn(9, 3)).shape == (9, 2)


def test_a_pickle_in_the_sample_inputs_is_refused_and_not_executed(program: Path, tmp_path: Path):
    mark = tmp_path / "executed"
    buffer = io.BytesIO()
    torch.save(Bomb(mark), buffer)
    _rewrite(program, lambda files: files.update({_find(files, "sample_inputs"): buffer.getvalue()}))
    with pytest.raises(ForbiddenError, match="trust=True"):
        TorchExportFormat().load(program.parent, "torch.nn.Linear", trust=False)
    assert not mark.exists()


def test_pickled_weights_are_refused(program: Path, tmp_path: Path):
    def change(files: dict[str, bytes]) -> None:
        name = _find(files, "weights_config")
        document = json.loads(files[name])
        document["config"]["weight"]["use_pickle"] = True
        files[name] = json.dumps(document).encode()
        files[_find(files, "weight_0")] = pickle.dumps(Bomb(tmp_path / "executed"))

    _rewrite(program, change)
    with pytest.raises(ForbiddenError, match="pickled weights"):
        refuse_code(program)


@pytest.mark.parametrize(
    "target", ["torch.hub.load", "os.system", "_operator.attrgetter", "torch.ops.load_library", "torch.load"]
)
def test_calls_of_anything_but_operators_are_refused(program: Path, target: str):
    def change(files: dict[str, bytes]) -> None:
        name = _find(files, "models/model.json")
        document = json.loads(files[name])
        document["graph_module"]["graph"]["nodes"][0]["target"] = target
        files[name] = json.dumps(document).encode()

    _rewrite(program, change)
    with pytest.raises(ForbiddenError, match="could execute code"):
        refuse_code(program)


@pytest.mark.parametrize("text", ["__import__('os').system('x')", "s0.__class__", "exec(1)", "lambda: 0", 'open("x")'])
def test_shape_expressions_that_are_more_than_arithmetic_are_refused(program: Path, text: str):
    def change(files: dict[str, bytes]) -> None:
        name = _find(files, "models/model.json")
        document = json.loads(files[name])
        document["graph_module"]["extra"] = {"as_expr": {"expr_str": text}}
        files[name] = json.dumps(document).encode()

    _rewrite(program, change)
    with pytest.raises(ForbiddenError, match="shape expression"):
        refuse_code(program)


def test_compiled_code_in_the_archive_is_refused(program: Path):
    _rewrite(program, lambda files: files.update({"archive/data/aotinductor/model/model.so": b"\x7fELF"}))
    with pytest.raises(ForbiddenError, match="aotinductor"):
        refuse_code(program)


def test_a_file_that_is_no_program_is_named(tmp_path: Path):
    (tmp_path / "model.pt2").write_bytes(b"nothing")
    with pytest.raises(IntegrityError, match=r"model\.pt2"):
        refuse_code(tmp_path / "model.pt2")


def test_an_xgboost_version_cannot_name_another_class(tmp_path: Path):
    with pytest.raises(InvalidDataError, match="not a class of XGBoost"):
        XgboostFormat().load(tmp_path, "os.system", trust=False)


def test_an_estimator_with_code_of_its_own_needs_trust(workspace):
    from sklearn.preprocessing import FunctionTransformer

    from tests.registry.custom_estimators import Doubler

    version = registry.register("doubler", Doubler(), workspace=workspace)
    assert version.record.untrusted_types == ["tests.registry.custom_estimators.Doubler"]
    with pytest.raises(ForbiddenError, match="Doubler"):
        version.load()
    assert version.load(trust=True).transform(np.array([[2.0]])).tolist() == [[4.0]]
    version = registry.register("function", FunctionTransformer(np.log1p), workspace=workspace)
    assert isinstance(version.load(trust=True), FunctionTransformer)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(5).normal(size=(120, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def labels(rows) -> np.ndarray:
    return (rows[:, 0] > rows[:, 1]).astype(int)


@pytest.mark.parametrize("has_map", [True, False])
def test_an_onnx_classifier_predicts_as_the_model_it_was_converted_from(any_workspace, rows, labels, has_map):
    to_onnx = pytest.importorskip("skl2onnx").to_onnx
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(rows, labels)
    converted = to_onnx(model, rows[:1], options={id(model): {"zipmap": has_map}})
    version = registry.register("census", converted, workspace=any_workspace)
    record = version.record
    assert (record.format, record.model_class) == ("onnx", "kernel_tools.registry.formats.onnx.OnnxClassifier")
    assert (record.signature.tensor.dtype, record.signature.tensor.shape) == ("float32", [-1, 3])
    loaded = version.load()
    assert loaded.predict(rows).tolist() == model.predict(rows).tolist()
    np.testing.assert_allclose(loaded.predict_proba(rows), model.predict_proba(rows), atol=1e-6)


def test_an_onnx_model_with_an_input_for_each_column_takes_a_table(workspace):
    import pandas as pd

    to_onnx = pytest.importorskip("skl2onnx").to_onnx
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    table = pd.DataFrame({"job": ["a", "b", "a", "b"], "age": [1.0, 2.0, 3.0, 4.0]})
    columns = make_column_transformer((OneHotEncoder(), ["job"]), remainder="passthrough")
    model = make_pipeline(columns, LinearRegression()).fit(table, [1.0, 2.0, 3.0, 5.0])
    version = registry.register("census", to_onnx(model, table[:1]), workspace=workspace)
    assert [column.name for column in version.signature.columns] == ["job", "age"]
    loaded = version.load()
    np.testing.assert_allclose(loaded.predict(table).ravel(), model.predict(table), rtol=1e-5)
    with pytest.raises(InvalidDataError, match="needs the inputs \\['age'\\]"):
        loaded.predict(table[["job"]])
    with pytest.raises(InvalidDataError, match="several inputs"):
        loaded.predict(np.zeros((2, 2)))
    with pytest.raises(InvalidDataError, match="cannot be read as"):
        loaded.predict(table.assign(age="old"))


def test_an_onnx_model_cannot_read_files_outside_of_its_folder(workspace, tmp_path: Path):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    (tmp_path / "secret.bin").write_bytes(bytes(16))
    (tmp_path / "model").mkdir()
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="../secret.bin")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 4])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "model" / "m.onnx").write_bytes(model.SerializeToString())
    assert isinstance(model, onnx.ModelProto)
    with pytest.raises(InvalidArgumentError, match="cannot be kept"):
        registry.register_files("census", tmp_path / "model", workspace=workspace)


def test_an_onnx_file_with_external_data_beside_it_is_kept_whole(workspace, tmp_path: Path):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(np.arange(512, dtype=np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 512])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 512])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save_model(model, tmp_path / "m.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    version = registry.register_files("census", [tmp_path / "m.onnx", tmp_path / "w.data"], workspace=workspace)
    assert [file.path for file in version.record.files] == ["model.onnx", "w.data"]
    assert version.load().predict(np.ones((1, 512)))[0, :3].tolist() == [1.0, 2.0, 3.0]


def test_a_lightgbm_classifier_predicts_the_same_after_loading(any_workspace, rows, labels):
    lightgbm = pytest.importorskip("lightgbm")
    for target in (np.array(["no", "yes"])[labels], labels + (rows[:, 2] > 0.5)):
        model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(rows, target)
        version = registry.register("census", model, workspace=any_workspace)
        loaded = version.load()
        assert version.record.format == "lightgbm-text"
        np.testing.assert_array_equal(loaded.predict_proba(rows), model.predict_proba(rows))
        assert loaded.predict(rows).tolist() == model.predict(rows).tolist()
        assert loaded.classes_.tolist() == model.classes_.tolist()


def test_a_lightgbm_regressor_and_booster_keep_categories(workspace, rows):
    import pandas as pd

    lightgbm = pytest.importorskip("lightgbm")
    table = pd.DataFrame({"x": rows[:, 0], "job": pd.Categorical(np.array(["a", "b", "c"])[np.arange(120) % 3])})
    model = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, min_child_samples=5).fit(table, rows[:, 1])
    for name, kept in (("regressor", model), ("booster", model.booster_)):
        loaded = registry.register(name, kept, workspace=workspace).load()
        np.testing.assert_array_equal(loaded.predict(table), model.predict(table))


def test_a_lightgbm_model_that_its_text_cannot_hold_is_refused(workspace, rows, labels):
    lightgbm = pytest.importorskip("lightgbm")
    with pytest.raises(InvalidArgumentError, match="not fitted"):
        registry.register("census", lightgbm.LGBMClassifier(), workspace=workspace)

    def objective(target, score):
        chance = 1 / (1 + np.exp(-score))
        return chance - target, chance * (1 - chance)

    model = lightgbm.LGBMClassifier(n_estimators=2, objective=objective, verbose=-1).fit(rows, labels)
    with pytest.raises(InvalidArgumentError, match="objective of its own"):
        registry.register("census", model, workspace=workspace)


def test_a_lightgbm_text_becomes_a_version(workspace, rows, labels, tmp_path: Path):
    lightgbm = pytest.importorskip("lightgbm")
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(rows, labels), 3)
    booster.save_model(tmp_path / "m.txt")
    loaded = registry.register_files("census", tmp_path / "m.txt", workspace=workspace).load()
    np.testing.assert_array_equal(loaded.predict(rows), booster.predict(rows))
    (tmp_path / "m.txt").write_text("hello")
    with pytest.raises(InvalidArgumentError, match="does not begin with 'tree'"):
        registry.register_files("census", tmp_path / "m.txt", workspace=workspace)
