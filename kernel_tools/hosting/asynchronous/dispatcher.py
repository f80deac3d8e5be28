"""A dispatcher: ``python -m kernel_tools.hosting.asynchronous.dispatcher <endpoint folder> <worker id>``.

It sends the requests of an endpoint's queue to the endpoint. The host starts one when there is a backlog, and it ends
when there was none for a while: an endpoint without requests costs nothing.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

from kernel_tools.core.errors import AtelierError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.asynchronous.configuration import read_configuration
from kernel_tools.hosting.asynchronous.invoking import EndpointInvoker
from kernel_tools.hosting.asynchronous.processing import AsyncProcessor
from kernel_tools.hosting.folder import EndpointFolder
from kernel_tools.hosting.records import EndpointState

IDLE_SECONDS = 5.0
_log = logging.getLogger("atelier.async")


def main(arguments: list[str]) -> int:
    """Work on the queue of an endpoint until it is empty for a while, the endpoint is deleted, or SIGTERM."""
    path, worker = Path(arguments[0]), arguments[1]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    folder = EndpointFolder(Workspace(path.parent.parent), path.name)
    launch = folder.status().launch

    def is_wanted() -> bool:
        try:
            status = folder.status()
        except AtelierError:
            return False
        return status.launch == launch and status.state is not EndpointState.DELETING

    processor = AsyncProcessor(
        folder,
        EndpointInvoker(folder),
        worker=worker,
        max_concurrent=read_configuration(folder).max_concurrent,
        is_wanted=is_wanted,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: processor.stop())
    _log.info("Dispatcher %s works for endpoint %s", worker, folder.name)
    processor.run(IDLE_SECONDS)
    _log.info("Dispatcher %s ends", worker)
    logging.shutdown()
    os._exit(0)  # threads that wait for the model would be waited for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
