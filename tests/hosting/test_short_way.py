"""Requests that a compiled model answers at once get what the usual way gives, however they arrive."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import kernel_tools as kt
from tests.hosting.test_life_cycle import wait_for

ROW = b'{"instances": [[5.0, 5.0, 1.0]]}'
LONG = b'{"instances": [' + b",".join([b"[0.25, 0.5, 0.125]"] * 5000) + b"]}"
BODIES = [ROW, b'{"instances": [[0, 0, null]]}', b'{"instances": [[1]]}', b"{", b"", LONG]


@pytest.fixture(scope="module")
def address(workspace):
    points = np.random.default_rng(0).normal(size=(80, 3))
    model = LogisticRegression().fit(points, np.where(points[:, 0] > 0, "far", "near"))
    version = kt.registry.register("quick", model, sample_input=points[:5], workspace=workspace)
    kt.compiler.compile(version, "onnx", points)
    endpoint = kt.hosting.deploy("quick", version=1, engine="onnx", name="quick", workspace=workspace)
    parts = urlsplit(endpoint.url)
    yield parts.hostname, parts.port
    endpoint.delete()


def head(body, *more, framing=b""):
    lines = [b"POST /invocations HTTP/1.1", b"Host: 127.0.0.1", b"Content-Type: application/json", *more]
    return b"\r\n".join([*lines, framing or b"Content-Length: %d" % len(body), b"", b""])


def chunked(body):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:]) if part) + b"0\r\n\r\n"


def read_reply(file):
    """Read one reply from a connection's file: its status, its headers by name, and its body."""
    status = int(file.readline().split()[1])
    lines = iter(lambda: file.readline().strip(), b"")
    headers = {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}
    return status, headers, file.read(int(headers[b"content-length"]))


def replies(address, pieces, count):
    """Send the pieces one after the other and read so many replies: status, content type and body of each."""
    found = []
    with socket.create_connection(address, timeout=30) as client, client.makefile("rb") as file:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
        for _ in range(count):
            status, headers, body = read_reply(file)
            assert headers[b"x-amzn-requestid"] == b"mine" or len(headers[b"x-amzn-requestid"]) == 32
            found.append((status, headers[b"content-type"], body))
    return found


@pytest.fixture(scope="module")
def usual(address):
    """What the usual way answers: a header that nobody knows leads there."""
    return {body: replies(address, [head(body, b"X-Unknown: 1"), body], 1)[0] for body in BODIES}


def test_the_usual_way_answers(usual):
    assert [usual[body][0] for body in BODIES] == [200, 424, 422, 400, 400, 200]
    assert usual[ROW][1] == b"application/json" and b'"far"' in usual[ROW][2]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(st.sampled_from(range(len(BODIES))), min_size=1, max_size=4),
    extra=st.lists(st.sampled_from([b"", b"X-Unknown: 1", b"X-Request-Id: mine"]), max_size=4),
    cuts=st.lists(st.integers(0, 400), max_size=6),
    is_chunked=st.booleans(),
)
def test_a_request_gets_the_same_answer_however_it_arrives(address, usual, numbers, extra, cuts, is_chunked):
    """Pipelined, in pieces, chunked, among requests that go the usual way."""
    bodies = [BODIES[number] for number in numbers]
    sent = b""
    for body, header in zip(bodies, [*extra, *[b""] * len(bodies)], strict=False):
        more = [header] if header else []
        framing = b"Transfer-Encoding: chunked" if is_chunked else b""
        sent += head(body, *more, framing=framing) + (chunked(body) if is_chunked else body)
    places = sorted({min(cut, len(sent)) for cut in cuts})
    pieces = [sent[start:stop] for start, stop in zip([0, *places], [*places, len(sent)], strict=True)]
    assert replies(address, pieces, len(bodies)) == [usual[body] for body in bodies]


def test_what_is_not_plain_is_heard_too(address, usual):
    closing = replies(address, [head(ROW, b"Connection: close"), ROW], 1)
    assert closing == [usual[ROW]]
    assert replies(address, [head(ROW, b"Host: evil.example"), ROW], 1)[0][0] == 403
    csv = [head(b"5,5,1\n").replace(b"application/json", b"text/csv"), b"5,5,1\n"]
    assert replies(address, csv, 1) == [usual[ROW]]
    named = head(ROW, b"X-Amzn-SageMaker-Target-Variant: none")
    assert replies(address, [named, ROW], 1)[0][0] == 400


def test_each_answer_is_counted_and_has_an_id_of_its_own(address, workspace):
    ids = set()
    with socket.create_connection(address, timeout=30) as client, client.makefile("rb") as file:
        for _ in range(20):
            client.sendall(head(ROW) + ROW)
            _, headers, _ = read_reply(file)
            ids.add(headers[b"x-amzn-requestid"])
            assert headers[b"x-amzn-invoked-production-variant"] == b"AllTraffic"
    assert len(ids) == 20
    endpoint = kt.hosting.get("quick", workspace=workspace)
    wait_for(lambda: endpoint.metrics()["Invocations"] >= 20)
