"""Captured traffic: SageMaker's layout, bounded, encrypted when asked, and never in the way of a request."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import msgspec
import pytest

from kernel_tools.core.encryption import EncryptionKeyError
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.hosting.wire.capture import CaptureConfig, CaptureWriter, Exchange, capture_files, remove_oldest
from kernel_tools.hosting.wire.capture_reader import read_captures


def exchange(number: int, **others: object) -> Exchange:
    given = {
        "input": b"%d" % number,
        "input_type": "text/csv",
        "output": b'{"a": 1}',
        "output_type": "application/json",
    }
    return Exchange(**{**given, "time": 1650905999.5, **others})  # type: ignore[arg-type]  # fields of the caller


def test_a_line_has_sagemakers_layout(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "census" / "AllTraffic", CaptureConfig())
    writer.offer(exchange(39, output=b"\xff", output_type="image/png", inference_id="i", custom_attributes="c"))
    writer.close()
    (path,) = capture_files(tmp_path)
    assert re.fullmatch(
        r"census/AllTraffic/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f]{12}\.jsonl",
        path.relative_to(tmp_path).as_posix(),
    )
    event = msgspec.json.decode(path.read_bytes())
    event["eventMetadata"].pop("eventId")
    side = {"observedContentType": "text/csv", "mode": "INPUT", "data": "39", "encoding": "CSV"}
    assert event == {
        "captureData": {
            "endpointInput": side,
            "endpointOutput": {
                "observedContentType": "image/png",
                "mode": "OUTPUT",
                "data": base64.b64encode(b"\xff").decode(),
                "encoding": "BASE64",
            },
        },
        "eventMetadata": {"customAttributes": ["c"], "inferenceId": "i", "inferenceTime": "2022-04-25T16:59:59Z"},
        "eventVersion": "0",
    }


@pytest.mark.parametrize("key", [None, b"k" * 32])
def test_pages_show_every_capture_once_and_the_newest_first(tmp_path: Path, key: bytes | None) -> None:
    writers = [CaptureWriter(tmp_path / name, CaptureConfig(outputs=False), key) for name in ("blue", "green")]
    for number in range(30):
        writers[number % 2].offer(exchange(number, inference_id=str(number)))
        if number % 4 == 3:
            assert all(writer.flush() for writer in writers)
    for writer in writers:
        writer.close()
    if key is not None:
        assert b"endpointInput" not in capture_files(tmp_path)[0].read_bytes()
        with pytest.raises(EncryptionKeyError):
            read_captures(tmp_path, b"o" * 32)
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = read_captures(tmp_path, key, cursor, limit=7)
        found += page.captures
        cursor, pages = page.cursor, pages + 1
        assert len(page.captures) <= 7
    assert {capture.inference_id for capture in found} == {str(number) for number in range(30)}
    assert len(found) == 30
    assert found[0].output is None
    for variant in ("blue", "green"):
        numbers = [int(capture.inference_id) for capture in found if capture.variant == variant]
        assert numbers == sorted(numbers, reverse=True)


def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "v", CaptureConfig(max_waiting_bytes=1000))
    writer.offer(exchange(1, input=b"x" * 2000))
    assert writer.dropped == 1
    writer.close()
    writer.offer(exchange(1))
    assert (writer.dropped, writer.captured) == (2, 0)


def test_a_disk_that_refuses_drops_and_counts(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("a file where the folder should be")
    writer = CaptureWriter(tmp_path / "v", CaptureConfig())
    writer.offer(exchange(1))
    assert writer.flush()
    assert (writer.dropped, writer.captured) == (1, 0)
    writer.close()


def test_sampling_takes_about_its_share(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "v", CaptureConfig(sampling_percentage=20))
    for number in range(2000):
        writer.offer(exchange(number))
    writer.close()
    assert 250 < writer.captured < 550
    assert writer.dropped == 0


def test_the_oldest_files_leave_a_bounded_disk(tmp_path: Path) -> None:
    for hour in ("2025/12/31/23", "2026/01/01/00", "2026/01/01/01"):
        (tmp_path / "v" / hour).mkdir(parents=True)
        (tmp_path / "v" / hour / "00-00-000-a.jsonl").write_bytes(b"x" * 100)
    assert remove_oldest(tmp_path / "v", 200) == 1
    assert [path.parts[-2] for path in capture_files(tmp_path)] == ["00", "01"]
    assert not (tmp_path / "v" / "2025").exists()
    assert remove_oldest(tmp_path / "v", 1) == 1


@pytest.mark.parametrize("cursor", ["x", "../../etc/passwd:1", "../a.jsonl:1", "a\0.jsonl:1"])
def test_a_cursor_leads_nowhere_else(tmp_path: Path, cursor: str) -> None:
    with pytest.raises(InvalidArgumentError):
        read_captures(tmp_path, None, cursor)


def test_a_configuration_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="101"):
        CaptureConfig(sampling_percentage=101)
