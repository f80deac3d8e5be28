"""Pages of lists: MLflow allows longer ones than the library, and tokens of its own form."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

from kernel_tools.core.paging import MAX_PAGE, encode_page_token
from studio_ext.mlflow.errors import MlflowError, invalid

T = TypeVar("T")
MAX_RESULTS = 50_000


def check_limit(limit: int, most: int = MAX_RESULTS) -> int:
    """Return the length of a page that may be asked for."""
    if limit < 1:
        raise invalid(f"Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer")
    if limit > most:
        raise invalid(f"Invalid value {limit} for parameter 'max_results' supplied. It must be at most {most}")
    return limit


def read_offset(token: str | None) -> int:
    """Return how many items come before the page of a token."""
    if not token:
        return 0
    try:
        content = json.loads(base64.b64decode(token, validate=True))
    except ValueError:
        raise _bad_token(token) from None
    offset = content.get("offset") if isinstance(content, dict) else None
    if isinstance(offset, bool) or not isinstance(offset, int) or not 0 < offset < 2**53:
        raise _bad_token(token)
    return offset


def write_token(offset: int) -> str:
    """Return the token of the page that begins after `offset` items."""
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def read_page(
    read: Callable[[int, str | None], tuple[list[T], str | None]], limit: int, token: str | None
) -> tuple[list[T], str | None]:
    """Read a page of any length from a function that gives pages of at most a thousand.

    Parameters
    ----------
    read
        Takes a length and a token of the library, gives items and the token of the next page.
    limit
        How many items to answer at most.
    token
        The token that the client sent.

    Returns
    -------
    list, str or None
        The items, and the token of the next page if there is one.
    """
    start = read_offset(token)
    items: list[T] = []
    inner = encode_page_token(start) if start else None
    while len(items) < limit:
        page, inner = read(min(MAX_PAGE, limit - len(items)), inner)
        items += page
        if inner is None:
            return items, None
    return items, write_token(start + len(items))


def write_page(name: str, items: list[dict[str, Any]], token: str | None) -> dict[str, Any]:
    """Return the reply with a page; an empty list and the token of a page that is not there are left out."""
    reply: dict[str, Any] = {}
    if items:
        reply[name] = items
    if token:
        reply["next_page_token"] = token
    return reply


def _bad_token(token: str) -> MlflowError:
    return invalid(f"Invalid page token: '{token[:80]}'. Pass on the next_page_token of the page before.")
