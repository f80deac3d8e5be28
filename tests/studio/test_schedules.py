"""Schedules over HTTP, and the tick of the server that makes their jobs."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from kernel_tools import jobs
from kernel_tools.core.workspace import Workspace

END = 60.0
NAMES = {"schedule.create", "schedule.update", "schedule.delete", "schedule.fire"}


@pytest.fixture
def nightly(workspace: Workspace) -> jobs.Schedule:
    return jobs.create_schedule(
        "nightly", ["true"], params={"rate": 3}, cron="0 3 * * *", time_zone="Europe/Berlin", workspace=workspace
    )


async def listen(server: Any) -> None:
    """Start what a server starts once it listens, which the server of the tests leaves out."""
    await server.extension_manager.start_all_extensions()


async def until(condition: Any) -> None:
    """Wait for something that the server does on its own."""
    async with asyncio.timeout(END):
        while not condition():
            await asyncio.sleep(0.01)


async def test_schedules_are_paged(call: Any, workspace: Workspace, nightly: jobs.Schedule) -> None:
    jobs.create_schedule("often", ["true"], every="1h", workspace=workspace)
    first = (await call("GET", "/schedules", params={"limit": 1})).json
    rest = (await call("GET", "/schedules", params={"page_token": first["next_page_token"]})).json
    assert [page["schedules"][0]["name"] for page in (first, rest)] == ["nightly", "often"]
    assert rest["next_page_token"] is None
    assert first["schedules"][0]["timing"] == "At 03:00 every day (Europe/Berlin)"


async def test_a_schedule_is_shown_changed_run_and_deleted(
    call: Any, workspace: Workspace, nightly: jobs.Schedule
) -> None:
    detail = (await call("GET", "/schedules/nightly")).json
    assert len(detail["next_times"]) == 5 and detail["next_times"][0] == detail["schedule"]["next_at"]
    assert (detail["params"], detail["inputs"], detail["jobs"]) == ({"rate": 3}, {}, [])
    paused = (await call("PATCH", "/schedules/nightly", {"is_paused": True})).json
    assert paused["is_paused"] and paused["next_at"] is None
    changed = (await call("PATCH", "/schedules/nightly", {"is_paused": False, "every": 7200, "missed": "all"})).json
    assert (changed["cron"], changed["every"], changed["timing"], changed["missed"]) == (
        None, 7200, "Every 2 hours", "all",
    )  # fmt: skip
    made = await call("POST", "/schedules/nightly/run", b"")
    assert (made.status, made.json["schedule"]) == (201, "nightly")
    assert jobs.get(made.json["name"], workspace=workspace).wait(END) == "Completed"
    detail = (await call("GET", "/schedules/nightly")).json
    assert [job["name"] for job in detail["jobs"]] == [made.json["name"]]
    again = await call("POST", "/schedules", {"name": "again", "job": made.json["name"], "every": 60})
    assert (again.status, again.json["entry_kind"]) == (201, "command")
    assert (await call("DELETE", "/schedules/nightly")).status == 204
    assert (await call("GET", "/schedules/nightly")).error == (404, "NotFoundError")
    actions = [record.action for record in workspace.audit.records(1000) if record.action.startswith("schedule.")]
    assert set(actions) == NAMES and actions.count("schedule.update") == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("GET", "/schedules/gone", None, (404, "NotFoundError")),
        ("PATCH", "/schedules/gone", {}, (404, "NotFoundError")),
        ("DELETE", "/schedules/gone", None, (404, "NotFoundError")),
        ("POST", "/schedules/gone/run", b"", (404, "NotFoundError")),
        ("POST", "/schedules", {"name": "x", "job": "gone", "every": 60}, (404, "NotFoundError")),
        ("PATCH", "/schedules/nightly", {"cron": "61 * * * *"}, (400, "InvalidArgumentError")),
        ("PATCH", "/schedules/nightly", {"time_zone": "Mars"}, (400, "InvalidArgumentError")),
        ("PATCH", "/schedules/nightly", {"every": 0}, (422, "InvalidDataError")),
        ("PATCH", "/schedules/nightly", {"missed": "some"}, (422, "InvalidDataError")),
        ("PATCH", "/schedules/nightly", {"params": {}}, (422, "InvalidDataError")),
    ],
)
async def test_what_cannot_be_done_is_said(
    call: Any, nightly: jobs.Schedule, method: str, path: str, body: Any, error: Any
) -> None:
    assert (await call(method, path, body)).error == error


async def test_the_server_fires_what_is_due_by_itself(jp_serverapp: Any, workspace: Workspace) -> None:
    await listen(jp_serverapp)
    schedule = jobs.create_schedule("often", ["true"], every=1, workspace=workspace)
    await until(lambda: schedule.record.fired > 0)
    schedule.delete()
    for row in jobs.list_jobs(workspace=workspace)[0]:
        assert row.schedule == "often" and jobs.get(row.name, workspace=workspace).wait(END) == "Completed"


async def test_the_server_notices_a_lost_supervisor_though_nobody_asks(jp_serverapp: Any, workspace: Workspace) -> None:
    await listen(jp_serverapp)
    job = jobs.submit(["sleep", "1000"], workspace=workspace)
    await until(lambda: job.attempts and job.attempts[-1].workload)
    os.kill(job.attempts[-1].supervisor["pid"], signal.SIGKILL)
    events = workspace.root / "jobs" / job.name / "events.jsonl"
    await until(lambda: '"Lost"' in events.read_text())


async def test_a_damaged_schedule_does_not_end_the_ticking_and_can_be_deleted(
    call: Any, jp_serverapp: Any, workspace: Workspace
) -> None:
    await listen(jp_serverapp)
    jobs.create_schedule("broken", ["true"], every=1, workspace=workspace)
    (workspace.root / "schedules" / "broken" / "schedule.json").write_text("{")
    schedule = jobs.create_schedule("often", ["true"], every=1, workspace=workspace)
    await until(lambda: schedule.record.fired > 0)
    schedule.delete()
    (shown,) = (await call("GET", "/schedules")).json["schedules"]
    assert shown["is_paused"] and "schedule.json" in shown["last_error"]
    assert (await call("GET", "/schedules/broken")).error == (409, "IntegrityError")
    assert (await call("DELETE", "/schedules/broken")).status == 204


async def test_nothing_is_opened_before_there_are_jobs(jp_serverapp: Any, workspace: Workspace) -> None:
    (studio,) = jp_serverapp.extension_manager.extension_apps["studio_ext"]
    studio.ticking.tick()
    assert studio._opened is None and list(workspace.root.iterdir()) == []
