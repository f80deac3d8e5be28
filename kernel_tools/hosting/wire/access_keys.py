"""The keys that a workspace issues for its endpoints: pairs for SigV4, whose secret is needed again, and tokens.

Each is a file of mode 0600 in the workspace. The secret of a pair is encrypted when the workspace is; of a token only
the sha256 is kept, which is enough as a token is 32 random bytes.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import hmac
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kernel_tools.core.encryption import key_id, load_encryption_key
from kernel_tools.core.errors import InvalidArgumentError, NotFoundError, UnavailableError
from kernel_tools.core.workspace import atomic_write
from kernel_tools.hosting.wire.errors import UnauthorizedError

if TYPE_CHECKING:
    from kernel_tools.core.workspace import Workspace

FOLDER = "access-keys"
FORMAT_VERSION = 1
MAX_LABEL = 200

_ID = re.compile(r"ATELIER[A-Z2-7]{13}")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One key as a list shows it: `kind` is "sigv4" or "token", `created_at` milliseconds since 1970 UTC."""

    id: str
    kind: str
    label: str
    created_at: int
    created_by: str


@dataclass(frozen=True, slots=True)
class NewAccessKey:
    """A key that was just made. `secret` is told once: the secret access key of a pair, or the whole token."""

    id: str
    secret: str

    def __repr__(self) -> str:
        """Show the id alone: what is printed stays in notebooks and logs."""
        return f"NewAccessKey(id={self.id!r}, secret=<hidden: read .secret>)"


class AccessKeys:
    """The keys of a workspace; may be used by many threads and processes.

    A key that is revoked is refused from the next request on: its file is looked at each time.

    Parameters
    ----------
    workspace
        Whose keys.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.root / FOLDER
        self._read: dict[str, tuple[tuple[int, int, int], dict[str, Any]]] = {}

    def create(self, label: str = "", kind: str = "sigv4") -> NewAccessKey:
        """Make a key.

        Raises
        ------
        InvalidArgumentError
            If the kind is neither "sigv4" nor "token", or the label is too long.
        """
        if kind not in ("sigv4", "token"):
            raise InvalidArgumentError(f"An access key of kind {kind!r} does not exist: choose 'sigv4' or 'token'.")
        if len(label) > MAX_LABEL or not label.isprintable():
            raise InvalidArgumentError(f"The label must be at most {MAX_LABEL} printable characters.")
        identifier = "ATELIER" + base64.b32encode(secrets.token_bytes(10)).decode()[:13]
        secret = secrets.token_urlsafe(32)
        record: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "id": identifier,
            "kind": kind,
            "label": label,
            "created_at": time.time_ns() // 1_000_000,
            "created_by": getpass.getuser(),
        }
        if kind == "token":
            secret = f"{identifier}.{secret}"
            record["sha256"] = hashlib.sha256(secret.encode()).hexdigest()
        else:
            record |= self._seal(identifier, secret)
        self._write(self._path(identifier), msgspec.json.encode(record))
        self._workspace.audit.record("access_key.created", identifier, {"kind": kind, "label": label})
        return NewAccessKey(identifier, secret)

    def list(self) -> list[AccessKey]:
        """Return the keys, the oldest first."""
        found = []
        for path in self._folder.glob("ATELIER*.json"):
            if record := self._record(path.stem):
                found.append(AccessKey(**{name: record[name] for name in AccessKey.__slots__}))
        return sorted(found, key=lambda key: (key.created_at, key.id))

    def revoke(self, identifier: str) -> None:
        """Remove a key; NotFoundError if there is none."""
        path = self._path(identifier) if _ID.fullmatch(identifier) else None
        if path is None or not path.exists():
            raise NotFoundError(
                f"There is no access key {identifier[:40]!r}. kt.hosting.list_access_keys() lists them."
            )
        path.unlink(missing_ok=True)
        self._workspace.audit.record("access_key.revoked", identifier, {})

    def secret(self, identifier: str) -> str | None:
        """Return the secret of a pair, None if there is no such pair.

        Raises
        ------
        UnavailableError
            If it is encrypted by a key that this process does not have.
        """
        record = self._record(identifier)
        return self._unseal(record) if record is not None and record["kind"] == "sigv4" else None

    def check_token(self, authorization: str) -> str:
        """Return the id of the token in an `Authorization` header.

        Raises
        ------
        UnauthorizedError
            If there is none, or it is not one of this workspace.
        """
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        record = self._record(token.partition(".")[0]) if scheme.lower() == "bearer" else None
        given = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        known = str(record["sha256"]) if record is not None and record["kind"] == "token" else "0" * 64
        if not hmac.compare_digest(given, known) or record is None:
            raise UnauthorizedError(
                "The token is missing or not known here. Make one with kt.hosting.create_access_key(kind='token'), and "
                "send it as: Authorization: Bearer <token>."
            )
        return str(record["id"])

    def _path(self, identifier: str) -> Path:
        return self._folder / f"{identifier}.json"

    def _record(self, identifier: str) -> dict[str, Any] | None:
        if not _ID.fullmatch(identifier):
            return None
        path = self._path(identifier)
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            known = self._read.get(identifier)
            if known is not None and known[0] == stamp:
                return known[1]
            record = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except (FileNotFoundError, msgspec.DecodeError):
            self._read.pop(identifier, None)
            return None
        self._read[identifier] = (stamp, record)
        return record

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic_write(path) as file:
            os.chmod(file.fileno(), 0o600)
            file.write(content)

    def _seal(self, identifier: str, secret: str) -> dict[str, str]:
        key = load_encryption_key(self._workspace.root)
        if key is None:
            return {"secret": secret}
        nonce = os.urandom(12)
        sealed = nonce + _cipher(key).encrypt(nonce, secret.encode(), identifier.encode())
        return {"sealed": base64.b64encode(sealed).decode(), "key_id": key_id(key)}

    def _unseal(self, record: dict[str, Any]) -> str:
        if "secret" in record:
            return str(record["secret"])
        key = load_encryption_key(self._workspace.root)
        if key is None or key_id(key) != record["key_id"]:
            raise UnavailableError(
                f"The secret of access key {record['id']} is encrypted with the key {record['key_id']}, which is not "
                "set here. Set ATELIER_ENCRYPTION_KEY, or revoke the access key and make another."
            )
        sealed = base64.b64decode(record["sealed"])
        record["secret"] = _cipher(key).decrypt(sealed[:12], sealed[12:], record["id"].encode()).decode()
        return str(record["secret"])  # the record is kept in memory: the next request asks no cipher


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"atelier access key 1").derive(key))
