"""How a request comes into the queue, from this process or over the network."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Sequence
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.asynchronous.configuration import make_folder, output_paths, read_configuration
from kernel_tools.hosting.asynchronous.files import StoredInput, input_for_caller, named_input, store_input
from kernel_tools.hosting.asynchronous.queue import AsyncQueue
from kernel_tools.hosting.asynchronous.records import (
    DEFAULT_TIMEOUT_SECONDS,
    DEFAULT_TTL_SECONDS,
    AsyncRecord,
    NewRequest,
    Notify,
    as_notify,
    check_id,
)
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.hosts import ask_host, nudge_host
from kernel_tools.hosting.wire import JSON_TYPE
from kernel_tools.hosting.wire.media_types import ARROW, CSV, JSON_LINES, NPY, PARQUET
from kernel_tools.hosting.wire.sagemaker import Headers, InvocationHeaders, async_reply

NUDGE_SECONDS = 0.25
"""The host looks twice a second itself, so that it is not told about every request of many."""

_TYPE_OF_SUFFIX = {
    ".csv": CSV,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".npy": NPY,
    ".parquet": PARQUET,
    ".arrows": ARROW,
}
_nudges: dict[str, float] = {}
_nudges_lock = threading.Lock()


def submit(
    folder: EndpointFolder,
    payload: str | os.PathLike[str] | bytes,
    *,
    content_type: str = JSON_TYPE,
    accept: str = "",
    inference_id: str | None = None,
    ttl_seconds: int = DEFAULT_TTL_SECONDS,
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS,
    retries: int | None = None,
    output: str | os.PathLike[str] | None = None,
    notify: Notify | str | Sequence[str] | None = None,
    target_variant: str = "",
    custom_attributes: str = "",
) -> AsyncRecord:
    """Queue a payload, bytes or a file that its owner keeps; see `Endpoint.invoke_async`."""
    configuration = read_configuration(folder)
    identifier = check_id(inference_id or str(uuid.uuid4()))
    folder.require()
    output_path, failure_path = output_paths(folder, configuration, identifier, output=output)
    stored = _stored(folder, identifier, payload)
    request = NewRequest(
        identifier, str(stored.path), stored.digest, stored.size, stored.is_owned, str(output_path), str(failure_path),
        content_type=content_type, accept=accept, custom_attributes=custom_attributes, target_variant=target_variant,
        ttl_seconds=ttl_seconds, timeout_seconds=timeout_seconds,
        retries=configuration.retries if retries is None else retries,
        notify=as_notify(notify) or configuration.notify,
    )  # fmt: skip
    record = enqueue(folder, request, stored)
    if _is_due_for_nudge(folder):
        nudge_host(folder.workspace)
    return record


def accept_async(
    workspace: Workspace, endpoint: str, headers: InvocationHeaders, body: bytes
) -> tuple[int, Headers, bytes]:
    """Answer InvokeEndpointAsync: status, headers and body. It writes files: call it in a thread.

    A caller that names no input location may send the payload itself.

    Parameters
    ----------
    workspace, endpoint
        What is asked.
    headers
        As `wire.sagemaker.read_headers` returns them.
    body
        The request's body.

    Raises
    ------
    InvalidArgumentError
        If there is no input, its location cannot be used, or a header does not fit.
    ForbiddenError
        If the location is where callers may not read.
    NotFoundError
        If there is no such endpoint, or no such file.
    ConflictError
        If the inference id is known with another input, or the output is promised to another request.
    UnavailableError
        If the disk is full.
    """
    folder = EndpointFolder(workspace, endpoint)
    folder.require()
    configuration = read_configuration(folder)
    identifier = check_id(headers.inference_id or str(uuid.uuid4()))
    inputs = make_folder(folder.path / "async" / "input")
    output_path, failure_path = output_paths(
        folder, configuration, identifier, extension=headers.output_path_extension or "",
        filename=headers.filename or "",
    )  # fmt: skip
    if headers.input_location:
        roots = configuration.input_roots
        stored = input_for_caller(workspace, endpoint, inputs, identifier, headers.input_location, roots)
    elif body:
        stored = store_input(inputs, identifier, body)
    else:
        raise InvalidArgumentError("There is no input: send the header X-Amzn-SageMaker-InputLocation, or a body.")
    request = NewRequest(
        identifier, str(stored.path), stored.digest, stored.size, stored.is_owned, str(output_path), str(failure_path),
        content_type=headers.content_type or JSON_TYPE, accept=headers.accept,
        custom_attributes=headers.custom_attributes or "", target_variant=headers.target_variant or "",
        ttl_seconds=headers.ttl_seconds, timeout_seconds=headers.timeout_seconds, retries=configuration.retries,
        notify=configuration.notify,
    )  # fmt: skip
    record = enqueue(folder, request, stored)
    if _is_due_for_nudge(folder):
        ask_host(workspace, "nudge", 1.0)
    return async_reply(record.id, record.output_location, record.failure_location)


def enqueue(folder: EndpointFolder, request: NewRequest, stored: StoredInput) -> AsyncRecord:
    """Queue a request; its input is removed again if it was there already, or cannot be queued."""
    record: AsyncRecord | None = None
    try:
        with AsyncQueue(folder) as queue:
            record = queue.enqueue(request)
        return record
    finally:
        if stored.is_owned and (record is None or not record.input_location.endswith(stored.path.name)):
            stored.path.unlink(missing_ok=True)


def encode_payload(payload: Any) -> str | os.PathLike[str] | bytes:
    """Return a path or bytes as they are, and rows as the JSON body that the endpoint takes."""
    if isinstance(payload, str | os.PathLike | bytes):
        return payload
    if isinstance(payload, bytearray | memoryview):
        return bytes(payload)
    from kernel_tools.hosting.client import encode_whole

    return encode_whole(payload)


def content_type_of(payload: object) -> str:
    """Return the content type that the name of a file ends in; JSON for all else."""
    if not isinstance(payload, str | os.PathLike):
        return JSON_TYPE
    suffix = os.path.splitext(os.fspath(payload))[1].lower()
    return _TYPE_OF_SUFFIX.get(suffix, JSON_TYPE)


def _stored(folder: EndpointFolder, identifier: str, payload: str | os.PathLike[str] | bytes) -> StoredInput:
    if isinstance(payload, bytes):
        return store_input(make_folder(folder.path / "async" / "input"), identifier, payload)
    return named_input(payload)


def _is_due_for_nudge(folder: EndpointFolder) -> bool:
    key, now = str(folder.path), time.monotonic()
    with _nudges_lock:
        if now - _nudges.get(key, -NUDGE_SECONDS) < NUDGE_SECONDS:
            return False
        _nudges[key] = now
        return True
