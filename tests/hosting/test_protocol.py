"""The wire: statuses, limits and refusals of an endpoint, and that no request can end it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel_tools.hosting.wire import MAX_BODY_BYTES


@pytest.fixture(scope="module")
def address(endpoint):
    parts = urlsplit(endpoint.url)
    return parts.hostname, parts.port


def request(address, method="POST", path="/invocations", body=b"", headers=None):
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None, response.headers
    finally:
        connection.close()


def test_ping_says_which_version_is_in_service(address):
    status, body, _ = request(address, "GET", "/ping")
    assert (status, body) == (200, {"status": "InService", "endpoint": "shared", "model": "census", "version": 1})
    assert request(address, "HEAD", "/ping")[:2] == (200, None)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "message"),
    [
        ("GET", "/", {}, 404, "no path '/': this endpoint answers GET /ping, POST /invocations"),
        ("POST", "/invocations/", {}, 404, "There is no path"),
        ("GET", "/invocations", {}, 405, "/invocations answers POST, not GET"),
        ("DELETE", "/ping", {}, 405, "/ping answers GET and HEAD, not DELETE"),
        (
            "POST",
            "/invocations",
            {"Content-Type": "image/png"},
            415,
            "'image/png' is not supported: send application/json",
        ),
        ("POST", "/invocations", {"Host": "evil.example:80"}, 403, "'evil.example:80' is not served here"),
    ],
)
def test_what_is_not_served_is_refused_with_what_is(address, method, path, headers, status, message):
    given_status, body, _ = request(address, method, path, b"{}", headers)
    assert given_status == status
    assert message in body["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "not valid JSON"),
        (b'{"instances": [1,', 400, "not valid JSON: Input data was truncated"),
        (b'{"instances": [1, x]}', 400, "byte 18"),
        (b'{"dataframe_records": [{"hours": NaN}]}', 400, "JSON has no NaN: send null"),
        (b'{"dataframe_records": [{"hours": -Infinity}]}', 400, "JSON has no Infinity"),
        (b'{"dataframe_records": [{"hours": 1e999}]}', 400, "not valid JSON"),
        (b"\xff\xfe", 400, "not valid JSON"),
        (b"[" * 200_000, 400, "nested too deeply"),
        (b'{"a":' * 200_000, 400, "nested too deeply"),
        (b"[]", 400, "exactly one of"),
        (b"null", 400, "exactly one of"),
        (b'{"rows": []}', 400, "exactly one of"),
        (b'{"instances": [], "inputs": []}', 400, "it has instances, inputs"),
        (b'{"dataframe_records": []}', 400, "no rows"),
        (b'{"dataframe_records": {}}', 400, "send a list of objects"),
        (b'{"dataframe_records": [1]}', 400, "Row 0 is 1: each row is an object"),
        (b'{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}', 400, "'a' more than once"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}', 400, "Row 0 has 2 values"),
        (b'{"dataframe_split": [1]}', 400, "'columns' and 'data'"),
        (b'{"instances": [[1, 2]]}', 400, "Row 0 has 2 values, but there are 5 columns"),
        (b'{"inputs": {"age": [1], "hours": []}}', 400, "all of one length"),
        (b'{"dataframe_records": [{}]}', 422, "Column 'age' is missing"),
        (b'{"dataframe_records": [{"age": %s}]}' % (b"9" * 4000), 422, "more than 60 digits"),
    ],
)
def test_a_malformed_body_gets_a_clear_refusal(address, body, status, message):
    given_status, reply, _ = request(address, body=body)
    assert given_status == status, reply
    assert message in reply["error"]["message"]
    assert len(reply["error"]["message"]) < 5000


def test_all_four_forms_give_the_same_answer(address, census):
    names, values = list(census.row), list(census.row.values())
    bodies = [
        {"dataframe_records": [census.row]},
        {"dataframe_split": {"columns": names, "data": [values]}},
        {"instances": [census.row]},
        {"instances": [values]},
        {"inputs": {name: [value] for name, value in census.row.items()}},
    ]
    replies = [request(address, body=json.dumps(body).encode()) for body in bodies]
    assert {reply[0] for reply in replies} == {200}
    assert all(reply[1] == replies[0][1] for reply in replies)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_above_the_limit_is_refused_and_its_sender_learns_it(address, is_chunked):
    body = b" " * (MAX_BODY_BYTES + 1)
    chunks = iter([body[:1_000_000]] * 8) if is_chunked else body
    status, reply, _ = request(address, body=chunks)
    assert status == 413
    assert "6,291,456 bytes" in reply["error"]["message"]


def test_a_body_of_exactly_the_limit_is_read(address, census):
    body = json.dumps({"dataframe_records": [census.row]}).encode()
    assert request(address, body=body.ljust(MAX_BODY_BYTES))[0] == 200


def test_a_client_that_leaves_in_the_middle_harms_nobody(address):
    for _ in range(20):
        with socket.create_connection(address) as connection:
            connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    assert request(address, "GET", "/ping")[0] == 200


def test_more_requests_than_may_wait_are_asked_to_come_again(address, census):
    rows = json.dumps({"dataframe_records": [census.row] * 30_000}).encode()

    def ask(_):
        status, _, headers = request(address, body=rows)
        return status, headers["Retry-After"]

    with ThreadPoolExecutor(90) as pool:
        answers = list(pool.map(ask, range(90)))
    assert set(answers) <= {(200, None), (429, "1")}
    assert (200, None) in answers


def test_ping_answers_while_the_model_works(address, census):
    rows = json.dumps({"dataframe_records": [census.row] * 50_000}).encode()
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(request, address, body=rows) for _ in range(4)]
        start = time.monotonic()
        assert request(address, "GET", "/ping")[0] == 200
        took = time.monotonic() - start
        is_busy = not all(answer.done() for answer in slow)
        assert {answer.result()[0] for answer in slow} == {200}
    assert is_busy and took < 2


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["tech", 3, 39])
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner))
columns = st.sampled_from(["age", "hours", "is_married", "job", "grade", "other"])
rows = st.dictionaries(columns, values, max_size=6)
forms = st.sampled_from(["dataframe_records", "dataframe_split", "instances", "inputs"])
bodies = st.one_of(
    values.map(lambda value: json.dumps(value).encode()),
    st.tuples(forms, values | st.lists(rows, max_size=3)).map(lambda pair: json.dumps({pair[0]: pair[1]}).encode()),
    st.tuples(st.lists(columns | values, max_size=4), st.lists(st.lists(values, max_size=4), max_size=3)).map(
        lambda pair: json.dumps({"dataframe_split": {"columns": pair[0], "data": pair[1]}}).encode()
    ),
    st.binary(max_size=30),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
def test_no_body_makes_an_endpoint_fail(address, body):
    status, reply, _ = request(address, body=body)
    assert status in (200, 400, 422), reply
    assert "predictions" in reply or reply["error"]["message"]
