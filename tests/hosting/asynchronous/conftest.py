"""The folder of an endpoint without a process: the queue needs no more."""

from __future__ import annotations

import pytest

from tests.hosting.asynchronous.benches import Bench


@pytest.fixture
def bench(tmp_path):
    """An empty queue whose time stands still."""
    made = Bench(tmp_path)
    yield made
    made.queue.close()
