"""A load for servers: some connections that each ask, wait for the answer, and ask again; raw HTTP over asyncio."""

from __future__ import annotations

import asyncio
import json
import sys
import time


async def _connection(host: str, port: int, request: bytes, count: int, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for _ in range(count):
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


async def _load(host: str, port: int, path: str, body: bytes, connections: int, each: int) -> list[float]:
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    times: list[float] = []
    await asyncio.gather(*(_connection(host, port, request, each, times) for _ in range(connections)))
    return times


def main(port: int, path: str, body: str, connections: int, each: int) -> dict[str, float]:
    """Ask, and return the requests of a second and the quantiles of their times in milliseconds."""
    started = time.perf_counter()
    times = sorted(asyncio.run(_load("127.0.0.1", port, path, body.encode(), connections, each)))
    seconds = time.perf_counter() - started
    return {
        "requests": len(times),
        "per_second": len(times) / seconds,
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[int(len(times) * 0.99)],
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))))
