"""Tampering with the audit log: every change of the past is found, and the first broken record is named."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools.core.audit import AuditLog, AuditRecord
from kernel_tools.core.audit_chain import MAX_LINE_SIZE, find_line_start, parse_record


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl")


def fill(log: AuditLog, count: int = 6) -> list[AuditRecord]:
    return [log.record("registry.approve", f"model/census/{number}", {"note": "good"}) for number in range(count)]


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def head_path(log: AuditLog) -> Path:
    return log.path.with_name("audit.head")


def reseal(line: bytes, **changes: object) -> bytes:
    """Change a record and give it a hash that fits, as somebody who knows the format would."""
    return replace(parse_record(line), **changes).sealed().line()


def rechain(changed: list[bytes], start: int) -> list[bytes]:
    for index in range(start + 1, len(changed)):
        previous = parse_record(changed[index - 1]).hash
        changed[index] = reseal(changed[index], previous=previous, sequence=index + 1)
    return changed


def cut_and_number(changed: list[bytes], index: int) -> list[bytes]:
    """Remove a record and number and chain the rest anew."""
    del changed[index]
    if index == 0 and changed:
        changed[0] = reseal(changed[0], previous="0" * 64, sequence=1)
    return rechain(changed, max(0, index - 1))


MUTATIONS: dict[str, Callable[[list[bytes], int, int], list[bytes]]] = {
    "edit a byte": lambda all, i, k: [*all[:i], flip(all[i], k), *all[i + 1 :]],
    "edit and hash anew": lambda all, i, k: [*all[:i], reseal(all[i], target="other"), *all[i + 1 :]],
    "edit and chain anew": lambda all, i, k: rechain([*all[:i], reseal(all[i], target="other"), *all[i + 1 :]], i),
    "delete": lambda all, i, k: [*all[:i], *all[i + 1 :]],
    "delete and chain anew": lambda all, i, k: cut_and_number(list(all), i),
    "delete from there on": lambda all, i, k: all[:i],
    "duplicate": lambda all, i, k: [*all[:i], all[i], *all[i:]],
    "move": lambda all, i, k: move(all, i, k),
    "insert a strange line": lambda all, i, k: [*all[:i], b'{"a":1}\n', *all[i:]],
    "insert an empty line": lambda all, i, k: [*all[:i], b"\n", *all[i:]],
    "insert a forged record": lambda all, i, k: [*all[:i], reseal(all[i], target="forged"), *all[i:]],
    "add a space": lambda all, i, k: [*all[:i], all[i].replace(b",", b", ", 1), *all[i + 1 :]],
    "cut in the line": lambda all, i, k: [*all[:i], all[i][: k % (len(all[i]) - 1)]],
    "join two lines": lambda all, i, k: [*all[:i], all[i][:-1], *all[i + 1 :]],
    "empty the file": lambda all, i, k: [],
}


def flip(line: bytes, position: int) -> bytes:
    changed = bytearray(line)
    changed[position % len(line)] ^= 1 << position % 7
    return bytes(changed)


def move(all_lines: list[bytes], start: int, distance: int) -> list[bytes]:
    changed = list(all_lines)
    changed.insert((start + 1 + distance % (len(all_lines) - 1)) % len(all_lines), changed.pop(start))
    return changed


@pytest.mark.parametrize("kind", MUTATIONS)
@given(index=st.integers(0, 5), amount=st.integers(0, 10_000), is_appended_to=st.booleans())
@settings(max_examples=25, deadline=None)
def test_every_change_of_the_past_is_found_also_after_more_records(
    kind: str, index: int, amount: int, is_appended_to: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = AuditLog(Path(folder) / "audit.jsonl")
        fill(log)
        original = lines(log)
        changed = MUTATIONS[kind](original, index, amount)
        if b"".join(changed) == b"".join(original):
            return
        log.path.write_bytes(b"".join(changed))
        same = next(
            (n for n, pair in enumerate(zip(original, changed, strict=False)) if pair[0] != pair[1]), len(changed)
        )
        if is_appended_to:
            fill(log, 2)

        if kind == "join two lines" and index == 5 and is_appended_to:
            assert log.verify().ok  # only the last newline was gone, and the next writer puts it back
            return
        report = log.verify()
        assert not report.ok
        assert report.first_broken == report.records + 1
        if "anew" not in kind and "forged" not in kind:
            assert report.first_broken == min(same, 6) + 1
            assert f"ecord {min(same, 6) + 1}" in report.reason or f"ine {min(same, 6) + 1}" in report.reason


def test_each_break_is_named_with_its_reason(log: AuditLog) -> None:
    fill(log)
    original = lines(log)

    def reason_after(changed: list[bytes]) -> str:
        log.path.write_bytes(b"".join(changed))
        return log.verify().reason

    assert "Record 3 (line 3) is broken: its content does not fit its hash" in reason_after(
        [*original[:2], original[2].replace(b"good", b"evil"), *original[3:]]
    )
    assert "Line 3 holds record 4, and record 3 is missing" in reason_after([*original[:2], *original[3:]])
    assert "Record 6 (line 6) is missing: the log ends before it" in reason_after(original[:5])
    assert "Record 1 (line 1) is missing" in reason_after([])
    assert "Record 4 (line 4) does not follow" in reason_after(
        [*original[:2], reseal(original[2], target="other"), *original[3:]]
    )
    assert "audit.head was replaced" in reason_after(rechain([reseal(original[0], target="other"), *original[1:]], 0))
    assert "is longer than" in reason_after([*original[:2], b"x" * (MAX_LINE_SIZE + 10)])
    assert "version 2" in reason_after([*original[:5], reseal(original[5], version=2)])


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"hash":1,"sequence":1}', b"\xff", b"[" * 100_000])
def test_a_head_that_was_changed_is_found(log: AuditLog, content: bytes) -> None:
    fill(log)
    head_path(log).write_bytes(content)
    report = log.verify()
    assert (report.ok, report.first_broken, report.records) == (False, 7, 6)
    assert "audit.head" in report.reason


def test_a_head_that_was_removed_or_replaced_is_found(log: AuditLog) -> None:
    fill(log)
    content = json.loads(head_path(log).read_bytes())
    head_path(log).write_text(json.dumps({**content, "hash": "1" * 64}))
    assert log.verify().first_broken == 6
    head_path(log).write_text(json.dumps({**content, "sequence": 9}))
    assert log.verify().first_broken == 7
    head_path(log).unlink()
    assert "audit.head is missing" in log.verify().reason


@given(st.binary(max_size=40_000), st.integers(0, 40_000))
@settings(deadline=None)
def test_the_start_of_a_line_is_found_from_its_end(content: bytes, end: int) -> None:
    end = min(end, len(content))
    with tempfile.TemporaryFile() as file:
        file.write(content)
        assert find_line_start(file, end) == content.rfind(b"\n", 0, end) + 1
