"""`python -m services.kb`: one instance of kb."""

from __future__ import annotations

from pathlib import Path

from services.kb.app import SERVICE, create_app
from services.kb.database import open_database
from services.kb.settings import Settings
from services.kernel.server import aside, exit_on_configuration_error, serve
from services.kernel.settings import instance_port, load_environ, read_settings


def main() -> None:
    """Reads the settings and serves until it is told to stop."""
    settings = read_settings(Settings, load_environ(Path.cwd()))
    aside(lambda: open_database(settings).engine.dispose())
    port = instance_port(settings, settings.kb_port)
    serve(SERVICE, port, lambda: create_app(settings), settings.log_level)


if __name__ == "__main__":
    exit_on_configuration_error(main)
