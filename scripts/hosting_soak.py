"""Update an endpoint again and again under constant load while workers, hosts and clients are killed: what fails.

``python scripts/hosting_soak.py --updates 50``. A request whose connection is reset because its worker was killed is
sent once more and counted; any request that is not answered with 200 at last has failed.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np

import kernel_tools as kt
from kernel_tools.core.errors import UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting import Alarm, Endpoint, UpdatePolicy, lifecycle
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.hosts import ask_host, stop_host
from kernel_tools.hosting.updates import Kind

KINDS: tuple[Kind, ...] = ("all_at_once", "canary", "linear", "rolling")
ALARM = Alarm("mean_latency_ms", 1e-6)
"""Always above: an update that has it is rolled back with its first request."""

DISTURBER = """
import sys, time
from kernel_tools.hosting import get
from kernel_tools.core.workspace import Workspace
from pathlib import Path
endpoint = get("soak", workspace=Workspace(Path(sys.argv[1])))
while True:
    endpoint.predict([[1.0, 2.0]])
    endpoint.record
    endpoint.metrics()
    time.sleep(0.02)
"""
"""A client that is killed with -9, as a kernel or a Jupyter server may be."""


@dataclass(slots=True)
class Tally:
    """What became of the requests, the updates and what was killed."""

    answered: int = 0
    retried: int = 0
    failures: list[str] = field(default_factory=list)
    finished: int = 0
    rolled_back: int = 0
    unfinished: int = 0
    killed: dict[str, int] = field(default_factory=lambda: {"worker": 0, "host": 0, "client": 0})


class Client(threading.Thread):
    """Sends one row after the other on a kept connection; what a reset takes away is sent once more."""

    def __init__(self, url: str, body: bytes, pause: float) -> None:
        super().__init__(daemon=True)
        self._pause = pause
        self._address = urlsplit(url)
        self._body = body
        self.answered = 0
        self.retried = 0
        self.failures: list[str] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        """Send until told to stop."""
        connection = http.client.HTTPConnection(self._address.hostname or "", self._address.port, timeout=60)
        while not self.is_over.wait(self._pause):
            for is_last in (False, True):
                try:
                    connection.request("POST", "/invocations", self._body, {"Content-Type": "application/json"})
                    reply = connection.getresponse()
                    said = reply.read()
                except (ConnectionError, http.client.HTTPException) as error:
                    connection.close()
                    if is_last:
                        self.failures.append(repr(error))
                    self.retried += not is_last
                    continue
                except OSError as error:
                    connection.close()
                    self.failures.append(repr(error))
                    break
                if reply.status == 200:
                    self.answered += 1
                else:
                    self.failures.append(f"{reply.status} {said[:200]!r}")
                break
        connection.close()


@contextmanager
def constant_load(url: str, clients: int, pause: float, tally: Tally) -> Iterator[None]:
    """Have clients send all the time, and add up what they saw."""
    body = msgspec.json.encode({"instances": [[1.0, 2.0]]})
    senders = [Client(url, body, pause) for _ in range(clients)]
    for sender in senders:
        sender.start()
    try:
        yield
    finally:
        for sender in senders:
            sender.is_over.set()
        for sender in senders:
            sender.join()
            tally.answered += sender.answered
            tally.retried += sender.retried
            tally.failures += sender.failures


class Killer:
    """Kills workers, hosts and a client, in turn and at any moment."""

    def __init__(self, workspace: Workspace, tally: Tally, chance: random.Random) -> None:
        self._workspace = workspace
        self._folder = EndpointFolder(workspace, "soak")
        self._tally = tally
        self._chance = chance
        self._client = self._start_client()

    def kill(self) -> None:
        """Kill the next thing."""
        order = ("worker", "host", "client")
        kind = order[sum(self._tally.killed.values()) % 3]
        time.sleep(self._chance.random())
        if kind == "client":
            self._client.kill()
            self._client.wait()
            self._client = self._start_client()
        else:
            pid = self._pid(kind)
            if pid is None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._tally.killed[kind] += 1

    def close(self) -> None:
        """End the client."""
        self._client.kill()
        self._client.wait()

    def _pid(self, kind: str) -> int | None:
        if kind == "host":
            host = ask_host(self._workspace, "status")
            return host["pid"] if host is not None else None
        alive = [process.pid for process in self._folder.status().processes if process.is_alive()]
        return self._chance.choice(alive) if alive else None

    def _start_client(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", DISTURBER, str(self._workspace.root)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def campaign(
    workspace: Workspace, updates: int, clients: int, rollbacks: int, kills: int, *, pause: float = 0.0, seed: int = 0
) -> Tally:
    """Update, roll back, kill and count; the rollbacks and kills are spread evenly over the updates.

    `pause` are the seconds between two requests of a client.
    """
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=20, n_jobs=1).fit(np.arange(20.0).reshape(10, 2), np.arange(10) % 2)
    for _ in range(2):
        kt.registry.register("soak", model, sample_input=np.ones((2, 2)), workspace=workspace).approve()
    endpoint = kt.hosting.deploy("soak", workspace=workspace).scale(2)
    tally, chance = Tally(), random.Random(seed)  # noqa: S311  # no secret
    killer = Killer(workspace, tally, chance)
    try:
        with constant_load(endpoint.url, clients, pause, tally):
            for number in range(updates):
                is_forced = _is_due(number, updates, rollbacks)
                due = (number + 1) * kills // updates - number * kills // updates
                _update(endpoint, KINDS[number % len(KINDS)], is_forced, killer, due, tally)
    finally:
        killer.close()
    endpoint.delete()
    return tally


def _is_due(number: int, updates: int, events: int) -> bool:
    return (number + 1) * events // updates > number * events // updates


def _update(endpoint: Endpoint, kind: Kind, is_forced: bool, killer: Killer, kills: int, tally: Tally) -> None:
    version = 3 - endpoint.record.version
    alarms = (ALARM,) if is_forced else ()
    # Rolled back with its first request, however long that takes on a busy machine.
    policy = UpdatePolicy(kind, step_size=0.5, wait_seconds=0.3, bake_seconds=60 if alarms else 0, alarms=alarms)
    endpoint.update(version, policy=policy, timeout=0)
    begun = endpoint.update_progress
    assert begun is not None
    for _ in range(kills):
        killer.kill()
    with contextlib.suppress(UnavailableError):
        lifecycle.wait_until_updated(endpoint._folder, begun.revision, 180)
    progress = endpoint.update_progress
    phase = progress.phase if progress is not None else ""
    tally.finished += phase == "finished"
    tally.rolled_back += phase == "rolled_back"
    tally.unfinished += phase not in ("finished", "rolled_back")
    print(f"{kind}: {phase} {progress.reason if progress else ''}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the campaign; the exit code is 1 if a request failed or an update did not end as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=50)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--rollbacks", type=int, default=5)
    parser.add_argument("--kills", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workspace")
        try:
            tally = campaign(workspace, options.updates, options.clients, options.rollbacks, options.kills)
        finally:
            stop_host(workspace)
    print(tally)
    return int(bool(tally.failures) or tally.unfinished > 0 or tally.rolled_back != options.rollbacks)


if __name__ == "__main__":
    raise SystemExit(main())
