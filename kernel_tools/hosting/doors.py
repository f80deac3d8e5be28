"""Who may come in: every request of an endpoint passes here before its body is looked at."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from kernel_tools.core.errors import ForbiddenError
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.hosting.records import Security
from kernel_tools.hosting.wire.errors import UnauthorizedError

_LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]", ""}


class Door:
    """Checks the callers of one endpoint.

    Parameters
    ----------
    security
        What it asks of them.
    workspace
        Whose access keys it takes.
    token
        The endpoint's own token, by which `Endpoint.predict` and the studio call it.
    """

    def __init__(self, security: Security, workspace: Workspace | None = None, token: str = "") -> None:
        self._security, self._token = security, token
        self._last_host: bytes | None = None
        self.is_open = security.auth == "none"
        if not self.is_open:
            from kernel_tools.hosting.wire.access_keys import AccessKeys

            assert workspace is not None
            self._keys = AccessKeys(workspace)

    @property
    def needs_body(self) -> bool:
        """Whether a caller is only known once the body is there: it is signed."""
        return self._security.auth == "sigv4"

    def check_host(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuse what a foreign web page sends here by a host name that it pointed at this machine.

        Raises
        ------
        ForbiddenError
            If the host is not this machine and anybody may call.
        """
        given = headers.get(b"host", b"")
        if given == self._last_host:
            return
        host = given.decode("latin-1").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if self.is_open and name not in _LOCAL_NAMES:
            raise ForbiddenError(
                f"The host {host[:80]!r} is not served here: use http://127.0.0.1 or http://localhost."
            )
        self._last_host = given

    def check(
        self, method: str, raw_path: str, query: str, headers: Iterable[tuple[bytes, bytes]], body: bytes | None
    ) -> None:
        """Let a caller in, or raise.

        Parameters
        ----------
        method, raw_path, query
            As they were sent.
        headers
            Of the request.
        body
            The whole body; None while it is not there yet: then a signature is not looked at.

        Raises
        ------
        UnauthorizedError
            If the credentials are missing or wrong.
        """
        if self.is_open:
            return
        texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        authorization = next((value for name, value in texts if name == "authorization"), "")
        scheme, _, given = authorization.partition(" ")
        if (
            scheme.lower() == "bearer"
            and self._token
            and hmac.compare_digest(given.strip().encode(), self._token.encode())
        ):
            return
        if self._security.auth == "token":
            self._keys.check_token(authorization)
            return
        if scheme.lower() == "bearer" or (not authorization and "X-Amz-Signature" not in query):
            raise UnauthorizedError(
                "This endpoint takes requests signed by AWS Signature Version 4: send them by boto3 with a key of "
                "kt.hosting.create_access_key()."
            )
        if body is not None:
            from kernel_tools.hosting.wire.sigv4 import verify

            is_protected = bool(self._security.certificate)
            verify(method, raw_path, query, texts, body, self._keys.secret, allow_unsigned_payload=is_protected)


def write_token(path: Path) -> None:
    """Give an endpoint a token of its own, which only the workspace's owner can read."""
    with atomic_write(path) as file:
        os.chmod(file.fileno(), 0o600)
        file.write(secrets.token_urlsafe(32).encode())


def read_token(path: Path) -> str:
    """Return the endpoint's own token; empty if it has none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
