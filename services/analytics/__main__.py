"""`python -m services.analytics`: one instance of the service."""

from pathlib import Path

from services.analytics.app import create_app
from services.analytics.database import open_database
from services.analytics.settings import Settings
from services.kernel.server import aside, exit_on_configuration_error, serve
from services.kernel.settings import instance_port, load_environ, read_settings


def main() -> None:
    """Reads the settings and serves until it is told to stop."""
    settings = read_settings(Settings, load_environ(Path.cwd()))
    aside(lambda: open_database(settings).dispose())
    port = instance_port(settings, settings.analytics_port)
    serve("analytics", port, lambda: create_app(settings), settings.log_level)


if __name__ == "__main__":
    exit_on_configuration_error(main)
