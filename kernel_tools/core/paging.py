"""Paging of lists: limits and opaque page tokens, the same in every room."""

from __future__ import annotations

import base64
import binascii

from kernel_tools.core.errors import InvalidArgumentError

DEFAULT_PAGE = 100
MAX_PAGE = 1000


def validate_limit(limit: int) -> int:
    """Return a page's length if it is allowed (1 to 1000), else raise InvalidArgumentError."""
    if not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
        raise InvalidArgumentError(f"A page cannot have {limit!r} rows: ask for 1 to {MAX_PAGE}.")
    return limit


def encode_page_token(offset: int) -> str:
    """Make the token of the page that starts after `offset` rows."""
    return base64.urlsafe_b64encode(f"1:{offset}".encode()).decode()


def decode_page_token(token: str | None) -> int:
    """Return the offset that a token stands for; no token means the first page.

    Raises
    ------
    InvalidArgumentError
        If the token is not one that `encode_page_token` made.
    """
    if not token:
        return 0
    try:
        version, _, offset = base64.b64decode(token, altchars=b"-_", validate=True).decode("ascii").partition(":")
        if version == "1" and offset.isdecimal() and len(offset) < 16:
            return int(offset)
    except (binascii.Error, UnicodeError, ValueError):
        pass
    raise InvalidArgumentError(
        f"{token[:40]!r} is not a page token. Pass on the next_page_token of the page before, or none for the "
        "first page."
    )
