"""When a schedule is due: cron expressions, read by `cronsim`, and fixed intervals. Times are milliseconds since 1970
UTC, always whole seconds."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.jobs.spec import to_seconds

_LATEST = 253_370_764_800_000
"""The year 9999, where Python's dates end."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When something is due, at times of a cron expression or after every so many seconds; made by `make_timing`.

    Attributes
    ----------
    cron
        Five fields, read as Debian's cron does: an hour that the clocks leave out is made up for at once, one that
        they repeat counts once, unless hour or minute is ``*``.
    every
        Seconds, a whole number, counted from `anchor`.
    time_zone
        IANA name, in which `cron` is meant.
    """

    cron: str | None
    every: int | None
    time_zone: str
    anchor: int

    def following(self, moment: int) -> Iterator[int]:
        """Yield the due times after a moment, in their order; nothing is yielded twice."""
        if self.every is not None:
            step = self.every * 1000
            number = max(1, (moment - self.anchor) // step + 1)
            while (due := self.anchor + number * step) < _LATEST:
                yield due
                number += 1
            return
        assert self.cron is not None
        zone = UTC if self.time_zone == "UTC" else ZoneInfo(self.time_zone)
        last = moment
        for found in CronSim(self.cron, datetime.fromtimestamp(moment / 1000, zone)):
            due = int(found.timestamp()) * 1000
            if due > last:
                last = due
                yield due

    def next_after(self, moment: int) -> int | None:
        """Return the first due time after a moment; None if there is none in fifty years."""
        return next(self.following(moment), None)

    def between(self, after: int, until: int, most: int) -> tuple[list[int], int]:
        """Return the newest due times after one moment and not after another, and how many older ones there are."""
        if self.every is not None:
            step = self.every * 1000
            first = max(1, (after - self.anchor) // step + 1)
            last = (until - self.anchor) // step
            kept = range(max(first, last - most + 1), last + 1)
            return [self.anchor + number * step for number in kept], max(0, last - first + 1 - len(kept))
        found: deque[int] = deque(maxlen=most)
        count = 0
        for due in self.following(after):
            if due > until:
                break
            found.append(due)
            count += 1
        return list(found), count - len(found)

    def describe(self) -> str:
        """Say in words when it is due."""
        if self.every is not None:
            return f"Every {_in_words(self.every)}"
        assert self.cron is not None
        return f"{CronSim(self.cron, datetime.now(UTC)).explain()} ({self.time_zone})"


def make_timing(cron: str | None, every: float | str | None, time_zone: str | None, anchor: int) -> Timing:
    """Check when something is to be due.

    Parameters
    ----------
    cron
        Five fields: minute, hour, day of the month, month, day of the week.
    every
        Or: seconds, or a text such as ``"6h"``; a whole number of seconds.
    time_zone
        Such as ``"Europe/Berlin"``. Default: this machine's.
    anchor
        The moment from which `every` counts.

    Raises
    ------
    InvalidArgumentError
        If it is not exactly one of `cron` and `every`, is not understood, or is never due.
    """
    if (cron is None) == (every is None):
        raise InvalidArgumentError('Give either cron="0 3 * * *" or every="6h", not both and not neither.')
    zone = machine_time_zone() if time_zone is None else check_time_zone(time_zone)
    anchor -= anchor % 1000
    if every is not None:
        seconds = to_seconds(every, "every")
        if seconds != int(seconds):
            raise InvalidArgumentError(f"every is {every!r}: use a whole number of seconds, such as '90s' or '6h'.")
        return Timing(None, int(seconds), zone, anchor)
    assert cron is not None
    fields = cron.split() if isinstance(cron, str) else []
    try:
        if len(fields) != 5 or len(cron) > 500:
            raise CronSimError("five fields are needed: minute, hour, day of the month, month, day of the week")
        timing = Timing(" ".join(fields), None, zone, anchor)
        if timing.next_after(anchor) is None:
            raise CronSimError("it is never due")
    except CronSimError as error:
        raise InvalidArgumentError(
            f"cron is {str(cron)[:80]!r}, which is not understood: {error}. Such as '0 3 * * *' for every night at "
            "three, '*/15 9-17 * * MON-FRI', or every='30s' for what cron cannot say."
        ) from error
    return timing


def check_time_zone(name: str) -> str:
    """Return the name of a time zone; InvalidArgumentError if there is none of this name."""
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, TypeError, KeyError) as error:  # not found, no name at all, or a path
        raise InvalidArgumentError(
            f"There is no time zone {str(name)[:80]!r}: use an IANA name such as 'Europe/Berlin', or 'UTC'."
        ) from error


def machine_time_zone() -> str:
    """Return the IANA name of this machine's time zone, as ``TZ`` or ``/etc/localtime`` say; else ``UTC``."""
    linked = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    for name in (os.environ.get("TZ", "").lstrip(":"), linked):
        if name:
            try:
                return check_time_zone(name)
            except InvalidArgumentError:
                continue
    return "UTC"


def _in_words(seconds: int) -> str:
    parts: list[str] = []
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:,} {unit}s" if count > 1 else unit if not parts and not seconds else f"1 {unit}")
    return " ".join(parts)
