"""The other end of a session's process: starts it, asks it, stops work in it, starts it again when it died."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import Future, TimeoutError
from typing import Any

from kernel_tools.core.errors import UnavailableError
from kernel_tools.core.progress import StoppedError
from kernel_tools.wrangler.session.protocol import Channel, error_of

GRACE = 3.0
"""Seconds that work has to stop by itself before its process is killed: code of somebody's may not listen."""


class Call:
    """One request under way; `progress` is how far it said to be, None until it says so."""

    def __init__(self, client: SessionProcess, number: int, process: subprocess.Popen[bytes]) -> None:
        self._client, self.number, self.process = client, number, process
        self.progress: dict[str, Any] | None = None
        self.future: Future[Any] = Future()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the reply.

        Raises
        ------
        AtelierError
            What the session raised.
        UnavailableError
            If its process ended meanwhile.
        """
        return self.future.result(timeout)

    def stop(self) -> None:
        """Stop the work; when it does not stop by itself, its process is killed and started again when it is needed."""
        self._client.cancel(self)


class SessionProcess:
    """A session in a process of its own; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._calls: dict[int, Call] = {}
        self._number = 0
        self.generation = 0
        """How often a process was started: tables of an earlier one are gone."""

    @property
    def pid(self) -> int | None:
        """The id of the process, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start the process if it does not run; it is ready some tenths of a second later."""
        with self._lock:
            self._ensure()

    def call(self, method: str, **params: Any) -> Call:
        """Send a request; the process is started if it does not run."""
        with self._lock:
            process, channel = self._ensure()
            self._number += 1
            call = self._calls[self._number] = Call(self, self._number, process)
        try:
            channel.send({"id": call.number, "method": method, "params": params})
        except OSError:
            self._lost(process)
        return call

    def ask(self, method: str, **params: Any) -> Any:
        """Send a request and wait for its reply; raises as `Call.result`."""
        return self.call(method, **params).result()

    def cancel(self, call: Call) -> None:
        """Stop a call's work, and wait until it has stopped."""
        channel = self._channel
        if call.future.done() or channel is None:
            return
        try:
            channel.send({"cancel": call.number})
            call.future.exception(GRACE)
        except TimeoutError:
            if not call.future.done():
                call.future.set_exception(StoppedError("The computation was stopped, with the process it ran in."))
            self.close()
        except OSError:
            self.close()

    def close(self) -> None:
        """Kill the process; it is started again when it is needed."""
        with self._lock:
            process, self._process, self._channel = self._process, None, None
        if process is not None:
            process.kill()
            process.wait()

    def _ensure(self) -> tuple[subprocess.Popen[bytes], Channel]:
        if self._process is not None and self._process.poll() is None and self._channel is not None:
            return self._process, self._channel
        command = [sys.executable, "-m", "kernel_tools.wrangler.session.worker"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None
        self._process, self._channel = process, Channel(process.stdout, process.stdin)
        self.generation += 1
        threading.Thread(target=self._listen, args=(process, self._channel), daemon=True).start()
        return process, self._channel

    def _listen(self, process: subprocess.Popen[bytes], channel: Channel) -> None:
        while (message := channel.receive()) is not None:
            call = self._calls.get(message["id"])
            if call is None:
                continue
            if "progress" in message:
                call.progress = message["progress"]
                continue
            self._calls.pop(message["id"], None)
            if call.future.done():
                continue
            if "error" in message:
                call.future.set_exception(error_of(message["error"]))
            elif "defect" in message:
                call.future.set_exception(RuntimeError(f"In the session's process: {message['defect']}"))
            else:
                call.future.set_result(message["result"])
        process.wait()
        self._lost(process)

    def _lost(self, process: subprocess.Popen[bytes]) -> None:
        """Answer the calls that a process left behind."""
        with self._lock:
            lost = [number for number, call in self._calls.items() if call.process is process]
            calls = [self._calls.pop(number) for number in lost]
        for call in calls:
            if not call.future.done():
                call.future.set_exception(
                    UnavailableError("The process that holds the tables ended. Open the table again; nothing is lost.")
                )
