"""Addresses of the studio's pages, for `url` properties of runs, versions and endpoints."""

from __future__ import annotations

import os
from urllib.parse import quote


def studio_url(page: str) -> str:
    """Return the address of a page such as ``run/<id>``.

    The Jupyter server tells its kernels where it is (`ATELIER_SERVER_URL`); elsewhere the address is relative to a
    server.
    """
    base = os.environ.get("ATELIER_SERVER_URL", "").rstrip("/")
    return f"{base}/lab?atelier={quote(page, safe='/')}"
