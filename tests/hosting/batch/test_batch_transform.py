"""Batch transforms: what comes out is what the model says, row by row, whatever is killed in between."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import kernel_tools as kt
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, InvalidDataError, NotFoundError
from kernel_tools.core.progress import StoppedError, listening, running_work
from kernel_tools.hosting.batch.filters import select_columns
from kernel_tools.hosting.batch.plan import BatchPlan, find_inputs, read_plan, write_plan
from kernel_tools.hosting.batch.transform import run_transform
from kernel_tools.hosting.choosing import choose_variant

NUMBERS = ["age", "hours"]


@pytest.fixture(scope="module")
def table(census):
    return census.X.assign(note=[f'say "{number}",\nplease' for number in range(len(census.X))])


def plan_of(workspace, folder: Path, given: Path, **options) -> BatchPlan:
    variant = choose_variant(workspace, "census")
    return BatchPlan(variant=variant, inputs=find_inputs(given), output=str(folder / "out"), **options)


def write(table: pd.DataFrame, path: Path) -> Path:
    if ".parquet" in path.name:
        table.to_parquet(path, row_group_size=70)
    elif ".csv" in path.name:
        table.to_csv(path, index=False)
    else:
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path) -> pd.DataFrame:
    if ".parquet" in path.name:
        return pd.read_parquet(path)
    return pd.read_csv(path) if ".csv" in path.name else pd.DataFrame([json.loads(line) for line in path.open()])


@pytest.mark.parametrize("name", ["rows of März.csv", "rows.jsonl", "rows.parquet", "rows.csv.gz"])
def test_every_row_gets_its_prediction_in_its_place(workspace, census, table, tmp_path: Path, name: str):
    path = write(table, tmp_path / name.removesuffix(".gz"))
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(path.read_bytes()))
        path = tmp_path / name
    summary = run_transform(workspace, plan_of(workspace, tmp_path, path, batch_rows=64, max_concurrent=3))
    target = tmp_path / "out" / f"{name}.out"
    if name.endswith(".gz"):
        target = target.rename(target.with_name("plain.csv"))
    found = read(target)
    assert summary.rows == summary.rows_now == len(found) == len(table)
    assert list(found.columns[:6]) == list(table.columns)
    assert (found["note"] == table["note"]).all()
    assert (found["prediction"] == census.model.predict(census.X)).all()
    assert (found[["probability_0", "probability_1"]] == census.model.predict_proba(census.X).astype(float)).all(
        axis=None
    )
    assert not [item for item in (tmp_path / "out").iterdir() if item.name.endswith(".parts")]


@given(batch=st.integers(1, 450), workers=st.integers(1, 4))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_of_any_size_give_the_same_output(workspace, table, tmp_path_factory, batch: int, workers: int):
    folder = tmp_path_factory.mktemp("parts")
    path = write(table.head(300), folder / "rows.csv")
    run_transform(workspace, plan_of(workspace, folder, path, batch_rows=batch, max_concurrent=workers))
    plan = plan_of(workspace, folder / "whole", path, batch_rows=1000)
    run_transform(workspace, plan)
    assert (folder / "out" / "rows.csv.out").read_bytes() == (folder / "whole" / "out" / "rows.csv.out").read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.batch import tables, transform
from kernel_tools.hosting.batch.plan import read_plan

left = int(sys.argv[3])
written = transform.write_part

def write_part(*arguments):
    global left
    written(*arguments)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

transform.write_part = write_part
transform.run_transform(Workspace(Path(sys.argv[1])), read_plan(Path(sys.argv[2])))
"""


def test_it_goes_on_where_it_was_killed(workspace, table, tmp_path: Path):
    path = write(table, tmp_path / "rows.csv")
    plan = plan_of(workspace, tmp_path, path, batch_rows=50)
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan
    command = [sys.executable, "-c", KILLED, str(workspace.root), str(tmp_path / "plan.json"), "3"]
    assert subprocess.run(command, check=False, env=dict(os.environ)).returncode == -signal.SIGKILL
    assert len(list((tmp_path / "out" / ".rows.csv.parts").glob("*.50"))) == 3
    summary = run_transform(workspace, plan)
    assert (summary.rows, summary.rows_now) == (400, 250)
    run_transform(workspace, plan_of(workspace, tmp_path / "whole", path))
    assert (tmp_path / "out" / "rows.csv.out").read_bytes() == (tmp_path / "whole/out/rows.csv.out").read_bytes()
    assert run_transform(workspace, plan).rows_now == 0
    path.write_text(path.read_text() + "1,2,True,tech,3,x\n")
    with pytest.raises(ConflictError, match="has changed since the transform began"):
        run_transform(workspace, plan)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": None}, r"row 130, column 'age': the value is missing"),
        ({"job": "pilot"}, r"row 130, column 'job': 'pilot' is not a known category\. Known are farm, sales, tech"),
        ({"hours": float("inf")}, r"row 130, column 'hours': the number is infinite"),
    ],
)
def test_a_row_that_does_not_fit_is_named(workspace, table, tmp_path: Path, change, message):
    rows = table.astype({"job": object, "age": object})
    for name, value in change.items():
        rows.loc[130, name] = value
    rows["age"] = rows["age"].astype("Int64")
    path = tmp_path / "rows.parquet"
    rows.to_parquet(path)
    with pytest.raises(InvalidDataError, match=message):
        run_transform(workspace, plan_of(workspace, tmp_path, path, batch_rows=100))
    assert not list((tmp_path / "out").glob("*.out"))


def test_what_cannot_be_read_is_told(workspace, table, tmp_path: Path):
    for name, text, message in (
        ("text.csv", "age,hours,is_married,job,grade\nold,1,true,tech,3\n", "conversion error to int64"),
        ("ragged.csv", "age,hours\n1,2,3\n", "Expected 2 columns, got 3"),
        ("long.csv", "age,hours\n1,2\n1," + "x" * 5_000_000 + "\n1,2\n", "row is larger than 2,097,152 bytes"),
        ("missing.csv", "age,hours\n1,2\n", "Column 'is_married' is missing"),
        ("broken.jsonl", '{"age": 1\n', "after row 0"),
        ("broken.parquet", "no parquet", "after row 0"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InvalidDataError, match=message):
            run_transform(workspace, plan_of(workspace, tmp_path / name.replace(".", "_"), tmp_path / name))
    with pytest.raises(InvalidArgumentError, match="no CSV, JSON Lines or Parquet by its name"):
        find_inputs(write(table, tmp_path / "rows.csv").rename(tmp_path / "rows.txt"))
    with pytest.raises(NotFoundError, match="There is no input"):
        find_inputs(tmp_path / "*.orc")


def test_a_model_of_arrays_takes_columns_by_their_place(workspace, tmp_path: Path):
    points = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [6.0, 5.0]])
    model = LogisticRegression().fit(points, ["near", "near", "far", "far"])
    kt.registry.register("points", model, sample_input=points, workspace=workspace)
    for name, text, message in (
        ("right.csv", "x,y\n0,1\n6,5\n", ""),
        ("text.csv", "x,y\n0,1\n6,five\n", r"text\.csv', row 1, column 'y': 'five' is no float64\. Write a number"),
        ("wide.csv", "x,y,z\n0,1,2\n", r"Rows of 3 numbers do not make the model's \[2\]"),
    ):
        (tmp_path / name).write_text(text)
        variant = choose_variant(workspace, "points", 1)
        inputs, output = find_inputs(tmp_path / name), str(tmp_path / "out")
        plan = BatchPlan(variant=variant, inputs=inputs, output=output, joins_input=False)
        if message:
            with pytest.raises(InvalidDataError, match=message):
                run_transform(workspace, plan)
        else:
            run_transform(workspace, plan)
            assert pd.read_csv(tmp_path / "out" / f"{name}.out")["prediction"].tolist() == ["near", "far"]


def test_filters_choose_columns(workspace, census, table, tmp_path: Path):
    names = ["id", "age", "hours"]
    assert select_columns(names, "$", "f") == names
    assert select_columns(names, "$['age', 'hours']", "f") == select_columns(names, "$[1:]", "f") == ["age", "hours"]
    assert select_columns(names, "$.id", "f") == ["id"]
    for path, message in (("$[", "is no JSONPath"), ("$.nothing", "selects nothing of the columns id, age, hours")):
        with pytest.raises(InvalidArgumentError, match=message):
            select_columns(names, path, "input_filter")
    path = write(table, tmp_path / "rows.csv")
    plan = plan_of(workspace, tmp_path, path, output_filter="$['note', 'prediction']", batch_rows=100)
    run_transform(workspace, plan)
    assert list(read(tmp_path / "out" / "rows.csv.out").rename(columns=str).columns) == ["note", "prediction"]
    plan = plan_of(workspace, tmp_path / "alone", path, joins_input=False)
    run_transform(workspace, plan)
    assert list(pd.read_csv(tmp_path / "alone/out/rows.csv.out")) == ["prediction", "probability_0", "probability_1"]


def test_it_stops_when_asked(workspace, table, tmp_path: Path):
    path = write(table, tmp_path / "rows.csv")
    with listening(lambda _: [work.request_stop() for work in running_work()]), pytest.raises(StoppedError):
        run_transform(workspace, plan_of(workspace, tmp_path, path, batch_rows=10))


def test_a_new_user_transforms_a_folder_as_a_job(workspace, census, table, tmp_path: Path):
    (tmp_path / "in").mkdir()
    for number in range(2):
        write(table.iloc[number * 200 : (number + 1) * 200], tmp_path / "in" / f"{number}.csv")
    done = kt.hosting.batch_transform("census", tmp_path / "in", tmp_path / "out", workspace=workspace)
    assert [path.name for path in done.outputs] == ["0.csv.out", "1.csv.out"]
    found = pd.concat([pd.read_csv(path) for path in done.outputs], ignore_index=True)
    assert np.array_equal(found["prediction"], census.model.predict(census.X))
    assert json.loads((tmp_path / "out" / "transform.json").read_text())["rows"] == 400
    with pytest.raises(ConflictError, match=r"holds an output of '0\.csv' already"):
        kt.hosting.batch_transform("census", tmp_path / "in", tmp_path / "out", workspace=workspace)


BAD_LINES = {
    "csv": ["old,1,a,b,c,d\n", "44,1\n"],
    "jsonl": ['{"age": "old", "hours": 1}\n', '{"age": 44\n', "[1]\n"],
}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("strategy", ["multi-record", "single-record"])
def test_rows_that_fail_are_written_down_and_the_others_predicted(
    workspace, census, table, tmp_path: Path, kind: str, strategy: str
):
    rows = table.head(30).reset_index(drop=True)
    if kind == "parquet":
        rows = rows.assign(age=rows["age"].astype(float))
        rows.loc[7, "age"] = np.inf
        path = write(rows, tmp_path / "rows.parquet")
        bad = ["column 'age'"]
    else:
        path = write(rows, tmp_path / f"rows.{kind}")
        path.write_text(path.read_text() + "".join(BAD_LINES[kind]))
        bad = ["age", "fields"] if kind == "csv" else ["age", "no JSON object", "no JSON object"]
    with pytest.raises(InvalidDataError):
        run_transform(workspace, plan_of(workspace, tmp_path / "stop", path))
    options = {"on_error": "record", "strategy": strategy, "batch_rows": 9}
    with pytest.raises(InvalidDataError, match=r"more than max_failed_share=0\.01"):
        run_transform(workspace, plan_of(workspace, tmp_path, path, **options, max_failed_share=0.01))
    summary = run_transform(workspace, plan_of(workspace, tmp_path, path, **options, max_failed_share=0.5))
    found = read(tmp_path / "out" / f"rows.{kind}.out")
    failed = [json.loads(line) for line in (tmp_path / "out" / f"rows.{kind}.errors.jsonl").open()]
    assert summary.failed == len(failed) == len(bad)
    assert all(word in row["reason"] for word, row in zip(bad, failed, strict=True))
    good = found[found["error"].isna()]
    kept = [place for place in range(30) if not (kind == "parquet" and place == 7)]
    assert (good["prediction"].to_numpy() == census.model.predict(census.X.head(30).iloc[kept])).all()
    assert found.loc[found["error"].notna(), "prediction"].isna().all()
    assert len(found) == (30 if kind == "parquet" else 31 if kind == "csv" else 33)


def test_a_part_without_one_good_row_ends_it(workspace, tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text("1\n2\n")
    with pytest.raises(InvalidDataError, match="None of the rows 0 to 1 can be predicted"):
        run_transform(workspace, plan_of(workspace, tmp_path, path, on_error="record", max_failed_share=1.0))
