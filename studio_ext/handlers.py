"""The base of all handlers: who may call, where the work runs, how replies and errors are sent.

What a verb does is said in `studio_ext.routes`.
"""

from __future__ import annotations

import asyncio
import contextvars
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado.iostream import StreamClosedError

from kernel_tools.core.errors import AtelierError, ForbiddenError, NotFoundError, TooLargeError
from kernel_tools.core.paging import decode_page_token, encode_page_token
from studio_ext import __version__
from studio_ext.app import BASE_PATH
from studio_ext.errors import describe_error
from studio_ext.operations import FileReply, Operation, operations_of
from studio_ext.schema import ErrorDetail, ErrorReply, PageQuery

if TYPE_CHECKING:
    from jupyter_server.auth import User

    from kernel_tools.core.workspace import Workspace
    from studio_ext.app import StudioApp

T = TypeVar("T")


VERSION_HEADER = "X-Atelier-Version"
MAX_BODY_BYTES = 10_000_000
CHUNK_BYTES = 256 * 1024
PARAMETER = re.compile(r"\{(\w+)\}")
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.+-]+)*", re.ASCII)
GENERATED_USERNAME = re.compile(r"[0-9a-f]{32}")


class StudioHandler(ExtensionHandlerMixin, APIHandler):
    """Base of the handlers below ``/studio/api``.

    A subclass has a `path` with its parameters in braces, an `auth_resource` (the word that an authorizer knows it by)
    and verbs that are declared with `studio_ext.operations.operation`.
    """

    path: ClassVar[str]
    auth_resource: ClassVar[str]
    max_body_bytes: ClassVar[int] = MAX_BODY_BYTES

    @classmethod
    def pattern(cls) -> str:
        """Return the regular expression that Tornado matches, below the server's base URL."""
        return BASE_PATH + PARAMETER.sub(r"(?P<\1>[^/]+)", cls.path)

    @property
    def studio(self) -> StudioApp:
        """The extension that this handler belongs to."""
        return cast("StudioApp", self.extensionapp)

    @property
    def workspace(self) -> Workspace:
        """The workspace that the server works on."""
        return self.studio.open_workspace()

    @property
    def user_name(self) -> str:
        """The name of the caller for the audit log.

        A server with one shared token knows no names and invents a random one for each caller: then it is the account
        that the server runs under.
        """
        user: User = self.current_user
        if GENERATED_USERNAME.fullmatch(user.username) and user.name.startswith("Anonymous "):
            from kernel_tools.core.audit import current_user

            return current_user()
        return user.username

    def limit(self, query: PageQuery) -> int:
        """Return how many items a page has."""
        return query.limit or self.studio.page_size

    def page(self, items: list[T], query: PageQuery) -> tuple[list[T], str | None]:
        """Cut one page out of a list that is short enough to be read whole, and return the token of the next."""
        start, limit = decode_page_token(query.page_token), self.limit(query)
        end = start + limit
        return items[start:end], encode_page_token(end) if end < len(items) else None

    def set_default_headers(self) -> None:
        """Tell every caller the version, so that a stale tab can notice."""
        super().set_default_headers()
        self.set_header(VERSION_HEADER, __version__)

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler itself
        """Refuse callers that are not logged in, whatever the server's setting, and bodies above the limit."""
        await super().prepare()
        if self.current_user is None and self.request.method != "OPTIONS":
            raise ForbiddenError("You are not logged in. Open JupyterLab with its token, then try again.")
        if len(self.request.body) > self.max_body_bytes:
            size, limit = len(self.request.body), self.max_body_bytes
            raise TooLargeError(f"The body has {size:,} bytes, the limit is {limit:,}. Send it in parts.")

    async def answer(self, operation: Operation, path: Mapping[str, str]) -> None:
        """Run a verb: authorize, validate, do the work in a thread, send the reply."""
        await self._authorize(operation.action)
        query = {name: self.get_query_arguments(name) for name in self.request.query_arguments}
        arguments = operation.read(path, query, self.request.body)
        reply = await self._run_in_thread(lambda: self._work(operation, arguments))
        self.set_status(operation.status)
        if isinstance(reply, FileReply):
            await self._send_file(reply)
        else:
            await self.finish(reply)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer any error as `ErrorReply`, with the status that its class stands for."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        status, code, message = describe_error(error, status_code)
        self.set_status(status)
        if status == 405:
            self.set_header("Allow", ", ".join(method.upper() for method in [*operations_of(type(self)), "options"]))
        position = getattr(error, "position", None) if isinstance(error, AtelierError) else None
        field = error.field if isinstance(error, AtelierError) else None
        detail = ErrorDetail(code=code, message=message, position=position, field=field)
        self.finish(ErrorReply(error=detail).model_dump_json())

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Log defects with their traceback; errors raised on purpose and closed tabs are no defects."""
        if not isinstance(value, (AtelierError, StreamClosedError)):
            super().log_exception(typ, value, tb)

    async def _authorize(self, action: str) -> None:
        authorizer, resource = self.authorizer, self.auth_resource
        if await ensure_async(authorizer.is_authorized(self, self.current_user, action, resource)):
            return
        explain = getattr(authorizer, "explain_denial", None)
        if explain is not None:
            raise ForbiddenError(explain(self.current_user, action, resource))
        raise ForbiddenError(f"You may not {action} {resource} on this server. Ask its administrator.")

    def _work(self, operation: Operation, arguments: dict[str, Any]) -> FileReply | bytes | None:
        """Call the verb's function, as the caller, and write its reply; runs in a worker thread."""
        from kernel_tools.core.audit import acting_user

        with acting_user(self.user_name):
            reply = operation.function(self, **arguments)
        if reply is None or isinstance(reply, FileReply):
            return reply
        return operation.write(reply)

    async def _run_in_thread(self, work: Callable[[], T]) -> T:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self.studio.executor, lambda: context.run(work))

    async def _send_file(self, reply: FileReply) -> None:
        """Stream a file as a download that no browser runs in the origin of JupyterLab."""
        with reply.file as file:
            self.set_attachment_header(reply.name)
            self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
            self.set_header("Content-Length", reply.size)
            known = MEDIA_TYPE.fullmatch(reply.media_type)
            media_type = reply.media_type if known else "application/octet-stream"
            self.set_header("Content-Type", media_type)
            while self.request.method != "HEAD" and (
                chunk := await self._run_in_thread(lambda: file.read(CHUNK_BYTES))
            ):
                self.write(chunk)
                await self.flush()
        await self.finish(set_content_type=media_type)


class UnknownPathHandler(StudioHandler):
    """Answers every path below ``/studio/api`` that no other handler has."""

    path = "/.*"
    auth_resource = "studio"

    async def prepare(self) -> None:  # type: ignore[override]  # as APIHandler itself
        """Answer 404, after the caller was authenticated."""
        await super().prepare()
        raise NotFoundError(
            f"There is nothing at {self.request.path}. The paths are listed at {BASE_PATH}/openapi.json."
        )
