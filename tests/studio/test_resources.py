"""Running resources and the idle policy, with real kernels, terminals and jobs; only the clock is made up."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_core.utils import ensure_async
from traitlets.config import Config

from kernel_tools import jobs
from kernel_tools.core.errors import IntegrityError
from kernel_tools.core.workspace import Workspace
from studio_ext.idle import IdleKeeper
from studio_ext.idle_policy import IdlePolicy, read_policy, write_policy
from studio_ext.process_trees import CpuMeter, TreeUse, measure_trees
from studio_ext.quiet import Observation, QuietWatch, is_to_stop

SLEEPER = "import sys, time; print('up', flush=True); time.sleep(600)"
RESTING = Observation(cpu_seconds=1.0, io_bytes=100, is_executing=False, last_activity=0.0)


@pytest.fixture
def jp_server_config(jp_server_config: Config) -> Config:
    jp_server_config.ServerApp.jpserver_extensions = {"studio_ext": True, "jupyter_server_terminals": True}
    jp_server_config.ServerApp.allow_unauthenticated_access = True  # else the terminals' own extension does not load
    return jp_server_config


@pytest.fixture
def studio(jp_serverapp: Any) -> Any:
    """The extension of the running server."""
    (studio,) = jp_serverapp.extension_manager.extension_apps["studio_ext"]
    return studio


@pytest.fixture
def kernel(jp_serverapp: Any, jp_asyncio_loop: Any) -> Iterator[str]:
    """A kernel of the server that has said that it is idle; its id."""
    manager = jp_serverapp.kernel_manager

    async def start() -> str:
        kernel_id: str = await ensure_async(manager.start_kernel())
        client = manager.get_kernel(kernel_id).client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        await execute(client, "x = 1")
        client.stop_channels()
        await reach(manager, kernel_id, "idle")
        return kernel_id

    kernel_id = jp_asyncio_loop.run_until_complete(start())
    yield kernel_id
    if kernel_id in manager:
        jp_asyncio_loop.run_until_complete(ensure_async(manager.shutdown_kernel(kernel_id, now=True)))


async def execute(client: Any, code: str) -> None:
    """Run code and wait for its end."""
    request = client.execute(code)
    while (await client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != request:
        pass


async def reach(manager: Any, kernel_id: str, state: str) -> None:
    """Wait until the server has heard that a kernel is in a state."""
    async with asyncio.timeout(60):
        while manager.get_kernel(kernel_id).execution_state != state:
            await asyncio.sleep(0.01)


def by_kind(reply: Any) -> dict[str, Any]:
    """The resources by kind; one of each."""
    return {resource["kind"]: resource for resource in reply.json["resources"]}


class TestProcessTrees:
    def test_a_tree_counts_its_descendants_and_not_other_roots(self) -> None:
        code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
        parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert parent.stdout is not None
        try:
            parent.stdout.readline()
            import psutil

            (child,) = psutil.Process(parent.pid).children()
            whole = measure_trees({parent.pid})[parent.pid]
            apart = measure_trees({parent.pid, child.pid})
            assert (whole.processes, apart[parent.pid].processes, apart[child.pid].processes) == (2, 1, 1)
            assert whole.memory > apart[parent.pid].memory > 1_000_000
            assert whole.cpu_seconds > 0
            child.kill()
        finally:
            parent.kill()
            parent.wait()
            parent.stdout.close()

    def test_a_process_that_is_gone_is_left_out(self) -> None:
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        assert measure_trees({gone.pid, os.getpid()}).keys() == {os.getpid()}

    def test_a_share_needs_two_measurements_a_second_apart(self) -> None:
        meter = CpuMeter()

        def use(seconds: float) -> dict[int, TreeUse]:
            return {7: TreeUse(0, seconds, 0, 1, started_at=5)}

        assert meter.shares(use(1.0), at=100) == {7: None}
        assert meter.shares(use(1.2), at=100.1) == {7: None}
        assert meter.shares(use(2.0), at=102) == {7: 0.5}
        assert meter.shares(use(9.0), at=102.5) == {7: 0.5}
        assert meter.shares({7: TreeUse(0, 1.0, 0, 1, started_at=6)}, at=110) == {7: None}, "the pid of another process"


class TestQuietRule:
    def test_a_kernel_that_does_nothing_is_stopped_after_so_many_minutes(self) -> None:
        watch, policy = QuietWatch(), IdlePolicy(quiet_minutes=10)
        quiet = {minute: watch.observe("k", RESTING, minute * 60.0) for minute in range(12)}
        assert [minute for minute, seconds in quiet.items() if is_to_stop(policy, RESTING, seconds)] == [10, 11]

    @pytest.mark.parametrize(
        "busy",
        [
            Observation(cpu_seconds=1.0 + 3.0, io_bytes=100, is_executing=False, last_activity=0.0),
            Observation(cpu_seconds=1.0, io_bytes=100 + 700_000, is_executing=False, last_activity=0.0),
            Observation(cpu_seconds=1.0, io_bytes=100, is_executing=True, last_activity=0.0),
            Observation(cpu_seconds=1.0, io_bytes=100, is_executing=False, last_activity=9.0),
            Observation(cpu_seconds=None, io_bytes=None, is_executing=False, last_activity=0.0),
        ],
        ids=["cpu", "io", "execution", "short execution", "unknown"],
    )
    def test_any_sign_of_life_begins_anew(self, busy: Observation) -> None:
        watch = QuietWatch()
        watch.observe("k", RESTING, 0)
        assert watch.observe("k", RESTING, 540) == 540
        assert watch.observe("k", busy, 600) == 0

    def test_what_grows_less_is_quiet(self) -> None:
        watch = QuietWatch()
        watch.observe("k", RESTING, 0)
        less = Observation(cpu_seconds=0.2, io_bytes=1, is_executing=False, last_activity=0.0)
        assert watch.observe("k", less, 60) == 60

    @given(
        minutes=st.integers(0, 60),
        is_executing=st.booleans(),
        connections=st.integers(0, 2),
        cull_connected=st.booleans(),
        seconds=st.floats(0, 1e6),
    )
    def test_what_executes_or_is_connected_is_never_stopped_unless_the_policy_says_so(
        self, minutes: int, is_executing: bool, connections: int, cull_connected: bool, seconds: float
    ) -> None:
        policy = IdlePolicy(quiet_minutes=minutes, cull_connected=cull_connected, cull_busy=True)
        seen = Observation(1.0, 1, is_executing, 0.0, connections)
        if is_to_stop(policy, seen, seconds):
            assert minutes > 0
            assert not is_executing
            assert cull_connected or connections == 0
            assert seconds >= minutes * 60

    def test_a_kernel_that_came_back_is_a_new_one(self) -> None:
        watch = QuietWatch()
        watch.observe("k", RESTING, 0)
        watch.keep_only([])
        assert watch.observe("k", RESTING, 900) == 0


class TestKeeper:
    """The rule on real kernels; an hour passes at once."""

    @pytest.fixture
    def clock(self) -> list[float]:
        return [0.0]

    @pytest.fixture
    def keeper(self, studio: Any, clock: list[float]) -> IdleKeeper:
        return IdleKeeper(studio, clock=lambda: clock[0])

    async def test_a_quiet_kernel_is_stopped_and_the_audit_log_says_why(
        self, keeper: IdleKeeper, clock: list[float], kernel: str, workspace: Workspace, jp_serverapp: Any
    ) -> None:
        write_policy(workspace, IdlePolicy(quiet_minutes=30))
        assert await keeper.look() == []
        clock[0] = 1700.0
        assert await keeper.look() == []
        clock[0] = 3600.0
        assert await keeper.look() == [kernel]
        assert kernel not in jp_serverapp.kernel_manager
        (record,) = workspace.audit.records(limit=1)
        assert (record.action, record.details["reason"]) == ("kernel.stop", "quiet for 60 minutes")

    async def test_a_kernel_that_executes_is_not_stopped(
        self, keeper: IdleKeeper, clock: list[float], kernel: str, workspace: Workspace, jp_serverapp: Any
    ) -> None:
        write_policy(workspace, IdlePolicy(quiet_minutes=1, cull_connected=True))
        manager = jp_serverapp.kernel_manager
        client = manager.get_kernel(kernel).client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        await keeper.look()
        client.execute("import time; time.sleep(600)")
        await reach(manager, kernel, "busy")
        clock[0] = 36_000.0
        assert await keeper.look() == []
        client.stop_channels()

    async def test_a_kernel_that_somebody_is_connected_to_stays_unless_the_policy_says_so(
        self, keeper: IdleKeeper, clock: list[float], kernel: str, workspace: Workspace, jp_serverapp: Any
    ) -> None:
        jp_serverapp.kernel_manager.notify_connect(kernel)
        write_policy(workspace, IdlePolicy(quiet_minutes=1))
        await keeper.look()
        clock[0] = 36_000.0
        assert await keeper.look() == []
        write_policy(workspace, IdlePolicy(quiet_minutes=1, cull_connected=True))
        assert await keeper.look() == [kernel]

    async def test_without_a_policy_nothing_is_stopped(
        self, keeper: IdleKeeper, clock: list[float], kernel: str
    ) -> None:
        await keeper.look()
        clock[0] = 1e6
        assert await keeper.look() == []

    async def test_a_damaged_policy_stops_nothing_and_says_so(
        self, keeper: IdleKeeper, workspace: Workspace, kernel: str
    ) -> None:
        (workspace.root / "settings.json").write_text("{")
        with pytest.raises(IntegrityError, match="settings.json"):
            await keeper.look()
        await keeper.follow()
        keeper.rest()


class TestApi:
    async def test_what_runs_is_listed_with_what_it_uses(
        self, call: Any, kernel: str, workspace: Workspace, tmp_path: Any, jp_serverapp: Any
    ) -> None:
        script = tmp_path / "long.py"
        script.write_text(SLEEPER)
        job = jobs.submit(str(script), name="long", workspace=workspace)
        next(job.logs(follow=True))
        terminal = await call("POST", "/api/terminals", b"", base="")
        assert terminal.status == 200
        try:
            reply = await call("GET", "/resources")
            found = by_kind(reply)
            assert found.keys() == {"kernel", "job", "terminal"}
            assert all(resource["memory"] > 1_000_000 for resource in found.values())
            assert reply.json["memory"] == sum(resource["memory"] for resource in found.values())
            assert found["kernel"]["id"] == kernel
            assert found["kernel"]["idle_since"] == found["kernel"]["last_activity"]
            assert found["job"]["processes"] >= 2, "the supervisor and its workload"
            assert (found["job"]["state"], found["job"]["idle_since"]) == ("Running", None)
            memory = (await call("GET", "/resources/memory")).json
            assert (memory["resources"], memory["memory"] > 1_000_000) == (3, True)
            for resource in found.values():
                stopped = await call("POST", f"/resources/{resource['kind']}/{resource['id']}/stop", b"")
                assert stopped.status == 204, stopped.content
            assert job.wait(60) == "Stopped"
            assert (await call("GET", "/resources")).json == {"resources": [], "memory": 0}
            actions = {record.action for record in workspace.audit.records()}
            assert {"kernel.stop", "terminal.stop", "job.stop"} <= actions
        finally:
            job.stop()

    async def test_a_kernel_has_the_name_of_its_notebook(self, call: Any, jp_serverapp: Any) -> None:
        body = {"path": "work/census.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
        session = (await call("POST", "/api/sessions", body, base="", request_timeout=60)).json
        found = by_kind(await call("GET", "/resources"))["kernel"]
        assert (found["id"], found["name"], found["path"]) == (
            session["kernel"]["id"],
            "census.ipynb",
            "work/census.ipynb",
        )

    @pytest.mark.parametrize("kind", ["kernel", "terminal", "job", "endpoint"])
    async def test_what_is_gone_is_404(self, call: Any, kind: str) -> None:
        answer = await call("POST", f"/resources/{kind}/gone/stop", b"")
        assert answer.error == (404, "NotFoundError")
        assert "gone" in answer.message

    async def test_an_unknown_kind_is_refused(self, call: Any) -> None:
        assert (await call("POST", "/resources/cluster/one/stop", b"")).error == (422, "InvalidDataError")

    async def test_the_policy_begins_with_what_the_server_was_configured_with(
        self, call: Any, jp_serverapp: Any, workspace: Workspace
    ) -> None:
        jp_serverapp.kernel_manager.cull_idle_timeout = 1200
        policy = (await call("GET", "/resources/policy")).json["policy"]
        assert (policy["cull_idle_timeout"], policy["quiet_minutes"]) == (1200, 0)
        assert read_policy(workspace.root) is None

    async def test_a_policy_holds_at_once_and_is_kept(
        self, call: Any, jp_serverapp: Any, workspace: Workspace, studio: Any
    ) -> None:
        body = {"cull_idle_timeout": 3600, "cull_interval": 60, "cull_connected": True, "quiet_minutes": 45}
        reply = await call("PUT", "/resources/policy", body)
        assert reply.json["policy"]["quiet_minutes"] == 45
        kernels, terminals = jp_serverapp.kernel_manager, studio.running.terminal_manager
        assert (kernels.cull_idle_timeout, kernels.cull_connected, kernels._culler_callback.is_running()) == (
            3600,
            True,
            True,
        )
        assert kernels._culler_callback.callback_time == 60_000
        await call("PUT", "/resources/policy", {"cull_inactive_timeout": 600})
        assert (kernels.cull_idle_timeout, kernels._culler_callback) == (0, None)
        assert (terminals.cull_inactive_timeout, terminals._culler_callback.is_running()) == (600, True)
        assert read_policy(workspace.root) == IdlePolicy(cull_inactive_timeout=600)
        assert json.loads((workspace.root / "settings.json").read_text())["version"] == 1
        assert next(iter(workspace.audit.records(limit=1))).action == "idle.policy"
        await call("PUT", "/resources/policy", {})

    @pytest.mark.parametrize(
        "body",
        [{"quiet_minutes": -1}, {"cull_interval": 0}, {"cull_busy": "yes"}, {"unknown": 1}, {"quiet_minutes": 1e9}],
    )
    async def test_a_policy_that_makes_no_sense_is_refused(self, call: Any, body: dict[str, Any]) -> None:
        assert (await call("PUT", "/resources/policy", body)).error == (422, "InvalidDataError")

    async def test_a_newer_format_is_not_guessed_at(self, call: Any, workspace: Workspace) -> None:
        (workspace.root / "settings.json").write_text('{"version": 99}')
        answer = await call("GET", "/resources/policy")
        assert answer.error == (409, "IntegrityError")
        assert "newer" in answer.message


class TestStart:
    """A server that starts on a workspace with a policy."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config, workspace: Workspace) -> Config:
        write_policy(workspace, IdlePolicy(cull_idle_timeout=7200, quiet_minutes=20))
        return jp_server_config

    async def test_it_follows_the_policy(self, jp_serverapp: Any, studio: Any) -> None:
        await studio._start_jupyter_server_extension(jp_serverapp)
        assert jp_serverapp.kernel_manager.cull_idle_timeout == 7200
        assert studio.idle_keeper._task is not None
        studio.idle_keeper.rest()
