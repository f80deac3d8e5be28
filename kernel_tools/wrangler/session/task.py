"""One request in the process of a session: the engines that it works with, and whether it was asked to stop."""

from __future__ import annotations

import threading

from kernel_tools.core.progress import Progress, StoppedError
from kernel_tools.wrangler.engine import Engine


class Task:
    """A piece of work that another thread may stop."""

    def __init__(self) -> None:
        self._engines: list[Engine] = []
        self._lock = threading.Lock()
        self.is_stopped = False
        self.works: list[Progress] = []
        """Work with progress that stops with this."""

    def engine(self, shared: Engine) -> Engine:
        """Return an engine for this work on the database of `shared`.

        Raises
        ------
        StoppedError
            If the work was asked to stop.
        """
        with self._lock:
            self.check()
            engine = shared.fork()
            self._engines.append(engine)
            return engine

    def check(self) -> None:
        """Raise `StoppedError` if the work was asked to stop."""
        if self.is_stopped:
            raise StoppedError("The computation was stopped.")

    def stop(self) -> None:
        """Stop what runs, and refuse what would come next."""
        with self._lock:
            self.is_stopped = True
            engines = list(self._engines)
        for work in self.works:
            work.request_stop()
        for engine in engines:
            engine.interrupt()
