"""Packages of versions: kept, listed, shown, deleted; and what is refused on the way."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kernel_tools import compiler, registry
from kernel_tools.compiler.parity import compare_answers
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.progress import StoppedError, listening, running_work
from kernel_tools.core.seams import provide, withdraw
from kernel_tools.core.workspace import Workspace
from kernel_tools.registry import ModelVersion

ROWS = np.random.default_rng(0).normal(size=(50, 3))


@pytest.fixture
def version(any_workspace: Workspace) -> ModelVersion:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, ROWS[:, 0] > 0)
    return registry.register("points", model, sample_input=ROWS[:5], workspace=any_workspace)


def test_a_package_is_kept_with_its_version_until_it_is_deleted(version: ModelVersion) -> None:
    package = compiler.compile(version, sample=ROWS, measure_memory=False)
    source = package.manifest.source
    assert (source.model, source.version, source.version_id) == ("points", 1, version.record.id)
    assert len(source.fingerprint) == 64
    registry.rename_model("points", "dots", workspace=version.workspace)
    found = registry.get("dots", workspace=version.workspace)
    [listed] = compiler.packages(found)
    assert listed.id == package.id
    assert listed.manifest == package.manifest
    assert listed.candidates == package.candidates
    version.workspace.artifacts.collect_garbage(registry.artifact_references(version.workspace), older_than=0)
    loaded = compiler.get_package(str(package.id), workspace=version.workspace).load()
    assert (loaded.answer({"instances": ROWS.tolist()})["predictions"] == (ROWS[:, 0] > 0)).mean() > 0.9
    listed.delete()
    assert compiler.packages(found) == []
    with pytest.raises(NotFoundError):
        compiler.get_package(str(package.id), workspace=version.workspace)


def test_a_version_takes_its_packages_along(version: ModelVersion) -> None:
    package = compiler.compile(version, "onnx", measure_memory=False)
    assert package.manifest.notes[0].startswith("Compared on the 5 rows only")
    version.delete()
    with pytest.raises(NotFoundError):
        compiler.get_package(str(package.id), workspace=version.workspace)


def test_other_answers_are_refused_with_the_numbers(version: ModelVersion) -> None:
    with pytest.raises(compiler.ParityError, match=r"differs by up to .* The worst rows of the sample: row") as refused:
        compiler.compile(version.load(), "onnx", ROWS.astype(np.float32) * 1e3, tolerance=0.0)
    assert refused.value.parity.worst
    with pytest.raises(InvalidArgumentError, match="tolerance="):
        compiler.compile(version, tolerance=-1.0)


def test_ties_are_counted_apart_from_changed_labels() -> None:
    original = {"predictions": np.array([0, 0, 1]), "probabilities": np.array([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])}
    other = {**original, "predictions": np.array([1, 1, 1])}
    parity = compare_answers(original, other, 1e-6)
    assert (parity.ties, parity.labels_changed, parity.max_difference) == (1, 1, 0.0)
    assert parity.worst[0]["row"] == 1


def test_it_stops_when_asked(version: ModelVersion) -> None:
    with listening(lambda state: [work.request_stop() for work in running_work()]), pytest.raises(StoppedError):
        compiler.compile(version, measure_memory=False)
    assert compiler.packages(version) == []


def test_a_package_shows_its_comparison(version: ModelVersion) -> None:
    package = compiler.compile(version, sample=ROWS)
    assert list(package.table().index) == ["original", "onnx"]
    line = package.candidates[1]
    assert line.memory_mib and package.candidates[0].memory_mib
    assert line.memory_mib < package.candidates[0].memory_mib / 2
    assert "chosen" in package._repr_html_()
    assert len(package.figure().data) == 2


def test_a_model_that_is_not_registered_is_kept_nowhere(version: ModelVersion) -> None:
    package = compiler.compile(version.load(), "onnx", ROWS, measure_memory=False)
    assert package.id is None
    with pytest.raises(ConflictError, match="not kept with a version"):
        package.delete()
    with pytest.raises(InvalidArgumentError, match="sample="):
        compiler.compile(version.load(), "onnx")


def test_another_target_is_provided_at_the_seam(version: ModelVersion) -> None:
    from kernel_tools.compiler.targets import SEAM, OnnxTarget

    class Other(OnnxTarget):
        name = "other"

    provide(SEAM, "test", Other())
    try:
        package = compiler.compile(version, "other", ROWS, measure_memory=False)
    finally:
        withdraw(SEAM, "test")
    assert package.target == "other"
