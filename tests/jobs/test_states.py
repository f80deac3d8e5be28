"""The life of a job as a fold of its events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel_tools.core.errors import ConflictError, IntegrityError
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.states import ENDS, STEPS, JobHistory, JobState, fold


def walks() -> st.SearchStrategy[list[JobState]]:
    """Return walks along allowed steps."""

    @st.composite
    def walk(draw: st.DrawFn) -> list[JobState]:
        states: list[JobState] = []
        current: JobState | None = None
        for _ in range(draw(st.integers(1, 25))):
            if not STEPS[current]:
                break
            current = draw(st.sampled_from(sorted(STEPS[current])))
            states.append(current)
        return states

    return walk()


def events_of(states: list[JobState]) -> list[dict[str, object]]:
    attempt, events = 0, []
    for at, state in enumerate(states):
        attempt += state is JobState.STARTING
        events.append({"at": 1000 * at, "state": state.value, "attempt": attempt})
    return events


@given(walks())
def test_folding_in_parts_is_folding_at_once(states):
    events = events_of(states)
    for cut in range(len(events)):
        assert fold(events[cut:], fold(events[:cut])) == fold(events)


@given(walks())
def test_the_time_line_has_no_gap_and_no_overlap(states):
    history = fold(events_of(states))
    assert [stretch.state for stretch in history.stretches] == states
    for before, after in zip(history.stretches, history.stretches[1:], strict=False):
        assert before.ended_at == after.started_at
    assert len(history.attempts) == states.count(JobState.STARTING)
    assert history.running_time(10**9) >= 0


@given(walks(), st.sampled_from(sorted(JobState)))
def test_a_step_that_is_not_allowed_is_refused_and_changes_nothing(states, following):
    events = events_of(states)
    history = fold(events)
    if following in STEPS[history.state]:
        assert fold([{"at": 10**6, "state": following.value, "attempt": 99}], history).state is following
    else:
        with pytest.raises(ConflictError, match=f"cannot become {following}"):
            fold([{"at": 10**6, "state": following.value, "attempt": 99}], history)


def test_nothing_follows_an_end():
    assert all(not STEPS[end] for end in ENDS)
    assert JobHistory().state is None


def test_a_line_that_was_cut_off_is_dropped_and_written_over(tmp_path):
    folder = JobFolder(tmp_path / "x")
    folder.path.mkdir()
    folder.append(JobState.QUEUED)
    with folder.events.open("ab") as file:
        file.write(b'{"at": 5, "state": "Star')
    assert folder.history().state is JobState.QUEUED
    folder.append(JobState.STARTING, attempt=1)
    states = [json.loads(line)["state"] for line in folder.events.read_text().splitlines()]
    assert states == ["Queued", "Starting"]


def test_a_damaged_line_is_named(tmp_path):
    folder = JobFolder(tmp_path / "x")
    folder.path.mkdir()
    folder.append(JobState.QUEUED)
    with folder.events.open("ab") as file:
        file.write(b"no json\n")
    with pytest.raises(IntegrityError, match="Line 2"):
        folder.history()
