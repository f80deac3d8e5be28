"""Live views over a real websocket, with real processes that log."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from kernel_tools import experiments
from kernel_tools.core.workspace import Workspace

PATH = "studio/api/live/runs"
WRITER = """
import sys
from kernel_tools import experiments
run = experiments.start_run("census", name="written")
print(run.id, flush=True)
for line in sys.stdin:
    run.log_metric("loss", 1.0, step=int(line))
run.finish()
"""


class Writer:
    """A process that logs a point for every step that it is told."""

    def __init__(self, workspace: Workspace) -> None:
        import os

        environment = {**os.environ, "ATELIER_HOME": str(workspace.root)}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, "-c", WRITER], env=environment, **pipes)

    def run_id(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def log(self, step: int) -> None:
        assert self.process.stdin is not None
        print(step, file=self.process.stdin, flush=True)

    def end(self) -> None:
        self.process.communicate(timeout=60)


@pytest.fixture
def writer(workspace: Workspace) -> Any:
    writer = Writer(workspace)
    yield writer
    writer.end()


async def read(socket: Any) -> dict[str, Any]:
    message = await socket.read_message()
    assert message is not None, (socket.close_code, socket.close_reason)
    return json.loads(message)


async def begin(socket: Any, **request: Any) -> dict[str, Any]:
    await socket.write_message(json.dumps(request))
    return await read(socket)


async def test_a_view_is_told_of_runs_that_come_log_and_end(jp_ws_fetch: Any, workspace: Workspace) -> None:
    experiments.start_run("other", workspace=workspace).finish()
    socket = await jp_ws_fetch(PATH)
    first = await begin(socket, experiment=["census"])
    assert (first["runs"], first["must_reload"], first["is_set_changed"]) == ([], False, False)
    writer = Writer(workspace)
    run_id = writer.run_id()
    news = await read(socket)
    assert news["is_set_changed"]
    writer.log(7)
    while not (news["runs"] and news["runs"][0]["metrics"]):
        news = await read(socket)
    assert (news["runs"][0]["id"], news["runs"][0]["metrics"]) == (run_id, {"loss": 1.0})
    writer.end()
    while not (news["runs"] and news["runs"][0]["status"] == "FINISHED"):
        news = await read(socket)
    assert news["is_set_changed"]
    socket.close()


async def test_the_page_of_a_run_is_told_which_metrics_got_points(jp_ws_fetch: Any, writer: Writer) -> None:
    run_id = writer.run_id()
    writer.log(1)
    socket = await jp_ws_fetch(PATH)
    news = await begin(socket, run_id=run_id)
    while "loss" not in news["points"]:
        news = await read(socket)
    assert news["points"] == {"loss": 1}
    writer.log(5)
    while news["points"] != {"loss": 5}:
        news = await read(socket)
    assert [run["id"] for run in news["runs"]] == [run_id]
    socket.close()


async def test_who_comes_back_is_told_what_changed_meanwhile(
    jp_ws_fetch: Any, writer: Writer, workspace: Workspace
) -> None:
    run_id = writer.run_id()
    other = await jp_ws_fetch(PATH)  # keeps the watcher at work
    await begin(other)
    socket = await jp_ws_fetch(PATH)
    left = await begin(socket)
    socket.close()
    writer.log(3)
    seen = await read(other)
    while not seen["runs"]:
        seen = await read(other)
    again = await jp_ws_fetch(PATH)
    news = await begin(again, epoch=left["epoch"], since=left["sequence"])
    assert [run["id"] for run in news["runs"]] == [run_id]
    assert not news["must_reload"]
    foreign = await jp_ws_fetch(PATH)
    assert (await begin(foreign, epoch="another", since=5))["must_reload"]
    for line in (other, again, foreign):
        line.close()


async def test_the_watcher_rests_while_nobody_listens(jp_ws_fetch: Any, jp_serverapp: Any) -> None:
    live = jp_serverapp.extension_manager.extension_points["studio_ext"].app.live_runs
    assert not live.is_at_work
    sockets = [await jp_ws_fetch(PATH) for _ in range(2)]
    for socket in sockets:
        await begin(socket)
    task = live._task
    assert live.is_at_work
    for socket in sockets:
        socket.close()
    await task
    assert not live.is_at_work


@pytest.mark.parametrize("message", ["no json", "[]", '{"experiment": "census"}', '{"unknown": 1}'])
async def test_a_message_that_is_not_understood_ends_the_line_with_the_reason(jp_ws_fetch: Any, message: str) -> None:
    socket = await jp_ws_fetch(PATH)
    await socket.write_message(message)
    assert await socket.read_message() is None
    assert socket.close_code == 1007
    assert socket.close_reason


async def test_a_stranger_gets_no_line(jp_ws_fetch: Any) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_ws_fetch(PATH, headers={"Authorization": ""})
    assert refused.value.code == 403
