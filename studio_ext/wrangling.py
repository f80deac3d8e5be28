"""The recipes that are open in the studio: a process for each, ended when nobody has used it for a while."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import NotFoundError
from kernel_tools.wrangler.session.client import Call, SessionProcess

KEPT_SESSIONS = 8
"""Recipes that are open at a time; the one that was used longest ago is closed for the next."""

IDLE_SECONDS = 3600.0
KEPT_TASKS = 50


@dataclass
class Task:
    """Work under way for a session: what was asked, how far it is."""

    id: str
    method: str
    call: Call

    @property
    def progress(self) -> dict[str, Any] | None:
        """How far it is, None until it says so."""
        return self.call.progress


@dataclass
class OpenRecipe:
    """A recipe that somebody works on.

    Attributes
    ----------
    path
        Its file, relative to the server's root.
    base
        The folder that its relative paths start at.
    """

    id: str
    path: str
    base: Path
    process: SessionProcess = field(default_factory=SessionProcess)
    is_trusted: bool = False
    tasks: OrderedDict[str, Task] = field(default_factory=OrderedDict)
    used_at: float = field(default_factory=time.monotonic)

    def begin(self, method: str, **params: Any) -> Task:
        """Start long work."""
        number = secrets.token_hex(8)
        task = Task(number, method, self.process.call(method, **params))
        self.tasks[number] = task
        while len(self.tasks) > KEPT_TASKS:
            self.tasks.popitem(last=False)
        return task

    def task(self, number: str) -> Task:
        """Return work that was started.

        Raises
        ------
        NotFoundError
            If there is none of that id.
        """
        if number not in self.tasks:
            raise NotFoundError(f"There is no work {number!r} in this session. Start it again.")
        return self.tasks[number]


class Wrangling:
    """The sessions of a server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[str, OpenRecipe] = OrderedDict()

    def open(self, path: str, base: Path) -> OpenRecipe:
        """Open a recipe: its process is started."""
        recipe = OpenRecipe(secrets.token_hex(8), path, base)
        recipe.process.start()
        with self._lock:
            self._open[recipe.id] = recipe
            now = time.monotonic()
            stale = [one for one in self._open.values() if now - one.used_at > IDLE_SECONDS]
            stale += list(self._open.values())[: max(0, len(self._open) - KEPT_SESSIONS)]
            for one in stale:
                self._open.pop(one.id, None)
        for one in stale:
            one.process.close()
        return recipe

    def find(self, session: str) -> OpenRecipe:
        """Return an open recipe.

        Raises
        ------
        NotFoundError
            If it was closed, or never open.
        """
        with self._lock:
            if session not in self._open:
                raise NotFoundError("This session is closed. Open the recipe again; nothing is lost.")
            self._open.move_to_end(session)
            recipe = self._open[session]
            recipe.used_at = time.monotonic()
            return recipe

    def close(self, session: str) -> None:
        """End a session's process; nothing happens if it is not open."""
        with self._lock:
            recipe = self._open.pop(session, None)
        if recipe is not None:
            recipe.process.close()

    def close_all(self) -> None:
        """End all processes, when the server stops."""
        for session in list(self._open):
            self.close(session)
