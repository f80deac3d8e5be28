"""The history of an endpoint: what was counted is what its windows say, whatever the file went through."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.hosting import history, history_figures
from kernel_tools.hosting.counters import Counters
from kernel_tools.hosting.history import HistoryWriter, Sample, VariantSample, read_samples, windows
from tests.hosting.test_life_cycle import wait_for

BEGIN = 1_700_000_000_000


def sampled(time, counted):
    return Sample(time, {name: VariantSample.of(item, 1, 1) for name, item in counted.items()}, 0.1 * time % 7, 1000)


@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.sampled_from([200, 200, 400, 424, 500])), min_size=1, max_size=60),
    points=st.integers(1, 40),
)
def test_windows_hold_all_that_was_counted(tmp_path_factory, steps, points):
    path = tmp_path_factory.mktemp("history") / "history.jsonl"
    writer, counted, time = HistoryWriter(path), {"a": Counters(), "b": Counters()}, BEGIN
    for requests, status in steps:
        time += history.SAMPLE_MS
        for number in range(requests):
            counted["a" if number % 2 else "b"].record(status, 2000.0 * (number + 1), 1000.0 * (number + 1))
        writer.add(sampled(time, counted))
    found = windows(read_samples(path, BEGIN, time), BEGIN, time, points)
    total = sum(requests for requests, _ in steps)
    assert len(found) <= points and sum(window.whole.requests for window in found) == total
    for name, item in counted.items():
        parts = [window.variants[name].requests for window in found if name in window.variants]
        assert sum(parts) == item.invocations
    rates = [window.whole.requests_per_second for window in found]
    assert all(rate >= 0 or math.isnan(rate) for rate in rates)
    (whole,) = windows(read_samples(path, BEGIN, time), BEGIN, time, 1)
    if total:
        assert whole.whole.latency_p50 <= whole.whole.latency_p90 <= whole.whole.latency_p99 <= 6.3
    history_figures(found)


def test_a_latency_is_that_of_its_window_alone(tmp_path):
    path, counted = tmp_path / "history.jsonl", Counters()
    writer = HistoryWriter(path)
    for step, microseconds in enumerate([1e3, 1e3, 1e6]):
        writer.add(sampled(BEGIN + 5000 * step, {"a": counted}))
        for _ in range(100 - 98 * (step == 2)):
            counted.record(200, microseconds, microseconds)
    writer.add(sampled(BEGIN + 15_000, {"a": counted}))
    found = windows(read_samples(path, BEGIN, BEGIN + 15_000), BEGIN, BEGIN + 15_000, 3)
    assert [window.whole.latency_p50 > 900 for window in found] == [False, False, True]


def test_a_still_endpoint_costs_a_line_a_minute_and_is_no_gap(tmp_path):
    path, counted = tmp_path / "history.jsonl", Counters()
    writer = HistoryWriter(path)
    for step in range(61):
        if step == 60:
            counted.record(200, 10.0, 10.0)
        writer.add(sampled(BEGIN + 5000 * step, {"a": counted}))
    assert len(path.read_bytes().split()) <= 8
    end = BEGIN + 300_000
    found = windows(read_samples(path, BEGIN, end), BEGIN, end, 60)
    assert [window.whole.requests for window in found] == [0] * 59 + [1]
    assert found[-1].whole.requests_per_second == pytest.approx(0.2)


def test_while_no_host_ran_nothing_is_known(tmp_path):
    path, counted = tmp_path / "history.jsonl", Counters()
    for hour in (0, 1):
        writer = HistoryWriter(path)
        writer.add(sampled(BEGIN + 3_600_000 * hour, {"a": counted}))
        counted.record(200, 10.0, 10.0)
        writer.add(sampled(BEGIN + 3_600_000 * hour + 5000, {"a": counted}))
    end = BEGIN + 3_605_000
    found = windows(read_samples(path, BEGIN, end), BEGIN, end, 60)
    assert math.isnan(found[30].whole.requests_per_second) and found[30].whole.requests == 0
    assert sum(window.whole.requests for window in found) == 2


def test_torn_lines_are_left_out_and_a_long_file_is_moved_aside(tmp_path, monkeypatch):
    path, counted = tmp_path / "history.jsonl", Counters()
    monkeypatch.setattr(history, "MAX_BYTES", 2000)
    writer = HistoryWriter(path)
    for step in range(20):
        counted.record(200, 10.0, 10.0)
        writer.add(sampled(BEGIN + 5000 * step, {"a": counted}))
    assert path.with_name("history.jsonl.1").exists()
    with path.open("ab") as file:
        file.write(b'\n{"time": 1700000097000, "variants": {}, "format_version": 2}\n{"time": 17')
    counted.record(200, 10.0, 10.0)
    writer.add(sampled(BEGIN + 5000 * 20, {"a": counted}))
    samples = read_samples(path, BEGIN, BEGIN + 100_000)
    assert samples[-1].time == BEGIN + 100_000 and all(
        one.time < two.time for one, two in zip(samples, samples[1:], strict=False)
    )


def test_an_endpoint_tells_its_history(own_endpoint, census):
    own_endpoint.predict(census.X[:5])
    wait_for(lambda: own_endpoint.recently(60).whole.requests == 1)
    window = own_endpoint.recently(60)
    assert 0 < window.variants["AllTraffic"].ready <= 1 and window.memory > 1e6
    assert set(history_figures(own_endpoint.history(60))) >= {"requests", "errors", "latency", "load", "cpu", "memory"}
    for bad in (0, math.nan, 1e9):
        with pytest.raises(InvalidArgumentError, match="out of range"):
            own_endpoint.history(bad)
    own_endpoint.delete()
    with pytest.raises(NotFoundError):
        own_endpoint.history()
