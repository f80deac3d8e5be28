"""Frames of `application/vnd.amazon.eventstream`, in which SageMaker streams the reply of a model.

A frame is, in big-endian numbers: 4 bytes its length, 4 the length of its headers, 4 the CRC-32 of these eight bytes,
the headers, the payload, and 4 the CRC-32 of all before.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

EVENT_STREAM = "application/vnd.amazon.eventstream"

MAX_PART_BYTES = 128 * 1024
"""The payload of a frame; a longer part is sent in several."""


def encode_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one frame. Headers are text, each up to 255 bytes of name and 65,535 of value."""
    encoded = b"".join(_encode_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(encoded) + len(payload), len(encoded))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + encoded + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _encode_header(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value)) + value


def payload_parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Return the frames of the event PayloadPart for the chunks of a reply."""
    headers = {":message-type": "event", ":event-type": "PayloadPart", ":content-type": "application/octet-stream"}
    for chunk in chunks:
        for start in range(0, len(chunk), MAX_PART_BYTES):
            yield encode_frame(headers, chunk[start : start + MAX_PART_BYTES])


def model_stream_error(message: str, code: str = "ModelInvocationError") -> bytes:
    """Return the frame that ends a stream because the model failed."""
    return _exception("ModelStreamError", {"Message": message, "ErrorCode": code})


def internal_stream_failure(message: str) -> bytes:
    """Return the frame that ends a stream because the endpoint failed."""
    return _exception("InternalStreamFailure", {"Message": message})


def _exception(kind: str, body: dict[str, str]) -> bytes:
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return encode_frame(headers, msgspec.json.encode(body))
