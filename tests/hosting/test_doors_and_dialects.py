"""Endpoints as their clients meet them: content types, protocols, credentials, TLS, capture and metrics."""

from __future__ import annotations

import http.client
import io
import json
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import kernel_tools as kt
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.hosting import CaptureConfig, Limits, Security
from kernel_tools.hosting.wire.capture import capture_files


def send(endpoint, method, path, body=b"", headers=None):
    address = urlsplit(endpoint.url)
    if address.scheme == "https":
        context = ssl.create_default_context(cafile=endpoint._folder.configuration().security.certificate)
        connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=30, context=context)
    else:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


def client_of(endpoint, key=None, **options):
    identifier, secret = (key.id, key.secret) if key is not None else ("nobody", "nothing")
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint.url,
        region_name="eu-central-1",
        aws_access_key_id=identifier,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 1}),
        **options,
    )


CSV = b"39,41.5,true,tech,3\n50,,false,,\n"


def test_rows_come_and_go_in_every_content_type(endpoint, census):
    row = json.dumps({"dataframe_records": [census.row]}).encode()
    expected = json.loads(send(endpoint, "POST", "/invocations", row)[1])
    status, body, headers = send(
        endpoint, "POST", "/invocations", CSV, {"Content-Type": "text/csv", "Accept": "text/csv"}
    )
    first = body.decode().splitlines()[0].split(",")
    assert (status, headers["Content-Type"], len(body.splitlines())) == (200, "text/csv", 2)
    assert [float(cell) for cell in first[1:]] == expected["probabilities"][0]
    status, body, _ = send(endpoint, "POST", "/invocations", row, {"Accept": "application/x-npy"})
    assert np.load(io.BytesIO(body)).tolist() == expected["predictions"]
    lines = b"\n".join([json.dumps(census.row).encode()] * 3)
    status, body, _ = send(endpoint, "POST", "/invocations", lines, {"Content-Type": "application/jsonlines"})
    assert json.loads(body)["probabilities"] == expected["probabilities"] * 3
    assert send(endpoint, "POST", "/invocations", row, {"Accept": "image/png"})[0] == 406
    assert send(endpoint, "POST", "/invocations", row, {"Content-Encoding": "gzip"})[0] == 415
    status, body, _ = send(endpoint, "POST", "/invocations", b"39,x,true,tech,3\n", {"Content-Type": "text/csv"})
    assert status == 422 and b"Row 0, column 'hours'" in body


def test_the_open_inference_protocol_is_spoken(endpoint, census):
    assert json.loads(send(endpoint, "GET", "/v2/health/ready")[1]) == {"ready": True}
    told = json.loads(send(endpoint, "GET", "/v2/models/census")[1])
    assert [item["name"] for item in told["inputs"]] == list(census.row)
    names = {"age": "INT64", "hours": "FP64", "is_married": "BOOL", "job": "BYTES", "grade": "INT64"}
    inputs = [
        {"name": name, "shape": [1], "datatype": kind, "data": [census.row[name]]} for name, kind in names.items()
    ]
    status, body, _ = send(
        endpoint, "POST", "/v2/models/shared/infer", json.dumps({"inputs": inputs, "id": "a"}).encode()
    )
    reply = json.loads(body)
    assert status == 200 and reply["id"] == "a"
    outputs = {item["name"]: item["data"] for item in reply["outputs"]}
    assert outputs["label"] == endpoint.predict(census.row).tolist()
    status, body, _ = send(endpoint, "GET", "/v2/models/other")
    assert status == 404 and "There is no model 'other'" in json.loads(body)["error"]


def test_boto3_calls_an_endpoint_unmodified(endpoint, census):
    client = client_of(endpoint)
    body = json.dumps({"instances": [census.row]})
    reply = client.invoke_endpoint(
        EndpointName="shared", Body=body, ContentType="application/json", CustomAttributes="trace=7"
    )
    expected = json.loads(send(endpoint, "POST", "/invocations", body.encode())[1])
    assert json.loads(reply["Body"].read()) == expected
    assert (reply["InvokedProductionVariant"], reply["CustomAttributes"]) == ("AllTraffic", "trace=7")
    events = client.invoke_endpoint_with_response_stream(EndpointName="shared", Body=CSV, ContentType="text/csv")[
        "Body"
    ]
    streamed = b"".join(event["PayloadPart"]["Bytes"] for event in events)
    assert len(json.loads(streamed)["predictions"]) == 2
    with pytest.raises(ClientError, match="'other' is not served here") as caught:
        client.invoke_endpoint(EndpointName="other", Body=body)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError, match="Column 'age' is missing"):
        client.invoke_endpoint(EndpointName="shared", Body=b'{"instances": [{}]}', ContentType="application/json")
    with pytest.raises(ClientError, match="no variant 'B' in service"):
        client.invoke_endpoint(EndpointName="shared", Body=body, TargetVariant="B")


def test_metrics_are_those_of_all_workers(endpoint, census):
    endpoint.predict(census.row)
    status, body, headers = send(endpoint, "GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    labels = '{EndpointName="shared",VariantName="AllTraffic"}'
    assert float(lines[f"Invocations{labels}"]) >= 1
    assert float(lines[f"ModelLatency_count{labels}"]) >= 1
    assert float(lines[f"ModelLatency_sum{labels}"]) > 0


def test_every_answer_has_the_id_of_its_request(endpoint):
    assert len(send(endpoint, "GET", "/ping")[2]["x-amzn-requestid"]) == 32
    assert send(endpoint, "GET", "/nowhere", headers={"X-Request-Id": "mine"})[2]["x-amzn-requestid"] == "mine"


def test_a_signed_endpoint_behind_tls_lets_its_own_in_and_captures_what_they_send(workspace, census):
    security = kt.hosting.development_certificate(workspace=workspace)
    security = Security("sigv4", security.certificate, security.key)
    capture = CaptureConfig(flush_seconds=0.05)
    limits = Limits(max_body_bytes=2048)
    endpoint = kt.hosting.deploy(
        "census", name="signed", security=security, capture=capture, limits=limits, workspace=workspace
    )
    try:
        assert endpoint.url.startswith("https://127.0.0.1:")
        assert endpoint.predict(census.row).shape == (1,)
        key = kt.hosting.create_access_key("test", workspace=workspace)
        body = json.dumps({"instances": [census.row]})
        client = client_of(endpoint, key, verify=security.certificate)
        reply = client.invoke_endpoint(EndpointName="signed", Body=body, InferenceId="first")
        assert len(json.loads(reply["Body"].read())["predictions"]) == 1
        with pytest.raises(ClientError, match="access key is not known here") as caught:
            client_of(endpoint, verify=security.certificate).invoke_endpoint(EndpointName="signed", Body=body)
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
        for headers in ({}, {"Authorization": "Bearer nonsense"}):
            status, told, _ = send(endpoint, "POST", "/invocations", body.encode(), headers)
            assert status == 401 and b"create_access_key" in told
        assert send(endpoint, "GET", "/metrics")[0] == 401
        assert send(endpoint, "GET", "/ping")[0] == 200
        with pytest.raises(ClientError, match="larger than 2,048 bytes"):
            client.invoke_endpoint(EndpointName="signed", Body=b" " * 3000)
    finally:
        endpoint.delete()
    events = [json.loads(line) for path in capture_files(workspace.root / "captures") for line in path.open()]
    assert [event["eventMetadata"].get("inferenceId") for event in events] == [None, "first"]
    assert json.loads(events[1]["captureData"]["endpointInput"]["data"]) == {"instances": [census.row]}
    kt.hosting.revoke_access_key(key.id, workspace=workspace)


def test_a_certificate_that_cannot_be_used_is_refused_before_anything_starts(workspace, tmp_path: Path):
    (tmp_path / "c.pem").write_text("no certificate")
    with pytest.raises(InvalidArgumentError, match="no certificate and its private key in PEM"):
        security = Security("token", str(tmp_path / "c.pem"), str(tmp_path / "c.pem"))
        kt.hosting.deploy("census", name="bad", security=security, workspace=workspace)
    with pytest.raises(InvalidArgumentError, match="both a certificate and its key"):
        Security("token", certificate="c.pem")
    with pytest.raises(InvalidArgumentError, match="auth='open'"):
        Security("open")  # type: ignore[arg-type]
    assert "bad" not in [endpoint.name for endpoint in kt.hosting.list_endpoints(workspace=workspace)]
