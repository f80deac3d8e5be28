"""Jobs over HTTP and a websocket: a real server, real jobs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kernel_tools import jobs, registry
from kernel_tools.core.workspace import Workspace
from kernel_tools.jobs.states import JobState

END = 60.0
WAITING = """
import signal, sys, time, kernel_tools as kt
print("\\x1b[32mready\\x1b[0m", flush=True)
kt.jobs.progress(3, 10, "epoch")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
while True:
    time.sleep(0.05)
"""


@pytest.fixture
def submit(tmp_path: Path, workspace: Workspace) -> Any:
    """Submit a script; what still runs afterwards is stopped."""
    made = []

    def send(code: str, name: str, **options: Any) -> jobs.Job:
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(code), encoding="utf-8")
        job = jobs.submit(path, name=name, workspace=workspace, **options)
        made.append(job)
        return job

    yield send
    for job in made:
        if job._folder.exists() and not job.status.is_end:
            job.stop()
            job.wait(END)


async def until(call: Any, path: str, holds: Callable[[Any], Any]) -> Any:
    """Ask until an answer holds."""
    while not holds(reply := (await call("GET", path)).json):
        pass
    return reply


def _is_underway(reply: Any) -> bool:
    """The work may tell how far it is before its supervisor has said that it runs."""
    return bool(reply["job"]["progress"]) and reply["job"]["state"] == "Running"


async def test_a_job_is_listed_shown_stopped_and_deleted(call: Any, submit: Any, workspace: Workspace) -> None:
    submit(WAITING, "busy", experiment="census", params={})
    jobs.spot.set_prices(1.0, 0.1, workspace=workspace)
    detail = await until(call, "/jobs/busy", _is_underway)
    assert detail["job"]["progress"] | {"done": 3.0, "total": 10.0} == detail["job"]["progress"]
    assert (detail["job"]["state"], detail["run"]["tags"]["atelier.job"]) == ("Running", "busy")
    assert (detail["spec"]["experiment"], detail["has_prices"], detail["failure"]) == ("census", True, None)
    (row,) = (await call("GET", "/jobs", params={"state": "Running", "text": "bus", "experiment": "census"})).json[
        "jobs"
    ]
    assert row["name"] == "busy" and row["cost"] > 0 and row["stretches"][-1]["state"] == "Running"
    assert (await call("GET", "/jobs", params={"state": "Failed"})).json["jobs"] == []
    home = (await call("GET", "/home")).json
    assert [job["name"] for job in home["running_jobs"]] == ["busy"]
    assert (home["running_runs"], home["counts"]["running_jobs"], home["is_empty"]) == ([], 1, False)
    assert (await call("DELETE", "/jobs/busy")).error == (409, "ConflictError")
    assert (await call("POST", "/jobs/busy/interrupt", {})).error == (409, "ConflictError")
    assert (await call("POST", "/jobs/busy/stop", {})).status == 200
    await until(call, "/jobs/busy", lambda reply: reply["job"]["state"] == "Stopped")
    assert (await call("GET", "/jobs/-/counts")).json["states"]["Stopped"] == 1
    ended = (await call("GET", "/jobs/-/ended", params={"since": 0})).json
    assert [job["name"] for job in ended["jobs"]] == ["busy"]
    assert (await call("GET", "/jobs/-/ended", params={"since": ended["now"]})).json["jobs"] == []
    assert (await call("DELETE", "/jobs/busy")).status == 204
    assert (await call("GET", "/jobs/busy")).error == (404, "NotFoundError")


async def test_a_failure_says_which_line_and_what_was_printed_last(call: Any, submit: Any) -> None:
    job = submit('print("reading")\nrows = {}\nrows["age"]\n', "broken")
    assert job.wait(END) is JobState.FAILED
    failure = (await call("GET", "/jobs/broken")).json["failure"]
    assert (failure["error"], failure["line"], failure["code"]) == ("KeyError", 3, 'rows["age"]')
    assert "reading" in failure["last_output"]
    assert [item["name"] for item in (await call("GET", "/home")).json["failed_jobs"]] == ["broken"]


async def test_the_log_is_read_by_pages_searched_and_downloaded(call: Any, submit: Any) -> None:
    job = submit('for n in range(5000):\n    print(f"\\x1b[1mline\\x1b[0m {n:05d} of many")', "chatty")
    job.wait(END)
    whole = (await call("GET", "/jobs/chatty/log/download")).content
    assert whole.count(b"\n") == 5000
    tail = (await call("GET", "/jobs/chatty/log", params={"limit": 1000})).json
    assert tail["lines"][-1].endswith("04999 of many") and tail["end"] == tail["size"] == len(whole)
    before = (await call("GET", "/jobs/chatty/log", params={"limit": 1000, "before": tail["start"]})).json
    assert before["end"] == tail["start"] and before["lines"][0].startswith("\x1b[1mline")
    found = (await call("GET", "/jobs/chatty/log/search", params={"text": "LINE 02500"})).json
    assert len(found["offsets"]) == 1 and found["is_complete"]
    near = (await call("GET", "/jobs/chatty/log", params={"near": found["offsets"][0] + 3, "limit": 1000})).json
    assert "02500" in near["lines"][0] and near["start"] == found["offsets"][0]
    many = (
        await call("GET", "/jobs/chatty/log/search", params={"text": "many", "limit": 3, "is_backwards": "true"})
    ).json
    assert len(many["offsets"]) == 3 and not many["is_complete"] and many["offsets"] == sorted(many["offsets"])[::-1]
    assert (await call("GET", "/jobs/chatty/log", params={"near": 1, "before": 2})).status == 422
    assert (await call("GET", "/jobs/chatty/log", params={"attempt": 9})).json["lines"] == []


async def test_outputs_are_listed_previewed_and_kept_inside(call: Any, submit: Any, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("no")
    job = submit(
        f"""
        import os, pathlib
        model = pathlib.Path(os.environ["SM_MODEL_DIR"])
        (model / "rows.csv").write_text("a,b\\n1,2\\n3,4\\n")
        (model / "link").symlink_to({str(tmp_path / "secret.txt")!r})
        """,
        "leaves",
    )
    job.wait(END)
    top = (await call("GET", "/jobs/leaves/outputs")).json
    assert "model" in [folder["path"] for folder in top["folders"]]
    inside = (await call("GET", "/jobs/leaves/outputs", params={"folder": "model"})).json
    assert [file["path"] for file in inside["files"]] == ["model/rows.csv"]
    assert (await call("GET", "/jobs/leaves/outputs", params={"search": "ROWS"})).json["files"] == inside["files"]
    content = await call("GET", "/jobs/leaves/outputs/content", params={"path": "model/rows.csv"})
    assert content.content.startswith(b"a,b") and "sandbox" in content.headers["Content-Security-Policy"]
    table = (await call("GET", "/jobs/leaves/outputs/table", params={"path": "model/rows.csv"})).json
    assert (table["rows"], table["row_count"]) == ([[1, 2], [3, 4]], 2)
    for path in ("model/link", "../spec.json", "/etc/passwd"):
        assert (await call("GET", "/jobs/leaves/outputs/content", params={"path": path})).status in (400, 404)


async def test_a_job_runs_again_and_many_are_changed_at_once(call: Any, submit: Any) -> None:
    submit("print(1)", "first").wait(END)
    again = await call("POST", "/jobs/first/rerun", {})
    assert again.status == 201
    name = again.json["name"]
    await until(call, f"/jobs/{name}", lambda reply: reply["job"]["state"] == "Completed")
    body = {"names": ["first", name, "missing"], "change": "delete"}
    changed = (await call("POST", "/jobs/-/changes", body)).json
    assert changed["changed"] == 2 and "no job" in changed["failures"]["missing"]
    assert (await call("GET", "/jobs")).json["jobs"] == []


async def test_a_spot_job_is_interrupted_and_its_attempts_and_usage_are_shown(
    call: Any, submit: Any, workspace: Workspace
) -> None:
    submit(WAITING, "spot", spot=jobs.Spot(notice=0.5))
    await until(call, "/jobs/spot", lambda reply: reply["job"]["progress"])
    assert (await call("POST", "/jobs/spot/interrupt", {})).status == 200
    detail = await until(call, "/jobs/spot", lambda reply: len(reply["attempts"]) == 2)
    assert detail["attempts"][0]["ended_state"] == "Interrupted"
    assert detail["savings"]["interruptions"] == 1 and not detail["has_prices"] and detail["job"]["cost"] is None
    await until(call, "/jobs/spot/usage", lambda reply: reply["sample_count"] >= 2)
    usage = (await call("GET", "/jobs/spot/usage", params={"attempt": 2})).json
    assert usage["figures"]["memory"]["layout"]["yaxis"]["title"]["text"] == "memory (MiB)"
    await call("POST", "/jobs/-/changes", {"names": ["spot"], "change": "stop"})
    await until(call, "/jobs/spot", lambda reply: reply["job"]["state"] == "Stopped")


async def test_a_job_leads_to_the_versions_of_its_run(call: Any, submit: Any, workspace: Workspace) -> None:
    job = submit(
        "import kernel_tools as kt\nwith kt.experiments.start_run('x') as run: run.log_metric('auc', 1)",
        "t",
        experiment="x",
    )
    job.wait(END)
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    registry.register("census", model, run=job.run, workspace=workspace)
    detail = (await call("GET", "/jobs/t")).json
    assert [(item["model"], item["version"]) for item in detail["versions"]] == [("census", 1)]
    assert detail["run"]["metrics"] == {"auc": 1.0}


async def read(socket: Any, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    while True:
        message = await socket.read_message()
        assert message is not None, (socket.close_code, socket.close_reason)
        batch = json.loads(message)
        if holds(batch):
            return batch


async def test_live_views_are_told_of_jobs_that_come_go_on_and_end(
    call: Any, jp_ws_fetch: Any, jp_serverapp: Any, submit: Any
) -> None:
    table = await jp_ws_fetch("studio/api/live/jobs")
    await table.write_message("{}")
    assert (await read(table, lambda batch: True))["jobs"] == []
    submit(WAITING, "live")
    assert await read(table, lambda batch: batch["is_set_changed"])
    await read(table, lambda batch: batch["jobs"] and batch["jobs"][0]["progress"])
    page = await jp_ws_fetch("studio/api/live/jobs")
    await page.write_message(json.dumps({"job": "live", "attempt": 1}))
    assert (await read(page, lambda batch: batch["log_size"]))["log_size"] >= len("ready\n")
    await call("POST", "/jobs/live/stop", {})
    ended = await read(page, lambda batch: batch["jobs"] and batch["jobs"][0]["state"] == "Stopped")
    assert ended["jobs"][0]["ended_at"]
    hub = jp_serverapp.extension_manager.extension_points["studio_ext"].app.live_jobs
    task = hub._task
    for socket in (table, page):
        socket.close()
    await task
    assert not hub.is_at_work


@pytest.mark.parametrize("path", ["", "/log", "/log/search", "/log/download", "/usage", "/outputs"])
async def test_there_is_no_such_job(call: Any, path: str) -> None:
    assert (await call("GET", f"/jobs/missing{path}", params={"text": "a"} if path == "/log/search" else {})).error == (
        404,
        "NotFoundError",
    )
