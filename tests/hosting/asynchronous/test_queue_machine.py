"""The queue against a model, by any order of steps: claims are exclusive, nothing is lost, the order is by time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kernel_tools.hosting.asynchronous.records import AsyncState
from tests.hosting.asynchronous.benches import Bench

TTL, LEASE, RETRIES = 60, 10, 2
QUEUED, IN_PROGRESS = AsyncState.QUEUED, AsyncState.IN_PROGRESS


class Request:
    """What the model knows about one request; times in seconds since the beginning."""

    def __init__(self, number, now):
        self.id, self.order, self.state = f"r{number}", number, QUEUED
        self.due, self.expires, self.lease_until = now, now + TTL, 0
        self.attempts, self.claim, self.content = 0, None, None


class QueueMachine(RuleBasedStateMachine):
    """Every rule does the same to the queue and to the model, and compares what they say."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self.folder.name))
        self.requests, self.stale, self.now, self.count = {}, [], 0, 0

    def teardown(self):
        self.bench.queue.close()
        self.folder.cleanup()

    def having(self, *states):
        return [request for request in self.requests.values() if request.state in states]

    def held(self, data):
        return data.draw(st.sampled_from(self.having(IN_PROGRESS)))

    def let_go(self, request, state):
        self.stale.append(request.claim)
        request.claim, request.state = None, state

    @rule()
    def enqueue(self):
        request = Request(self.count, self.now)
        self.count += 1
        assert self.bench.ask(request.id, ttl_seconds=TTL, retries=RETRIES).state is QUEUED
        self.requests[request.id] = request

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def enqueue_again(self, data):
        request = data.draw(st.sampled_from(list(self.requests.values())))
        assert self.bench.ask(request.id).state is request.state

    @rule(seconds=st.sampled_from([0.001, 1, 4, 11, 61]))
    def time_passes(self, seconds):
        self.now = round(self.now + seconds, 3)
        self.bench.clock.advance(seconds)

    @rule(limit=st.integers(1, 4))
    def claim(self, limit):
        for request in self.having(QUEUED):
            if request.expires < self.now:
                request.state = AsyncState.EXPIRED
        for request in self.having(IN_PROGRESS):
            if request.lease_until < self.now:
                request.attempts -= 1
                self.let_go(request, QUEUED)
        due = sorted((item.due, item.order) for item in self.having(QUEUED) if item.due <= self.now)
        claims = self.bench.queue.claim("worker", LEASE, limit)
        assert [claim.id for claim in claims] == [f"r{order}" for _, order in due[:limit]]
        for claim in claims:
            request = self.requests[claim.id]
            request.state, request.claim, request.lease_until = IN_PROGRESS, claim, self.now + LEASE
            request.attempts += 1
            assert claim.attempt == request.attempts

    @precondition(lambda self: self.having(IN_PROGRESS))
    @rule(data=st.data())
    def extend(self, data):
        request = self.held(data)
        assert self.bench.queue.extend([request.claim], LEASE) == {request.claim.lease}
        request.lease_until = self.now + LEASE

    @precondition(lambda self: self.having(IN_PROGRESS))
    @rule(data=st.data())
    def succeed(self, data):
        request = self.held(data)
        request.content = request.claim.lease.encode()
        assert self.bench.complete(request.claim, request.content)
        self.let_go(request, AsyncState.COMPLETED)

    @precondition(lambda self: self.having(IN_PROGRESS))
    @rule(data=st.data())
    def publish_and_die(self, data):
        request = self.held(data)
        request.content = request.claim.lease.encode()
        Path(request.claim.output_path).write_bytes(request.content)
        self.bench.clock.advance(LEASE + 1)
        self.now = round(self.now + LEASE + 1, 3)
        self.let_go(request, AsyncState.COMPLETED)
        self.claim(1)

    @precondition(lambda self: self.having(IN_PROGRESS))
    @rule(data=st.data())
    def fail(self, data):
        request = self.held(data)
        is_over = request.attempts > RETRIES
        state = self.bench.queue.fail(request.claim, "no")
        self.let_go(request, AsyncState.FAILED if is_over else QUEUED)
        assert state is request.state
        request.due = request.due if is_over else self.now + 2 ** (request.attempts - 1)

    @precondition(lambda self: self.having(IN_PROGRESS))
    @rule(data=st.data())
    def postpone(self, data):
        request = self.held(data)
        self.bench.queue.postpone([request.claim])
        request.attempts -= 1
        self.let_go(request, QUEUED)

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def a_stale_claim_is_worth_nothing(self, data):
        claim = data.draw(st.sampled_from(self.stale))
        assert not self.bench.complete(claim, b"stale")
        assert self.bench.queue.fail(claim, "stale") is None
        assert self.bench.queue.extend([claim]) == set()

    @precondition(lambda self: self.having(QUEUED, IN_PROGRESS))
    @rule(data=st.data())
    def cancel(self, data):
        request = data.draw(st.sampled_from(self.having(QUEUED, IN_PROGRESS)))
        self.bench.queue.cancel(request.id)
        self.let_go(request, AsyncState.CANCELLED) if request.claim else setattr(request, "state", AsyncState.CANCELLED)

    @precondition(lambda self: self.having(AsyncState.FAILED, AsyncState.EXPIRED, AsyncState.CANCELLED))
    @rule(data=st.data())
    def retry(self, data):
        request = data.draw(st.sampled_from(self.having(AsyncState.FAILED, AsyncState.EXPIRED, AsyncState.CANCELLED)))
        self.bench.queue.retry(request.id)
        request.state, request.due, request.expires, request.attempts = QUEUED, self.now, self.now + TTL, 0

    @rule()
    def open_anew(self):
        self.bench.queue.close()
        self.bench.queue = type(self.bench.queue)(self.bench.folder, self.bench.clock)

    @invariant()
    def nothing_is_lost(self):
        records, _ = self.bench.queue.page(limit=1000)
        assert {record.id: record.state for record in records} == {
            request.id: request.state for request in self.requests.values()
        }
        counts = self.bench.queue.metrics(1).counts
        assert counts == {state: len(self.having(state)) for state in AsyncState}

    @invariant()
    def every_output_is_the_first(self):
        outputs = self.bench.folder.path / "async" / "output"
        found = {path.stem: path.read_bytes() for path in outputs.glob("*.out") if not path.stem.endswith("-error")}
        assert found == {item.id: item.content for item in self.requests.values() if item.content is not None}


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
