"""A load for servers: some connections that each ask, wait for the answer, and ask again; raw HTTP over asyncio.

They ask again at once, or at a given rate, which servers of different speed can be compared at: the system calls that
wake a sleeping process cost as much as a small request, and only at one rate does each server make as many of them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


async def _connection(
    host: str, port: int, request: bytes, count: int, times: list[float], place: float, period: float
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    begin = time.perf_counter() + place * period
    try:
        for number in range(count):
            if period:
                await asyncio.sleep(max(0.0, begin + number * period - time.perf_counter()))
            started = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lower = head.lower()
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"The server answered {head.splitlines()[0].decode()}.")
            if b"chunked" in lower:
                await reader.readuntil(b"0\r\n\r\n")
            else:
                await reader.readexactly(int(lower.split(b"content-length:")[1].split(b"\r\n")[0]))
            times.append(time.perf_counter() - started)
    finally:
        writer.close()


async def _load(
    host: str, port: int, path: str, body: bytes, connections: int, each: int, per_second: float
) -> list[float]:
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    times: list[float] = []
    period = connections / per_second if per_second else 0.0
    await asyncio.gather(
        *(_connection(host, port, request, each, times, one / connections, period) for one in range(connections))
    )
    return times


def main(port: int, path: str, body: str, connections: int, each: int, per_second: float = 0.0) -> dict[str, float]:
    """Ask, and return the requests of a second and the quantiles of their times in milliseconds.

    `per_second` is the rate of all connections together; 0 asks again as soon as the answer is there.
    """
    started = time.perf_counter()
    times = sorted(asyncio.run(_load("127.0.0.1", port, path, body.encode(), connections, each, per_second)))
    seconds = time.perf_counter() - started
    return {
        "requests": len(times),
        "per_second": len(times) / seconds,
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[int(len(times) * 0.99)],
    }


if __name__ == "__main__":
    print(
        json.dumps(
            main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
        )
    )
