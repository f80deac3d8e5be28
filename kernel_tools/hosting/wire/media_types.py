"""Content types: reading `Content-Type`, and choosing by `Accept` what to answer with."""

from __future__ import annotations

import functools
import re

from kernel_tools.hosting.wire.errors import NotAcceptableError, UnsupportedContentError

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
NPY = "application/x-npy"
PARQUET = "application/x-parquet"
ARROW = "application/vnd.apache.arrow.stream"

TYPES = (JSON, JSON_LINES, CSV, NPY, PARQUET, ARROW)
"""What is read and written; the first is the default."""

_ALIASES = {
    "": JSON,
    "application/x-json": JSON,
    "application/jsonl": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/csv": CSV,
    "application/x-numpy": NPY,
    "application/vnd.apache.parquet": PARQUET,
}

_WEIGHT = re.compile(r"\s*q=([01](?:\.\d{0,3})?)\s*", re.IGNORECASE)


def parse_content_type(header: str) -> tuple[str, dict[str, str]]:
    """Return the type, in one spelling, and its parameters in lower case.

    Raises
    ------
    UnsupportedContentError
        If the type is none of `TYPES`, or its text is not UTF-8; the message names what is taken.
    """
    name, *rest = header.split(";")
    name = name.strip().lower()
    kind = _ALIASES.get(name, name)
    if kind not in TYPES:
        raise UnsupportedContentError(f"Content type {name[:80]!r} is not supported: send {', '.join(TYPES)}.")
    parameters = {}
    for part in rest:
        key, _, value = part.partition("=")
        parameters[key.strip().lower()] = value.strip().strip('"').lower()
    charset = parameters.get("charset", "utf-8")
    if kind in (JSON, JSON_LINES, CSV) and charset not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise UnsupportedContentError(f"The character set {charset[:40]!r} is not supported: send UTF-8.")
    return kind, parameters


@functools.lru_cache(maxsize=256)
def choose_type(accept: str, offered: tuple[str, ...] = TYPES) -> str:
    """Return the type of `offered` that an `Accept` header prefers; the first of equals in the order of `offered`.

    The most specific range that covers a type gives its weight, as RFC 9110 (12.5.1) has it. No header, or one that is
    empty, accepts anything.

    Raises
    ------
    NotAcceptableError
        If none is acceptable; the message names what is offered.
    """
    ranges = [_parse_range(part) for part in accept.split(",") if part.strip()]
    if not ranges:
        return offered[0]
    weights = {kind: _weight(kind, ranges) for kind in offered}
    best = max(offered, key=lambda kind: weights[kind])
    if weights[best] <= 0:
        raise NotAcceptableError(f"Accept {accept[:80]!r} cannot be answered: accept one of {', '.join(offered)}.")
    return best


def _parse_range(part: str) -> tuple[str, float]:
    name, *parameters = part.split(";")
    weight = 1.0
    for parameter in parameters:
        if found := _WEIGHT.fullmatch(parameter):
            weight = min(float(found[1]), 1.0)
    name = name.strip().lower()
    return _ALIASES.get(name, name), weight


def _weight(kind: str, ranges: list[tuple[str, float]]) -> float:
    for candidate in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        given = [weight for name, weight in ranges if name == candidate]
        if given:
            return max(given)
    return 0.0
