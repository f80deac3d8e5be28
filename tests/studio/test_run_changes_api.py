"""The page of one run over HTTP: its metrics at a glance, files, tables, nested runs, and what can be changed of it."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from kernel_tools import experiments
from kernel_tools.core.workspace import Workspace


async def test_a_run_is_renamed_annotated_tagged_and_marked(call: Any, run: experiments.Run) -> None:
    body = {"name": "better", "note": "# Why", "tags": {"team": "risk"}, "is_favourite": True}
    answer = await call("PATCH", f"/runs/{run.id}", body)
    assert (answer.status, answer.json["name"]) == (200, "better")
    assert answer.json["tags"]["team"] == "risk"
    assert (run.note, run.is_favourite) == ("# Why", True)
    changed = await call("PATCH", f"/runs/{run.id}", {"tags": {"team": None, "other": None}, "is_favourite": False})
    assert "team" not in changed.json["tags"]
    assert (run.name, run.note, run.is_favourite) == ("better", "# Why", False)


async def test_a_note_that_somebody_else_changed_is_not_overwritten(call: Any, run: experiments.Run) -> None:
    run.set_note("theirs")
    answer = await call("PATCH", f"/runs/{run.id}", {"note": "mine", "expected_note": ""})
    assert answer.error == (409, "ConflictError")
    assert run.note == "theirs"
    assert (await call("PATCH", f"/runs/{run.id}", {"note": "mine", "expected_note": "theirs"})).status == 200
    assert run.note == "mine"


@pytest.mark.parametrize(
    "body", [{"expected_note": "x"}, {"nonsense": 1}, {"tags": {"a": 1}}, {"name": 5}, {"note": "x" * 100_001}]
)
async def test_a_change_that_does_not_fit_is_refused(call: Any, run: experiments.Run, body: Any) -> None:
    assert (await call("PATCH", f"/runs/{run.id}", body)).error == (422, "InvalidDataError")


async def test_a_run_is_deleted_refuses_changes_and_comes_back(
    call: Any, run: experiments.Run, workspace: Workspace
) -> None:
    assert (await call("DELETE", f"/runs/{run.id}")).status == 204
    assert (await call("GET", "/runs")).json["runs"] == []
    assert (await call("GET", f"/runs/{run.id}")).json["run"]["lifecycle"] == "deleted"
    assert (await call("PATCH", f"/runs/{run.id}", {"name": "x"})).error == (409, "ConflictError")
    assert (await call("POST", f"/runs/{run.id}/restore", {})).json["lifecycle"] == "active"
    assert [record.action for record in workspace.audit.records(limit=2)] == ["run.restore", "run.delete"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/restore"),
        ("GET", "/metrics"),
        ("GET", "/nested"),
        ("GET", "/artifacts"),
    ],
)
async def test_an_unknown_run_is_named(call: Any, method: str, path: str) -> None:
    answer = await call(method, f"/runs/gone{path}", None if method in ("GET", "DELETE") else {})
    assert answer.error == (404, "NotFoundError")
    assert "gone" in answer.message


async def test_metrics_are_summed_up_with_their_steps(call: Any, workspace: Workspace) -> None:
    with experiments.start_run("census", workspace=workspace) as run:
        for step, value in enumerate((3.0, float("nan"), 1.0, 2.0)):
            run.log_metrics({"loss": value, "auc": -value}, step=step * 10)
        run.log_metric("never", float("nan"))
        for step in range(1000):
            run.log_metric("long", float(step % 97), step=step)
    page = (await call("GET", f"/runs/{run.id}/metrics")).json
    by_key = {metric["key"]: metric for metric in page["metrics"]}
    assert list(by_key) == ["auc", "long", "loss", "never"]
    loss = by_key["loss"]
    assert (loss["last"], loss["last_step"], loss["point_count"]) == (2.0, 30, 4)
    assert (loss["lowest"], loss["lowest_step"], loss["highest"], loss["highest_step"]) == (1.0, 20, 3.0, 0)
    assert (loss["curve_steps"], loss["curve_values"]) == ([0, 10, 20, 30], [3.0, "NaN", 1.0, 2.0])
    assert by_key["never"]["lowest"] == "NaN"
    assert len(by_key["long"]["curve_values"]) <= 64
    assert (by_key["long"]["lowest"], by_key["long"]["highest"]) == (0.0, 96.0)


async def test_metrics_are_searched_and_paged(call: Any, workspace: Workspace) -> None:
    with experiments.start_run("census", workspace=workspace) as run:
        run.log_metrics({f"layer-{index:03d}/norm": index for index in range(250)})
        run.log_metric("Loss", 1)
    first = (await call("GET", f"/runs/{run.id}/metrics", params={"search": "LAYER"})).json
    assert (len(first["metrics"]), first["metric_count"]) == (100, 250)
    token = first["next_page_token"]
    second = (await call("GET", f"/runs/{run.id}/metrics", params={"search": "layer", "page_token": token})).json
    assert second["metrics"][0]["key"] == "layer-100/norm"
    assert [
        m["key"] for m in (await call("GET", f"/runs/{run.id}/metrics", params={"search": "oss"})).json["metrics"]
    ] == ["Loss"]


async def test_points_of_two_writers_and_of_compacted_files_are_summed_up_alike(
    call: Any, workspace: Workspace
) -> None:
    with experiments.start_run("census", workspace=workspace) as run:
        run.log_metrics({"b": 1.0, "a": 5.0}, step=0)
    run.resume()
    run.log_metrics({"a": 4.0, "c": 9.0}, step=1)
    run.finish()
    before = (await call("GET", f"/runs/{run.id}/metrics")).json
    assert [metric["curve_values"] for metric in before["metrics"]] == [[5.0, 4.0], [1.0], [9.0]]
    run.compact()
    assert (await call("GET", f"/runs/{run.id}/metrics")).json == before


async def test_nested_runs_are_rows_of_a_tree(call: Any, workspace: Workspace) -> None:
    with experiments.start_run("census", name="root", workspace=workspace) as root:
        with root.start_child("a") as a, a.start_child("a1"):
            pass
        with root.start_child("b"):
            pass
    rows = (await call("GET", f"/runs/{root.id}/nested")).json
    assert [(row["depth"], row["run"]["name"]) for row in rows["runs"]] == [(1, "a"), (2, "a1"), (1, "b")]
    assert rows["is_complete"] is True
    inner = next(row["run"]["id"] for row in rows["runs"] if row["depth"] == 2)
    detail = (await call("GET", f"/runs/{inner}")).json
    assert [parent["name"] for parent in detail["parents"]] == ["root", "a"]
    assert (await call("GET", f"/runs/{root.id}")).json["child_count"] == 2


async def test_a_run_shows_its_datasets_and_how_it_was_made(call: Any, workspace: Workspace) -> None:
    with experiments.start_run("census", workspace=workspace) as run:
        run.log_dataset(pd.DataFrame({"age": [1]}), name="adult", role="training")
        run.log_text("x", "source/diff.patch")
    detail = (await call("GET", f"/runs/{run.id}")).json
    assert [(item["name"], item["context"]) for item in detail["inputs"]] == [("adult", "training")]
    assert "source/diff.patch" in [file["path"] for file in detail["origin_files"]]
    assert detail["artifact_count"] == len(run.artifacts)


async def test_files_are_listed_a_folder_at_a_time(call: Any, workspace: Workspace) -> None:
    with experiments.start_run("census", workspace=workspace) as run:
        for path in ("top.txt", "model/a.bin", "model/deep/b.bin", "models.txt"):
            run.log_text("12345", path)
    top = (await call("GET", f"/runs/{run.id}/artifacts")).json
    folders = {entry["path"]: entry["size"] for entry in top["folders"]}
    assert folders["model"] == 10
    assert [file["path"] for file in top["files"]] == ["models.txt", "top.txt"]
    inside = (await call("GET", f"/runs/{run.id}/artifacts", params={"folder": "model"})).json
    assert ([e["path"] for e in inside["folders"]], [f["path"] for f in inside["files"]]) == (
        ["model/deep"],
        ["model/a.bin"],
    )
    found = (await call("GET", f"/runs/{run.id}/artifacts", params={"search": "B.BIN"})).json
    assert [file["path"] for file in found["files"]] == ["model/deep/b.bin"]
    assert (await call("GET", f"/runs/{run.id}/artifacts", params={"folder": "../.."})).status == 400


async def test_a_long_folder_is_paged(call: Any, workspace: Workspace) -> None:
    with experiments.start_run("census", workspace=workspace) as run:
        record = run.log_text("same", "many/0000.txt")
        run._keep([type(record)(f"many/{n:04d}.txt", 4, record.sha256, "text/plain", 0) for n in range(1, 3000)])
    query = {"folder": "many", "limit": 1000}
    first = (await call("GET", f"/runs/{run.id}/artifacts", params=query)).json
    assert len(first["files"]) == 1000
    second = (
        await call("GET", f"/runs/{run.id}/artifacts", params=query | {"page_token": first["next_page_token"]})
    ).json
    assert second["files"][0]["path"] == "many/1000.txt"
    detail = (await call("GET", f"/runs/{run.id}")).json
    assert (len(detail["artifacts"]), detail["artifact_count"]) == (200, len(run.artifacts))


@pytest.fixture
def tables(workspace: Workspace) -> experiments.Run:
    frame = pd.DataFrame({"n": range(1000), "text": ["a"] * 1000, "x": [0.5, float("nan")] * 500})
    with experiments.start_run("census", workspace=workspace) as run:
        for suffix in ("parquet", "csv", "json"):
            run.log_table(frame, f"t.{suffix}")
        run.log_text(frame.to_csv(sep="\t", index=False), "t.tsv")
        run.log_text("\n".join(json.dumps({"n": n, "text": "a", "x": 0.5}) for n in range(1000)), "lines.json")
        run.log_text("a,b\n1\n", "ragged.csv")
        run.log_text("", "empty.csv")
        run.log_text("{}", "object.json")
        run.log_bytes(b"PAR1 no", "broken.parquet")
        run.log_text("a" * 1000, "long.txt")
    return run


@pytest.mark.parametrize("path", ["t.parquet", "t.csv", "t.tsv", "t.json", "lines.json"])
async def test_tables_are_read_by_window(call: Any, tables: experiments.Run, path: str) -> None:
    query = {"path": path, "start": 600, "limit": 3}
    window = (await call("GET", f"/runs/{tables.id}/artifacts/table", params=query)).json
    assert [column["name"] for column in window["columns"]] == ["n", "text", "x"]
    assert [row[:2] for row in window["rows"]] == [[600, "a"], [601, "a"], [602, "a"]]
    assert (window["row_count"], window["start"], window["column_count"]) == (1000, 600, 3)
    after = await call("GET", f"/runs/{tables.id}/artifacts/table", params={"path": path, "start": 5000})
    assert after.json["rows"] == []


async def test_parquet_is_read_across_its_row_groups(call: Any, workspace: Workspace) -> None:
    import io

    buffer = io.BytesIO()
    pd.DataFrame({"n": range(1000)}).to_parquet(buffer, row_group_size=64)
    with experiments.start_run("census", workspace=workspace) as run:
        run.log_bytes(buffer.getvalue(), "t.parquet")
    query = {"path": "t.parquet", "start": 60, "limit": 200}
    window = (await call("GET", f"/runs/{run.id}/artifacts/table", params=query)).json
    assert [row[0] for row in window["rows"]] == list(range(60, 260))


@pytest.mark.parametrize("path", ["ragged.csv", "object.json", "broken.parquet", "long.txt"])
async def test_what_is_no_table_says_so(call: Any, tables: experiments.Run, path: str) -> None:
    answer = await call("GET", f"/runs/{tables.id}/artifacts/table", params={"path": path})
    assert answer.error == (422, "InvalidDataError")
    assert path in answer.message


async def test_an_empty_table_has_no_columns(call: Any, tables: experiments.Run) -> None:
    window = (await call("GET", f"/runs/{tables.id}/artifacts/table", params={"path": "empty.csv"})).json
    assert (window["columns"], window["rows"], window["row_count"]) == ([], [], 0)


async def test_cells_of_every_type_become_json(call: Any, workspace: Workspace) -> None:
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(["2024-01-02T03:04:05Z"]),
            "bytes": [b"abc"],
            "list": [[1, 2]],
            "big": [2**60],
            "inf": [float("inf")],
            "long": ["x" * 2000],
            "none": [None],
        }
    )
    with experiments.start_run("census", workspace=workspace) as run:
        run.log_table(frame, "t.parquet")
    window = (await call("GET", f"/runs/{run.id}/artifacts/table", params={"path": "t.parquet"})).json
    (row,) = window["rows"]
    assert row[:5] == ["2024-01-02 03:04:05+00:00", "<3 bytes>", "[1, 2]", str(2**60), "inf"]
    assert len(row[5]) == 500
    assert row[6] is None
