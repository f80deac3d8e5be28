"""The server extension: its settings, where the workspace is, and what kernels are told about it.

JupyterLab loads this module at its start, so it imports next to nothing; handlers, pydantic and the rooms of
`kernel_tools` are loaded by the first request below ``/studio/api`` or ``/studio/mlflow``.
"""

from __future__ import annotations

import functools
import importlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from tornado.routing import PathMatches, Router
from traitlets import Int, Unicode

if TYPE_CHECKING:
    from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
    from tornado.web import Application

    from kernel_tools.core.workspace import Workspace
    from studio_ext.captures import Captures
    from studio_ext.idle import IdleKeeper
    from studio_ext.live import LiveRuns
    from studio_ext.live_debugger import LiveDebugger
    from studio_ext.live_jobs import LiveJobs
    from studio_ext.process_trees import CpuMeter
    from studio_ext.running import Running
    from studio_ext.ticking import Ticking
    from studio_ext.wrangling import Wrangling

BASE_PATH = "/studio/api"
MLFLOW_PATH = "/studio/mlflow"


class StudioApp(ExtensionApp):
    """Atelier's part of the Jupyter server."""

    name = "studio_ext"
    description = "Atelier, a machine-learning studio in JupyterLab"
    extension_url = "/lab"
    load_other_extensions = True

    workspace = Unicode(
        "",
        help="The workspace folder. Default: ATELIER_HOME, else the nearest .atelier above the server's root folder, "
        "else the user's data folder.",
    ).tag(config=True)
    database_url = Unicode(
        "", help="SQLAlchemy URL of the catalog. Default: ATELIER_DATABASE_URL, else SQLite in the workspace."
    ).tag(config=True)
    artifact_root = Unicode(
        "", help="fsspec URL of the artifact store. Default: ATELIER_ARTIFACT_ROOT, else a folder of the workspace."
    ).tag(config=True)
    page_size = Int(100, min=1, max=1000, help="Items on a page of a list that names no limit.").tag(config=True)
    worker_threads = Int(16, min=1, help="How many requests may work at the same time.").tag(config=True)

    _opened: Workspace | None = None
    _opening = threading.Lock()

    def initialize_settings(self) -> None:
        """Decide where the workspace is, and tell kernels and child processes by the environment."""
        os.environ["ATELIER_HOME"] = str(self.workspace_root)
        if self.database_url:
            os.environ["ATELIER_DATABASE_URL"] = self.database_url
        if self.artifact_root:
            os.environ["ATELIER_ARTIFACT_ROOT"] = self.artifact_root

    def initialize_handlers(self) -> None:
        """Take over everything below ``/studio/api`` and ``/studio/mlflow``."""
        assert self.serverapp is not None
        web_app: Application = self.serverapp.web_app
        for path, package in ((BASE_PATH, "studio_ext.routes"), (MLFLOW_PATH, "studio_ext.mlflow")):
            pattern = url_path_join(self.serverapp.base_url, path) + "(?:/.*)?"
            web_app.add_handlers(".*$", [(pattern, StudioRouter(self, package))])

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        # Only now is the port known for certain: the server takes the next one if its own is in use.
        os.environ["ATELIER_SERVER_URL"] = serverapp.connection_url.rstrip("/")
        self.ticking.start()
        if (self.workspace_root / "settings.json").exists():
            await self.idle_keeper.follow()

    async def stop_extension(self) -> None:
        """Let the requests that are at work finish on their own."""
        self.ticking.stop()
        if "idle_keeper" in self.__dict__:
            self.idle_keeper.rest()
        if "wrangling" in self.__dict__:
            self.wrangling.close_all()
        self.executor.shutdown(wait=False, cancel_futures=True)

    @functools.cached_property
    def workspace_root(self) -> Path:
        """The folder of the workspace; it need not exist yet."""
        from kernel_tools.core.workspace import find_workspace

        assert self.serverapp is not None
        if self.workspace:
            return Path(self.workspace).expanduser().resolve()
        return find_workspace(Path(self.serverapp.root_dir))

    @functools.cached_property
    def executor(self) -> ThreadPoolExecutor:
        """The threads in which verbs do their work."""
        return ThreadPoolExecutor(self.worker_threads, thread_name_prefix="atelier")

    @functools.cached_property
    def live_runs(self) -> LiveRuns:
        """What tells live views about runs."""
        from studio_ext.live import LiveRuns

        return LiveRuns(self)

    @functools.cached_property
    def live_jobs(self) -> LiveJobs:
        """What tells live views about jobs."""
        from studio_ext.live_jobs import LiveJobs

        return LiveJobs(self)

    @functools.cached_property
    def live_debugger(self) -> LiveDebugger:
        """What tells live views about captures of the Debugger."""
        from studio_ext.live_debugger import LiveDebugger

        return LiveDebugger(self)

    @functools.cached_property
    def captures(self) -> Captures:
        """What the Debugger has captured, kept open."""
        from studio_ext.captures import Captures

        return Captures()

    @functools.cached_property
    def wrangling(self) -> Wrangling:
        """The recipes that are open."""
        from studio_ext.wrangling import Wrangling

        return Wrangling()

    @functools.cached_property
    def running(self) -> Running:
        """The kernels and terminals of this server."""
        from studio_ext.running import Running

        return Running(self)

    @functools.cached_property
    def cpu_meter(self) -> CpuMeter:
        """What remembers processor times between two requests."""
        from studio_ext.process_trees import CpuMeter

        return CpuMeter()

    @functools.cached_property
    def idle_keeper(self) -> IdleKeeper:
        """What stops them when nobody uses them."""
        from studio_ext.idle import IdleKeeper

        return IdleKeeper(self)

    @functools.cached_property
    def ticking(self) -> Ticking:
        """What looks after schedules and open jobs."""
        from studio_ext.ticking import Ticking

        return Ticking(self)

    def open_workspace(self) -> Workspace:
        """Return the workspace, opened by the first request that needs it."""
        from kernel_tools.core.workspace import Workspace

        with self._opening:
            if self._opened is None:
                self._opened = Workspace(
                    self.workspace_root,
                    database_url=self.database_url or None,
                    artifact_root=self.artifact_root or None,
                )
            return self._opened


class StudioRouter(Router):
    """Finds the handler of a path; the first request loads the handlers.

    Parameters
    ----------
    studio
        The extension.
    package
        The package whose ``HANDLERS`` are tried in their order.
    """

    SUPPORTED_METHODS: tuple[str, ...] = ()
    """The server asks whatever is routed to for its verbs, to warn of one that needs no login. None are known yet; all
    handlers refuse such calls in `StudioHandler.prepare`."""

    def __init__(self, studio: StudioApp, package: str) -> None:
        self._studio = studio
        self._package = package

    @functools.cached_property
    def routes(self) -> list[tuple[PathMatches, type[Any]]]:
        """Every path below the server's base URL and its handler, in the order in which they are tried."""
        assert self._studio.serverapp is not None
        base_url = self._studio.serverapp.base_url
        handlers = importlib.import_module(self._package).HANDLERS
        return [(PathMatches(url_path_join(base_url, handler.pattern())), handler) for handler in handlers]

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> HTTPMessageDelegate | None:
        """Return what answers a request."""
        assert self._studio.serverapp is not None
        web_app = self._studio.serverapp.web_app
        for matcher, handler in self.routes:
            found = matcher.match(request)
            if found is not None:
                delegate: HTTPMessageDelegate = web_app.get_handler_delegate(
                    request, handler, {"name": self._studio.name}, **found
                )
                return delegate
        return None
