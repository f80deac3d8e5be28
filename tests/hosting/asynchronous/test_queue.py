"""The queue: leases, tries, times, ids that are given twice, and disks that are full."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kernel_tools.core.errors import (
    ConflictError,
    IntegrityError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from kernel_tools.hosting.asynchronous.queue import MAX_LOSSES, AsyncQueue
from kernel_tools.hosting.asynchronous.records import AsyncState, Notify


def test_requests_are_claimed_in_the_order_of_their_time(bench):
    for number in range(5):
        bench.ask(str(number))
        bench.clock.advance(number % 2)
    assert [claim.id for claim in bench.queue.claim("a", limit=3)] == ["0", "1", "2"]
    assert [claim.id for claim in bench.queue.claim("b", limit=3)] == ["3", "4"]


def test_an_output_appears_once_and_the_input_that_the_queue_owns_goes(bench, tmp_path):
    own = tmp_path / "own"
    own.write_bytes(b"x")
    bench.ask(input_path=str(own), owns_input=True)
    (claim,) = bench.queue.claim("a")
    assert bench.complete(claim)
    record = bench.queue.get("one")
    assert record.state is AsyncState.COMPLETED and record.reply_type == "text/plain"
    assert Path(claim.output_path).read_bytes() == b"done"
    assert not own.exists() and bench.input.exists()
    assert not bench.complete(claim, b"again") and Path(claim.output_path).read_bytes() == b"done"


def test_a_worker_whose_lease_another_took_changes_nothing(bench):
    bench.ask()
    (first,) = bench.queue.claim("a", lease_seconds=10)
    bench.clock.advance(11)
    (second,) = bench.queue.claim("b", lease_seconds=10)
    assert second.lease != first.lease and second.attempt == 1
    assert not bench.complete(first, b"late")
    assert bench.queue.fail(first, "late") is None
    assert bench.queue.extend([first, second]) == {second.lease}
    assert bench.complete(second, b"second") and Path(second.output_path).read_bytes() == b"second"


def test_a_lease_that_nobody_took_still_holds(bench):
    bench.ask()
    (claim,) = bench.queue.claim("a", lease_seconds=10)
    bench.clock.advance(11)
    assert bench.complete(claim)


def test_an_output_of_a_worker_that_was_killed_before_it_could_say_so_is_kept(bench):
    bench.ask()
    (claim,) = bench.queue.claim("a", lease_seconds=10)
    Path(claim.output_path).write_bytes(b"first")
    bench.clock.advance(11)
    assert bench.queue.claim("b") == [] and bench.state() is AsyncState.COMPLETED
    assert Path(claim.output_path).read_bytes() == b"first"


def test_a_request_is_tried_again_with_longer_and_longer_pauses_and_then_failed(bench):
    bench.ask(retries=2)
    for wait in (1, 2):
        (claim,) = bench.queue.claim("a")
        assert bench.queue.fail(claim, "no") is AsyncState.QUEUED
        bench.clock.advance(wait - 0.1)
        assert bench.queue.claim("a") == []
        bench.clock.advance(0.1)
    (claim,) = bench.queue.claim("a")
    assert claim.attempt == 3 and bench.queue.fail(claim, "never") is AsyncState.FAILED
    assert bench.queue.get("one").message == "never" and Path(claim.failure_path).read_bytes() == b"never"


def test_a_request_that_kills_its_workers_is_failed_in_the_end(bench):
    bench.ask()
    for _ in range(MAX_LOSSES):
        assert len(bench.queue.claim("a")) == 1
        bench.queue.release_worker("a")
    assert bench.queue.claim("a") == [] and "died 20 times" in bench.queue.get("one").message


def test_a_postponed_request_loses_no_try(bench):
    bench.ask(retries=0)
    bench.queue.postpone(bench.queue.claim("a"), 5, "busy")
    assert bench.queue.claim("a") == [] and bench.queue.get("one").message == "busy"
    bench.clock.advance(5)
    assert bench.queue.claim("a")[0].attempt == 1


def test_a_request_expires_when_it_waited_too_long_but_not_while_it_is_worked_on(bench):
    bench.ask("waits", ttl_seconds=60, notify=Notify(error=("event",)))
    bench.ask("works", ttl_seconds=60)
    bench.queue.postpone(bench.queue.claim("a"), 1000)
    (claim,) = bench.queue.claim("a", lease_seconds=100)
    bench.clock.advance(61)
    assert bench.queue.has_work() and bench.queue.expire() == 1
    assert bench.state("waits") is AsyncState.EXPIRED and bench.complete(claim)
    assert bench.queue.metrics(1).named()["ExpiredRequests"] == 1


def test_an_id_that_is_given_twice_is_one_request(bench):
    first = bench.ask()
    bench.clock.advance(1)
    assert bench.ask() == first
    with pytest.raises(ConflictError, match="another input"):
        bench.ask(input_digest="other")
    with pytest.raises(ConflictError, match="promised"):
        bench.ask("two", output_path=bench.queue.claim("a")[0].output_path)


def test_an_output_that_exists_is_never_written_over(bench, tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    with pytest.raises(ConflictError, match="exists"):
        bench.ask(output_path=str(precious))


def test_cancelled_work_is_thrown_away_and_can_be_retried(bench):
    bench.ask()
    (claim,) = bench.queue.claim("a")
    assert bench.queue.cancel("one").state is AsyncState.CANCELLED
    assert not bench.complete(claim) and not Path(claim.output_path).exists()
    with pytest.raises(ConflictError, match="Cancelled"):
        bench.queue.cancel("one")
    assert bench.queue.retry("one").state is AsyncState.QUEUED
    assert bench.complete(bench.queue.claim("a")[0])
    with pytest.raises(ConflictError, match="Completed"):
        bench.queue.retry("one")


def test_a_retry_takes_the_failure_back_and_needs_the_input(bench):
    bench.ask()
    (claim,) = bench.queue.claim("a")
    bench.queue.fail(claim, "no", is_final=True)
    assert bench.queue.retry("one").attempts == 0 and not Path(claim.failure_path).exists()
    bench.queue.cancel("one")
    bench.input.unlink()
    with pytest.raises(NotFoundError, match="input"):
        bench.queue.retry("one")


def test_the_numbers_of_the_queue(bench):
    for number in range(4):
        bench.ask(str(number))
        bench.clock.advance(10)
    bench.queue.claim("a")
    found = bench.queue.metrics(2)
    assert (found.backlog, found.backlog_per_instance, found.oldest_seconds) == (4, 2.0, 40.0)
    assert bench.queue.metrics(0).has_backlog_without_capacity and not found.has_backlog_without_capacity
    assert found.counts["Queued"] == 3 and found.counts["InProgress"] == 1


def test_pages_go_from_the_newest_to_the_oldest(bench):
    for number in range(7):
        bench.ask(str(number))
    first, token = bench.queue.page(limit=4)
    second, end = bench.queue.page(limit=4, page_token=token)
    assert [record.id for record in first + second] == list("6543210") and end is None
    assert bench.queue.page(AsyncState.FAILED) == ([], None)


def test_many_workers_never_share_a_request(bench):
    for number in range(200):
        bench.ask(str(number))
    start = threading.Barrier(4)

    def work(worker):
        start.wait()
        with AsyncQueue(bench.folder, bench.clock) as queue:
            return [claim.id for _ in range(100) for claim in queue.claim(worker, limit=2)]

    with ThreadPoolExecutor(4) as pool:
        found = [identifier for part in pool.map(work, "abcd") for identifier in part]
    assert sorted(found, key=int) == [str(number) for number in range(200)]


def test_a_full_disk_is_said_and_loses_nothing(bench):
    bench.ask("before")
    with bench.queue.database.read() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UnavailableError, match="full"):
        for number in range(1000):
            bench.ask(f"{number:060}")
    assert bench.state("before") is AsyncState.QUEUED


def test_an_output_folder_that_is_gone_is_said_and_the_request_stays_in_hand(bench, tmp_path):
    output = tmp_path / "gone" / "x.out"
    output.parent.mkdir()
    bench.ask(output_path=str(output))
    (claim,) = bench.queue.claim("a")
    written = tmp_path / "written"
    written.write_bytes(b"x")
    output.parent.rmdir()
    with pytest.raises(UnavailableError, match="cannot be written"):
        bench.queue.succeed(claim, written, "text/plain")
    assert bench.state() is AsyncState.IN_PROGRESS
    output.parent.mkdir()
    assert bench.queue.succeed(claim, written, "text/plain") and output.read_bytes() == b"x"


def test_a_queue_of_a_newer_atelier_is_refused(bench):
    with bench.queue.database.read() as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(IntegrityError, match="Update Atelier"):
        AsyncQueue(bench.folder)


@pytest.mark.parametrize(
    "changes", [{"ttl_seconds": 59}, {"ttl_seconds": 21_601}, {"timeout_seconds": 0}, {"retries": -1}]
)
def test_times_beyond_the_limits_are_refused(bench, changes):
    with pytest.raises(InvalidArgumentError, match=next(iter(changes))):
        bench.ask(**changes)


@pytest.mark.parametrize("identifier", ["", " a", "a" * 65, "a\nb"])
def test_an_id_must_be_printable_and_short(bench, identifier):
    with pytest.raises(InvalidArgumentError, match="inference id"):
        bench.ask(identifier)


@pytest.mark.parametrize("target", ["ftp://x/y", "gopher://x", "http://", "http://x:y/", "a\0b", ""])
def test_targets_that_cannot_be_notified_are_refused(target):
    with pytest.raises(InvalidArgumentError, match="cannot be notified"):
        Notify((target,))
