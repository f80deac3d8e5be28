"""The asynchronous requests of an endpoint over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from kernel_tools import hosting
from kernel_tools.core.workspace import Workspace

RICH = {"age": 60.0, "hours": 50.0}


@pytest.fixture
def workspace(served: Workspace) -> Workspace:
    return served


@pytest.fixture(scope="module")
def endpoint(served: Workspace) -> hosting.Endpoint:
    """The endpoint, which was asked twice: well, and in vain."""
    endpoint = hosting.get("census", workspace=served)
    endpoint.invoke_async([RICH], inference_id="good/1").wait(60)
    endpoint.invoke_async(b"no JSON", inference_id="bad").wait(60)
    return endpoint


async def test_an_endpoint_that_was_never_asked_has_an_empty_queue(call: Any) -> None:
    found = await call("GET", "/endpoints/census/async-requests")
    assert found.json == {"requests": [], "next_page_token": None}
    assert (await call("GET", "/endpoints/census/async-metrics")).json["backlog"] == 0
    assert (await call("GET", "/endpoints/none/async-requests")).error == (404, "NotFoundError")
    assert (await call("GET", "/endpoints/none/async-metrics")).error == (404, "NotFoundError")


async def test_requests_are_paged_by_state(call: Any, endpoint: hosting.Endpoint) -> None:
    first = (await call("GET", "/endpoints/census/async-requests", params={"limit": 1})).json
    token = first["next_page_token"]
    second = (await call("GET", "/endpoints/census/async-requests", params={"limit": 1, "page_token": token})).json
    assert [first["requests"][0]["id"], second["requests"][0]["id"]] == ["bad", "good/1"]
    assert second["next_page_token"] is None
    failed = (await call("GET", "/endpoints/census/async-requests", params={"state": "Failed"})).json["requests"]
    assert [item["id"] for item in failed] == ["bad"] and "JSON" in failed[0]["message"]
    wrong = await call("GET", "/endpoints/census/async-requests", params={"state": "Lost"})
    assert wrong.error == (422, "InvalidDataError")


async def test_the_queue_in_numbers(call: Any, endpoint: hosting.Endpoint) -> None:
    found = (await call("GET", "/endpoints/census/async-metrics")).json
    assert found["counts"]["Completed"] == 1 and found["counts"]["Failed"] == 1 and found["oldest_seconds"] == 0


async def test_a_request_is_retried_and_one_that_is_over_is_not_cancelled(
    call: Any, endpoint: hosting.Endpoint
) -> None:
    assert (await call("POST", "/endpoints/census/async-requests/retry", {"id": "bad"})).json["id"] == "bad"
    assert endpoint.async_request("bad").wait(60).state == "Failed"
    over = await call("POST", "/endpoints/census/async-requests/cancel", {"id": "good/1"})
    assert over.error == (409, "ConflictError") and "Completed" in over.message
    unknown = await call("POST", "/endpoints/census/async-requests/retry", {"id": "none"})
    assert unknown.error == (404, "NotFoundError")
