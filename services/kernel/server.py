"""Runs an application as a process under PM2: its port, its readiness, its end.

Exit code 78 (EX_CONFIG) means that starting again will not help: a bad setting or a taken port.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import uvicorn
from starlette.types import ASGIApp

from services.kernel.errors import ConfigurationError
from services.kernel.logging import configure
from services.kernel.protocol import HttpProtocol

EXIT_CONFIGURATION = 78
GRACEFUL_SHUTDOWN_SECONDS = 25  # below PM2's kill_timeout of 30 s
KEEP_ALIVE_SECONDS = 75  # above nginx's keepalive_timeout of 60 s, so that nginx closes first
_BACKLOG = 4096
_TICK_SECONDS = 1.0


class _Server(uvicorn.Server):
    """uvicorn's server; tells PM2 when it is up, and the application when it is to stop.

    uvicorn looks ten times a second whether it is to stop, which was a third of what an idle
    process cost; here the signal says so, and one look a second keeps the Date header right.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets=sockets)
        if self.started:
            gc.collect()
            gc.freeze()  # what start-up made stays: the collector need not walk it again
            notify_ready()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _TICK_SECONDS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The same as uvicorn's, but that the signal is not raised anew at the end.

        SIGTERM would then kill the process before its last log lines are written.
        """
        app = self.config.app
        if hasattr(app, "draining"):
            app.draining = True
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)


def notify_ready() -> None:
    """Tells PM2 (`wait_ready`) that the process is up, over the channel that it opened.

    PM2's fork mode uses Node's IPC, JSON lines on the descriptor named in NODE_CHANNEL_FD:
    https://nodejs.org/api/child_process.html#subprocesssendmessage-sendhandle-options-callback
    """
    channel = os.environ.get("NODE_CHANNEL_FD", "")
    if channel.isdigit():
        os.write(int(channel), b'"ready"\n')


def bind(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1. Raises ConfigurationError when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as exc:
        listener.close()
        problem = f"port {port} on 127.0.0.1 is taken: stop what holds it or change it in .env"
        raise ConfigurationError(problem) from exc
    return listener


def exit_on_configuration_error(start: Callable[[], None]) -> NoReturn:
    """Runs `start`; a ConfigurationError becomes its lines on stderr and exit code 78."""
    try:
        start()
    except ConfigurationError as error:
        sys.stderr.write("".join(f"trivet: {line}\n" for line in error.problems))
        sys.stderr.flush()
        sys.exit(EXIT_CONFIGURATION)
    except KeyboardInterrupt:
        pass
    sys.exit(0)


def _give_up(service: str, problems: Sequence[str]) -> NoReturn:
    """A wrong configuration will not mend itself; anything else is worth another start."""
    if problems:
        raise ConfigurationError(*problems)
    sys.stderr.write(f"trivet: {service} could not start: see the log lines above\n")
    sys.exit(1)


def aside(work: Callable[[], object]) -> None:
    """Does `work` in a child process and waits for it: what it imports takes no memory here.

    For what a service needs once and for a moment, as Alembic (8 MB). The service does the same
    again, and finds it done; a failure shows itself then. Call it before any thread is started.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        work()
    finally:
        os._exit(0)  # neither exit handlers nor a traceback: both are the parent's


def serve(
    service: str, port: int, create_app: Callable[[], ASGIApp], log_level: str = "info"
) -> None:
    """Serves until SIGINT or SIGTERM; running requests get 25 s to finish."""
    listener = bind(port)
    handler = configure(service, log_level)
    try:
        app = create_app()
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http=HttpProtocol,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        )
        server = _Server(config)
        with suppress(SystemExit):  # uvicorn's way to say that the start failed
            server.run(sockets=[listener])
        if not server.started:
            _give_up(service, getattr(app, "start_problems", ()))
    finally:
        listener.close()
        handler.close()
