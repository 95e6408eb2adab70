"""An application's life, as ASGI's lifespan protocol tells it.

Starlette hands the traceback of a failed start to the server, which logs it word for word; texts of
exceptions may hold keys and paths, so the failure is logged here, by type and place alone.
https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager

from starlette.types import Receive, Send

from services.kernel.errors import ConfigurationError

_log = logging.getLogger(__name__)


async def live(
    life: AbstractAsyncContextManager[None], receive: Receive, send: Send
) -> tuple[str, ...]:
    """Enters `life` at the start, leaves it at the end.

    Returns the lines of a ConfigurationError that kept it from starting, which may be shown.
    """
    await receive()
    phase = "startup"
    try:
        async with life:
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            await receive()
    except Exception as exc:  # noqa: BLE001  # whatever it is, the server is told, without its text
        _log.error("%s failed", phase, exc_info=exc)
        await send({"type": f"lifespan.{phase}.failed", "message": ""})
        return exc.problems if isinstance(exc, ConfigurationError) else ()
    await send({"type": "lifespan.shutdown.complete"})
    return ()
