"""Signatures made by botocore's own signer hold, and any change of the request or the time breaks them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.hosting.wire import UnauthorizedError
from kernel_tools.hosting.wire.sigv4 import verify

KEY, SECRET = "ATELIERAAAAAAAAAAAAA", "a secret / of + 40 characters"
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


def sign(path: str, body: bytes, *, query: str = "", is_presigned: bool = False, **headers: str) -> AWSRequest:
    request = AWSRequest("POST", f"http://127.0.0.1:8080{path}{'?' if query else ''}{query}", headers, body)
    credentials = Credentials(KEY, SECRET)
    kind = SigV4QueryAuth if is_presigned else SigV4Auth
    kind(credentials, "sagemaker", "us-east-1").add_auth(request)
    return request


def check(request: AWSRequest, *, now: datetime | None = None, allow_unsigned: bool = False, **changes: object) -> str:
    address = urlsplit(request.url)
    found = {
        "method": request.method,
        "raw_path": address.path,
        "query": address.query,
        "headers": [("Host", address.netloc), *request.headers.items()],
        "body": request.data,
        **changes,
    }
    secrets = {KEY: SECRET}
    return verify(**found, find_secret=secrets.get, now=now, allow_unsigned_payload=allow_unsigned)


@given(
    st.lists(NAMES, min_size=1, max_size=3),
    st.binary(max_size=60),
    VALUES,
    st.dictionaries(NAMES, NAMES, max_size=3),
    st.booleans(),
)
def test_what_botocore_signs_holds(
    parts: list[str], body: bytes, value: str, query: dict[str, str], is_presigned: bool
) -> None:
    path = "/" + "/".join(quote(part, safe="") for part in parts)
    text = "&".join(f"{quote(name, safe='')}={quote(given, safe='')}" for name, given in query.items())
    headers = {"X-Amzn-SageMaker-Custom-Attributes": value, "Content-Type": "text/csv"}
    body = b"" if is_presigned else body  # botocore signs no body with an address
    request = sign(path, body, query="" if is_presigned else text, is_presigned=is_presigned, **headers)
    assert check(request) == KEY
    assert_refused(request, body=body + b"x")
    assert_refused(request, method="GET")
    assert_refused(request, raw_path=path + "x")


def assert_refused(request: AWSRequest, said: str = ".", **changes: object) -> None:
    with pytest.raises(UnauthorizedError, match=said):
        check(request, **changes)  # type: ignore[arg-type]  # of `check` or of `verify`


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_may_be_five_minutes_off(minutes: int) -> None:
    request = sign("/endpoints/a/invocations", b"1")
    now = datetime.now(UTC)
    assert check(request, now=now + timedelta(minutes=minutes * 0.8)) == KEY
    assert_refused(request, "by this machine's clock", now=now + timedelta(minutes=minutes))


def test_a_signed_address_expires() -> None:
    request = sign("/endpoints/a/invocations", b"", is_presigned=True)
    assert check(request, now=datetime.now(UTC) + timedelta(minutes=50)) == KEY
    assert_refused(request, "expired", now=datetime.now(UTC) + timedelta(minutes=61))


def test_unsigned_and_chunked_bodies_are_named() -> None:
    unsigned = sign("/a", b"1", **{"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert_refused(unsigned, "over TLS only")
    assert check(unsigned, allow_unsigned=True) == KEY
    chunked = sign("/a", b"1", **{"X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"})
    assert_refused(chunked, "signed in chunks", allow_unsigned=True)


def test_a_header_of_amazon_that_is_not_signed_is_refused() -> None:
    request = sign("/a", b"1")
    host = ("Host", "127.0.0.1:8080")
    added = [host, *request.headers.items(), ("X-Amzn-SageMaker-Target-Variant", "other")]
    assert_refused(request, "'x-amzn-sagemaker-target-variant' must be sent and signed", headers=added)
    assert_refused(request, headers=[host, host, *request.headers.items()])
    assert_refused(request, "is not signed by", headers=[host])


@given(st.text(max_size=80), VALUES, VALUES)
def test_any_authorization_is_refused_on_purpose(authorization: str, stamp: str, query: str) -> None:
    headers = [("Host", "a"), ("Authorization", authorization), ("X-Amz-Date", stamp)]
    fields = f"Credential={stamp}/20260101/r/sagemaker/aws4_request, SignedHeaders=host;{query}, Signature={'0' * 64}"
    for sent in (headers, [headers[0], ("Authorization", f"AWS4-HMAC-SHA256 {fields}"), headers[2]], headers[:1]):
        for text in (query, f"X-Amz-Signature={query}&X-Amz-Date={stamp}"):
            with pytest.raises(UnauthorizedError):
                verify("POST", "/", text, sent, b"", lambda key: None)
