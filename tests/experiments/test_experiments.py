"""Experiments: ids that stay, names that change, archive, deletion, and the search over them."""

import json

import pytest

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.experiments import Lifecycle


def _names(workspace, *args, **options):
    page, _ = experiments.search_experiment_records(*args, **options, workspace=workspace)
    return [item.name for item in page]


def test_the_default_experiment_is_made_when_it_is_asked_for(any_workspace):
    assert experiments.get_experiment(id="0", workspace=any_workspace).name == "Default"
    assert experiments.start_run(workspace=any_workspace).experiment_id == "0"


def test_an_id_survives_a_rename_and_the_runs_follow(any_workspace):
    run = experiments.start_run("census", workspace=any_workspace)
    renamed = experiments.rename_experiment(run.experiment_id, "income", workspace=any_workspace)
    assert (renamed.id, renamed.run_count) == (run.experiment_id, 1)
    assert run.experiment == "income"
    assert experiments.search_run_records("income", workspace=any_workspace)[0][0].experiment == "income"
    again = experiments.create_experiment("census", workspace=any_workspace)
    assert again.id != run.experiment_id


def test_two_workspaces_give_an_experiment_the_same_id(tmp_path):
    from kernel_tools.core.workspace import Workspace

    ids = {experiments.create_experiment("census", workspace=Workspace(tmp_path / name)).id for name in "ab"}
    assert len(ids) == 1
    assert ids.pop().isdecimal()


def test_a_name_is_taken_also_by_a_deleted_experiment(workspace):
    experiment = experiments.create_experiment("census", workspace=workspace)
    with pytest.raises(ConflictError, match="exists already"):
        experiments.create_experiment("census", workspace=workspace)
    experiments.delete_experiment(experiment.id, workspace=workspace)
    with pytest.raises(ConflictError, match="is deleted. Restore it"):
        experiments.create_experiment("census", workspace=workspace)
    with pytest.raises(ConflictError, match="is deleted. Restore it"):
        experiments.start_run("census", workspace=workspace)


def test_a_deleted_experiment_hides_its_runs_and_gives_them_back(any_workspace):
    kept, gone = (experiments.start_run("census", name=name, workspace=any_workspace) for name in ("kept", "gone"))
    gone.delete()
    experiments.delete_experiment(kept.experiment_id, workspace=any_workspace)
    assert experiments.search_run_records(workspace=any_workspace)[0] == []
    deleted, _ = experiments.search_run_records(view="DELETED_ONLY", workspace=any_workspace)
    assert {record.name for record in deleted} == {"kept", "gone"}
    assert kept.record.lifecycle is Lifecycle.DELETED
    assert _names(any_workspace) == []
    assert _names(any_workspace, view="DELETED_ONLY") == ["census"]
    with pytest.raises(ConflictError, match="deleted already"):
        experiments.delete_experiment(kept.experiment_id, workspace=any_workspace)
    experiments.restore_experiment(kept.experiment_id, workspace=any_workspace)
    assert [record.name for record in experiments.search_run_records(workspace=any_workspace)[0]] == ["kept"]


def test_tags_and_the_archive_are_kept_in_the_file(any_workspace):
    experiment = experiments.create_experiment("census", {"team": "red"}, workspace=any_workspace)
    experiments.set_experiment_tags(experiment.id, {"team": "blue", "b": 2}, workspace=any_workspace)
    experiments.delete_experiment_tag(experiment.id, "b", workspace=any_workspace)
    found = experiments.archive_experiment(experiment.id, workspace=any_workspace)
    assert (found.tags, found.is_archived) == ({"team": "blue"}, True)
    assert found.updated_at >= found.created_at
    content = json.loads((any_workspace.root / "experiments" / f"{experiment.id}.json").read_text())
    assert (content["tags"], content["is_archived"]) == ({"team": "blue"}, True)
    assert _names(any_workspace, is_archived=False) == []
    with pytest.raises(NotFoundError, match="no tag 'b'"):
        experiments.delete_experiment_tag(experiment.id, "b", workspace=any_workspace)


def test_experiments_are_found_by_name_and_tags(any_workspace):
    for name, team in (("census", "red"), ("Census 2", "blue"), ("ames", "red")):
        experiments.create_experiment(name, {"team": team}, workspace=any_workspace)
    cases = {
        "name = 'ames'": ["ames"],
        "name LIKE 'census%'": ["census"],
        "attribute.name ILIKE 'census%'": ["Census 2", "census"],
        "tags.team = 'red' and name != 'ames'": ["census"],
        "tags.team != 'red'": ["Census 2"],
        "creation_time > 0 and tag.team IN ('blue')": ["Census 2"],
        "name = 'x' or name = 'ames'": ["ames"],
    }
    for text, expected in cases.items():
        assert sorted(_names(any_workspace, text)) == expected, text
    assert sorted(_names(any_workspace, order_by=["name DESC"]), reverse=True) == _names(
        any_workspace, order_by=["name DESC"]
    )


def test_pages_go_through_all_experiments_once(any_workspace):
    for number in range(7):
        experiments.create_experiment(f"e{number}", workspace=any_workspace)
    names, token = [], None
    while True:
        page, token = experiments.search_experiment_records(
            order_by=["name"], limit=3, page_token=token, workspace=any_workspace
        )
        names += [item.name for item in page]
        if token is None:
            break
    assert names == [f"e{number}" for number in range(7)]


@pytest.mark.parametrize("id", ["", "x", "../1", "1" * 19, "-1", "٣"])
def test_what_is_no_id_is_refused(workspace, id):
    with pytest.raises(InvalidArgumentError, match="id of an experiment"):
        experiments.get_experiment(id=id, workspace=workspace)


def test_an_experiment_that_does_not_exist_is_not_found(workspace):
    with pytest.raises(NotFoundError, match="with id '17'"):
        experiments.get_experiment(id="17", workspace=workspace)
    with pytest.raises(NotFoundError, match="named 'x'"):
        experiments.get_experiment("x", workspace=workspace)
    with pytest.raises(NotFoundError):
        experiments.rename_experiment("17", "x", workspace=workspace)


@pytest.mark.parametrize("text", ["metrics.auc > 1", "status = 'x'", "name > 3", "tags.a"])
def test_a_filter_over_experiments_names_the_position(workspace, text):
    with pytest.raises(InvalidArgumentError, match="position"):
        experiments.search_experiment_records(text, workspace=workspace)
