"""Autoscaling: the decisions, and that workers come, go, and come back from none without losing a request."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.hosting import EndpointState, ScalingPolicy
from kernel_tools.hosting.asynchronous import AsyncConfiguration
from kernel_tools.hosting.counters import Counters, counters_by_worker, fold_counters, sum_counters
from kernel_tools.hosting.hosts import ask_host
from kernel_tools.hosting.process import ZYGOTE_MODULE, find_servers
from kernel_tools.hosting.scaling import Load, LoadWindow, VariantScale, next_scale
from kernel_tools.hosting.worker import Assignment, _is_kept
from tests.hosting.test_life_cycle import wait_for

policies = st.builds(
    lambda low, more, target, calm, wait, idle: ScalingPolicy(
        "requests_in_flight", target, low, max(low + more, 1), calm, wait, idle
    ),
    st.integers(0, 8),
    st.integers(0, 8),
    st.floats(0.5, 50),
    st.floats(0, 120),
    st.floats(0, 20),
    st.floats(0, 600),
)
steps = st.lists(st.tuples(st.integers(0, 30_000), st.floats(0, 500)), min_size=1, max_size=40)


def decide(policy, steps, start=0):
    """Yield the time, the load, and the scale before and after each decision."""
    now, busy_at, scale = 1_000_000, 1_000_000, VariantScale("A", start, 0, 1_000_000)
    for passed, in_flight in steps:
        now += passed
        busy_at = now if in_flight > 0 else busy_at
        after = next_scale(policy, scale, Load(in_flight), now, busy_at)
        yield now, busy_at, in_flight, scale, after
        scale = after


@given(policies, steps, st.integers(0, 64))
def test_workers_stay_within_their_bounds(policy, steps, start):
    for *_, after in decide(policy, steps, start):
        assert policy.min_workers <= after.workers <= policy.max_workers


@given(policies, steps)
def test_the_last_worker_goes_only_after_the_idle_time_without_a_request(policy, steps):
    for now, busy_at, in_flight, before, after in decide(policy, steps, 1):
        if after.workers == 0 and before.workers > 0:
            assert policy.min_workers == 0 and in_flight == 0 and now - busy_at >= policy.idle_seconds * 1000
        if in_flight > 0:
            assert after.workers > 0


@given(policies, steps)
def test_workers_are_not_added_twice_within_a_cooldown_nor_taken_away_while_they_are_needed(policy, steps):
    grown, needed = None, []
    for now, _, in_flight, before, after in decide(policy, steps, max(policy.min_workers, 1)):
        needed.append((now, in_flight / policy.target))
        if after.workers > before.workers > 0:
            assert grown is None or now - grown >= policy.scale_out_cooldown * 1000
            grown = now
        if 0 < after.workers < before.workers:
            lately = [load for moment, load in needed if now - moment < policy.scale_in_cooldown * 1000]
            assert all(load <= after.workers for load in lately)


@given(policies, st.floats(0, 500))
def test_a_steady_load_ends_at_one_number_that_bears_it(policy, in_flight):
    seen = [after.workers for *_, after in decide(policy, [(1000, in_flight)] * 400, 1)]
    assert len(set(seen[200:])) == 1 or policy.idle_seconds > 200
    if in_flight > 0:
        assert seen[-1] == policy.max_workers or seen[-1] * policy.target >= in_flight * (1 - 1e-6)


def test_loads_are_means_over_the_last_seconds():
    window = LoadWindow()
    for second in range(10):
        load = window.add(1000 * second, Counters(invocations=50 * second, concurrent_requests=second % 2))
    assert load.requests_per_second == 50 and load.requests_in_flight == 0.5
    counted = Counters()
    for second in range(10, 20):
        for _ in range(100):
            counted.record(200, 30_000, 10_000)
        load = window.add(1000 * second, counted)
    assert load.requests_in_flight == pytest.approx(3)


def test_what_ended_workers_counted_is_folded_and_nothing_is_lost(tmp_path):
    for number in range(6):
        counters = Counters("A" if number % 2 else "B/..", number // 3)
        counters.record(200, 10.0 * number, 5.0)
        counters.write(tmp_path / f"{number}.json")
    before = counters_by_worker(tmp_path)
    fold_counters(tmp_path, ["0", "1", "2"])
    fold_counters(tmp_path, ["3", "4"])
    after = counters_by_worker(tmp_path)
    assert "5" in after and len(after) == 5
    assert sum_counters(after.values()).model_latency == sum_counters(before.values()).model_latency
    assert Counter(item.revision for item in after.values() for _ in range(item.invocations)) == {0: 3, 1: 3}


def test_policies_are_checked():
    for wrong in ({"min_workers": 3, "max_workers": 2}, {"target": 0}, {"metric": "weather"}, {"max_workers": 65}):
        with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
            ScalingPolicy(**wrong)


def test_an_endpoint_sleeps_without_requests_and_the_next_request_wakes_it(own_endpoint, census):
    url, expected = own_endpoint.url, own_endpoint.predict_proba(census.row)
    process = own_endpoint._folder.status().processes[0]
    own_endpoint.scale(min_workers=0, max_workers=2, idle_seconds=0)
    wait_for(lambda: not process.is_alive())
    wait_for(lambda: own_endpoint.state is EndpointState.IN_SERVICE)
    assert own_endpoint.url == url and own_endpoint.record.pid is None
    own_endpoint.scale(idle_seconds=300, timeout=0)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(own_endpoint.predict_proba(census.row))) for _ in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3 and all((answer == expected).all() for answer in answers)
    assert len(own_endpoint._folder.status().workers) == 1
    lines = (own_endpoint._folder.path / "events.jsonl").read_text().splitlines()
    decided = [event["workers"] for event in map(json.loads, lines) if event.get("by") == "autoscaling"]
    assert decided == [0, 1]


@pytest.mark.parametrize(("metric", "target"), [("requests_in_flight", 0.1), ("requests_per_second", 5)])
def test_workers_are_added_under_load_and_taken_away_after_it(own_endpoint, census, metric, target):
    own_endpoint.scale(metric=metric, target=target, max_workers=2, scale_out_cooldown=0, scale_in_cooldown=1)
    is_over, failures = threading.Event(), []

    def ask():
        while not is_over.is_set():
            try:
                own_endpoint.predict(census.row)
            except AtelierError as error:
                failures.append(error)

    def workers():
        return sum(worker.is_ready for worker in own_endpoint._folder.status().workers)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: workers() == 2, 30)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    wait_for(lambda: workers() == 1, 30)
    assert failures == []


def test_workers_are_added_for_a_backlog(own_endpoint, census):
    own_endpoint.scale(metric="backlog", target=1, max_workers=2, scale_out_cooldown=0, scale_in_cooldown=0)
    own_endpoint.configure_async(AsyncConfiguration(max_concurrent=1))
    asked = [own_endpoint.invoke_async([census.row] * 2000) for _ in range(40)]

    def scaled():
        return [event["workers"] for event in own_endpoint.events(200) if event.get("by") == "autoscaling"]

    wait_for(lambda: 2 in scaled(), 60)
    for request in asked:
        request.wait(120)
    wait_for(lambda: own_endpoint.ready_workers() == {"AllTraffic": 1}, 60)


def test_a_worker_that_a_zygote_forked_is_one_like_others(workspace, own_endpoint, census):
    expected = own_endpoint.predict_proba(census.row)
    own_endpoint.scale(min_workers=1, max_workers=2)
    first = own_endpoint._folder.status().processes[0]
    wait_for(own_endpoint._folder.modules_path.exists)
    os.kill(first.pid, signal.SIGKILL)  # started anew, or forked: the zygote may still be importing
    assert (own_endpoint.predict_proba(census.row) == expected).all()

    def zygote():
        host = psutil.Process(ask_host(workspace, "status")["pid"])
        return next((item for item in host.children() if ZYGOTE_MODULE in item.cmdline()), None)

    def is_forked():
        worker = own_endpoint._folder.status().processes[0]
        if worker.pid in [item.pid for item in zygote().children()]:
            return True
        with suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)
        own_endpoint.predict(census.row)
        return False

    if sys.platform == "linux":
        wait_for(is_forked, 60)
        assert find_servers(own_endpoint._folder.path) == own_endpoint._folder.status().processes
    assert (own_endpoint.predict_proba(census.row) == expected).all()
    os.kill(zygote().pid, signal.SIGKILL)
    assert (own_endpoint.predict_proba(census.row) == expected).all()
    own_endpoint.scale(1)
    wait_for(lambda: zygote() is None)
    assert (own_endpoint.predict_proba(census.row) == expected).all()


def test_an_endpoint_that_sleeps_is_woken_though_its_host_was_killed(workspace, own_endpoint, census):
    url, process = own_endpoint.url, own_endpoint._folder.status().processes[0]
    own_endpoint.scale(min_workers=0, idle_seconds=0)
    wait_for(lambda: not process.is_alive())
    killed = ask_host(workspace, "status")["pid"]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: (ask_host(workspace, "status") or {"pid": killed})["pid"] != killed)
    wait_for(lambda: own_endpoint.state is EndpointState.IN_SERVICE)
    own_endpoint.scale(idle_seconds=300, timeout=0)
    assert own_endpoint.predict(census.row).shape == (1,)
    assert own_endpoint.url == url


def test_a_worker_that_drains_starts_no_host(own_endpoint):
    status = own_endpoint._folder.status()
    (worker,) = status.workers
    kept = Assignment(status.launch, worker.id, worker.variant, worker.revision, 0)
    assert _is_kept(status, kept)
    assert not _is_kept(replace(status, workers=()), kept)
    assert not _is_kept(replace(status, in_service_at=0), kept)
