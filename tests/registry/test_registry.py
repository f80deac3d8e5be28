"""The model registry: versions, decisions, and models that come back as they were."""

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kernel_tools import experiments, registry
from kernel_tools.core.audit import acting_user
from kernel_tools.core.errors import ConflictError, IntegrityError, InvalidArgumentError, NotFoundError
from kernel_tools.registry import VersionStatus


@pytest.fixture(scope="module")
def table() -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(7)
    features = pd.DataFrame(
        {
            "age": random.integers(17, 90, 400),
            "hours": random.normal(40, 10, 400),
            "job": pd.Categorical(random.choice(["clerk", "nurse", "pilot"], 400)),
        }
    )
    features.loc[::17, "hours"] = np.nan
    target = (features["age"] + 10 * (features["job"] == "pilot") > 50).astype(int)
    return features, target


@pytest.fixture(scope="module")
def classifier(table):
    import xgboost

    return xgboost.XGBClassifier(n_estimators=10, max_depth=3, enable_categorical=True, random_state=0).fit(*table)


@pytest.fixture(scope="module")
def pipeline(table):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, target = table
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(features[["age"]], target)


def test_versions_count_from_1_and_wait_for_approval(any_workspace, classifier, table):
    for number in (1, 2, 3):
        version = registry.register("census", classifier, sample_input=table[0].head(), workspace=any_workspace)
        assert (version.version, version.status) == (number, VersionStatus.PENDING)
    page, _ = registry.list_versions("census", workspace=any_workspace)
    assert [record.version for record in page] == [3, 2, 1]


def test_a_version_remembers_its_run_signature_sample_files_and_libraries(any_workspace, classifier, table):
    run = experiments.start_run("census", workspace=any_workspace)
    registry.register("census", classifier, run=run, sample_input=table[0].head(), workspace=any_workspace)
    record = registry.get("census", version=1, workspace=any_workspace).record
    assert record.run_id == run.id
    assert [column.name for column in record.signature.columns] == ["age", "hours", "job"]
    assert record.signature.columns[2].categories == ["clerk", "nurse", "pilot"]
    assert record.signature.classes == ["0", "1"]
    assert record.sample[0] == {"age": int(table[0]["age"][0]), "hours": None, "job": table[0]["job"][0]}
    assert record.libraries["xgboost"]
    assert {file.path for file in record.files} == {"model.ubj", "parameters.json"}
    assert all(any_workspace.artifacts.size(file.sha256) == file.size for file in record.files)


def test_an_xgboost_classifier_predicts_the_same_after_loading(workspace, classifier, table):
    version = registry.register("census", classifier, workspace=workspace)
    loaded = version.load()
    assert type(loaded) is type(classifier)
    np.testing.assert_array_equal(loaded.predict_proba(table[0]), classifier.predict_proba(table[0]))


def test_a_booster_and_a_regressor_predict_the_same_after_loading(workspace, classifier, table):
    import xgboost

    matrix = xgboost.DMatrix(table[0], enable_categorical=True)
    booster = classifier.get_booster()
    loaded = registry.register("booster", booster, workspace=workspace).load()
    np.testing.assert_array_equal(loaded.predict(matrix), booster.predict(matrix))
    regressor = xgboost.XGBRegressor(n_estimators=3).fit(table[0][["age"]], table[0]["age"] * 2.0)
    loaded = registry.register("regressor", regressor, workspace=workspace).load()
    np.testing.assert_array_equal(loaded.predict(table[0][["age"]]), regressor.predict(table[0][["age"]]))


def test_a_pipeline_predicts_the_same_after_loading(workspace, pipeline, table):
    version = registry.register("pipeline", pipeline, sample_input=table[0][["age"]].head(), workspace=workspace)
    assert (version.record.format, version.record.untrusted_types) == ("skops", [])
    loaded = version.load()
    np.testing.assert_array_equal(loaded.predict_proba(table[0][["age"]]), pipeline.predict_proba(table[0][["age"]]))


def test_a_state_dict_comes_back_as_tensors(workspace):
    import torch

    weights = {"a": torch.randn(3, 4), "b": torch.arange(5)}
    loaded = registry.register("weights", weights, workspace=workspace).load()
    assert set(loaded) == {"a", "b"}
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)


def test_a_module_comes_back_as_a_program_for_any_batch_size(workspace):
    import torch

    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 2))
    version = registry.register("net", module, sample_input=torch.randn(1, 4), workspace=workspace)
    assert module.training
    loaded = version.load()
    module.eval()
    for rows in (1, 3, 50):
        batch = torch.randn(rows, 4)
        torch.testing.assert_close(loaded(batch), module(batch))


def test_a_module_without_a_sample_input_says_what_is_needed(workspace):
    import torch

    with pytest.raises(InvalidArgumentError, match="needs sample_input="):
        registry.register("net", torch.nn.Linear(2, 2), workspace=workspace)


@pytest.mark.parametrize("model", [object(), None, {}, {"a": 1}, lambda rows: rows])
def test_what_is_no_model_is_refused_with_what_is(workspace, model):
    with pytest.raises(InvalidArgumentError, match="XGBoost models, scikit-learn estimators, torch modules"):
        registry.register("thing", model, workspace=workspace)
    assert registry.list_models(workspace=workspace) == ([], None)


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a:b", ".", "x" * 257, " spaced", "line\nbreak"])
def test_model_names_are_checked(workspace, classifier, name):
    with pytest.raises(InvalidArgumentError, match="model name"):
        registry.register(name, classifier, workspace=workspace)


def test_a_decision_says_who_when_and_why(any_workspace, classifier):
    version = registry.register("census", classifier, workspace=any_workspace)
    with acting_user("alice"):
        version.approve(note="better than 0.9")
    record = registry.get("census", version=1, workspace=any_workspace).record
    assert (record.status, record.decided_by, record.note) == (VersionStatus.APPROVED, "alice", "better than 0.9")
    assert record.decided_at >= record.created_at
    version.reject(note="no")
    assert registry.get("census", workspace=any_workspace).status is VersionStatus.REJECTED
    actions = [(entry.action, entry.target) for entry in any_workspace.audit.records(limit=3, newest_first=False)]
    assert actions == [("model.register", "census/1"), ("model.decide", "census/1"), ("model.decide", "census/1")]


def test_an_unknown_status_and_a_long_note_are_refused(workspace, classifier):
    version = registry.register("census", classifier, workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="PendingManualApproval, Approved, Rejected"):
        version.set_status("Blessed")
    with pytest.raises(InvalidArgumentError, match="10,001 characters"):
        version.approve("x" * 10_001)
    assert version.status is VersionStatus.PENDING


def test_the_newest_version_and_the_newest_approved_one_are_found(any_workspace, classifier):
    for _ in range(3):
        registry.register("census", classifier, workspace=any_workspace)
    registry.get("census", version=2, workspace=any_workspace).approve()
    assert registry.get("census", workspace=any_workspace).version == 3
    assert registry.get("census", status="Approved", workspace=any_workspace).version == 2
    group = registry.list_models(workspace=any_workspace)[0][0]
    assert (group.version_count, group.latest_version, group.pending_count, group.approved_version) == (3, 3, 2, 2)
    assert registry.count_versions(VersionStatus.PENDING, workspace=any_workspace) == 2


def test_what_is_not_there_is_named_with_what_is(workspace, classifier):
    with pytest.raises(NotFoundError, match=r"no model 'census'. No model is registered yet"):
        registry.get("census", workspace=workspace)
    registry.register("census", classifier, workspace=workspace)
    with pytest.raises(NotFoundError, match=r"no version 7. Its newest versions are: 1 \(Pending"):
        registry.get("census", version=7, workspace=workspace)
    with pytest.raises(NotFoundError, match="no alias 'champion'"):
        registry.get("census", alias="champion", workspace=workspace)
    with pytest.raises(NotFoundError, match="no version with status Approved"):
        registry.get("census", status="Approved", workspace=workspace)
    with pytest.raises(NotFoundError, match="Registered models: census"):
        registry.list_versions("sensus", workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="not by both"):
        registry.get("census", version=1, alias="champion", workspace=workspace)
    with pytest.raises(NotFoundError, match="no run"):
        registry.register("census", classifier, run="f" * 32, workspace=workspace)


def test_threads_that_register_at_once_get_numbers_without_gap_or_double(any_workspace, classifier):
    any_workspace.database.migrate()
    numbers: list[int] = []

    def register() -> None:
        numbers.append(registry.register("census", classifier, workspace=any_workspace).version)

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


def test_a_changed_model_file_is_not_loaded(workspace, classifier):
    version = registry.register("census", classifier, workspace=workspace)
    blob = next(file.sha256 for file in version.record.files if file.path == "model.ubj")
    path = workspace.root / "blobs" / blob[:2] / blob
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=blob[:8]):
        version.load()


def test_model_files_are_encrypted_when_there_is_a_key(workspace, classifier, table, monkeypatch):
    monkeypatch.setenv("ATELIER_ENCRYPTION_KEY", "11" * 32)
    version = registry.register("census", classifier, workspace=workspace)
    blobs = [path for path in (workspace.root / "blobs").rglob("*") if path.is_file()]
    assert blobs
    assert all(b"learner" not in path.read_bytes() for path in blobs)
    loaded = version.load()
    np.testing.assert_array_equal(loaded.predict_proba(table[0]), classifier.predict_proba(table[0]))


def test_garbage_collection_keeps_what_versions_and_runs_refer_to(workspace, classifier, tmp_path: Path):
    run = experiments.start_run("census", workspace=workspace)
    (tmp_path / "kept.txt").write_text("kept")
    run.log_artifact(tmp_path / "kept.txt")
    version = registry.register("census", classifier, run=run, workspace=workspace)
    orphan = workspace.artifacts.put_bytes(b"nobody's")
    referenced = experiments.artifact_references(workspace) | registry.artifact_references(workspace)
    workspace.artifacts.collect_garbage(referenced, older_than=0)
    assert not workspace.artifacts.exists(orphan.sha256)
    assert run.open_artifact("kept.txt").read() == b"kept"
    assert version.load() is not None


def test_a_run_that_ended_can_still_be_named_as_the_source(workspace, classifier):
    with experiments.start_run("census", workspace=workspace) as run:
        pass
    assert registry.register("census", classifier, run=run.id, workspace=workspace).run.id == run.id
    with pytest.raises(ConflictError):
        run.log_metric("auc", 1.0)
