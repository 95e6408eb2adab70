"""`python -m services.kb.embedder`: the embedder on 127.0.0.1:KB_EMBEDDER_PORT."""

from __future__ import annotations

from pathlib import Path

from services.kb.embedder.app import SERVICE, create_app
from services.kb.embedder.settings import Settings
from services.kernel.server import exit_on_configuration_error, serve
from services.kernel.settings import load_environ, read_settings


def main() -> None:
    settings = read_settings(Settings, load_environ(Path.cwd()))
    serve(SERVICE, settings.embedder_port, lambda: create_app(settings), settings.log_level)


if __name__ == "__main__":
    exit_on_configuration_error(main)
