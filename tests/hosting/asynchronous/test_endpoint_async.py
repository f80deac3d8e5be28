"""Asynchronous requests to a real endpoint, by its host and its dispatcher."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import msgspec
import psutil
import pytest

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.hosting.asynchronous import AsyncInferenceError, AsyncState
from kernel_tools.hosting.asynchronous.dispatchers import DISPATCHER_MODULE, wanted_dispatchers


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
    assert named.exists() and asked[1].output_location == (tmp_path / "mine.json").as_uri()
    assert endpoint.invoke_async(rows, inference_id="rows").state is AsyncState.COMPLETED
    with pytest.raises(ConflictError, match="another input"):
        endpoint.invoke_async(body, inference_id="rows")
    assert endpoint.async_metrics().named()["ApproximateBacklogSize"] == 0
    assert {record.id for record in endpoint.async_requests("Completed")} == {item.id for item in asked}


def test_what_does_not_fit_fails_with_the_model_s_own_words(endpoint, census):
    wrong = endpoint.invoke_async([{**census.row, "age": "old"}])
    with pytest.raises(AsyncInferenceError, match=r"Failed.*'age'"):
        wrong.result(60)
    assert endpoint.async_requests("Failed")[0].attempts == 1
    assert wrong.retry().wait(60).state is AsyncState.FAILED
    with pytest.raises(InvalidArgumentError, match="not a state"):
        endpoint.async_requests("Unknown")


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
    end = time.monotonic() + 10
    while dispatchers(own_endpoint):
        assert time.monotonic() < end
    assert not own_endpoint._folder.exists()
    with pytest.raises(NotFoundError):
        own_endpoint.invoke_async(body)
    assert not own_endpoint._folder.exists()
