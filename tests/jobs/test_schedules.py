"""Schedules: when they are due, and that each due time becomes exactly one job."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools import jobs
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.jobs.catalog import rebuild_jobs
from kernel_tools.jobs.folder import now
from kernel_tools.jobs.schedules.firing import GRACE, decide
from kernel_tools.jobs.schedules.timing import Timing, make_timing
from tests.jobs.campaigns import kill_tickers_anywhere, tick_together
from tests.jobs.conftest import END

DAY = 86_400_000
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"]
moments = st.integers(1_600_000_000, 1_900_000_000).map(lambda seconds: seconds * 1000)


@st.composite
def timings(draw):
    zone = draw(st.sampled_from(ZONES))
    if draw(st.booleans()):
        return make_timing(None, draw(st.integers(1, 10 * 86_400)), zone, draw(moments))
    minute = draw(st.sampled_from(["*", "*/15", "0", "7", "0,30", "59"]))
    hour = draw(st.sampled_from(["*", "*/6", "0", "1,2,3", "2", "9-17", "23"]))
    day = draw(st.sampled_from(["*", "1", "31", "L"]))
    weekday = draw(st.sampled_from(["*", "MON-FRI", "SUN", "5#3"]))
    return make_timing(f"{minute} {hour} {day} * {weekday}", None, zone, draw(moments))


def at(text, zone="UTC"):
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def taken(timing, after, until):
    found = []
    for due in timing.following(after):
        if due > until:
            return found
        found.append(due)
    return found


@given(timings(), moments, st.lists(st.integers(1, 3 * 86_400), min_size=1, max_size=6))
@settings(deadline=None)
def test_no_due_time_is_lost_or_doubled_however_often_somebody_looks(timing, start, steps):
    end = start + 1000 * sum(steps)
    whole, piecewise, cursor, moment = taken(timing, start, end), [], start, start
    for step in steps:
        moment += step * 1000
        found = taken(timing, cursor, moment)
        piecewise += found
        cursor = found[-1] if found else cursor
    assert piecewise == whole
    assert whole == sorted(set(whole)) and all(start < due <= end and due % 1000 == 0 for due in whole)


@given(timings(), moments, st.integers(1, 20 * 86_400), st.integers(1, 50))
@settings(deadline=None)
def test_the_newest_due_times_and_the_number_of_the_rest_add_up(timing, start, seconds, most):
    whole = taken(timing, start, start + seconds * 1000)
    newest, rest = timing.between(start, start + seconds * 1000, most)
    assert (newest, rest) == (whole[-most:], max(0, len(whole) - most))


@given(timings(), moments, st.integers(1, 20 * 86_400), st.sampled_from(["once", "skip", "all"]))
@settings(deadline=None)
def test_every_due_time_is_fired_or_counted_as_dropped(timing, start, seconds, missed):
    moment = start + seconds * 1000
    before = state_of(timing, start, missed)
    after = decide(before, moment)
    whole = taken(timing, start, moment)
    assert len(after.pending) + after.dropped == len(whole)
    assert set(after.pending) <= set(whole) and len(after.pending) <= {"once": 1, "skip": 61, "all": 100}[missed]
    if missed == "skip":
        assert all(moment - due <= GRACE for due in after.pending)
    assert after.next_at is None or after.next_at > moment
    assert decide(after, moment).pending == after.pending


def state_of(timing, cursor, missed):
    from kernel_tools.jobs.schedules.folder import ScheduleState
    from kernel_tools.jobs.schedules.records import Missed, Overlap

    return ScheduleState(timing, Missed(missed), Overlap.ALLOW, cursor, "u", cursor, timing.next_after(cursor))


def test_clocks_that_are_set_forward_and_back_fire_once():
    spring = Timing("30 2 * * *", None, "Europe/Berlin", 0)
    assert taken(spring, at("2026-03-28T12:00"), at("2026-03-30T12:00")) == [
        at("2026-03-29T03:00", "Europe/Berlin"),  # 02:30 is left out
        at("2026-03-30T02:30", "Europe/Berlin"),
    ]
    autumn = taken(spring, at("2026-10-24T12:00"), at("2026-10-26T12:00"))
    assert autumn == [at("2026-10-25T00:30"), at("2026-10-26T01:30")]
    second_pass = at("2026-10-25T01:10")  # 02:10 for the second time
    assert spring.next_after(second_pass) == at("2026-10-26T01:30")


@pytest.mark.parametrize(
    ("cron", "every", "zone", "says"),
    [
        ("61 * * * *", None, None, "Bad minute"),
        ("0 0 31 2 *", None, None, "day-of-month"),
        ("* * * * * *", None, None, "five fields"),
        ("@daily", None, None, "five fields"),
        ("0 0 * * *", None, "Europe/Atlantis", "no time zone"),
        ("0 0 * * *", None, "../etc/passwd", "no time zone"),
        (None, 0.5, None, "whole number"),
        (None, "soon", None, "every"),
        (None, None, None, "either"),
        ("0 0 * * *", 60, None, "either"),
    ],
)
def test_times_that_are_not_understood_are_refused(cron, every, zone, says):
    with pytest.raises(InvalidArgumentError, match=says):
        make_timing(cron, every, zone, now())


def test_a_due_schedule_becomes_a_job_that_says_where_it_comes_from(workspace, script):
    path = script("import os; print(os.environ['SM_HP_RATE'])")
    schedule = jobs.create_schedule("nightly", path, params={"rate": 3}, every="6h", experiment="reports")
    path.write_text("raise SystemExit('changed later')")
    due = schedule.record.next_at
    assert jobs.run_due_schedules(workspace, due - 1) == []
    (job,) = jobs.run_due_schedules(workspace, due)
    assert jobs.run_due_schedules(workspace, due) == []
    assert job.name == f"nightly-{datetime.fromtimestamp(due / 1000, UTC):%Y%m%dT%H%M%SZ}"
    assert job.wait(END) == "Completed", job.logs()
    assert job.logs() == "3"
    assert (job.spec.schedule, job.spec.due_at, job.run.status) == ("nightly", due, "FINISHED")
    record = schedule.record
    assert (record.last_at, record.last_job, record.fired, record.next_at) == (due, job.name, 1, due + 6 * 3_600_000)
    rebuild_jobs(workspace)
    assert [row.name for row in schedule.jobs()] == [job.name]
    assert [row.schedule for row in jobs.list_jobs(schedule="nightly")[0]] == ["nightly"]
    assert jobs.list_jobs(schedule="other")[0] == []
    again = schedule.run_now()
    assert again.wait(END) == "Completed" and again.spec.due_at is None and again.spec.schedule == "nightly"


def test_a_function_is_scheduled_by_value(workspace):
    factor = 3

    def multiply(a, b):
        return a * b * factor

    schedule = jobs.create_schedule("product", multiply, args=(2,), params={"b": 5}, every=60)
    job = schedule.run_now()
    assert job.wait(END) == "Completed", job.logs()
    assert job.output().value() == 30


def test_a_job_can_be_scheduled_as_it_was(workspace, script, tmp_path):
    (tmp_path / "data.csv").write_text("old")
    path = script("import os; print(open(os.environ['SM_CHANNEL_TRAIN'] + '/data.csv').read())")
    job = jobs.submit(path, inputs={"train": "data.csv"}, priority=7)
    job.wait(END)
    schedule = jobs.create_schedule_of_job("again", job, cron="0 3 * * *", time_zone="Europe/Berlin")
    (tmp_path / "data.csv").write_text("new")
    path.unlink()
    second = schedule.run_now()
    assert second.wait(END) == "Completed", second.logs()
    assert second.logs() == "new" and second.spec.priority == 7
    assert second.spec.inputs["train"].sha256 != job.spec.inputs["train"].sha256


@pytest.mark.parametrize(("missed", "fired", "dropped"), [("once", 1, 4), ("skip", 1, 4), ("all", 5, 0)])
def test_missed_times_are_made_up_for_as_was_said(workspace, missed, fired, dropped):
    schedule = jobs.create_schedule("often", ["true"], every="1h", missed=missed)
    made = jobs.run_due_schedules(workspace, schedule.record.next_at + 4 * 3_600_000)
    assert len(made) == fired
    record = schedule.record
    assert (record.fired, record.dropped) == (fired, dropped)
    for job in made:
        job.wait(END)


def test_a_paused_schedule_lets_its_times_pass_by(workspace):
    schedule = jobs.create_schedule("paused", ["true"], every="1h")
    due = schedule.record.next_at
    schedule.pause()
    assert schedule.next_times() == [] and schedule.record.next_at is None
    assert jobs.run_due_schedules(workspace, due + DAY) == []
    schedule.resume()
    assert [int(moment.timestamp() * 1000) for moment in schedule.next_times(2)] == [due, due + 3_600_000]
    schedule.update(every="2h", missed="all", overlap="skip")
    record = schedule.record
    assert (record.every, record.timing, record.missed, record.overlap) == (7200, "Every 2 hours", "all", "skip")
    with pytest.raises(InvalidArgumentError, match="missed"):
        schedule.update(missed="sometimes")


def test_a_former_job_that_runs_holds_the_next_back_where_that_was_said(workspace):
    schedule = jobs.create_schedule("long", ["sleep", "1000"], every="1h", overlap="skip", grace=0.1)
    first = schedule.run_now()
    assert jobs.run_due_schedules(workspace, schedule.record.next_at) == []
    assert schedule.record.dropped == 1
    first.stop()
    first.wait(END)
    (second,) = jobs.run_due_schedules(workspace, schedule.record.next_at)
    second.stop()
    second.wait(END)


def test_an_input_that_is_gone_is_said_and_does_not_stop_the_others(workspace, tmp_path):
    (tmp_path / "data.csv").write_text("x")
    schedule = jobs.create_schedule("broken", ["true"], inputs={"train": "data.csv"}, every=60, missed="all")
    fine = jobs.create_schedule("fine", ["true"], every=60)
    (tmp_path / "data.csv").unlink()
    (made,) = jobs.run_due_schedules(workspace, fine.record.next_at)
    assert made.spec.schedule == "fine"
    record = schedule.record
    assert "data.csv" in record.last_error and record.error_at is not None and record.dropped == 1
    made.wait(END)


def test_names_are_unique_and_what_cannot_be_used_leaves_nothing(workspace):
    schedule = jobs.create_schedule("one", ["true"], every=60)
    with pytest.raises(ConflictError, match="already a schedule"):
        jobs.create_schedule("one", ["true"], every=60)
    with pytest.raises(NotFoundError):
        jobs.create_schedule("two", "gone.py", every=60)
    with pytest.raises(InvalidArgumentError, match="100"):
        jobs.create_schedule("x" * 101, ["true"], every=60)
    with pytest.raises(InvalidArgumentError):
        jobs.create_schedule("../two", ["true"], every=60)
    assert [record.name for record in jobs.list_schedules()] == ["one"]
    schedule.delete()
    with pytest.raises(NotFoundError, match="list_schedules"):
        jobs.get_schedule("one")
    assert jobs.list_schedules() == [] and list((workspace.root / "schedules").iterdir()) == []


def test_a_ticker_that_is_killed_at_any_line_loses_no_firing_and_doubles_none(tmp_path):
    report = kill_tickers_anywhere(tmp_path, kills=12, seed=3)
    assert report.kills == 12 and report.wrong == [] and report.twice == []


def test_many_tickers_that_are_killed_fire_each_time_once(tmp_path):
    report = tick_together(tmp_path, tickers=3, times=12, seed=4)
    assert report.kills > 0 and report.wrong == [] and report.twice == []


def test_the_catalog_finds_the_jobs_of_a_schedule_in_every_database(any_workspace):
    schedule = jobs.create_schedule("nightly", ["true"], every="1d", workspace=any_workspace)
    other = jobs.submit(["true"], workspace=any_workspace)
    (job,) = jobs.run_due_schedules(any_workspace, schedule.record.next_at)
    assert {job.wait(END), other.wait(END)} == {"Completed"}
    assert [row.name for row in schedule.jobs()] == [job.name]
    assert len(jobs.list_jobs(workspace=any_workspace)[0]) == 2
    assert rebuild_jobs(any_workspace) == 2
    assert [row.name for row in schedule.jobs()] == [job.name]
