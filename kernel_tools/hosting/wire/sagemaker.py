"""The dialect of sagemaker-runtime: its headers, and its errors. The shapes are those of botocore's service model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from kernel_tools.core.errors import (
    AtelierError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from kernel_tools.hosting.wire.dispatch import Operation
from kernel_tools.hosting.wire.errors import (
    ModelError,
    OverloadedError,
    UnauthorizedError,
    error_headers,
    error_status,
)
from kernel_tools.hosting.wire.event_stream import EVENT_STREAM

Headers = list[tuple[bytes, bytes]]

DEFAULT_TTL_SECONDS = 6 * 3600
DEFAULT_TIMEOUT_SECONDS = 900

_PREFIX = "x-amzn-sagemaker-"


@dataclass(frozen=True, slots=True)
class InvocationHeaders:
    """What the headers of an invocation ask for; None is what was not sent. Times are seconds."""

    content_type: str = ""
    accept: str = ""
    custom_attributes: str | None = None
    target_model: str | None = None
    target_variant: str | None = None
    target_container_hostname: str | None = None
    inference_id: str | None = None
    enable_explanations: str | None = None
    inference_component: str | None = None
    session_id: str | None = None
    prefix_aware_id: str | None = None
    input_location: str | None = None
    output_path_extension: str | None = None
    filename: str | None = None
    ttl_seconds: int = DEFAULT_TTL_SECONDS
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS


_TEXTS: dict[str, tuple[str, int]] = {
    "custom_attributes": ("custom-attributes", 1024),
    "target_model": ("target-model", 1024),
    "target_variant": ("target-variant", 63),
    "target_container_hostname": ("target-container-hostname", 63),
    "inference_id": ("inference-id", 64),
    "enable_explanations": ("enable-explanations", 64),
    "inference_component": ("inference-component", 63),
    "session_id": ("session-id", 256),
    "prefix_aware_id": ("prefix-aware-id", 64),
    "input_location": ("inputlocation", 1024),
    "output_path_extension": ("s3outputpathextension", 512),
    "filename": ("filename", 32),
}
_NUMBERS: dict[str, tuple[str, int, int]] = {
    "ttl_seconds": ("requestttlseconds", 60, 21600),
    "timeout_seconds": ("invocationtimeoutseconds", 1, 3600),
}


def read_headers(operation: Operation, headers: Mapping[str, str]) -> InvocationHeaders:
    """Return what the headers of an invocation say, within the limits of the service.

    Parameters
    ----------
    operation
        Which invocation: the headers of content type and of accept have other names for each.
    headers
        By name in lower case.

    Raises
    ------
    InvalidArgumentError
        If a header is longer than its limit, not a number, or out of its range; the message names it.
    """
    is_async = operation is Operation.SAGEMAKER_INVOKE_ASYNC
    accept = "accept" if operation in (Operation.SAGEMAKER_INVOKE, Operation.INVOKE) else _PREFIX + "accept"
    content = _PREFIX + "content-type" if is_async else "content-type"
    found: dict[str, str | int] = {
        "content_type": _text(headers, content, 1024) or "",
        "accept": _text(headers, accept, 1024) or "",
    }
    for field, (name, limit) in _TEXTS.items():
        if (text := _text(headers, _PREFIX + name, limit)) is not None:
            found[field] = text
    for field, (name, low, high) in _NUMBERS.items():
        if (text := _text(headers, _PREFIX + name, 20)) is not None:
            if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
                raise InvalidArgumentError(
                    f"The header {_PREFIX + name} is {text!r}: send a whole number from {low} to {high}."
                )
            found[field] = int(text)
    return InvocationHeaders(**found)  # type: ignore[arg-type]  # the tables above say which field is which


def _text(headers: Mapping[str, str], name: str, limit: int) -> str | None:
    value = headers.get(name)
    if value is not None and len(value) > limit:
        raise InvalidArgumentError(f"The header {name} has {len(value)} characters: it may have {limit}.")
    return value


def reply_headers(content_type: str, variant: str, custom_attributes: str | None = None) -> Headers:
    """Return the headers of a reply of InvokeEndpoint."""
    return [(b"content-type", content_type.encode("latin-1")), *_common_headers(variant, custom_attributes)]


def stream_headers(content_type: str, variant: str, custom_attributes: str | None = None) -> Headers:
    """Return the headers of a reply of InvokeEndpointWithResponseStream, whose events `event_stream` writes."""
    return [
        (b"content-type", EVENT_STREAM.encode()),
        (b"x-amzn-sagemaker-content-type", content_type.encode("latin-1")),
        *_common_headers(variant, custom_attributes),
    ]


def async_reply(inference_id: str, output: str, failure: str) -> tuple[int, Headers, bytes]:
    """Return the reply of InvokeEndpointAsync: status, headers, body. Locations are URIs."""
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-sagemaker-outputlocation", output.encode("latin-1", "replace")),
        (b"x-amzn-sagemaker-failurelocation", failure.encode("latin-1", "replace")),
    ]
    return 202, headers, msgspec.json.encode({"InferenceId": inference_id})


def error_reply(error: Exception, log: str = "") -> tuple[int, Headers, bytes]:
    """Return the reply for an error in the service's shapes: status, headers, body.

    An error that Atelier did not raise on purpose is an InternalFailure that tells nothing.

    Parameters
    ----------
    error
        What was raised.
    log
        Where the endpoint's log is; told with a ModelError.
    """
    kind, status = _error_kind(error)
    message = str(error) if isinstance(error, AtelierError) else "The endpoint failed. Its log has the details."
    message = message.encode("utf-8", "replace").decode()
    body: dict[str, str | int] = {"Message": message}
    if isinstance(error, ModelError):
        body |= {"OriginalStatusCode": error.original_status, "OriginalMessage": message, "LogStreamArn": log}
    extra = error_headers(error) if isinstance(error, AtelierError) else []
    headers = [(b"content-type", b"application/json"), (b"x-amzn-errortype", kind.encode()), *extra]
    return status, headers, msgspec.json.encode(body)


def _error_kind(error: Exception) -> tuple[str, int]:
    if isinstance(error, ModelError):
        return "ModelError", 424
    if isinstance(error, OverloadedError):
        return "ThrottlingException", 429
    if isinstance(error, UnavailableError):
        return "ServiceUnavailable", 503
    if isinstance(error, UnauthorizedError | ForbiddenError):
        return "AccessDeniedException", 403
    if isinstance(error, NotFoundError):
        return "ValidationError", 400
    if isinstance(error, AtelierError):
        return "ValidationError", error_status(error)
    return "InternalFailure", 500


def _common_headers(variant: str, custom_attributes: str | None) -> Headers:
    headers = [(b"x-amzn-invoked-production-variant", variant.encode("latin-1"))]
    if custom_attributes is not None:
        headers.append((b"x-amzn-sagemaker-custom-attributes", custom_attributes.encode("latin-1", "replace")))
    return headers
