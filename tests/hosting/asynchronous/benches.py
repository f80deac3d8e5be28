"""An endpoint's folder without a process, and short words for what tests do with its queue."""

from __future__ import annotations

from pathlib import Path

from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.asynchronous.configuration import output_paths
from kernel_tools.hosting.asynchronous.queue import AsyncQueue
from kernel_tools.hosting.asynchronous.records import AsyncConfiguration, NewRequest
from kernel_tools.hosting.folder import EndpointFolder


class Clock:
    """A time that passes when it is told to; in milliseconds."""

    def __init__(self):
        self.now = 1_700_000_000_000

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += int(1000 * seconds)


class Bench:
    """An endpoint's folder, its queue, and short words for what tests do with it."""

    def __init__(self, root: Path):
        self.folder = EndpointFolder(Workspace(root), "census")
        self.folder.path.mkdir(parents=True)
        self.clock = Clock()
        self.queue = AsyncQueue(self.folder, self.clock)
        self.input = root / "input.json"
        self.input.write_bytes(b"{}")

    def ask(self, identifier="one", **changes):
        output, failure = output_paths(self.folder, AsyncConfiguration(), identifier)
        values = {"input_path": str(self.input), "input_digest": "d", "input_bytes": 2, "owns_input": False}
        values |= {"output_path": str(output), "failure_path": str(failure)}
        return self.queue.enqueue(NewRequest(identifier, **values | changes))

    def complete(self, claim, content=b"done"):
        written = Path(claim.output_path).with_name(f".{claim.lease}")
        written.write_bytes(content)
        return self.queue.succeed(claim, written, "text/plain")

    def state(self, identifier="one"):
        return self.queue.get(identifier).state
