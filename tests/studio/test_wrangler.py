"""Recipes over HTTP: opened, updated, looked at by windows, trusted, exported; refused where they have to be."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pyarrow as pa

CSV = "name,age\nAda,39\nBen,\nCleo,38\n"


def document(*steps: tuple[str, dict]) -> dict:
    nodes = [
        {"id": f"n{i}", "op": op, "inputs": [f"n{i - 1}" if i else "s1"], "params": params}
        for i, (op, params) in enumerate(steps)
    ]
    return {"recipe_version": 1, "sources": [{"id": "s1", "uri": "people.csv"}], "nodes": nodes}


IMPUTE = ("impute", {"columns": ["age"]})


async def opened(call, root: Path, *steps: tuple[str, dict]) -> tuple[str, dict]:
    (root / "people.csv").write_text(CSV)
    body = {"path": "people.recipe.json", "content": json.dumps(document(*steps))}
    answer = await call("POST", "/wrangler/sessions", body)
    assert answer.status == 201, answer.error
    return f"/wrangler/sessions/{answer.json['session']}", answer.json


async def finished(call, at: str, answer) -> dict:
    task = answer.json
    while task["state"] == "running":
        await asyncio.sleep(0)
        reply = await call("GET", f"{at}/tasks/{task['task']}")
        assert reply.status == 200, reply.error
        task = reply.json
    return task["result"]


async def test_a_recipe_is_opened_updated_and_looked_at(call, jp_root_dir: Path) -> None:
    at, _ = await opened(call, jp_root_dir, IMPUTE)
    parts = (await call("PUT", at, {"document": document(IMPUTE)})).json["parts"]
    assert [part["rows"] for part in parts] == [3, 3] and parts[1]["columns"][1]["kind"] == "number"
    view = await finished(call, at, await call("POST", f"{at}/views", {"node": "n0", "is_whole": True}))
    assert view["rows"] == 3 and view["fits"]["n0"]["state"]
    window = await call("POST", f"{at}/window", {"view": view["view"], "count": 10})
    assert window.status == 200, window.content
    assert pa.ipc.open_stream(io.BytesIO(window.content)).read_all()["age"].to_pylist() == [39.0, 38.5, 38.0]
    compared = (await call("POST", f"{at}/comparison", {"document": document(IMPUTE), "node": "n0"})).json
    assert compared["changed"] == {"age": 1}
    profile = await finished(call, at, await call("POST", f"{at}/profile", {"view": view["view"], "columns": ["age"]}))
    assert profile["columns"][0]["missing"] == 0
    written = await finished(call, at, await call("POST", f"{at}/exports", {"node": "n0", "path": "out.parquet"}))
    assert written["rows"] == 3 and (jp_root_dir / "out.parquet").is_file()
    assert (await call("DELETE", at)).status == 204
    assert (await call("PUT", at, {"document": document()})).status == 404


async def test_a_recipe_is_made_for_a_table_and_listed(call, jp_root_dir: Path) -> None:
    (jp_root_dir / "people.csv").write_text(CSV)
    made = await call("POST", "/wrangler/recipes", {"source": "people.csv"})
    assert made.json == {"path": "people.recipe.json"}
    assert (await call("POST", "/wrangler/recipes", {"source": "people.csv"})).json["path"] == "people-2.recipe.json"
    (jp_root_dir / "broken.recipe.json").write_text("{")
    items = (await call("GET", "/wrangler/recipes")).json["items"]
    assert {item["path"]: item["error"] is None for item in items} == {
        "people.recipe.json": True,
        "people-2.recipe.json": True,
        "broken.recipe.json": False,
    }


async def test_paths_cannot_leave_the_root(call, jp_root_dir: Path) -> None:
    assert (await call("POST", "/wrangler/recipes", {"source": "../people.csv"})).status == 400
    assert (await call("POST", "/wrangler/sessions", {"path": "../x.recipe.json"})).status == 400
    at, _ = await opened(call, jp_root_dir)
    await call("PUT", at, {"document": document()})
    answer = await call("POST", f"{at}/exports", {"node": "s1", "path": "../out.csv"})
    assert answer.status == 400 and b"outside" in answer.content


async def test_code_in_a_recipe_waits_for_trust(call, jp_root_dir: Path) -> None:
    step = ("custom_pandas", {"source": 'df["x"] = 1'})
    at, session = await opened(call, jp_root_dir, step)
    assert (session["is_trusted"], session["code_steps"]) == (False, ["n0"])
    parts = (await call("PUT", at, {"document": document(step)})).json["parts"]
    assert "trust the recipe" in parts[1]["error"]
    parts = (await call("PUT", f"{at}/trust", {"document": document(step)})).json["parts"]
    assert parts[1]["error"] is None
    assert (await opened(call, jp_root_dir, step))[1]["is_trusted"] is True


async def test_insights_come_with_steps(call, jp_root_dir: Path) -> None:
    at, _ = await opened(call, jp_root_dir)
    await call("PUT", at, {"document": document()})
    report = await finished(call, at, await call("POST", f"{at}/insights", {"node": "s1"}))
    missing = next(finding for finding in report["findings"] if finding["check"] == "missing")
    assert missing["columns"] == ["age"] and missing["suggestions"]


async def test_what_is_no_recipe_is_refused(call, jp_root_dir: Path) -> None:
    answer = await call("POST", "/wrangler/sessions", {"path": "x.recipe.json", "content": "nonsense"})
    assert answer.status == 422 and b"is not JSON" in answer.content


async def test_every_operator_has_a_schema_for_its_form(call) -> None:
    items = (await call("GET", "/wrangler/operators")).json["items"]
    assert len(items) > 70
    assert all(item["parameters"]["type"] == "object" and item["description"] for item in items)


async def test_a_source_says_what_did_not_fit(call, jp_root_dir: Path) -> None:
    at, _ = await opened(call, jp_root_dir)
    (jp_root_dir / "people.csv").write_text(CSV + "Dora\n")
    assert (await call("PUT", at, {"document": document()})).status == 200
    answer = await call("GET", f"{at}/sources/s1")
    assert answer.status == 200, answer.error
    assert [row["line"] for row in answer.json["rejects"]] == [5]
    assert (await call("GET", f"{at}/sources/s9")).status == 404


async def test_a_recipe_is_taken_along_in_other_words(call, jp_root_dir: Path) -> None:
    at, _ = await opened(call, jp_root_dir, IMPUTE)
    assert (await call("PUT", at, {"document": document(IMPUTE)})).status == 200
    for form, name in (("notebook", "people.ipynb"), ("polars", "people.py"), ("onnx", "people.onnx")):
        reply = await call("POST", f"{at}/translations", {"form": form, "path": name})
        assert (await finished(call, at, reply))["path"] == str(jp_root_dir / name)
    outside = await call("POST", f"{at}/translations", {"form": "sql", "path": "../people.py"})
    assert outside.status == 400


async def test_a_recipe_becomes_a_job_and_a_schedule(call, jp_root_dir: Path) -> None:
    at, _ = await opened(call, jp_root_dir, IMPUTE)
    body = {"document": document(IMPUTE), "node": "n0", "path": "out.parquet", "name": "people"}
    reply = await call("POST", f"{at}/jobs", body)
    assert reply.status == 201, reply.error
    assert (await call("GET", f"/jobs/{reply.json['name']}")).status == 200
    reply = await call("POST", f"{at}/jobs", body | {"cron": "0 6 * * *"})
    assert (reply.status, reply.json) == (201, {"name": "people", "is_schedule": True})
    assert (await call("POST", f"{at}/jobs", body | {"cron": "never"})).status == 400


async def test_what_the_checks_have_found_is_a_file(call, jp_root_dir: Path) -> None:
    at, _ = await opened(call, jp_root_dir)
    assert (await call("PUT", at, {"document": document()})).status == 200
    assert (await call("GET", f"{at}/insights/report", params={"node": "s1"})).status == 404
    await finished(call, at, await call("POST", f"{at}/insights", {"node": "s1"}))
    page = await call("GET", f"{at}/insights/report", params={"node": "s1"})
    assert page.status == 200 and b"<html" in page.content
    notebook = await call("GET", f"{at}/insights/report", params={"node": "s1", "form": "notebook"})
    assert json.loads(notebook.content)["nbformat"] == 4
