"""The command `atelier`, as a person at a terminal uses it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kernel_tools import __version__, experiments

ATELIER = [sys.executable, "-m", "kernel_tools.cli"]


def _atelier(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ATELIER, *arguments], capture_output=True, text=True, cwd=cwd, check=False)


def test_version_is_printed():
    assert _atelier("version").stdout == f"atelier {__version__}\n"


def test_without_arguments_the_commands_are_listed():
    shown = _atelier().stdout + _atelier().stderr
    assert all(command in shown for command in ("lab", "demo", "doctor", "audit", "version"))


def test_doctor_finds_a_new_workspace_healthy():
    result = _atelier("doctor", "--json")
    findings = {finding["what"]: finding for finding in json.loads(result.stdout)}
    for what in ("python", "torch", "server extension", "workspace", "catalog", "artifacts", "audit log", "endpoints"):
        assert findings[what]["state"] == "ok", findings[what]


def test_doctor_names_what_is_broken_and_fails(workspace):
    experiments.start_run("census", workspace=workspace).finish()
    log = workspace.root / "audit.jsonl"
    log.write_text(log.read_text().replace("FINISHED", "FAILED"))
    (workspace.root / "catalog.db").write_bytes(b"no database" * 1000)
    (workspace.root / "catalog.db-wal").unlink(missing_ok=True)
    result = _atelier("doctor", "--json")
    findings = {finding["what"]: finding for finding in json.loads(result.stdout)}
    assert result.returncode == 1
    assert findings["audit log"]["state"] == "failed"
    assert "record 3" in findings["audit log"]["detail"]
    assert "catalog.db" in findings["catalog"]["detail"]
    assert findings["artifacts"]["state"] == "ok"


def test_doctor_prints_a_table_for_people():
    assert "jupyterlab" in _atelier("doctor").stdout


def test_audit_verify_names_the_first_broken_record(workspace):
    for _ in range(3):
        experiments.start_run("census", workspace=workspace)
    assert "whole: 4 records" in _atelier("audit", "verify").stdout
    log = workspace.root / "audit.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text(lines[0] + lines[2])
    result = _atelier("audit", "verify")
    assert (result.returncode, "broken at record 2" in result.stderr) == (1, True)


def test_artifacts_gc_frees_what_nobody_refers_to(workspace):
    blob = workspace.artifacts.put_bytes(b"orphan" * 1000)
    assert "Freed 0.0 MiB" in _atelier("artifacts", "gc").stdout
    assert workspace.artifacts.exists(blob.sha256)
    assert _atelier("artifacts", "gc", "--hours", "0").returncode == 0
    assert not workspace.artifacts.exists(blob.sha256)


def test_an_expected_error_is_one_line_without_a_traceback(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("ATELIER_DATABASE_URL", "mysql://host/name")
    result = _atelier("artifacts", "gc")
    assert result.returncode == 2
    assert result.stderr.startswith("atelier: The catalog cannot live in 'mysql'")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("path", ["missing.ipynb", "..", "/"])
def test_lab_refuses_what_it_cannot_open(tmp_path: Path, path: str):
    result = _atelier("lab", path, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("atelier: ")


def test_lab_prints_a_url_that_opens_the_quickstart_and_copies_it_where_it_is_missing(tmp_path: Path):
    process = subprocess.Popen(
        [*ATELIER, "lab", "--no-browser"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        url = process.stdout.readline().split()[-1]
        threading.Thread(target=process.stderr.read, daemon=True).start()
        _await_listener(urlsplit(url).port, process)
        with urllib.request.urlopen(url) as reply:
            assert reply.status == 200
            assert "jupyterlab" in reply.read().decode().lower()
        assert url.startswith("http://127.0.0.1:")
        assert "/lab/tree/notebooks/quickstart.ipynb?token=" in url
        assert (tmp_path / "notebooks" / "quickstart.ipynb").is_file()
        assert (tmp_path / "notebooks" / "data" / "adult.parquet").is_file()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def _await_listener(port: int, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)  # a server that starts tells nobody
    pytest.fail(f"JupyterLab ended with {process.returncode}")


def test_demo_runs_the_quickstart_in_a_workspace_of_its_own_and_prints_the_results(workspace):
    result = _atelier("demo")
    assert result.returncode == 0, result.stderr
    assert "AUC on the test split" in result.stdout
    assert "as expected" in result.stdout
    assert not (workspace.root / "runs").exists()
