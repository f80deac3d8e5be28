"""AWS Signature Version 4 as the server sees it: the secret of the key that a request names must have signed it.

The algorithm is public: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Signatures
in the `Authorization` header and in the query (presigned) are verified. A payload that is not signed is taken only
where the caller allows it, which is right over TLS alone; payloads signed in chunks (`STREAMING-...`) are refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from kernel_tools.hosting.wire.errors import UnauthorizedError

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "sagemaker"
MAX_SKEW = timedelta(minutes=5)
MAX_EXPIRY_SECONDS = 7 * 24 * 3600
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_AUTHORIZATION = re.compile(
    ALGORITHM + r"\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{64})"
)
_UNSIGNED_HEADERS = frozenset({"x-amzn-trace-id"})
_UNKNOWN_SECRET = "no such key"


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its own signature."""

    key: str
    date: str
    region: str
    service: str
    signed_headers: list[str]
    signature: str
    time: datetime
    expires: int | None

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def verify(
    method: str,
    raw_path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    find_secret: Callable[[str], str | None],
    *,
    now: datetime | None = None,
    allow_unsigned_payload: bool = False,
) -> str:
    """Return the access key whose secret signed a request.

    Parameters
    ----------
    method, raw_path, query
        As they were sent: percent escapes stay as they are.
    headers
        Names and values in the order of the request.
    body
        The whole body.
    find_secret
        The secret of an access key, None if there is no such key.
    now
        The time; default: this machine's. With its time zone.
    allow_unsigned_payload
        Take a request that leaves its body unsigned: the connection protects it.

    Raises
    ------
    UnauthorizedError
        If the request is not signed, by a key that is not known, too early or too late, or the signature is not that
        of this request. The message does not say which of key and signature is wrong.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]},{_trim(value)}" if key in found else _trim(value)
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)]
    claim = _read_claim(found, pairs)
    _check_time(claim, now or datetime.now(UTC))
    _check_headers(claim, found)
    digest = _payload_digest(found, body, allow_unsigned_payload)
    canonical = _canonical_request(method, raw_path, pairs, claim.signed_headers, found, digest)
    stamp = claim.time.strftime("%Y%m%dT%H%M%SZ")
    text = "\n".join((ALGORITHM, stamp, claim.scope, hashlib.sha256(canonical.encode()).hexdigest()))
    secret = find_secret(claim.key)
    expected = _signature(secret if secret is not None else _UNKNOWN_SECRET, claim, text)
    if not hmac.compare_digest(expected, claim.signature) or secret is None:
        raise UnauthorizedError(
            "The access key is not known here, or the signature is not that of this request. "
            "Check key and secret, and that nothing on the way changes the request."
        )
    return claim.key


def _read_claim(headers: dict[str, str], pairs: list[tuple[str, str]]) -> _Claim:
    names = [name for name, _ in pairs]
    if "authorization" not in headers and "X-Amz-Signature" in names:
        if len(set(names)) != len(names):
            raise UnauthorizedError("The signed query gives a parameter twice: send each once.")
        given = {name: unquote(value) for name, value in pairs}
        if given.get("X-Amz-Algorithm") != ALGORITHM:
            raise UnauthorizedError(f"The query is not signed by {ALGORITHM}.")
        credential, signed = given.get("X-Amz-Credential", ""), given.get("X-Amz-SignedHeaders", "")
        signature, stamp, expires = (
            given["X-Amz-Signature"],
            given.get("X-Amz-Date", ""),
            given.get("X-Amz-Expires", ""),
        )
        if not re.fullmatch(r"[0-9]{1,6}", expires) or not 0 < int(expires) <= MAX_EXPIRY_SECONDS:
            raise UnauthorizedError(f"X-Amz-Expires must be 1 to {MAX_EXPIRY_SECONDS} seconds.")
        return _claim(credential, signed, signature, stamp, int(expires))
    match = _AUTHORIZATION.fullmatch(headers.get("authorization", "")[:4096])
    if match is None:
        raise UnauthorizedError(
            f"The request is not signed by {ALGORITHM}. Make an access key with kt.hosting.create_access_key(), and "
            "give it to the client as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return _claim(match[1], match[2], match[3], headers.get("x-amz-date", ""), None)


def _claim(credential: str, signed: str, signature: str, stamp: str, expires: int | None) -> _Claim:
    parts = credential.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request" or not all(part.isascii() for part in parts):
        raise UnauthorizedError("The credential must be <key>/<date>/<region>/sagemaker/aws4_request.")
    if parts[3] != SERVICE:
        raise UnauthorizedError(f"The request is signed for the service {parts[3][:40]!r}: sign it for {SERVICE!r}.")
    if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", stamp) or not stamp.startswith(f"{parts[1]}T"):
        raise UnauthorizedError("X-Amz-Date must be like 20260131T235959Z, on the date of the credential.")
    try:
        time = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise UnauthorizedError("X-Amz-Date is not a time.") from error
    if not signature.isascii():
        raise UnauthorizedError("The signature must be 64 hexadecimal digits.")
    return _Claim(parts[0], parts[1], parts[2], parts[3], signed.split(";"), signature, time, expires)


def _check_time(claim: _Claim, now: datetime) -> None:
    age = now - claim.time
    if -MAX_SKEW <= age <= (MAX_SKEW if claim.expires is None else timedelta(seconds=claim.expires)):
        return
    if claim.expires is not None and age > timedelta(0):
        raise UnauthorizedError("The signed address has expired: sign it again.")
    raise UnauthorizedError(
        f"The request was signed {abs(age.total_seconds()):.0f} s {'ago' if age > timedelta(0) else 'ahead'} by this "
        f"machine's clock, more than {MAX_SKEW.seconds} s. Set the clocks, and sign it again."
    )


def _check_headers(claim: _Claim, headers: dict[str, str]) -> None:
    signed = claim.signed_headers
    if "host" not in signed or signed != sorted(set(signed)):
        raise UnauthorizedError("SignedHeaders must name host, and be in alphabetical order.")
    needed = {name for name in headers if name.startswith("x-amz")} - _UNSIGNED_HEADERS
    if missing := sorted(needed - set(signed)) or sorted(set(signed) - headers.keys()):
        raise UnauthorizedError(f"The header {missing[0][:80]!r} must be sent and signed.")


def _payload_digest(headers: dict[str, str], body: bytes, allow_unsigned: bool) -> str:
    declared = headers.get("x-amz-content-sha256")
    actual = hashlib.sha256(body).hexdigest()
    if declared is None or hmac.compare_digest(declared.encode(), actual.encode()):
        return actual
    if declared.startswith("STREAMING-"):
        raise UnauthorizedError(f"A body signed in chunks ({declared[:60]}) is not supported: sign it whole.")
    if declared != UNSIGNED_PAYLOAD:
        raise UnauthorizedError("The body is not the one whose sha256 was signed.")
    if not allow_unsigned:
        raise UnauthorizedError("The body is not signed, which is taken over TLS only: sign it, or use https.")
    return UNSIGNED_PAYLOAD


def _canonical_request(
    method: str, raw_path: str, pairs: list[tuple[str, str]], signed: list[str], headers: dict[str, str], digest: str
) -> str:
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs) if name != "X-Amz-Signature")
    lines = "".join(f"{name}:{headers[name]}\n" for name in signed)
    return "\n".join((method, _canonical_path(raw_path), query, lines, ";".join(signed), digest))


def _canonical_path(raw_path: str) -> str:
    """Remove dot segments and empty ones, and escape once more, as every service but S3 has it."""
    parts: list[str] = []
    for part in raw_path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    path = "/" + "/".join(parts)
    return quote(path + "/" if parts and raw_path.endswith("/") else path, safe="/~")


def _signature(secret: str, claim: _Claim, text: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (claim.date, claim.region, claim.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _trim(value: str) -> str:
    return " ".join(value.split())
