"""Paths, keys, tokens, certificates and metrics: what stands around an invocation."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernel_tools as kt
from kernel_tools.core.errors import AtelierError, InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.wire import MethodNotAllowedError, UnauthorizedError, error_headers, error_status
from kernel_tools.hosting.wire.access_keys import AccessKeys
from kernel_tools.hosting.wire.certificates import load_certificate, make_development_certificate
from kernel_tools.hosting.wire.dispatch import Dispatcher, Operation, Route
from kernel_tools.hosting.wire.prometheus import Counter, Gauge, Histogram, render


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/ping", Route(Operation.PING)),
        ("POST", "/endpoints/a%20b/invocations", Route(Operation.SAGEMAKER_INVOKE, {"endpoint": "a b"})),
        ("GET", "/v2/health/ready", Route(Operation.V2_READY)),
        ("POST", "/v2/models/m/infer", Route(Operation.V2_INFER, {"model": "m"})),
        ("GET", "/v2/models/m/versions/3", Route(Operation.V2_MODEL_METADATA, {"model": "m", "version": "3"})),
    ],
)
def test_a_path_names_its_operation(method: str, path: str, route: Route) -> None:
    assert Dispatcher().match(method, path) == route


def test_another_method_or_path_is_named() -> None:
    with pytest.raises(MethodNotAllowedError, match="/ping answers GET and HEAD, not POST") as caught:
        Dispatcher().match("POST", "/ping")
    assert (error_status(caught.value), error_headers(caught.value)) == (405, [(b"allow", b"GET, HEAD")])
    with pytest.raises(NotFoundError, match="this endpoint answers GET /ping\\."):
        Dispatcher(frozenset({Operation.PING})).match("POST", "/invocations")


@given(st.text(max_size=40), st.sampled_from(["GET", "POST", "", "BREW"]))
def test_any_path_is_matched_or_refused_on_purpose(path: str, method: str) -> None:
    for address in (path, f"/v2/models/{path}", f"/endpoints/{path}/invocations"):
        try:
            Dispatcher().match(method, address)
        except AtelierError:
            continue


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_key_is_kept_as_the_workspace_keeps_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_encrypted: bool
) -> None:
    if is_encrypted:
        monkeypatch.setenv("ATELIER_ENCRYPTION_KEY", "ab" * 32)
    workspace = Workspace(tmp_path)
    key = kt.hosting.create_access_key("boto3", workspace=workspace)
    (path,) = (tmp_path / "access-keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (key.secret.encode() in path.read_bytes()) is not is_encrypted
    assert key.secret not in repr(key)
    assert AccessKeys(workspace).secret(key.id) == key.secret
    assert [(found.id, found.label) for found in kt.hosting.list_access_keys(workspace=workspace)] == [
        (key.id, "boto3")
    ]
    if is_encrypted:
        monkeypatch.setenv("ATELIER_ENCRYPTION_KEY", "cd" * 32)
        with pytest.raises(UnavailableError, match="which is not set here"):
            AccessKeys(workspace).secret(key.id)


def test_a_token_holds_until_it_is_revoked(tmp_path: Path) -> None:
    keys = AccessKeys(Workspace(tmp_path))
    token, pair = keys.create(kind="token"), keys.create()
    assert keys.check_token(f"Bearer {token.secret}") == token.id
    assert keys.secret(token.id) is None
    for wrong in ("", token.secret, f"Bearer {token.secret}x", f"Bearer {pair.id}.{pair.secret}", "Bearer ../../x.y"):
        with pytest.raises(UnauthorizedError):
            keys.check_token(wrong)
    other = AccessKeys(Workspace(tmp_path))
    other.revoke(token.id)
    with pytest.raises(UnauthorizedError):
        keys.check_token(f"Bearer {token.secret}")
    for unknown in (token.id, "../catalog"):
        with pytest.raises(NotFoundError):
            other.revoke(unknown)


def test_a_development_certificate_serves_localhost(tmp_path: Path) -> None:
    certificate, key = make_development_certificate(tmp_path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    left, right = socket.socketpair()
    server = load_certificate(certificate, key)

    def serve() -> None:
        with server.wrap_socket(left, server_side=True) as stream:
            stream.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    client = ssl.create_default_context(cafile=str(certificate))
    with client.wrap_socket(right, server_hostname="127.0.0.1") as stream:
        assert stream.recv(5) == b"hello"
    thread.join()


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    certificate, _ = make_development_certificate(tmp_path / "a")
    _, key = make_development_certificate(tmp_path / "b")
    with pytest.raises(InvalidArgumentError, match="no certificate and its private key"):
        load_certificate(certificate, key)
    with pytest.raises(InvalidArgumentError, match="cannot be read"):
        load_certificate(tmp_path / "none.pem", key)


def test_metrics_are_prometheus_text() -> None:
    labels = {"variant": 'a"b\n'}
    text = render(
        [
            Counter("Invocations", "Requests.", 3, labels),
            Histogram("ModelLatency", "In us.", [1.0, 10.0], [1, 0, 2], 31.5),
            Gauge("Backlog", "Waiting.", float("nan")),
            Counter("Invocations", "Requests.", 4),
        ]
    ).decode()
    assert text == (
        "# HELP Invocations Requests.\n# TYPE Invocations counter\n"
        'Invocations{variant="a\\"b\\n"} 3\nInvocations 4\n'
        "# HELP ModelLatency In us.\n# TYPE ModelLatency histogram\n"
        'ModelLatency_bucket{le="1.0"} 1\nModelLatency_bucket{le="10.0"} 1\nModelLatency_bucket{le="+Inf"} 3\n'
        "ModelLatency_sum 31.5\nModelLatency_count 3\n"
        "# HELP Backlog Waiting.\n# TYPE Backlog gauge\nBacklog NaN\n"
    )
