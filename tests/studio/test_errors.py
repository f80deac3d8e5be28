"""Every error becomes the status that it stands for, with a message for the user."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from kernel_tools.core import errors
from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import AtelierError
from studio_ext import routes
from studio_ext.errors import STATUS_OF, status_of
from studio_ext.handlers import MAX_BODY_BYTES, StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Query, Reply

RAISED: list[BaseException] = []
MEETING = threading.Barrier(2)


class ProbeQuery(Query):
    count: int = 1
    words: list[str] = []


class ProbeBody(Body):
    number: int
    text: str = ""


class ProbeReply(Reply):
    thread: str
    user: str
    words: list[str]
    number: float


class ProbeHandler(StudioHandler):
    """A handler with every way of going wrong."""

    path = "/probe"
    auth_resource = "probe"

    @operation("probe", "Probe")
    def get(self, query: ProbeQuery) -> ProbeReply:
        if RAISED:
            raise RAISED.pop()
        thread = threading.current_thread().name
        return ProbeReply(thread=thread, user=current_user(), words=query.words, number=float("-inf"))

    @operation("probe_meeting", "Wait for another caller", action="read")
    def patch(self) -> ProbeReply:
        MEETING.wait(timeout=10)
        return ProbeReply(thread=threading.current_thread().name, user="", words=[], number=0)

    @operation("probe_body", "Probe", status=201)
    def post(self, body: ProbeBody) -> ProbeReply:
        return ProbeReply(thread="", user="", words=[body.text], number=body.number)

    @operation("probe_type", "Probe")
    def put(self) -> ProbeReply:
        return "not what was promised"  # type: ignore[return-value]

    @operation("probe_nothing", "Probe", status=204)
    def delete(self) -> None:
        return None


@pytest.fixture(autouse=True)
def probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "HANDLERS", [ProbeHandler, *routes.HANDLERS])
    RAISED.clear()


EVERY_ERROR = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, AtelierError)]


def test_every_error_of_the_house_has_a_status_and_none_is_500() -> None:
    assert set(EVERY_ERROR) <= set(STATUS_OF)
    assert {status_of(error) for error in EVERY_ERROR} == {400, 403, 404, 409, 413, 422, 501, 503}


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: error.__name__)
async def test_an_error_is_answered_with_its_status_name_and_message(call: Any, error: type[AtelierError]) -> None:
    raised = error("plotly", "x") if error is errors.MissingExtraError else error("The thing 100% failed.")
    RAISED.append(raised)
    answer = await call("GET", "/probe")
    assert answer.error == (STATUS_OF[error], error.__name__)
    assert answer.message == str(raised)
    assert answer.headers["Content-Type"] == "application/json"


async def test_a_subclass_has_the_status_of_its_parent(call: Any) -> None:
    class RunNotFoundError(errors.NotFoundError):
        """A narrower error."""

    RAISED.append(RunNotFoundError("No such run."))
    assert (await call("GET", "/probe")).error == (404, "RunNotFoundError")


async def test_a_defect_is_500_and_says_what_it_was(call: Any) -> None:
    RAISED.append(KeyError("column"))
    answer = await call("GET", "/probe")
    assert answer.error == (500, "InternalError")
    assert "KeyError: 'column'" in answer.message


async def test_a_reply_of_another_type_than_declared_is_a_defect(call: Any) -> None:
    assert (await call("PUT", "/probe")).error == (500, "InternalError")


async def test_work_runs_in_a_thread_for_the_owner_of_the_server(call: Any) -> None:
    answer = await call("GET", "/probe", params={"words": "a"})
    assert answer.json["thread"].startswith("atelier")
    assert answer.json["user"] == current_user()


async def test_two_requests_work_at_the_same_time(call: Any) -> None:
    answers = await asyncio.gather(call("PATCH", "/probe"), call("PATCH", "/probe"))
    assert [answer.status for answer in answers] == [200, 200]
    assert len({answer.json["thread"] for answer in answers}) == 2


async def test_numbers_that_are_not_finite_are_strings(call: Any) -> None:
    assert (await call("GET", "/probe")).json["number"] == "-Infinity"


async def test_a_repeated_query_name_is_a_list_and_a_blank_one_is_none(call: Any) -> None:
    answer = await call(
        "GET", "/probe", params=[("words", "a"), ("words", "b"), ("words", ""), ("1732281900", ""), ("count", "")]
    )
    assert answer.json["words"] == ["a", "b"]


async def test_a_bad_query_is_422_and_names_the_field(call: Any) -> None:
    answer = await call("GET", "/probe", params={"count": "many"})
    assert answer.error == (422, "InvalidDataError")
    assert "query.count: Input should be a valid integer" in answer.message


async def test_a_misspelt_query_name_is_refused(call: Any) -> None:
    answer = await call("GET", "/probe", params={"cuont": "1"})
    assert answer.error == (422, "InvalidDataError")
    assert "query.cuont" in answer.message


async def test_a_bad_body_is_422_and_names_every_field(call: Any) -> None:
    answer = await call("POST", "/probe", {"number": "7", "tezt": ""})
    assert answer.error == (422, "InvalidDataError")
    assert "body.number: " in answer.message
    assert "body.tezt: " in answer.message


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"number=1"])
async def test_a_body_that_is_not_json_is_400(call: Any, body: bytes) -> None:
    answer = await call("POST", "/probe", body)
    assert answer.error == (400, "InvalidArgumentError")
    assert "not JSON" in answer.message


async def test_a_body_above_the_limit_is_413(call: Any) -> None:
    answer = await call("POST", "/probe", b" " * (MAX_BODY_BYTES + 1))
    assert answer.error == (413, "TooLargeError")


async def test_the_declared_status_is_answered(call: Any) -> None:
    assert (await call("POST", "/probe", {"number": 1})).status == 201
    gone = await call("DELETE", "/probe")
    assert (gone.status, gone.content) == (204, b"")


async def test_a_wrong_verb_is_405_and_names_the_right_ones(call: Any) -> None:
    answer = await call("HEAD", "/probe")
    assert answer.status == 405
    assert answer.headers["Allow"] == "DELETE, GET, PATCH, POST, PUT, OPTIONS"
    assert (await call("DELETE", "/version")).error == (405, "MethodNotAllowed")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_path_is_404_in_json(call: Any, method: str) -> None:
    answer = await call(method, "/nothing/here", b"{}" if method == "POST" else None)
    assert answer.error == (404, "NotFoundError")
    assert "/studio/api/nothing/here" in answer.message


@pytest.mark.parametrize("path", ["/probe", "/version", "/nothing", "/runs/unknown"])
async def test_every_reply_carries_the_version(call: Any, path: str) -> None:
    from studio_ext import __version__

    assert (await call("GET", path)).headers["X-Atelier-Version"] == __version__
