"""Asynchronous requests to a real endpoint, by its host and its dispatcher."""

from __future__ import annotations

import contextlib
import os
import signal
from urllib.request import Request, urlopen

import boto3
import msgspec
import psutil
import pytest
from botocore.exceptions import ClientError

import kernel_tools as kt
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError, TooLargeError
from kernel_tools.hosting import Limits
from kernel_tools.hosting.asynchronous import AsyncInferenceError, AsyncState
from kernel_tools.hosting.asynchronous.dispatchers import DISPATCHER_MODULE, wanted_dispatchers
from tests.hosting.test_life_cycle import wait_for


def dispatchers(endpoint):
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if DISPATCHER_MODULE in command and str(endpoint._folder.path) in command:
            found.append(process)
    return found


def test_rows_bytes_and_files_are_answered_later(endpoint, census, tmp_path):
    rows = census.X.head(3)
    body = msgspec.json.encode({"dataframe_records": [census.row]})
    named = tmp_path / "input.json"
    named.write_bytes(body)
    told = tmp_path / "told.jsonl"
    asked = [
        endpoint.invoke_async(rows, inference_id="rows", notify=str(told)),
        endpoint.invoke_async(body, output=tmp_path / "mine.json"),
        endpoint.invoke_async(named),
        endpoint.invoke_async(named.as_uri()),
    ]
    assert asked[0].result(60)["predictions"] == endpoint.predict(rows).tolist()
    assert [item.result(60) for item in asked[1:]] == [endpoint.invoke([census.row])] * 3
    assert msgspec.json.decode((tmp_path / "mine.json").read_bytes()) == endpoint.invoke([census.row])
    table = tmp_path / "rows.csv"
    rows.to_csv(table, index=False, header=False)
    assert len(endpoint.invoke_async(table, inference_id="csv").result(60)["predictions"]) == 3
    assert named.exists() and asked[1].output_location == (tmp_path / "mine.json").as_uri()
    assert endpoint.invoke_async(rows, inference_id="rows").state is AsyncState.COMPLETED
    with pytest.raises(ConflictError, match="another input"):
        endpoint.invoke_async(body, inference_id="rows")
    assert endpoint.async_metrics().named()["ApproximateBacklogSize"] == 0
    assert {record.id for record in endpoint.async_requests("Completed")} == {"csv", *(item.id for item in asked)}


def test_boto3_asks_and_finds_the_output(endpoint, census):
    location = endpoint._folder.workspace.root / "inputs" / "rows.csv"
    location.parent.mkdir()
    location.write_bytes(b"39,41.5,true,tech,3\n50,,false,,\n")
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=endpoint.url,
        region_name="eu-central-1",
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",
    )
    asked = {"EndpointName": endpoint.name, "ContentType": "text/csv", "Accept": "text/csv", "InferenceId": "by-boto3"}
    reply = client.invoke_endpoint_async(InputLocation=location.as_uri(), **asked)
    assert reply["InferenceId"] == "by-boto3" and reply["ResponseMetadata"]["HTTPStatusCode"] == 202
    inference = endpoint.async_request("by-boto3")
    assert reply["OutputLocation"] == inference.output_location
    assert inference.result(60) == endpoint_csv(endpoint, location.read_bytes())
    with pytest.raises(ClientError, match="outside of what callers"):
        client.invoke_endpoint_async(InputLocation="file:///etc/passwd", EndpointName=endpoint.name)
    with pytest.raises(ClientError, match="not served here"):
        client.invoke_endpoint_async(InputLocation=location.as_uri(), EndpointName="other")


def test_a_payload_may_be_larger_and_slower_than_a_request_in_real_time(workspace, census):
    limits = Limits(max_body_bytes=1024)
    endpoint = kt.hosting.deploy("census", name="small", limits=limits, workspace=workspace)
    try:
        rows = [census.row] * 1000
        assert len(endpoint.invoke_async(rows).result(60)["predictions"]) == 1000
        with pytest.raises(TooLargeError):
            endpoint.invoke(rows)
    finally:
        endpoint.delete()


def endpoint_csv(endpoint, body):
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    with urlopen(Request(f"{endpoint.url}/invocations", body, headers)) as reply:
        return reply.read()


def test_what_does_not_fit_fails_with_the_model_s_own_words(endpoint, census):
    wrong = endpoint.invoke_async([{**census.row, "age": "old"}])
    with pytest.raises(AsyncInferenceError, match=r"Failed.*'age'"):
        wrong.result(60)
    assert endpoint.async_requests("Failed")[0].attempts == 1
    assert wrong.retry().wait(60).state is AsyncState.FAILED
    with pytest.raises(InvalidArgumentError, match="not a state"):
        endpoint.async_requests("Unknown")


def test_a_backlog_wakes_an_endpoint_that_sleeps(own_endpoint, census):
    process = own_endpoint._folder.status().processes[0]
    own_endpoint.scale(min_workers=0, max_workers=1, idle_seconds=0)
    wait_for(lambda: not process.is_alive())
    own_endpoint.scale(idle_seconds=300, timeout=0)
    asked = own_endpoint.invoke_async([census.row])
    assert asked.result(60) == own_endpoint.invoke([census.row])
    assert asked.record.attempts == 1


def test_dispatchers_that_are_killed_lose_nothing_and_go_with_the_endpoint(own_endpoint, census):
    body = msgspec.json.encode({"dataframe_records": [census.row]})
    asked = []
    for number in range(60):
        asked.append(own_endpoint.invoke_async(body, retries=20))
        if number % 20 == 10:
            for process in dispatchers(own_endpoint):
                with contextlib.suppress(psutil.NoSuchProcess):
                    os.kill(process.pid, signal.SIGKILL)
    assert {item.wait(60).state for item in asked} == {AsyncState.COMPLETED}
    assert wanted_dispatchers(own_endpoint._folder) == 0
    left = dispatchers(own_endpoint)
    own_endpoint.delete()
    psutil.wait_procs(left, 10)
    wait_for(lambda: not dispatchers(own_endpoint))
    assert not own_endpoint._folder.exists()
    with pytest.raises(NotFoundError):
        own_endpoint.invoke_async(body)
    assert not own_endpoint._folder.exists()
