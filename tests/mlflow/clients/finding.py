"""Searches, nested and resumed runs, and datasets through `MlflowClient` and the fluent functions."""

import mlflow
from expecting import code_of
from mlflow.entities import Dataset, DatasetInput, InputTag, RunStatus


def case_experiments_are_searched_with_pages(client):
    ids = [client.create_experiment(f"paged {number}", tags={"group": "paged"}) for number in range(5)]
    first = client.search_experiments(filter_string="tags.group = 'paged'", max_results=2, order_by=["name ASC"])
    assert [found.name for found in first] == ["paged 0", "paged 1"]
    second = client.search_experiments(
        filter_string="tags.group = 'paged'", max_results=3, order_by=["name ASC"], page_token=first.token
    )
    assert [found.experiment_id for found in second] == ids[2:]
    assert not second.token
    by_name = client.search_experiments(filter_string="name LIKE 'paged%' AND name != 'paged 3'")
    assert sorted(found.name for found in by_name) == ["paged 0", "paged 1", "paged 2", "paged 4"]
    upper = client.search_experiments(filter_string="name ILIKE 'PAGED%'", order_by=["creation_time DESC", "name DESC"])
    assert len(upper) == 5
    assert code_of(client.search_experiments, filter_string="nonsense") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.search_experiments, page_token="nonsense") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.search_experiments, max_results=50_001) == "INVALID_PARAMETER_VALUE"


def case_runs_are_searched(client, experiment_id):
    runs = []
    for number in range(4):
        run = client.create_run(
            experiment_id, start_time=1000 + number, run_name=f"run {number}", tags={"even": str(number % 2 == 0)}
        )
        client.log_param(run.info.run_id, "number", number)
        client.log_metric(run.info.run_id, "auc", number / 4)
        runs.append(run.info.run_id)
    client.set_terminated(runs[0])
    for filter_string, wanted in {
        "metrics.auc > 0.25": [3, 2],
        "metrics.auc >= 0.25 and metrics.`auc` < 0.75": [2, 1],
        "params.number = '2'": [2],
        "params.number != '2'": [3, 1, 0],
        "params.number IN ('1', '3')": [3, 1],
        "tags.even = 'True'": [2, 0],
        "tags.even LIKE 'T%'": [2, 0],
        "tag.even ILIKE 't%'": [2, 0],
        "attributes.status = 'FINISHED'": [0],
        "status = 'RUNNING'": [3, 2, 1],
        "run_name = 'run 1'": [1],
        "tags.mlflow.runName = 'run 1'": [1],
        'tags."mlflow.runName" LIKE "run %"': [3, 2, 1, 0],
        "start_time > 1001": [3, 2],
        "attributes.start_time <= 1001": [1, 0],
        f"run_id = '{runs[3]}'": [3],
        f"attributes.run_id IN ('{runs[0]}', '{runs[1]}')": [1, 0],
        f"attributes.run_id NOT IN ('{runs[0]}', '{runs[1]}')": [3, 2],
        "": [3, 2, 1, 0],
        "metrics.none > 0": [],
    }.items():
        found = [runs.index(run.info.run_id) for run in client.search_runs([experiment_id], filter_string)]
        assert found == wanted, filter_string
    for order_by, wanted in {
        "metrics.auc ASC": [0, 1, 2, 3],
        "metrics.auc DESC": [3, 2, 1, 0],
        "params.number": [0, 1, 2, 3],
        "attributes.start_time ASC": [0, 1, 2, 3],
        "run_name DESC": [3, 2, 1, 0],
        "tags.even DESC": [2, 0, 3, 1],
    }.items():
        found = [runs.index(run.info.run_id) for run in client.search_runs([experiment_id], order_by=[order_by])]
        assert found == wanted, order_by
    assert client.search_runs([]) == []


def case_searches_that_are_not_understood_say_so(client, experiment_id):
    for filter_string in (
        "metrics.auc >",
        "auc > 0.5",
        "metrics.auc = 'text'",
        "params.p > 1",
        "metrics.a > 1 x",
        "x.y = '1'",
    ):
        assert code_of(client.search_runs, [experiment_id], filter_string) == "INVALID_PARAMETER_VALUE", filter_string
    assert code_of(client.search_runs, [experiment_id], order_by=["nonsense"]) == "INVALID_PARAMETER_VALUE"
    assert code_of(client.search_runs, [experiment_id], page_token="nonsense") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.search_runs, [experiment_id], max_results=50_001) == "INVALID_PARAMETER_VALUE"
    assert code_of(client.search_runs, [experiment_id], max_results=0) == "INVALID_PARAMETER_VALUE"
    assert code_of(client.search_runs, ["letters"]) == "INVALID_PARAMETER_VALUE"


def case_searches_have_pages(client, experiment_id):
    runs = [client.create_run(experiment_id, start_time=number + 1).info.run_id for number in range(5)]
    found, token = [], None
    while True:
        page = client.search_runs([experiment_id], max_results=2, page_token=token, order_by=["start_time ASC"])
        found += [run.info.run_id for run in page]
        token = page.token
        if not token:
            break
    assert found == runs
    frame = mlflow.search_runs([experiment_id], order_by=["start_time ASC"])
    assert list(frame["run_id"]) == runs


def case_runs_are_nested(experiment_id):
    mlflow.set_experiment(experiment_id=experiment_id)
    with mlflow.start_run(run_name="parent") as parent, mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.log_metric("m", 1)
        with mlflow.start_run(run_name="grandchild", nested=True) as grandchild:
            mlflow.log_param("p", 1)
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    assert mlflow.get_parent_run(grandchild.info.run_id).info.run_id == child.info.run_id
    filter_string = f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
    found = mlflow.search_runs([experiment_id], filter_string=filter_string, output_format="list")
    assert [run.info.run_name for run in found] == ["child"]
    assert mlflow.get_run(parent.info.run_id).info.status == "FINISHED"


def case_a_run_goes_on_where_it_ended(experiment_id):
    mlflow.set_experiment(experiment_id=experiment_id)
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1, step=0)
    with mlflow.start_run(run_id=run.info.run_id):
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"
        mlflow.log_metrics({"m": 2, "n": 3}, step=1)
    found = mlflow.get_run(run.info.run_id)
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"m": 2, "n": 3})


def case_a_failing_block_fails_its_run(experiment_id):
    mlflow.set_experiment(experiment_id=experiment_id)
    try:
        with mlflow.start_run() as run:
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert RunStatus.from_string(mlflow.get_run(run.info.run_id).info.status) == RunStatus.FAILED


def case_points_are_logged_in_the_background(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    waiting = [client.log_metric(run_id, "m", step, step=step, synchronous=False) for step in range(200)]
    for operation in waiting:
        operation.wait()
    assert sorted(point.step for point in client.get_metric_history(run_id, "m")) == list(range(200))


def case_datasets_are_inputs(client, experiment_id):
    run_id = client.create_run(experiment_id).info.run_id
    dataset = Dataset("census", "abc123", "local", '{"uri": "census.csv"}', '{"columns": []}', '{"rows": 3}')
    tags = [InputTag("mlflow.data.context", "training"), InputTag("fold", "1")]
    client.log_inputs(run_id, [DatasetInput(dataset, tags)])
    client.log_inputs(run_id, [DatasetInput(dataset, tags)])
    inputs = client.get_run(run_id).inputs.dataset_inputs
    assert [item.dataset for item in inputs] == [dataset]
    assert {tag.key: tag.value for tag in inputs[0].tags} == {"mlflow.data.context": "training", "fold": "1"}
    for filter_string in ("dataset.name = 'census'", "dataset.digest = 'abc123'", "dataset.context = 'training'"):
        found = client.search_runs([experiment_id], filter_string)
        assert [run.inputs.dataset_inputs[0].dataset.name for run in found] == ["census"], filter_string
    assert client.search_runs([experiment_id], "dataset.name = 'other'") == []
    too_long = Dataset("n" * 501, "d", "local", "s")
    assert code_of(client.log_inputs, run_id, [DatasetInput(too_long)]) == "INVALID_PARAMETER_VALUE"


def case_a_table_is_logged_as_a_dataset(experiment_id):
    import pandas as pd

    mlflow.set_experiment(experiment_id=experiment_id)
    data = mlflow.data.from_pandas(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), name="small")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="validation")
    found = mlflow.get_run(run.info.run_id).inputs.dataset_inputs[0]
    assert (found.dataset.name, found.dataset.digest) == ("small", data.digest)
