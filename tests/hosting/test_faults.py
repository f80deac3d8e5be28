"""Slow, hostile and faulty: an endpoint goes on answering everybody else."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np
import pytest
import uvicorn

import kernel_tools as kt
from kernel_tools.hosting import EndpointState, Limits
from kernel_tools.hosting.connections import ConnectionLimits, GuardedProtocol, GuardedServer
from kernel_tools.hosting.wear import memory_limit
from tests.hosting.harmful import CRASH, FINE, HANG, LEAK, LEAKED_BYTES, HarmfulRegressor
from tests.hosting.test_life_cycle import wait_for

QUICK = ConnectionLimits(
    connections=20, head_bytes=4096, head_seconds=0.5, body_seconds=0.5, read_seconds=1.0, linger_seconds=0.5
)


async def echo(scope, receive, send):
    """Answer with the length of the body; `/early` before it is read, `/much` with 64 MB, `/slow` after a second."""
    length = 0
    if scope["path"] == "/slow":
        await asyncio.sleep(1.2)
    while scope["path"] != "/early":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = b"x" * (64 << 20) if scope["path"] == "/much" else str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture(scope="module")
def server(listener):
    return listener.getsockname()


@pytest.fixture(scope="module", autouse=True)
def running(listener):
    class Protocol(GuardedProtocol):
        limits = QUICK

    config = uvicorn.Config(echo, http=Protocol, lifespan="off", log_config=None, timeout_keep_alive=9)
    running = GuardedServer(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    yield running
    running.should_exit = True
    thread.join()


def answer(address, request, timeout=10):
    """Send bytes and return everything that comes until the connection is closed."""
    with socket.create_connection(address, timeout=timeout) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(request)
        return received(connection)


def received(connection):
    chunks = []
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(1 << 20):
            chunks.append(chunk)
    return b"".join(chunks)


def ask(address, path="/"):
    return answer(address, b"GET %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % path.encode())


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTT",
        b"GET / HTTP/1.1\r\nhost: x\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n123",
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\n",
    ],
)
def test_a_request_that_does_not_arrive_is_answered_408_and_closed(server, begun):
    said = answer(server, begun)
    assert b"HTTP/1.1 408 " in said and b"connection: close" in said


def test_a_head_without_end_is_refused(server):
    with socket.create_connection(server, timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(10_000):
                connection.sendall(b"x-%d: %s\r\n" % (number, b"y" * 100))
        assert received(connection).startswith(b"HTTP/1.1 431 ") or number < 9_999
    assert ask(server).endswith(b"0")


def test_a_body_that_goes_on_after_its_answer_is_not_read_for_ever(server):
    with socket.create_connection(server, timeout=10) as connection:
        connection.sendall(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n")
        with pytest.raises(ConnectionError):
            while True:
                connection.sendall(b"y" * 100)
                time.sleep(0.01)


def test_a_client_that_does_not_read_its_answer_is_left(server, running):
    with socket.create_connection(server, timeout=10) as connection:
        connection.sendall(b"GET /much HTTP/1.1\r\nhost: x\r\n\r\n")
        wait_for(lambda: running.server_state.connections)
        wait_for(lambda: not running.server_state.connections)
        assert len(received(connection)) < 64 << 20


def test_a_slow_answer_is_no_slow_request(server):
    with socket.create_connection(server, timeout=10) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\n")
        said = received(connection)
    assert said.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in said


def test_idle_connections_give_way_and_busy_ones_do_not(server, running):
    idle = [socket.create_connection(server) for _ in range(60)]
    assert ask(server).startswith(b"HTTP/1.1 200 ")
    busy = [socket.create_connection(server, timeout=10) for _ in range(20)]
    for connection in busy:
        connection.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    wait_for(lambda: len(running.server_state.tasks) == 20)
    assert ask(server).startswith(b"HTTP/1.1 503 ")
    assert all(received(connection).startswith(b"HTTP/1.1 200 ") for connection in busy)
    for connection in [*idle, *busy]:
        connection.close()


def test_others_are_answered_beside_slow_idle_and_half_closed_clients(endpoint, census):
    address = urlsplit(endpoint.url)
    place = (address.hostname, address.port)
    expected = endpoint.predict_proba(census.row)
    bad = [socket.create_connection(place) for _ in range(500)]
    heads = (b"POST /invocations HTTP/1.1\r\nhost: localhost\r\n", b"content-type: application/json\r\n")
    length = b"content-length: 5000000\r\n\r\n{"
    for connection, begun in zip(bad, (b"POST /inv", heads[0], b"".join((*heads, length))), strict=False):
        connection.sendall(begun)
    for connection in bad[3:50]:
        connection.sendall(b"".join(heads))
        connection.shutdown(socket.SHUT_WR)
    for _ in range(20):
        assert (endpoint.predict_proba(census.row) == expected).all()
        for connection in bad[:3]:
            with contextlib.suppress(OSError):
                connection.send(b" ")
    for connection in bad:
        connection.close()
    assert (endpoint.predict_proba(census.row) == expected).all()


def test_a_body_of_100_mb_is_refused_and_not_kept(endpoint, census):
    address = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.putrequest("POST", "/invocations")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(10**8))
    connection.endheaders()
    sent, chunk = 0, b" " * 65536
    with contextlib.suppress(ConnectionError):
        while sent < 10**8:
            connection.send(chunk[: 10**8 - sent])
            sent += len(chunk)
    with contextlib.suppress(ConnectionError):
        assert connection.getresponse().status == 413
    connection.close()
    assert endpoint.predict(census.row).shape == (1,)


@pytest.fixture
def harmful(workspace):
    """Two workers of a model that does what it is told."""
    model = HarmfulRegressor().fit(np.zeros((2, 2)), np.zeros(2))
    kt.registry.register("harmful", model, sample_input=np.zeros((1, 2)), workspace=workspace)
    limits = Limits(timeout_seconds=2, max_memory_bytes=LEAKED_BYTES * 5)
    endpoint = kt.hosting.deploy("harmful", 1, trust=True, limits=limits, workspace=workspace).scale(2)
    yield endpoint
    endpoint.delete()


def do(endpoint, harm):
    """Ask over a connection of its own, to meet any worker; returns the process that answered, or why none did."""
    address = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    body = json.dumps({"instances": [[harm, 0]]})
    try:
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        said = json.loads(reply.read())
        return int(said["predictions"][0]) if reply.status == 200 else f"{reply.status} {said}"
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()


def test_models_that_crash_hang_and_leak_harm_no_other_request(harmful):
    workers = {process.pid for process in harmful._folder.status().processes}
    assert isinstance(do(harmful, CRASH), str)
    assert all(isinstance(do(harmful, FINE), int) for _ in range(20))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(do, harmful, HANG)
        while not hanging.done():
            do(harmful, FINE)
    assert hanging.result().startswith("424 ")
    assert all(isinstance(do(harmful, FINE), int) for _ in range(20))
    wait_for(lambda: [worker.is_ready for worker in harmful._folder.status().workers] == [True, True])
    survivors = {worker.process.pid for worker in harmful._folder.status().workers}
    assert not workers & survivors
    answers = [do(harmful, LEAK) for _ in range(8)]  # one of the two has leaked four times then
    while not (worn := [worker for worker in harmful._folder.status().workers if worker.is_worn]):
        answers.append(do(harmful, FINE))
    while set(worn) & set(harmful._folder.status().workers):
        answers.append(do(harmful, FINE))
    assert [answer for answer in answers if not isinstance(answer, int)] == []
    lines = (harmful._folder.path / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert any("stuck" in event["reason"] for event in events if event["event"] == "worker_worn")
    assert any("MB of memory" in event["reason"] for event in events if event["event"] == "worker_worn")


def test_an_endpoint_whose_workers_crash_again_and_again_is_out_of_service_for_a_while(own_endpoint, census):
    own_endpoint._folder.record_event("test", {})
    killed = set()
    while own_endpoint.state is not EndpointState.OUT_OF_SERVICE:
        for process in own_endpoint._folder.status().processes:
            if process not in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                killed.add(process)
    record = own_endpoint.record
    assert record.url is None and "The host goes on" in record.reason
    own_endpoint.wait()
    assert own_endpoint.predict(census.row).shape == (1,)
    assert own_endpoint.record.reason == ""


def test_memory_that_a_worker_may_have():
    assert memory_limit(Limits(max_memory_bytes=5), 100) == 5
    assert memory_limit(Limits(), 10) == 10 + (1 << 30)
    assert memory_limit(Limits(), 1 << 30) == 4 << 30
