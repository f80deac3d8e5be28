"""The worker's side: what is tried again, what is not, what is too slow, and how it stops."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kernel_tools.core.errors import InvalidDataError, UnavailableError
from kernel_tools.hosting.asynchronous.processing import AsyncProcessor, NotNowError, process_one
from kernel_tools.hosting.asynchronous.records import AsyncState
from kernel_tools.hosting.folder import current_time
from kernel_tools.hosting.wire import ModelError


def echo(claim, body, reply):
    reply.write(b"echo " + body.read())
    return "text/plain"


def raising(error):
    def invoke(claim, body, reply):
        reply.write(b"half")
        raise error

    return invoke


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (InvalidDataError("row 1"), AsyncState.FAILED),
        (ModelError("boom"), AsyncState.QUEUED),
        (UnavailableError("gone"), AsyncState.QUEUED),
        (ValueError("bug"), AsyncState.QUEUED),
        (OSError(28, "No space left on device"), AsyncState.QUEUED),
        (NotNowError("busy", 3), AsyncState.QUEUED),
    ],
)
def test_what_the_caller_did_wrong_is_not_tried_again(bench, error, state):
    bench.ask()
    (claim,) = bench.queue.claim("a")
    process_one(bench.queue, claim, raising(error))
    record = bench.queue.get("one")
    assert (
        record.state is state and (str(error.args[-1]) if isinstance(error, OSError) else str(error)) in record.message
    )
    assert record.attempts == (0 if isinstance(error, NotNowError) else 1)
    names = [path.name for path in Path(claim.output_path).parent.iterdir()]
    assert names == (["one-error.out"] if state is AsyncState.FAILED else [])


def test_an_input_that_its_owner_removed_is_a_failure(bench):
    bench.ask()
    bench.input.unlink()
    process_one(bench.queue, bench.queue.claim("a")[0], echo)
    assert bench.state() is AsyncState.FAILED and "The input" in bench.queue.get("one").message


def test_an_output_that_cannot_be_written_is_a_failure_with_its_reason(bench, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    bench.ask(output_path=str(folder / "x.out"), failure_path=str(folder / "x-error.out"), retries=0)
    folder.rmdir()
    process_one(bench.queue, bench.queue.claim("a")[0], echo)
    message = bench.queue.get("one").message
    assert bench.state() is AsyncState.FAILED and "cannot be used: No such file" in message
    assert "The failure could not be written" in message


@pytest.fixture
def real_time(bench):
    """The queue by the machine's own clock, which processors go by."""
    bench.queue.clock = current_time
    return bench


def test_a_processor_works_until_nothing_is_left(real_time):
    for number in range(20):
        real_time.ask(str(number))
    AsyncProcessor(real_time.folder, echo).run(idle_seconds=0.0)
    assert {real_time.state(str(number)) for number in range(20)} == {AsyncState.COMPLETED}
    assert Path(real_time.folder.path / "async" / "output" / "7.out").read_bytes() == b"echo {}"


def test_no_more_requests_are_in_hand_than_allowed(real_time):
    for number in range(12):
        real_time.ask(str(number))
    lock, running, most = threading.Lock(), [], []
    together = threading.Barrier(3)

    def invoke(claim, body, reply):
        with lock:
            running.append(claim.id)
            most.append(len(running))
        together.wait(30)
        with lock:
            running.remove(claim.id)
        return echo(claim, body, reply)

    AsyncProcessor(real_time.folder, invoke, max_concurrent=3).run(idle_seconds=0.0)
    assert max(most) == 3 and real_time.queue.metrics(1).backlog == 0


def test_a_model_that_hangs_is_timed_out_and_what_it_says_later_is_thrown_away(real_time):
    real_time.ask(timeout_seconds=1, retries=0)
    may_end, has_ended = threading.Event(), threading.Event()

    def hang(claim, body, reply):
        may_end.wait(30)
        has_ended.set()
        return echo(claim, body, reply)

    AsyncProcessor(real_time.folder, hang).run(idle_seconds=0.0)
    record = real_time.queue.get("one")
    assert record.state is AsyncState.FAILED and "within the 1 s" in record.message
    may_end.set()
    assert has_ended.wait(30)
    assert not Path(real_time.folder.path / "async" / "output" / "one.out").exists()


def test_a_processor_that_is_stopped_gives_back_what_it_has_in_hand(real_time):
    real_time.ask()
    began, may_end = threading.Event(), threading.Event()

    def hang(claim, body, reply):
        began.set()
        may_end.wait(30)
        return echo(claim, body, reply)

    processor = AsyncProcessor(real_time.folder, hang)
    thread = threading.Thread(target=processor.run)
    thread.start()
    assert began.wait(30)
    processor.stop()
    thread.join(30)
    assert not thread.is_alive() and real_time.state() is AsyncState.QUEUED
    assert real_time.queue.get("one").attempts == 0
    may_end.set()


def test_a_lease_is_kept_while_the_model_works(real_time):
    real_time.ask()
    asked = []

    def slow(claim, body, reply):
        asked.append(claim.lease)
        with_another = AsyncProcessor(real_time.folder, slow, lease_seconds=0.3)
        threading.Timer(0.9, with_another.stop).start()
        with_another.run()
        return echo(claim, body, reply)

    AsyncProcessor(real_time.folder, slow, lease_seconds=0.3).run(idle_seconds=0.0)
    assert len(asked) == 1 and real_time.state() is AsyncState.COMPLETED
