"""A bare echo on the stack of Atelier's workers, the floor of what a request costs: ``python echo_server.py PORT``."""

import sys

import uvicorn


async def echo(scope, receive, send):
    """Answer with the body that was sent."""
    body = (await receive())["body"]
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        echo, port=int(sys.argv[1]), lifespan="off", ws="none", access_log=False, log_level="warning",
        server_header=False, date_header=False,
    )  # fmt: skip
