"""Nobody gets in without logging in, whatever the verb; pages of other origins get nothing written."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_server.serverapp import ServerWebApplication
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from studio_ext.handlers import PARAMETER, StudioHandler
from studio_ext.operations import operations_of
from studio_ext.routes import HANDLERS

VERBS = sorted(
    (PARAMETER.sub("1", handler.path).replace(".*", "unknown"), method.upper())
    for handler in HANDLERS
    for method in (operations_of(handler) or {"get": None, "post": None, "delete": None})
)
XSRF = f"2|00000000|{'0f' * 16}|1"


@pytest.fixture(params=[False, True], ids=["closed server", "open server"])
def jp_server_config(jp_server_config: Any, request: pytest.FixtureRequest) -> Any:
    # "open" is the server's default: a handler that forgets its login is open to everybody
    jp_server_config.ServerApp.allow_unauthenticated_access = request.param
    return jp_server_config


async def test_every_verb_refuses_a_caller_who_is_not_logged_in(call: Any) -> None:
    assert len(VERBS) > 15
    for path, method in VERBS:
        answer = await call(
            method, path, headers={"Authorization": ""}, body=b"{}" if method in ("PUT", "POST") else None
        )
        assert answer.error == (403, "ForbiddenError"), (method, path)


async def test_a_wrong_token_is_no_login(call: Any) -> None:
    answer = await call("GET", "/version", headers={"Authorization": "token wrong"})
    assert answer.error == (403, "ForbiddenError")


async def test_an_undeclared_verb_tells_a_stranger_nothing(call: Any) -> None:
    answer = await call("PATCH", "/runs", headers={"Authorization": ""})
    assert answer.error == (403, "ForbiddenError")


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_the_servers_own_audit_finds_no_open_verb(handler: type[StudioHandler]) -> None:
    assert ServerWebApplication._check_handler_auth(None, "", handler) == []


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_every_verb_is_a_declared_operation(handler: type[StudioHandler]) -> None:
    inherited = {"OPTIONS", "GET"} if issubclass(handler, WebSocketHandler) else {"OPTIONS"}
    for method in set(handler.SUPPORTED_METHODS) - inherited:
        verb = getattr(handler, method.lower())
        assert hasattr(verb, "operation") or verb is RequestHandler._unimplemented_method


async def test_a_browser_needs_its_xsrf_token_to_write(call: Any, jp_serverapp: Any, jp_base_url: str) -> None:
    token = jp_serverapp.identity_provider.token
    login = await call("GET", "/api/spec.yaml", base="", params={"token": token}, headers={"Authorization": ""})
    cookie = "; ".join(value.partition(";")[0] for value in login.headers.get_list("Set-Cookie"))
    browser = {"Authorization": "", "Cookie": f"{cookie}; _xsrf={XSRF}", "Referer": "http://127.0.0.1"}
    body = {"model": "none", "version": 1, "name": "none"}
    refused = await call("POST", "/endpoints", body, headers=browser)
    assert refused.error == (403, "ForbiddenError")
    assert "_xsrf" in refused.message
    accepted = await call("POST", "/endpoints", body, headers=browser | {"X-XSRFToken": XSRF})
    assert "_xsrf" not in accepted.message
