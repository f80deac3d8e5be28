"""Update an endpoint again and again under constant load, killing workers and the host: how many requests fail.

``python scripts/hosting_soak.py --updates 50``. A request that was in a worker when it was killed is counted as killed;
any other that is not answered with 200 has failed.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import random
import signal
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np

import kernel_tools as kt
from kernel_tools.core.errors import UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting import Alarm, Endpoint, UpdatePolicy
from kernel_tools.hosting.hosts import ask_host, nudge_host, stop_host

KINDS = ("all_at_once", "canary", "linear", "rolling")
ALARM = Alarm("mean_latency_ms", 1e-6)
"""Always above: an update that has it is rolled back with its first request."""


class Client(threading.Thread):
    """Sends one row after the other on a kept connection, and notes when failed requests began and ended."""

    def __init__(self, url: str, body: bytes) -> None:
        super().__init__(daemon=True)
        self._address = urlsplit(url)
        self._body = body
        self.answered = 0
        self.failures: list[tuple[float, float, str]] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        """Send until told to stop."""
        connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=60)
        while not self.is_over.is_set():
            began = time.monotonic()
            try:
                connection.request("POST", "/invocations", self._body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                said = reply.read()
                if reply.status == 200:
                    self.answered += 1
                else:
                    self.failures.append((began, time.monotonic(), f"{reply.status} {said[:200]!r}"))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append((began, time.monotonic(), repr(error)))
                connection.close()


def main() -> int:
    """Run the campaign; the exit code is 1 if a request failed that was in no killed worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=50)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--kills", type=float, default=0.4, help="the part of the updates in which something is killed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workspace")
        try:
            return campaign(workspace, options.updates, options.clients, options.kills)
        finally:
            stop_host(workspace)


def campaign(workspace: Workspace, updates: int, clients: int, kills: float) -> int:
    """Update, kill, count and print."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(np.arange(20.0).reshape(10, 2), np.arange(10) % 2)
    for _ in range(2):
        kt.registry.register("soak", model, sample_input=np.ones((2, 2)), workspace=workspace).approve()
    endpoint = kt.hosting.deploy("soak", workspace=workspace).scale(2)
    body = msgspec.json.encode({"instances": [[1.0, 2.0]]})
    senders = [Client(endpoint.url, body) for _ in range(clients)]
    for sender in senders:
        sender.start()
    killed: list[float] = []
    rolled_back = 0
    chance = random.Random(0)  # noqa: S311  # no secret
    for number in range(updates):
        forced = number % 10 == 9
        alarms = (ALARM,) if forced else ()
        policy = UpdatePolicy(KINDS[number % 4], step_size=0.5, wait_seconds=0.3, alarms=alarms)
        endpoint.update(1 + number % 2, policy=policy, timeout=0)
        if chance.random() < kills:
            time.sleep(chance.random())
            kill(workspace, endpoint, killed, chance)
        revision = endpoint.update_progress
        with contextlib.suppress(UnavailableError):
            kt.hosting.lifecycle.wait_until_updated(endpoint._folder, revision.revision if revision else 0, 120)
        progress = endpoint.update_progress
        rolled_back += progress is not None and progress.phase == "rolled_back"
        print(f"{number + 1}: {policy.kind} {progress.phase if progress else ''}", flush=True)
    for sender in senders:
        sender.is_over.set()
    for sender in senders:
        sender.join()
    failures = [failure for sender in senders for failure in sender.failures]
    excused = [item for item in failures if any(item[0] - 0.1 <= moment <= item[1] + 0.1 for moment in killed)]
    lost = [item for item in failures if item not in excused]
    answered = sum(sender.answered for sender in senders)
    print(f"{answered} answered, {len(excused)} in killed workers, {len(lost)} failed; {rolled_back} rolled back")
    print(f"{len(killed)} workers killed; {endpoint.metrics()}")
    for item in lost[:20]:
        print("failed:", item[2])
    endpoint.delete()
    return 1 if lost else 0


def kill(workspace: Workspace, endpoint: Endpoint, killed: list[float], chance: random.Random) -> None:
    """Kill one worker, or the host, and let a new host start."""
    pid = endpoint.record.pid
    host = ask_host(workspace, "status")
    with contextlib.suppress(ProcessLookupError):
        if chance.random() < 0.5 and host is not None:
            os.kill(host["pid"], signal.SIGKILL)
            nudge_host(workspace)
        elif pid is not None:
            os.kill(pid, signal.SIGKILL)
            killed.append(time.monotonic())


if __name__ == "__main__":
    raise SystemExit(main())
