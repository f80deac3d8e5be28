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
from kernel_tools.core.errors import ForbiddenError, IntegrityError, InvalidDataError
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
