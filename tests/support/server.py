"""Real servers for tests: an ASGI application behind uvicorn on a free port, in a thread."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from services.kernel.protocol import HttpProtocol
from tests.support.wait import until


@contextmanager
def running(app: ASGIApp, *, graceful_seconds: int = 5, port: int = 0) -> Iterator[str]:
    """Serves `app` and gives its base URL; its lifespan runs, as in production.

    `port` is for an application that must know its own address beforehand.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=graceful_seconds,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), 20, "the server starts")
        if not server.started:
            raise AssertionError("the application did not start")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(graceful_seconds + 5)
        listener.close()
        if thread.is_alive():
            raise AssertionError("the server did not stop")
