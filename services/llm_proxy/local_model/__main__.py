"""`python -m services.llm_proxy.local_model`: serves until SIGINT or SIGTERM."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import FrameType

from services.kernel.server import bind, exit_on_configuration_error, notify_ready
from services.kernel.settings import load_environ, read_settings
from services.llm_proxy.local_model.engine import start
from services.llm_proxy.local_model.settings import Settings


def main() -> None:
    settings = read_settings(Settings, load_environ(Path.cwd()))
    bind(settings.local_model_port).close()  # llama.cpp would not say why it cannot listen
    server = start(settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    notify_ready()
    while server:
        signal.pause()


def _end(_number: int, _frame: FrameType | None) -> None:
    # llama.cpp's threads would finish their chats first; nothing here needs tidying up.
    os._exit(0)


if __name__ == "__main__":
    exit_on_configuration_error(main)
