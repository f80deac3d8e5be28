"""What viewers, developers and admins may do, in our API and in JupyterLab's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider, User
from tornado.httpclient import HTTPClientError
from traitlets import TraitError

from kernel_tools import experiments, registry
from kernel_tools.core.workspace import Workspace
from studio_ext.authorizer import RoleAuthorizer

ROLES = {"vera": "viewer", "dan": "developer", "ada": "admin"}
READ_WRITE_EXECUTE = [("read", "runs"), ("write", "registry"), ("execute", "hosting"), ("execute", "kernels")]


class HeaderIdentityProvider(IdentityProvider):
    """Believes whoever says who they are."""

    def get_user(self, handler: Any) -> User | None:
        name = handler.request.headers.get("X-User")
        return User(name) if name else None

    def is_token_authenticated(self, handler: Any) -> bool:
        return True


@pytest.fixture
def authorizer() -> RoleAuthorizer:
    return RoleAuthorizer(roles=ROLES)


@pytest.mark.parametrize(
    ("name", "action", "resource", "allowed"),
    [
        *(("vera", action, resource, action == "read") for action, resource in READ_WRITE_EXECUTE),
        *(("stranger", action, resource, action == "read") for action, resource in READ_WRITE_EXECUTE),
        *(("dan", action, resource, True) for action, resource in READ_WRITE_EXECUTE),
        *(("ada", action, resource, True) for action, resource in READ_WRITE_EXECUTE),
        ("vera", "write", "server", False),
        ("dan", "write", "server", False),
        ("ada", "write", "server", True),
        ("dan", "invent", "anything", False),
        ("ada", "invent", "anything", True),
        ("vera", "execute", "events", True),
        ("vera", "write", "events", False),
        ("vera", "write", "csp", True),
        ("vera", "execute", "terminals", False),
        ("vera", "write", "contents", False),
    ],
)
def test_a_role_allows(authorizer: RoleAuthorizer, name: str, action: str, resource: str, allowed: bool) -> None:
    assert authorizer.is_authorized(None, User(name), action, resource) is allowed  # type: ignore[arg-type]


def test_strangers_get_the_default_role() -> None:
    authorizer = RoleAuthorizer(roles=ROLES, default_role="developer")
    assert authorizer.is_authorized(None, User("stranger"), "write", "registry")  # type: ignore[arg-type]


def test_a_role_that_does_not_exist_is_refused_at_the_start() -> None:
    with pytest.raises(TraitError):
        RoleAuthorizer(roles={"eve": "owner"})


class TestServer:
    """The same, asked of a server with JupyterLab."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: Any) -> Any:
        jp_server_config.ServerApp.authorizer_class = RoleAuthorizer
        jp_server_config.ServerApp.identity_provider_class = HeaderIdentityProvider
        jp_server_config.ServerApp.jpserver_extensions = {"studio_ext": True, "jupyterlab": True}
        jp_server_config.ServerApp.allow_unauthenticated_access = (
            True  # else the terminals' own extension does not load
        )
        jp_server_config.RoleAuthorizer.roles = ROLES
        return jp_server_config

    @pytest.fixture
    def version(self, workspace: Workspace) -> registry.ModelVersion:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        return registry.register("census", model, workspace=workspace)

    async def test_a_viewer_reads_but_does_not_write(self, call: Any, version: registry.ModelVersion) -> None:
        viewer = {"X-User": "vera"}
        assert (await call("GET", "/models", headers=viewer)).status == 200
        decision = {"status": "Approved", "note": ""}
        answer = await call("PUT", "/models/census/versions/1/approval", decision, headers=viewer)
        assert answer.error == (403, "ForbiddenError")
        assert "'vera' has the role 'viewer'" in answer.message
        assert "'developer'" in answer.message

    async def test_a_viewer_does_not_invoke(self, call: Any) -> None:
        answer = await call("POST", "/endpoints/none/invocations", {"records": [{}]}, headers={"X-User": "vera"})
        assert answer.error == (403, "ForbiddenError")

    async def test_rights_are_asked_before_the_request_is_read(self, call: Any) -> None:
        answer = await call("POST", "/endpoints", b"{", headers={"X-User": "vera"})
        assert answer.error == (403, "ForbiddenError")

    async def test_a_developer_decides_and_the_audit_log_knows_it(
        self, call: Any, version: registry.ModelVersion, workspace: Workspace
    ) -> None:
        decision = {"status": "Approved", "note": "good"}
        answer = await call("PUT", "/models/census/versions/1/approval", decision, headers={"X-User": "dan"})
        assert answer.json["decided_by"] == "dan"
        assert next(iter(workspace.audit.records(limit=1, newest_first=True))).actor == "dan"

    async def test_the_caller_of_one_request_is_not_the_caller_of_the_next(self, call: Any) -> None:
        names = ["vera", "dan", "ada", "vera"]
        assert [(await call("GET", "/version", headers={"X-User": name})).json["user"] for name in names] == names

    @pytest.mark.parametrize("path", ["/api/contents", "/api/kernelspecs", "/lab/api/workspaces", "/lab/api/settings"])
    async def test_a_viewer_can_use_jupyterlab(self, call: Any, path: str) -> None:
        assert (await call("GET", path, base="", headers={"X-User": "vera"})).status == 200

    async def test_a_viewer_hears_of_events(self, jp_ws_fetch: Any) -> None:
        socket = await jp_ws_fetch("api", "events", "subscribe", headers={"X-User": "vera"})
        assert socket.close_code is None
        socket.close()

    async def test_a_viewer_gets_no_terminal(self, jp_ws_fetch: Any, call: Any) -> None:
        assert (await call("POST", "/api/terminals", b"", base="", headers={"X-User": "vera"})).status == 403
        with pytest.raises(HTTPClientError, match="403"):
            await jp_ws_fetch("terminals", "websocket", "1", headers={"X-User": "vera"})

    @pytest.mark.parametrize("name", ["vera", "dan"])
    async def test_only_an_admin_stops_the_server(self, call: Any, name: str) -> None:
        assert (await call("POST", "/api/shutdown", b"", base="", headers={"X-User": name})).status == 403

    async def test_a_viewer_writes_no_file(self, call: Any) -> None:
        body = json.dumps({"type": "file", "content": "", "format": "text"}).encode()
        answer = await call("PUT", "/api/contents/a.txt", body, base="", headers={"X-User": "vera"})
        assert answer.status == 403


async def test_roles_are_off_by_default(call: Any, run: experiments.Run) -> None:
    answer = await call("PUT", "/models/none/versions/1/approval", {"status": "Approved"})
    assert answer.error == (404, "NotFoundError")
