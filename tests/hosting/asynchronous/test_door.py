"""InvokeEndpointAsync, and what callers over the network may name as input and output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError, NotFoundError
from kernel_tools.hosting.asynchronous import accept_async
from kernel_tools.hosting.asynchronous.configuration import write_configuration
from kernel_tools.hosting.asynchronous.records import AsyncConfiguration
from kernel_tools.hosting.folder import current_time
from kernel_tools.hosting.wire.sagemaker import InvocationHeaders


@pytest.fixture
def ask(bench):
    """Ask for an inference by headers and body."""
    bench.queue.clock = current_time

    def ask(body=b"", **headers):
        return accept_async(bench.folder.workspace, "census", InvocationHeaders(**headers), body)

    return ask


@pytest.fixture
def given(bench):
    """A file where callers over the network may put inputs."""
    path = bench.folder.workspace.root / "inputs" / "a b.csv"
    path.parent.mkdir()
    path.write_bytes(b"1,2")
    return path


def test_an_input_in_its_place_is_queued_by_reference(bench, ask, given):
    status, headers, body = ask(
        input_location=given.as_uri(), content_type="text/csv", inference_id="mine", ttl_seconds=60, timeout_seconds=7
    )
    assert status == 202 and json.loads(body) == {"InferenceId": "mine"}
    record = bench.queue.get("mine")
    assert (record.content_type, record.timeout_seconds, record.input_bytes) == ("text/csv", 7, 3)
    found = dict(headers)
    assert found[b"x-amzn-sagemaker-outputlocation"].decode() == record.output_location
    assert found[b"x-amzn-sagemaker-failurelocation"].decode() == record.failure_location
    assert bench.queue.claim("a")[0].input_path == str(given)


def test_a_body_is_kept_and_given_twice_is_kept_once(bench, ask):
    ask(b'{"instances": []}', inference_id="mine")
    ask(b'{"instances": []}', inference_id="mine")
    assert len(list((bench.folder.path / "async" / "input").iterdir())) == 1
    assert Path(bench.queue.claim("a")[0].input_path).read_text() == '{"instances": []}'


@pytest.mark.parametrize("place", ["catalog.db", "access-keys/k.json", "endpoints/other/async/input/x", "../x"])
def test_other_files_are_not_read(bench, ask, place):
    path = bench.folder.workspace.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"secret")
    for location in (str(path), path.as_uri(), f"file://localhost{path}"):
        with pytest.raises(ForbiddenError, match="outside of what callers"):
            ask(input_location=location)
    assert bench.queue.page()[0] == []


def test_a_link_or_dots_lead_nowhere_else(bench, ask, given):
    (given.parent / "link").symlink_to("/etc/passwd")
    for location in (str(given.parent / "link"), f"{given.parent}/../catalog.db", f"file://{given.parent}/%2e%2e/x"):
        with pytest.raises(ForbiddenError):
            ask(input_location=location)


def test_an_allowed_root_is_read(bench, ask, tmp_path_factory):
    root = tmp_path_factory.mktemp("shared")
    (root / "x").write_bytes(b"1")
    write_configuration(bench.folder, AsyncConfiguration(input_roots=(str(root),)))
    assert ask(input_location=str(root / "x"))[0] == 202


@pytest.mark.parametrize(
    ("location", "error", "message"),
    [
        ("s3://bucket/key", InvalidArgumentError, "install s3fs"),
        ("http://127.0.0.1/x", InvalidArgumentError, "file:// URI"),
        ("file://elsewhere/x", InvalidArgumentError, "file:// URI"),
        ("file:///a%00b", InvalidArgumentError, "cannot be used"),
        ("INPUTS/none", NotFoundError, "does not exist"),
        ("INPUTS/folder", InvalidArgumentError, "not a file"),
        ("", InvalidArgumentError, "There is no input"),
    ],
)
def test_what_cannot_be_an_input_is_told(bench, ask, given, location, error, message):
    (given.parent / "folder").mkdir()
    with pytest.raises(error, match=message):
        ask(input_location=location.replace("INPUTS", str(given.parent)))


def test_outputs_go_below_their_folder_only(bench, ask):
    status, headers, _ = ask(b"x", inference_id="one", output_path_extension="day/1", filename="out.json")
    assert status == 202 and dict(headers)[b"x-amzn-sagemaker-outputlocation"].endswith(b"/output/day/1/out.json")
    for wrong in ({"output_path_extension": "../.."}, {"filename": "../x"}, {"filename": ".hidden"}):
        with pytest.raises(InvalidArgumentError):
            ask(b"x", **wrong)


def test_an_endpoint_that_does_not_exist_is_not_made(bench):
    with pytest.raises(NotFoundError):
        accept_async(bench.folder.workspace, "nobody", InvocationHeaders(), b"x")
    assert not (bench.folder.workspace.root / "endpoints" / "nobody").exists()
