"""The process of a session: reads requests from its standard input, works in threads, writes replies.

Run as ``python -m kernel_tools.wrangler.session.worker``. It ends when its input ends.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.core.progress import ProgressState, StoppedError, listening
from kernel_tools.wrangler.session.protocol import Channel, error_message
from kernel_tools.wrangler.session.session import Session
from kernel_tools.wrangler.session.task import Task

THREADS = 4
"""Requests that are worked on at the same time: windows of the grid come while a table is computed."""


class Worker:
    """Answers requests with the methods of a session that are named in `Session.METHODS`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._session = Session()
        self._tasks: dict[int, Task] = {}
        self._pool = ThreadPoolExecutor(THREADS)

    def serve(self) -> None:
        """Work until the other end is gone."""
        while (message := self._channel.receive()) is not None:
            if "cancel" in message:
                task = self._tasks.get(message["cancel"])
                if task is not None:
                    task.stop()
                continue
            task = self._tasks[message["id"]] = Task()
            self._pool.submit(self._answer, task, message["id"], message["method"], message["params"])
        for task in list(self._tasks.values()):
            task.stop()
        self._pool.shutdown(cancel_futures=True)
        self._session.close()

    def _answer(self, task: Task, number: int, method: str, params: dict[str, Any]) -> None:
        me = threading.get_ident()

        def tell(state: ProgressState) -> None:
            if threading.get_ident() == me:
                shown = {"description": state.description, "done": state.done, "total": state.total, "unit": state.unit}
                self._channel.send({"id": number, "progress": shown})

        try:
            with listening(tell):
                if method not in Session.METHODS:
                    raise InvalidArgumentError(f"A session has no method {method!r}.")
                task.check()
                reply = {"id": number, "result": getattr(self._session, method)(task, **params)}
        except AtelierError as error:
            reply = {"id": number, "error": error_message(error)}
        except Exception as error:
            if task.is_stopped:
                reply = {"id": number, "error": error_message(StoppedError("The computation was stopped."))}
            else:
                sys.excepthook(*sys.exc_info())
                reply = {"id": number, "defect": f"{type(error).__name__}: {error}"}
        finally:
            self._tasks.pop(number, None)
        try:
            self._channel.send(reply)
        except (TypeError, ValueError, OverflowError) as error:  # a result that no message can hold
            self._channel.send({"id": number, "defect": f"{type(error).__name__}: {error}"})


def main() -> None:
    """Serve on the standard input and output; what else is printed goes to the log of the server."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Worker(Channel(sys.stdin.buffer, output)).serve()


if __name__ == "__main__":
    main()
