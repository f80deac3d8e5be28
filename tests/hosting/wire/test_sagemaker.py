"""boto3's own client, unchanged, against a server made of the functions of the wire."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from kernel_tools.core.errors import AtelierError, NotFoundError, UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.wire import ModelError, OverloadedError
from kernel_tools.hosting.wire.access_keys import AccessKeys
from kernel_tools.hosting.wire.contents import read_body
from kernel_tools.hosting.wire.dispatch import Dispatcher, Operation
from kernel_tools.hosting.wire.event_stream import model_stream_error, payload_parts
from kernel_tools.hosting.wire.replies import write_reply
from kernel_tools.hosting.wire.sagemaker import async_reply, error_reply, read_headers, reply_headers, stream_headers
from kernel_tools.hosting.wire.sigv4 import verify

ERRORS: dict[str, Exception] = {
    "broken": ModelError("The model raised ValueError: no"),
    "busy": OverloadedError("64 requests wait."),
    "away": UnavailableError("The endpoint is draining."),
    "unknown": NotFoundError("There is no endpoint 'unknown'."),
    "bug": RuntimeError("a secret"),
}


class Server:
    """Answers sagemaker-runtime by the functions of the wire, on a port of its own."""

    def __init__(self, keys: AccessKeys) -> None:
        self._keys = keys
        self._dispatcher = Dispatcher()
        self.seen: list[Any] = []
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.server.close()
        self.loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:] if line)]
        found = {name.lower(): value for name, value in headers}
        body = await reader.readexactly(int(found.get("content-length", 0)))
        try:
            status, given, content = self._answer(method, *target.partition("?")[::2], headers, found, body)
        except Exception as error:
            status, given, content = error_reply(error, "/log.txt")
        lines = [f"HTTP/1.1 {status} x".encode(), *(name + b": " + value for name, value in given)]
        lines += [b"content-length: " + str(len(content)).encode(), b"connection: close", b"", content]
        writer.write(b"\r\n".join(lines))
        await writer.drain()
        writer.close()

    def _answer(self, method: str, path: str, query: str, headers: Any, found: dict[str, str], body: bytes) -> Any:
        verify(method, path, query, headers, body, self._keys.secret)
        route = self._dispatcher.match(method, path)
        asked = read_headers(route.operation, found)
        self.seen.append(asked)
        if error := ERRORS.get(route.parameters["endpoint"]):
            raise error
        if route.operation is Operation.SAGEMAKER_INVOKE_ASYNC:
            return async_reply("id-1", "file:///out", "file:///failed")
        rows = read_body(body, asked.content_type)["instances"]
        content, kind = write_reply({"predictions": [sum(row) for row in rows]}, asked.accept)
        if route.operation is Operation.SAGEMAKER_INVOKE_STREAM:
            frames = b"".join(payload_parts([content, b"x" * 200_000]))
            return 200, stream_headers(kind, "AllTraffic"), frames + model_stream_error("The model stopped.")
        return 200, reply_headers(kind, "AllTraffic", asked.custom_attributes), content


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> AccessKeys:
    return AccessKeys(Workspace(tmp_path_factory.mktemp("workspace")))


@pytest.fixture(scope="module")
def server(keys: AccessKeys) -> Iterator[Server]:
    server = Server(keys)
    yield server
    server.close()


def make_client(server: Server, key: str, secret: str) -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def client(server: Server, keys: AccessKeys) -> Any:
    key = keys.create("test")
    return make_client(server, key.id, key.secret)


def test_an_invocation_carries_every_header(client: Any, server: Server) -> None:
    sent = {
        "CustomAttributes": "trace=1",
        "TargetModel": "m.tar.gz",
        "TargetVariant": "blue",
        "TargetContainerHostname": "first",
        "InferenceId": "abc",
        "EnableExplanations": "`true`",
        "InferenceComponentName": "part",
        "SessionId": "NEW_SESSION",
        "PrefixAwareId": "prefix",
    }
    reply = client.invoke_endpoint(
        EndpointName="e", Body="1,2\n3,0.5\n", ContentType="text/csv", Accept="text/csv", **sent
    )
    assert reply["Body"].read() == b"3\n3.5\n"
    assert (reply["ContentType"], reply["InvokedProductionVariant"]) == ("text/csv", "AllTraffic")
    assert reply["CustomAttributes"] == "trace=1"
    seen = server.seen[-1]
    assert (seen.target_variant, seen.inference_id, seen.custom_attributes) == ("blue", "abc", "trace=1")
    assert {getattr(seen, name) for name in seen.__slots__} >= set(sent.values())


def test_an_asynchronous_invocation_is_accepted(client: Any, server: Server) -> None:
    reply = client.invoke_endpoint_async(
        EndpointName="e", InputLocation="s3://bucket/in", ContentType="text/csv", RequestTTLSeconds=60, Filename="a.csv"
    )
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (reply["InferenceId"], reply["OutputLocation"]) == ("id-1", "file:///out")
    assert reply["FailureLocation"] == "file:///failed"
    assert (server.seen[-1].ttl_seconds, server.seen[-1].input_location) == (60, "s3://bucket/in")
    assert (server.seen[-1].content_type, server.seen[-1].filename) == ("text/csv", "a.csv")


def test_a_stream_is_read_to_its_error(client: Any) -> None:
    reply = client.invoke_endpoint_with_response_stream(EndpointName="e", Body=b'{"instances": [[1, 2]]}')
    parts = []
    with pytest.raises(EventStreamError, match="The model stopped"):
        parts.extend(event["PayloadPart"]["Bytes"] for event in reply["Body"])
    assert reply["InvokedProductionVariant"] == "AllTraffic"


@pytest.mark.parametrize(
    ("endpoint", "code", "status"),
    [
        ("broken", "ModelError", 424),
        ("busy", "ThrottlingException", 429),
        ("away", "ServiceUnavailable", 503),
        ("unknown", "ValidationError", 400),
        ("bug", "InternalFailure", 500),
    ],
)
def test_an_error_has_the_services_shape(client: Any, endpoint: str, code: str, status: int) -> None:
    with pytest.raises(ClientError) as caught:
        client.invoke_endpoint(EndpointName=endpoint, Body=b"{}")
    reply = caught.value.response
    assert (reply["Error"]["Code"], reply["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    expected = str(ERRORS[endpoint]) if isinstance(ERRORS[endpoint], AtelierError) else "The endpoint failed."
    assert expected in reply["Error"]["Message"]
    if code == "ModelError":
        assert isinstance(caught.value, client.exceptions.ModelError)
        assert (reply["OriginalStatusCode"], reply["LogStreamArn"]) == (500, "/log.txt")
        assert reply["OriginalMessage"] == expected


def test_a_revoked_key_and_a_wrong_secret_are_refused(server: Server, keys: AccessKeys) -> None:
    key = keys.create("short")
    arguments = {"EndpointName": "e", "Body": b'{"instances": [[1]]}'}
    assert make_client(server, key.id, key.secret).invoke_endpoint(**arguments)
    with pytest.raises(ClientError, match="AccessDenied"):
        make_client(server, key.id, "other").invoke_endpoint(**arguments)
    keys.revoke(key.id)
    with pytest.raises(ClientError, match="AccessDenied"):
        make_client(server, key.id, key.secret).invoke_endpoint(**arguments)
