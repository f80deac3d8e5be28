"""Endpoints as processes: they are made once, outlive their maker, are missed when killed, and end completely."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import kernel_tools as kt
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.core.processes import identify_process
from kernel_tools.hosting import EndpointState, lifecycle
from kernel_tools.hosting.configuration import EndpointConfiguration
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.hosts import ask_host, nudge_host, stop_host
from kernel_tools.hosting.listeners import bind

SOURCE = Path(kt.__file__).parents[1]


def wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def actions(workspace, name):
    return [record.action for record in workspace.audit.records(limit=100, newest_first=False) if record.target == name]


def test_deploy_serves_the_newest_approved_version_under_the_models_name(workspace):
    endpoint = kt.hosting.deploy("census", workspace=workspace)
    record = endpoint.record
    assert (record.name, record.model, record.version) == ("census", "census", 1)
    assert record.state is EndpointState.IN_SERVICE and record.reason == ""
    assert record.url == endpoint.url and record.url.startswith("http://127.0.0.1:")
    assert endpoint.page_url.endswith("/lab?atelier=endpoint/census")
    assert "census" in endpoint._repr_html_()
    endpoint.delete()
    assert repr(endpoint) == "<Endpoint 'census', deleted>"


def test_a_taken_name_is_refused_with_the_way_out(workspace, endpoint):
    with pytest.raises(ConflictError, match=r"already is an endpoint 'shared'.*another name=.*delete"):
        kt.hosting.deploy("census", name="shared", workspace=workspace)


def test_of_concurrent_deploys_of_one_name_exactly_one_wins(workspace):
    def attempt(_):
        try:
            return kt.hosting.deploy("census", name="race", timeout=0, workspace=workspace)
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(attempt, range(4)))
    winners = [result for result in results if isinstance(result, kt.hosting.Endpoint)]
    assert len(winners) == 1
    winners[0].wait().delete()


def test_only_approved_or_named_versions_are_deployed_and_rejected_ones_never(workspace, census):
    version = kt.registry.register("unapproved", census.model, sample_input=census.X.head(), workspace=workspace)
    with pytest.raises(NotFoundError, match=r"no approved version\. Approve one with .*'unapproved', version=1"):
        kt.hosting.deploy("unapproved", workspace=workspace)
    version.reject("leaks the label")
    with pytest.raises(ConflictError, match=r"rejected \(leaks the label\)"):
        kt.hosting.deploy("unapproved", 1, workspace=workspace)
    with pytest.raises(NotFoundError, match="no model 'unknown'"):
        kt.hosting.deploy("unknown", workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="endpoint name"):
        kt.hosting.deploy("census", name="../escape", workspace=workspace)
    assert "unapproved" not in [item.name for item in kt.hosting.list_endpoints(workspace=workspace)]


def test_a_killed_worker_is_started_again_while_requests_wait(own_endpoint, census):
    before = own_endpoint.record
    expected = own_endpoint.predict_proba(census.row)
    os.kill(before.pid, signal.SIGKILL)
    assert (own_endpoint.predict_proba(census.row) == expected).all()
    after = own_endpoint.record
    assert after.state is EndpointState.IN_SERVICE
    assert (after.url, after.created_at) == (before.url, before.created_at) and after.pid != before.pid


def test_an_endpoint_without_host_and_workers_is_failed_and_restart_brings_it_back(workspace, own_endpoint, census):
    before = own_endpoint.record
    stop_host(workspace)
    wait_for(lambda: own_endpoint.state is EndpointState.FAILED)
    failed = own_endpoint.record
    assert "are gone" in failed.reason and ".restart()" in failed.reason and failed.url is None
    with pytest.raises(UnavailableError, match=r"not in service.*\.restart\(\)"):
        own_endpoint.predict(census.row)
    own_endpoint.restart()
    assert own_endpoint.url == before.url
    assert own_endpoint.predict(census.row).shape == (1,)


def test_the_next_host_adopts_the_workers_and_sockets_of_one_that_was_killed(workspace, own_endpoint, census):
    before = own_endpoint.record
    killed = ask_host(workspace, "status")["pid"]
    os.kill(killed, signal.SIGKILL)
    assert own_endpoint.state is EndpointState.IN_SERVICE
    assert own_endpoint.predict(census.row).shape == (1,)
    nudge_host(workspace)
    wait_for(lambda: "own" in ask_host(workspace, "status")["endpoints"])
    assert ask_host(workspace, "status")["pid"] != killed
    assert own_endpoint.record == before
    os.kill(before.pid, signal.SIGKILL)  # the adopted socket outlives the worker that it was taken from
    assert own_endpoint.predict(census.row).shape == (1,)
    assert own_endpoint.url == before.url


def test_workers_call_for_a_new_host_when_theirs_was_killed(workspace, own_endpoint):
    killed = ask_host(workspace, "status")["pid"]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: (ask_host(workspace, "status") or {"pid": killed})["pid"] != killed, 30)


def test_a_client_follows_an_endpoint_that_was_restarted(own_endpoint, census):
    expected = own_endpoint.predict_proba(census.row)
    pid = own_endpoint.record.pid
    own_endpoint.restart()
    assert own_endpoint.record.pid != pid
    assert (own_endpoint.predict_proba(census.row) == expected).all()


def test_an_endpoint_outlives_the_kernel_that_deployed_it(workspace):
    code = f"""
import os, signal, kernel_tools as kt
from kernel_tools.core.workspace import Workspace
kt.hosting.deploy("census", name="orphan", workspace=Workspace({str(workspace.root)!r}))
os.killpg(0, signal.SIGHUP) if os.fork() == 0 else os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    maker = subprocess.run([sys.executable, "-c", code], env=environment, start_new_session=True, timeout=120)
    assert maker.returncode in (-signal.SIGKILL, -signal.SIGHUP)
    endpoint = kt.hosting.get("orphan", workspace=workspace)
    assert endpoint.state is EndpointState.IN_SERVICE
    assert endpoint.predict([{"age": 39, "hours": None, "is_married": True, "job": None, "grade": 3}]).shape == (1,)
    endpoint.delete()


def test_delete_ends_the_process_and_removes_the_folder(workspace):
    endpoint = kt.hosting.deploy("census", name="short", workspace=workspace)
    process = identify_process(endpoint.record.pid)
    endpoint.delete()
    assert not process.is_alive()
    assert not list((workspace.root / "endpoints").glob("*short*/"))
    with pytest.raises(NotFoundError, match="no endpoint 'short'"):
        kt.hosting.get("short", workspace=workspace)
    with pytest.raises(NotFoundError):
        endpoint.delete()
    assert actions(workspace, "short") == [
        "endpoint.deploy",
        "endpoint.in_service",
        "endpoint.delete",
        "endpoint.deleted",
    ]


def test_delete_lets_a_request_finish_that_is_being_answered(workspace, census, monkeypatch):
    endpoint = kt.hosting.deploy("census", name="busy", workspace=workspace)
    is_encoded, send = threading.Event(), endpoint._send

    def send_encoded(body):
        is_encoded.set()
        return send(body)

    monkeypatch.setattr(endpoint, "_send", send_encoded)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(endpoint.invoke, [census.row] * 60_000)
        is_encoded.wait()
        time.sleep(0.3)  # until it has arrived
        endpoint.delete()
        assert len(answer.result()["predictions"]) == 60_000


def test_an_endpoint_can_be_deleted_while_it_loads(workspace):
    endpoint = kt.hosting.deploy("census", name="early", timeout=0, workspace=workspace)
    assert endpoint.state is EndpointState.CREATING
    wait_for(lambda: endpoint._folder.status().workers)
    processes = endpoint._folder.status().processes
    endpoint.delete()
    assert not any(process.is_alive() for process in processes)


def test_a_deletion_that_was_interrupted_is_completed_by_the_next(workspace, own_endpoint, monkeypatch):
    process = identify_process(own_endpoint.record.pid)

    def crash(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EndpointFolder, "remove", crash)
        with pytest.raises(KeyboardInterrupt):
            own_endpoint.delete()
    assert own_endpoint.state is EndpointState.DELETING
    with pytest.raises(ConflictError, match="being deleted"):
        own_endpoint.restart()
    own_endpoint.delete()
    assert not process.is_alive()


def test_a_deploy_that_was_killed_before_a_host_knew_of_it_is_failed(workspace, census):
    stop_host(workspace)
    folder = EndpointFolder(workspace, "unborn")
    version = kt.registry.get("census", 1, workspace=workspace).record
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    starter = identify_process(gone.pid)
    gone.communicate()
    status = replace(lifecycle._new_launch(), starter=starter)
    folder.create(EndpointConfiguration("unborn", 0, "me", version), status)
    endpoint = kt.hosting.get("unborn", workspace=workspace)
    assert endpoint.state is EndpointState.FAILED
    assert "never started" in endpoint.record.reason
    endpoint.restart()
    assert endpoint.state is EndpointState.IN_SERVICE
    endpoint.delete()


def test_a_model_that_cannot_be_loaded_says_why_and_stays_to_be_looked_at(workspace, census):
    import torch

    kt.registry.register("weights", {"w": torch.zeros(2)}, workspace=workspace)
    with pytest.raises(UnavailableError, match=r"cannot answer requests: it has no predict method"):
        kt.hosting.deploy("weights", 1, workspace=workspace)
    endpoint = kt.hosting.get("weights", workspace=workspace)
    assert endpoint.record.state is EndpointState.FAILED
    assert "no predict method" in endpoint.record.reason and ".delete()" in endpoint.record.reason
    assert "Traceback" in endpoint.logs()
    wait_for(lambda: "endpoint.failed" in actions(workspace, "weights"))
    endpoint.delete()


def test_damaged_model_files_are_not_served(workspace, census):
    version = kt.registry.register("damaged", census.model, sample_input=census.X.head(7), workspace=workspace)
    files = version.record.files
    blob = next(path for path in (workspace.root / "blobs").rglob(files[0].sha256))
    content = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        with pytest.raises(UnavailableError, match=r"could not be loaded"):
            kt.hosting.deploy("damaged", 1, workspace=workspace)
    finally:
        blob.write_bytes(content)
        kt.hosting.get("damaged", workspace=workspace).delete()


@pytest.mark.parametrize("file", ["endpoint.json", "state.json"])
@pytest.mark.parametrize("content", [b"", b"{", b'{"name": 3}', b'{"format_version": 99}', None])
def test_a_folder_with_broken_files_is_failed_and_breaks_no_list(workspace, endpoint, file, content):
    folder = workspace.root / "endpoints" / "broken"
    source = workspace.root / "endpoints" / "shared"
    folder.mkdir()
    for name in ("endpoint.json", "state.json"):
        if name != file:
            (folder / name).write_bytes((source / name).read_bytes())
        elif content is not None:
            (folder / name).write_bytes(content)
    if file == "endpoint.json":  # a copy must not speak of the process of the original
        state = json.loads((folder / "state.json").read_text())
        (folder / "state.json").write_text(json.dumps({**state, "workers": []}))
    records = {item.name: item.record for item in kt.hosting.list_endpoints(workspace=workspace)}
    assert records["shared"].state is EndpointState.IN_SERVICE
    assert records["broken"].state is EndpointState.FAILED
    assert "'broken'" in records["broken"].reason and "elete" in records["broken"].reason
    kt.hosting.get("broken", workspace=workspace).delete()
    assert not folder.exists()


def test_an_endpoint_whose_state_was_lost_is_still_ended_by_delete(workspace, own_endpoint):
    process = identify_process(own_endpoint.record.pid)
    (workspace.root / "endpoints" / "own" / "state.json").write_text("lost")
    assert own_endpoint.state is EndpointState.FAILED
    own_endpoint.delete()
    assert not process.is_alive()


def test_the_log_keeps_what_the_process_said_and_logs_returns_its_end(endpoint):
    assert "In service on http://127.0.0.1" in endpoint.logs()
    assert len(endpoint.logs(tail=1).splitlines()) == 1
    with pytest.raises(InvalidArgumentError, match="tail=0"):
        endpoint.logs(tail=0)


def test_a_log_that_grew_long_is_moved_aside_while_the_process_prints_on(tmp_path):
    path = tmp_path / "log.txt"
    code = """
import sys, pathlib
from kernel_tools.hosting.worker import rotate_log
path = pathlib.Path(sys.argv[1])
print("first", flush=True); rotate_log(path, 1); rotate_log(path, 100); print("second", flush=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with path.open("ab") as log:
        subprocess.run([sys.executable, "-c", code, str(path)], stdout=log, env=environment, check=True)
    assert path.with_name("log.1.txt").read_text() == "first\n"
    assert path.read_text() == "second\n"


def test_a_port_that_another_program_took_meanwhile_is_replaced():
    with bind(None) as taken:
        taken.listen()
        with bind(taken.getsockname()[1]) as other:
            assert other.getsockname()[1] not in (0, taken.getsockname()[1])
