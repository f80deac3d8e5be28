"""Small campaigns of kills and of many jobs; `make soak` runs the full ones."""

from __future__ import annotations

from tests.jobs.campaigns import kill_around, overlaps, queue_many


def test_jobs_end_as_they_should_whoever_is_killed(tmp_path):
    report = kill_around(tmp_path, 12, seed=5)
    assert report.is_clean, report
    assert report.submitters_killed and report.supervisors_killed


def test_many_jobs_run_once_each_and_never_too_many(tmp_path):
    workspace, strange = queue_many(tmp_path, 25, at_once=4)
    assert strange == []
    assert overlaps(workspace, 4) == 0
