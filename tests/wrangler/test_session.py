"""A session in its own process: what it says of steps, what it shows, how it stops and comes back."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.core.progress import StoppedError
from kernel_tools.wrangler.session.client import SessionProcess
from tests.wrangler.cases.tables import TABLES


@pytest.fixture(scope="module")
def process() -> Iterator[SessionProcess]:
    process = SessionProcess()
    yield process
    process.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pq.write_table(TABLES["people"], tmp_path / "people.parquet")
    return tmp_path


def document(*steps: tuple[str, dict]) -> dict:
    nodes = [
        {"id": f"n{i}", "op": op, "inputs": [f"n{i - 1}" if i else "s1"], "params": params}
        for i, (op, params) in enumerate(steps)
    ]
    return {"recipe_version": 1, "sources": [{"id": "s1", "uri": "people.parquet"}], "nodes": nodes}


def update(process: SessionProcess, folder: Path, *steps: tuple[str, dict], is_trusted: bool = False) -> dict:
    reply = process.ask("update", document=document(*steps), base=str(folder), is_trusted=is_trusted)
    return {part["id"]: part for part in reply["parts"]}


def rows(process: SessionProcess, **query: object) -> list[dict]:
    return pa.ipc.open_stream(process.ask("window", **query)).read_all().to_pylist()


IMPUTE = ("impute", {"columns": ["age"], "strategy": "median"})


def test_each_step_says_what_comes_out_and_a_broken_one_what_is_wrong(process: SessionProcess, folder: Path) -> None:
    parts = update(process, folder, IMPUTE, ("drop", {"columns": ["jobb"]}), ("drop", {"columns": ["age"]}))
    assert parts["s1"]["rows"] == 9 and parts["n0"]["sentence"].startswith("Fill missing values of age")
    assert "Did you mean 'job'" in parts["n1"]["error"] and parts["n1"]["error_field"] == "columns"
    assert parts["n2"]["blocked_by"] == "n1" and parts["n2"]["error"] is None


def test_an_operator_that_is_not_known_is_an_error_of_its_step_alone(process: SessionProcess, folder: Path) -> None:
    parts = update(process, folder, IMPUTE, ("from_the_future", {"x": 1}))
    assert parts["n0"]["error"] is None and "There is no operator 'from_the_future'" in parts["n1"]["error"]


def test_code_of_a_recipe_runs_only_when_it_is_trusted(process: SessionProcess, folder: Path) -> None:
    step = ("custom_pandas", {"source": 'open("ran", "w").close()'})
    assert "runs code that came with the recipe" in update(process, folder, step)["n0"]["error"]
    assert not (folder / "ran").exists()
    marker = folder / "marker"
    source = f"open({str(marker)!r}, 'w').close()"
    assert update(process, folder, ("custom_pandas", {"source": source}), is_trusted=True)["n0"]["error"] is None
    assert marker.exists()


def test_code_that_fails_names_its_line(process: SessionProcess, folder: Path) -> None:
    source = 'df = df\ndf["x"] = df["nothing"]'
    error = update(process, folder, ("custom_pandas", {"source": source}), is_trusted=True)["n0"]["error"]
    assert "Line 2 of the code failed: KeyError" in error


def test_values_that_no_table_holds_are_an_error_of_the_step(process: SessionProcess, folder: Path) -> None:
    step = ("custom_pandas", {"source": 'df["x"] = [object() for _ in df["id"]]'})
    assert "no table can hold" in update(process, folder, step, is_trusted=True)["n0"]["error"]


def test_rows_are_shown_sorted_filtered_and_compared(process: SessionProcess, folder: Path) -> None:
    update(process, folder, IMPUTE)
    view = process.ask("view", node="n0", is_whole=True)
    assert (view["rows"], view["is_whole"]) == (9, True) and view["fits"]["n0"]["state"]
    arranged = process.ask(
        "arrange",
        view=view["view"],
        sort=[{"column": "income", "descending": True}],
        filters=[{"column": "job", "operator": "contains", "value": "CLERK"}],
    )
    assert arranged["rows"] == 2
    assert [row["id"] for row in rows(process, view=arranged["view"], start=0, count=10, columns=["id"])] == [1, 4]
    compared = process.ask("compare", node="n0")
    assert compared["changed"] == {"age": 2} and compared["added"] == []
    shown = rows(process, view=compared["after"], start=0, count=3, columns=["age"], before=compared["before"])
    assert [row["__changed__age"] for row in shown] == [False, True, False]


@pytest.mark.parametrize(
    ("column", "operator", "value", "ids"),
    [
        ("age", "between", [38, 50], [1, 3, 7]),
        ("born", "<", "1972-01-01", [4, 7]),
        ("seen", "is missing", None, [2]),
        ("job", "in", ["", "🎸"], [5, 8, 8]),
        ("is_member", "=", False, [2, 5]),
    ],
)
def test_filters_of_each_kind(
    process: SessionProcess, folder: Path, column: str, operator: str, value: object, ids: list[int]
) -> None:
    update(process, folder)
    view = process.ask("view", node="s1", is_whole=True)["view"]
    one = {"column": column, "operator": operator, "value": value}
    arranged = process.ask("arrange", view=view, sort=[], filters=[one])
    assert [row["id"] for row in rows(process, view=arranged["view"], start=0, count=20, columns=["id"])] == ids


@pytest.mark.parametrize(
    "one",
    [
        {"column": "age", "operator": "=", "value": "x"},
        {"column": "age", "operator": "between", "value": 3},
        {"column": "agee", "operator": "=", "value": 3},
        {"column": "age", "operator": "like", "value": 3},
    ],
)
def test_a_filter_that_does_not_fit_is_refused(process: SessionProcess, folder: Path, one: dict) -> None:
    update(process, folder)
    view = process.ask("view", node="s1", is_whole=True)["view"]
    with pytest.raises(InvalidArgumentError):
        process.ask("arrange", view=view, sort=[], filters=[one])


def test_profiles_code_and_files_come_from_the_same_rows(process: SessionProcess, folder: Path) -> None:
    update(process, folder, IMPUTE)
    view = process.ask("view", node="n0", is_whole=True)["view"]
    (profile,) = process.ask("profile", view=view, columns=["age"])["columns"]
    assert profile["missing"] == 0 and profile["n"] == 9
    assert "recipe.impute(columns=['age']" in process.ask("code", dialect="python")["code"]
    assert "COALESCE" in process.ask("code", dialect="postgres")["code"]
    for dialect, filled in (("pandas", ".fillna("), ("polars", ".fill_null(")):
        written = process.ask("code", dialect=dialect)
        assert any(filled in one for one in written["steps"].values())
        assert filled in written["code"]
    written = process.ask("export", node="n0", path=str(folder / "out.csv"), options={})
    assert written["rows"] == 9 and (folder / "out.csv").read_text().count("\n") == 10


def test_a_view_that_is_gone_says_so(process: SessionProcess, folder: Path) -> None:
    with pytest.raises(NotFoundError, match="Open the step again"):
        process.ask("window", view="nothing/", start=0, count=1)


def test_work_is_stopped_and_the_session_goes_on(process: SessionProcess, folder: Path) -> None:
    begun = folder / "begun"
    source = f"open({str(begun)!r}, 'w').close()\ndef transform(row):\n    while True: pass"
    slow = ("custom_python", {"source": source, "new_column": "never"})
    generation = process.generation
    call = process.call("update", document=document(slow), base=str(folder), is_trusted=True)
    while not begun.exists():  # until the code has begun, or the work has ended without it
        with contextlib.suppress(TimeoutError):
            pytest.fail(f"The code did not run: {call.result(0.05)}")
    call.stop()
    with pytest.raises(StoppedError):
        call.result()
    assert update(process, folder, IMPUTE)["n0"]["error"] is None
    assert process.generation == generation + 1


def test_a_killed_process_is_told_and_started_again(process: SessionProcess, folder: Path) -> None:
    update(process, folder)
    slow = ("custom_python", {"source": "def transform(row):\n    while True: pass", "new_column": "never"})
    call = process.call("update", document=document(slow), base=str(folder), is_trusted=True)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(UnavailableError, match="Open the table again"):
        call.result()
    assert update(process, folder)["s1"]["rows"] == 9


def test_a_source_says_how_its_types_were_found_and_which_rows_did_not_fit(
    process: SessionProcess, folder: Path
) -> None:
    (folder / "ragged.csv").write_text("a,b\n1,x\n2\n3,y,z\nn/a,w\n")
    recipe = {"recipe_version": 1, "sources": [{"id": "s1", "uri": "ragged.csv"}], "nodes": []}
    process.ask("update", document=recipe, base=str(folder), is_trusted=False)
    found = process.ask("source", source="s1")
    assert [row["line"] for row in found["rejects"]] == [3, 4] and found["rejected"] == 2
    assert [column["type"] for column in found["columns"]] == ["string", "string"]
    assert "'n/a'" in found["columns"][0]["notes"][0]
    with pytest.raises(NotFoundError):
        process.ask("source", source="s2")


def test_how_far_work_is_belongs_to_its_call(process: SessionProcess, folder: Path) -> None:
    update(process, folder)
    call = process.call("insights", node="s1")
    assert call.result()["rows"] == 9
    assert call.progress is not None and call.progress["done"] == call.progress["total"]


def test_checks_leave_a_larger_table_alone(process: SessionProcess, folder: Path) -> None:
    update(process, folder)
    assert process.ask("insights", node="s1", most_rows=8)["findings"] == []
    assert process.ask("insights", node="s1", most_rows=9)["findings"]
