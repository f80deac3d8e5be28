"""What an endpoint bears: workers that are added and removed, models that are stuck."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.hosting import Limits
from kernel_tools.hosting.answering import Answerer, Subject
from kernel_tools.hosting.app import EndpointApplication


def test_scaling_adds_workers_and_removes_them(own_endpoint, census):
    url = own_endpoint.url
    own_endpoint.scale(2)
    assert len(own_endpoint._folder.status().workers) == 2
    assert own_endpoint.predict([census.row] * 3).shape == (3,)
    own_endpoint.scale(1, variant="AllTraffic")
    assert len(own_endpoint._folder.status().workers) == 1 and own_endpoint.url == url
    assert own_endpoint.predict(census.row).shape == (1,)
    with pytest.raises(NotFoundError, match="no variant 'B'. It has AllTraffic"):
        own_endpoint.scale(1, variant="B")
    with pytest.raises(InvalidArgumentError, match="workers=0"):
        own_endpoint.scale(0)


class StuckEngine:
    is_quick = False
    signature = None

    def __init__(self):
        self.goes_on = threading.Event()

    def read(self, form):
        return form

    def read_table(self, table):
        return table

    def predict(self, rows):
        self.goes_on.wait()
        return {}

    def close(self):
        pass


def test_a_model_that_is_stuck_is_answered_for_and_its_worker_told():
    engine, sent, told = StuckEngine(), [], []
    application = EndpointApplication(Answerer(Subject("slow"), engine), Limits(timeout_seconds=0.05))
    application.on_stuck = lambda: told.append(True)

    async def receive():
        return {"type": "http.request", "body": b"{}"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/invocations", "headers": [], "server": ("127.0.0.1", 80)}
    asyncio.run(application(scope, receive, send))
    engine.goes_on.set()
    assert sent[0]["status"] == 424 and told == [True]
    assert "did not answer within 0.05 s" in json.loads(sent[1]["body"])["error"]["message"]
