"""Roles hold for the protocol too: a viewer reads and searches, and does not write."""

from __future__ import annotations

from typing import Any


def test_a_viewer_reads_and_searches_but_does_not_write(viewers_rest: Any) -> None:
    viewers_rest.ok("GET", "experiments/get", {"experiment_id": "0"})
    viewers_rest.ok("POST", "runs/search", {"experiment_ids": ["0"]})
    for method, path, request in (
        ("POST", "mlflow/experiments/create", {"name": "x"}),
        ("POST", "mlflow/runs/log-batch", {"run_id": "0" * 32}),
        ("PATCH", "mlflow/registered-models/update", {"name": "x"}),
        ("DELETE", "mlflow/logged-models/m-1", None),
        ("PUT", "mlflow-artifacts/artifacts/0/a/artifacts/b", b"content"),
        ("DELETE", "mlflow-artifacts/artifacts/0/a/artifacts/b", None),
        ("POST", "mlflow-artifacts/mpu/create/a", {}),
    ):
        answer = viewers_rest.call(method, f"/api/2.0/{path}", request)
        assert answer.error == (403, "PERMISSION_DENIED"), path
