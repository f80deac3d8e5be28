"""The thread in which a model works, so that the event loop goes on: requests that waited together are given together.

Nobody waits for company: a request that finds the model idle is answered at once, and those that come meanwhile are
the next ones.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class ModelThread(Generic[Asked, Given]):
    """Works on requests in a thread of its own, in the order in which they come.

    Parameters
    ----------
    work
        Answers some requests, each with its reply. It must not raise.
    most
        Requests that are given to it at once.
    """

    def __init__(self, work: Callable[[list[Asked]], list[Given]], most: int = 1) -> None:
        self._work, self._most = work, most
        self._queue: queue.SimpleQueue[tuple[Asked, asyncio.Future[Given]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="model", daemon=True).start()

    async def answer(self, asked: Asked, timeout: float) -> Given:
        """Have a request answered; TimeoutError if that takes longer than `timeout` seconds."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Given] = loop.create_future()
        timer = loop.call_later(timeout, _give_up, future)
        self._queue.put((asked, future))
        try:
            return await future
        finally:
            timer.cancel()

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < self._most and not self._queue.empty():
                batch.append(self._queue.get())
            batch = [item for item in batch if not item[1].done()]
            if not batch:
                continue
            replies = self._work([asked for asked, _ in batch])
            loop = batch[0][1].get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_deliver, [future for _, future in batch], replies)


def _deliver(futures: list[asyncio.Future[Given]], replies: list[Given]) -> None:
    for future, reply in zip(futures, replies, strict=True):
        if not future.done():
            future.set_result(reply)


def _give_up(future: asyncio.Future[Given]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
