"""The audit log: what it acknowledged stays, and a change of the past is found."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools.core import audit as audit_module
from kernel_tools.core.audit import AuditLog, AuditRecord, acting_user, current_user
from kernel_tools.core.audit_chain import MAX_LINE_SIZE, parse_record
from kernel_tools.core.errors import IntegrityError, InvalidArgumentError, TooLargeError, UnavailableError


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl")


def fill(log: AuditLog, count: int = 6) -> list[AuditRecord]:
    return [log.record("registry.approve", f"model/census/{number}", {"note": "good"}) for number in range(count)]


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def head_path(log: AuditLog) -> Path:
    return log.path.with_name("audit.head")


def test_records_come_back_in_both_orders_and_limited(log: AuditLog) -> None:
    records = fill(log)

    assert log.records() == records[::-1]
    assert log.records(newest_first=False) == records
    assert log.records(limit=2) == records[:-3:-1]
    assert log.records(limit=2, newest_first=False) == records[:2]
    assert log.records(limit=0) == []
    assert [record.sequence for record in records] == [1, 2, 3, 4, 5, 6]
    assert all(record.previous == before.hash for before, record in zip(records, records[1:], strict=False))


def test_a_log_that_does_not_exist_is_empty_and_whole(log: AuditLog) -> None:
    assert log.records() == log.records(newest_first=False) == []
    report = log.verify()
    assert (report.ok, report.records, report.first_broken, report.reason) == (True, 0, None, "")


def test_a_whole_log_is_verified_and_its_last_hash_told(log: AuditLog) -> None:
    records = fill(log)
    report = log.verify()
    assert (report.ok, report.records, report.first_broken, report.head) == (True, 6, None, records[-1].hash)


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=5,
        ),
        max_size=3,
    ),
    st.text(min_size=1, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_any_json_details_and_text_come_back_as_they_were_returned(details: dict[str, object], text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = AuditLog(Path(folder) / "audit.jsonl")
        record = log.record(text, text, details, actor=text)

        assert log.records() == [record]
        assert log.verify().ok
        assert record.actor == record.action == record.target == text


def test_non_finite_numbers_are_kept_as_text(log: AuditLog) -> None:
    record = log.record("a", "b", {"values": (math.nan, math.inf, -math.inf, 1.5)})
    assert record.details == {"values": ["NaN", "Infinity", "-Infinity", 1.5]}


def deep(levels: int) -> object:
    return [] if levels == 0 else [deep(levels - 1)]


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"a": {"b": [object()]}}, r"details\['a'\]\['b'\]\[0\]"),
        ({"a": {1: 2}}, "key 1"),
        ({"a": b"bytes"}, "bytes"),
        ({"a": deep(200)}, "make it flat"),
        (["a"], "a dict"),
    ],
)
def test_details_that_json_cannot_hold_are_refused_and_named(log: AuditLog, details: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        log.record("a", "b", details)  # type: ignore[arg-type]  # that is what is tested
    assert log.records() == []


def test_a_record_without_action_and_one_that_is_too_large_are_refused(log: AuditLog) -> None:
    with pytest.raises(InvalidArgumentError, match="action"):
        log.record("", "b")
    with pytest.raises(TooLargeError, match="1 MiB"):
        log.record("a", "b", {"text": "x" * MAX_LINE_SIZE})
    log.record("a", "b", {"text": "x" * (MAX_LINE_SIZE - 1000)})
    log.record("a", "c")
    assert log.verify().ok


@pytest.mark.parametrize("count", [1, 4])
def test_a_crash_between_record_and_head_leaves_a_whole_log(log: AuditLog, count: int) -> None:
    fill(log, count - 1)
    before = head_path(log).read_bytes() if count > 1 else None
    fill(log, 1)
    if before is None:
        head_path(log).unlink()
    else:
        head_path(log).write_bytes(before)

    assert (log.verify().ok, log.verify().records) == (True, count)
    fill(log, 1)
    assert (log.verify().ok, log.verify().records) == (True, count + 1)


def test_a_torn_last_line_is_no_break_and_the_next_writer_drops_it(log: AuditLog) -> None:
    records = fill(log, 3)
    whole = log.path.read_bytes()
    next_line = replace(records[-1], sequence=4, previous=records[-1].hash).sealed().line()
    for size in (1, 50, len(next_line) - 1):
        log.path.write_bytes(whole + next_line[:size])
        report = log.verify()
        assert (report.ok, report.records, report.torn_bytes) == (True, 3, size)
        assert log.records() == records[::-1]
        assert log.records(newest_first=False) == records

    record = log.record("a", "b")
    assert log.verify() == replace(report, records=4, head=record.hash, torn_bytes=0)
    assert log.path.read_bytes() == whole + record.line()


def test_a_log_with_neither_a_whole_last_record_nor_a_head_cannot_go_on_and_says_so(log: AuditLog) -> None:
    fill(log, 1)
    head_path(log).unlink()
    log.path.write_bytes(b"strange\n")
    with pytest.raises(IntegrityError, match="Move both files"):
        fill(log, 1)
    with pytest.raises(IntegrityError, match="atelier audit verify"):
        log.records()


def test_a_full_disk_is_reported_and_leaves_nothing_behind(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(log, 2)
    before = log.path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit_module.os, "fsync", fail)
    with pytest.raises(UnavailableError, match="No space left"):
        fill(log, 1)
    monkeypatch.undo()
    assert log.path.read_bytes() == before
    assert log.verify().ok


def test_appending_and_the_newest_records_read_only_the_end_of_a_large_log(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(log, 1)
    content = bytearray(log.path.read_bytes())
    previous = parse_record(bytes(content))
    for sequence in range(2, 20_001):
        previous = replace(previous, sequence=sequence, previous=previous.hash).sealed()
        content += previous.line()
    log.path.write_bytes(content)
    head_path(log).write_text(json.dumps({"sequence": previous.sequence, "hash": previous.hash}))

    started = time.process_time()
    for _ in range(20):
        log.record("a", "b")
        log.records(limit=5)
    assert time.process_time() - started < 1
    assert (log.verify().ok, log.verify().records) == (True, 20_020)


WRITE = """
    import sys
    from kernel_tools.core.audit import AuditLog

    log = AuditLog(sys.argv[1])
    for number in range(int(sys.argv[2])):
        print(log.record("write", sys.argv[3], {"number": number}).hash, flush=True)
"""


def start_writer(log: AuditLog, count: int, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITE), str(log.path), str(count), name],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_many_processes_write_one_whole_log_and_a_reader_finds_it_whole_at_any_time(log: AuditLog) -> None:
    writers = [start_writer(log, 60, str(number)) for number in range(4)]
    while any(writer.poll() is None for writer in writers):
        assert log.verify().ok
        time.sleep(0.02)
    hashes = [line for writer in writers for line in writer.communicate()[0].split()]

    assert [writer.returncode for writer in writers] == [0] * 4
    assert sorted(hashes) == sorted(record.hash for record in log.records(limit=1000))
    assert len(hashes) == log.verify().records == 240


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_killed_writer_loses_nothing_that_was_acknowledged(log: AuditLog) -> None:
    acknowledged: list[str] = []
    for delay in (0.003, 0.01, 0.017, 0.029):
        writer = start_writer(log, 100_000, "w")
        assert writer.stdout is not None
        acknowledged.append(writer.stdout.readline().strip())
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout.read().splitlines(True) if line.endswith("\n")]
        writer.wait()
        assert log.verify().ok

    stored = {record.hash for record in log.records(limit=1_000_000)}
    assert set(acknowledged) <= stored


def test_the_user_is_the_one_who_acts_else_the_owner_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "owner")
    assert current_user() == "owner"
    with acting_user("ada"):
        assert current_user() == "ada"
        with acting_user("grace"):
            assert current_user() == "grace"
        assert current_user() == "ada"
        assert asyncio.run(asyncio.to_thread(current_user)) == "ada"
    assert current_user() == "owner"


def test_a_process_without_a_name_is_called_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(audit_module.getpass, "getuser", fail)
    assert current_user() == f"uid-{os.getuid()}"


def test_the_actor_of_a_record_is_the_acting_user_unless_it_is_given(log: AuditLog) -> None:
    with acting_user("ada"):
        assert log.record("a", "b").actor == "ada"
        assert log.record("a", "b", actor="grace").actor == "grace"


def test_importing_the_audit_log_loads_nothing_heavy() -> None:
    heavy = {"pandas", "numpy", "fsspec", "cryptography", "sqlalchemy", "plotly", "tqdm"}
    code = "import sys, kernel_tools.core.audit; print(*sys.modules)"
    assert not heavy & set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
