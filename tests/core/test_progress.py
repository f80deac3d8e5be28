"""Progress: the numbers are right, the bar never breaks the work, and a stop stops it."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kernel_tools.core import progress as progress_module
from kernel_tools.core.progress import ProgressState, StoppedError, listening, progress, running_work, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class BrokenTerminal(Terminal):
    def write(self, text: str) -> int:
        raise BrokenPipeError("nobody reads this")


class Clock:
    """A clock that the test moves."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return 5_000_000


@pytest.fixture
def states() -> Iterator[list[ProgressState]]:
    found: list[ProgressState] = []
    with listening(found.append):
        yield found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def test_a_listener_hears_the_first_and_the_last_state_however_short_the_work(states: list[ProgressState]) -> None:
    with progress("Uploading", total=1000, unit="rows") as work:
        for _ in range(1000):
            work.advance()

    assert (states[0].done, states[0].is_finished) == (0, False)
    assert (states[-1].done, states[-1].is_finished) == (1000, True)
    assert {(state.description, state.total, state.unit) for state in states} == {("Uploading", 1000, "rows")}


def test_a_listener_hears_about_ten_states_a_second(states: list[ProgressState], clock: Clock) -> None:
    with progress("Uploading") as work:
        for _ in range(1000):
            clock.now += 0.002
            work.advance()
    assert 18 <= len(states) <= 22
    assert all(later.elapsed - earlier.elapsed >= 0.099 for earlier, later in zip(states, states[1:-1], strict=False))


def test_the_remaining_time_comes_from_the_mean_speed(clock: Clock) -> None:
    with progress("Uploading", total=100) as work:
        assert work.state().remaining is None
        clock.now += 10
        assert work.state().remaining is None
        work.advance(20)
        assert (work.state().elapsed, work.state().remaining) == (10, 40)
        work.update(done=100)
        assert work.state().remaining == 0
        work.update(done=101)
        assert work.state().remaining is None
    assert work.state().started_at == 5


def test_the_remaining_time_is_unknown_without_a_total_until_one_is_set(clock: Clock) -> None:
    with progress("Uploading") as work:
        clock.now += 1
        work.advance()
        assert work.state().remaining is None
        work.update(total=3, description="Sending")
        assert (work.state().remaining, work.state().description) == (2, "Sending")


def test_what_was_done_before_a_resume_does_not_count_for_the_speed(clock: Clock) -> None:
    with progress("Uploading", total=100, initial=80) as work:
        clock.now += 10
        work.advance(10)
        assert work.state().remaining == 10


def test_a_finished_state_does_not_age(clock: Clock) -> None:
    with progress("Uploading", total=1) as work:
        clock.now += 3
    clock.now += 100
    assert (work.state().elapsed, work.state().is_finished) == (3, True)


def test_a_state_cannot_be_changed() -> None:
    with progress("Uploading") as work, pytest.raises(AttributeError):
        work.state().done = 3  # type: ignore[misc]  # that is what is tested


def test_a_stop_raises_at_the_next_advance_and_counts_what_was_done(states: list[ProgressState]) -> None:
    with pytest.raises(StoppedError, match="Uploading was stopped on request after 3 of 10 rows"):  # noqa: SIM117
        with progress("Uploading", total=10, unit="rows") as work:
            work.advance(2)
            assert not work.stop_requested
            work.request_stop()
            assert work.stop_requested
            work.advance()
    assert (states[-1].done, states[-1].is_finished) == (3, True)


def test_a_stop_comes_from_another_thread_by_the_number_of_the_work(states: list[ProgressState]) -> None:
    def stop() -> None:
        next(work for work in running_work() if work.number == states[0].number).request_stop()

    timer = threading.Timer(0.05, stop)
    timer.start()
    started = time.monotonic()
    with pytest.raises(StoppedError):
        for _ in track(iter(int, 1), "Waiting"):
            time.sleep(0.001)
            assert time.monotonic() - started < 10
    timer.join()
    assert running_work() == ()


def test_work_inside_work_is_its_part_and_stops_with_it(states: list[ProgressState]) -> None:
    with progress("outer", total=2) as outer:
        with progress("inner") as inner:
            assert inner.state().parent == outer.number
            assert running_work() == (outer, inner)
            outer.request_stop()
            with pytest.raises(StoppedError, match="inner"):
                inner.advance()
        assert running_work() == (outer,)
    with progress("next") as following:
        assert following.state().parent is None
    assert [state.description for state in states if state.is_finished] == ["inner", "outer", "next"]


def test_a_stop_of_a_part_leaves_the_whole_running() -> None:
    with progress("outer") as outer:
        with pytest.raises(StoppedError), progress("inner") as inner:
            inner.request_stop()
            inner.advance()
        outer.advance()


def test_tracked_items_are_counted_when_they_are_done(states: list[ProgressState]) -> None:
    assert list(track(["a", "b", "c"], "Reading", unit="files")) == ["a", "b", "c"]
    assert (states[0].total, states[-1].done) == (3, 3)
    assert list(track((letter for letter in "ab"), "Reading")) == ["a", "b"]
    assert (states[-1].total, states[-1].done) == (None, 2)


def test_a_loop_that_is_left_early_ends_its_work(states: list[ProgressState]) -> None:
    for item in track(range(10), "Reading"):
        if item == 4:
            break
    assert (states[-1].done, states[-1].is_finished) == (4, True)
    assert running_work() == ()


def test_interleaved_work_does_not_leave_a_finished_parent_behind() -> None:
    first, second = track(range(2), "first"), track(range(2), "second")
    next(first)
    next(second)
    first.close()  # type: ignore[attr-defined]  # it is a generator
    second.close()  # type: ignore[attr-defined]  # it is a generator
    with progress("next") as work:
        assert work.state().parent is None


def test_a_listener_that_raises_is_logged_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: ProgressState) -> None:
        raise RuntimeError("broken listener")

    with listening(fail), progress("Uploading") as work:
        work.advance()
    assert work.state().done == 1
    assert "broken listener" in caplog.text


def test_advances_from_many_threads_are_all_counted() -> None:
    with progress("Uploading") as work:
        threads = [threading.Thread(target=lambda: [work.advance() for _ in range(2000)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert work.state().done == 8000


def test_a_terminal_shows_nested_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("Uploading", total=4, unit="rows") as work:
        work.update(done=4)
        with progress("Part", total=1):
            pass
    shown = terminal.getvalue()
    assert "Uploading" in shown and "4/4" in shown and "rows" in shown and "Part" in shown


@pytest.mark.parametrize("stream", [io.StringIO(), BrokenTerminal(), None], ids=["pipe", "broken terminal", "none"])
def test_work_goes_on_where_no_bar_can_be_drawn(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with progress("Uploading", total=1) as work:
        work.advance()
    assert work.state().done == 1
    if stream is not None and not isinstance(stream, Terminal):
        assert stream.getvalue() == ""


def test_a_terminal_that_breaks_in_the_middle_does_not_stop_the_work(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("Uploading", total=2) as work:
        terminal.close()
        clock.now += 1
        work.advance()
        clock.now += 1
        work.advance()
    assert work.state().done == 2


def test_a_notebook_shows_a_widget_whose_total_follows() -> None:
    from jupyter_client.manager import start_new_kernel

    code = """
        from kernel_tools.core.progress import progress
        with progress("Uploading", unit="rows") as work:
            work.update(done=1)
            work._reported = 0
            work.update(done=2, total=7)
            widget = work._bar._bar.container.children[1]
            print(type(widget).__name__, widget.value, widget.max)
    """
    printed: list[str] = []
    shown: list[str] = []

    def receive(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])
        if message["msg_type"] == "display_data":
            shown.extend(message["content"]["data"])

    manager, client = start_new_kernel()
    try:
        reply = client.execute_interactive(textwrap.dedent(code), output_hook=receive, timeout=60)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok"
    assert "".join(printed).split() == ["FloatProgress", "2.0", "7.0"]
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_a_million_advances_cost_less_than_three_seconds() -> None:
    started = time.process_time()
    for _ in track(range(1_000_000), "Counting"):
        pass
    assert time.process_time() - started < 3


def test_importing_the_module_does_not_import_tqdm() -> None:
    code = "import sys, kernel_tools.core.progress; print(*sys.modules)"
    assert not {"tqdm", "IPython"} & set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
