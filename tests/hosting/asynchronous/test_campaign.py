"""Workers that are killed lose nothing, and no output comes twice."""

from __future__ import annotations

from tests.hosting.asynchronous.campaign import kill_workers


def test_kill_9_of_workers_loses_no_request_and_makes_no_second_output(tmp_path):
    report = kill_workers(tmp_path / "home", jobs=200, kills=8, seed=3)
    assert report.is_clean, report
    assert report.kills >= 8 and report.asked >= 200
