"""Delivers notifications: to a webhook, to a file as a line, or to the audit log. At least once each.

A webhook that answers with anything but 2xx is tried again, with longer and longer pauses; redirects are not followed.
"""

from __future__ import annotations

import http.client
import logging
import os
import threading
from urllib.parse import urlsplit

import msgspec

from kernel_tools.core.errors import AtelierError
from kernel_tools.hosting.asynchronous.files import local_path
from kernel_tools.hosting.asynchronous.notices import Notice, next_notices, settle_notice
from kernel_tools.hosting.asynchronous.queue import AsyncQueue

MAX_ATTEMPTS = 12
TIMEOUT_SECONDS = 10.0
_LEASE_SECONDS = 60.0
_LONGEST_WAIT = 900.0
_BATCH = 4

_log = logging.getLogger("atelier.async")


class DeliveryError(AtelierError):
    """A target that did not take a notification."""


def deliver_due(queue: AsyncQueue, stop: threading.Event | None = None, first_wait: float = 1.0) -> int:
    """Deliver the notifications that are due; returns how many were delivered.

    Parameters
    ----------
    queue
        Whose notifications.
    stop
        Ends the work before its end.
    first_wait
        Seconds until a delivery that failed is tried again; twice as long each further time. After the last try the
        notification is kept with its error, and is no longer tried.
    """
    delivered = 0
    while not (stop is not None and stop.is_set()):
        notices = next_notices(queue.database, queue.clock(), _BATCH, _LEASE_SECONDS)
        if not notices:
            break
        for notice in notices:
            try:
                deliver(queue, notice)
            except (AtelierError, OSError, http.client.HTTPException) as error:
                wait = min(first_wait * 2.0 ** (notice.attempts - 1), _LONGEST_WAIT)
                due_at = queue.clock() + int(1000 * wait) if notice.attempts < MAX_ATTEMPTS else None
                settle_notice(queue.database, notice, str(error) or repr(error), due_at)
                _log.warning("Try %d to notify %s failed: %s", notice.attempts, _shown(notice.target), error)
            else:
                settle_notice(queue.database, notice)
                delivered += 1
    return delivered


def deliver(queue: AsyncQueue, notice: Notice) -> None:
    """Deliver one notification; DeliveryError or OSError if its target does not take it."""
    if notice.target == "event":
        message = msgspec.json.decode(notice.message)
        details = {"inference_id": message["inferenceId"], "status": message["invocationStatus"]}
        details |= {"reason": message["failureReason"]} if "failureReason" in message else {}
        queue.folder.workspace.audit.record("endpoint.async_inference", queue.folder.name, details)
    elif notice.target.startswith(("http://", "https://")):
        _post(notice)
    else:
        _append(notice)


def _post(notice: Notice) -> None:
    address = urlsplit(notice.target)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
    try:
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        headers = {"Content-Type": "application/json", "X-Atelier-Message-Id": str(notice.id)}
        connection.request("POST", path, notice.message.encode(), headers)
        status = connection.getresponse().status
    except (ValueError, UnicodeError) as error:  # a path or host that cannot be sent
        raise DeliveryError(str(error)) from error
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise DeliveryError(f"{_shown(notice.target)} answered with HTTP status {status}.")


def _append(notice: Notice) -> None:
    path = local_path(notice.target)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        line = notice.message.encode() + b"\n"
        if os.write(descriptor, line) != len(line):
            raise DeliveryError(f"The disk of {str(path)!r} is full.")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _shown(target: str) -> str:
    """Return a target without what may be secret in it."""
    address = urlsplit(target)
    return f"{address.scheme}://{address.hostname}{address.path}" if address.hostname else target
