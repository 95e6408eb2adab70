"""`python -m services.llm_proxy`: the gateway as a process."""

from __future__ import annotations

from pathlib import Path

from services.kernel.server import aside, exit_on_configuration_error, serve
from services.kernel.settings import instance_port, load_environ
from services.llm_proxy.app import SERVICE, create_app
from services.llm_proxy.keys.store import KeyStore
from services.llm_proxy.settings import Settings


def _start() -> None:
    environ = load_environ(Path.cwd())
    settings = Settings.from_env(environ)
    aside(lambda: KeyStore.open(settings.database_path, settings.migration_lock_path).close())
    port = instance_port(settings, settings.llm_proxy_port)
    serve(SERVICE, port, lambda: create_app(settings, environ), settings.log_level)


if __name__ == "__main__":
    exit_on_configuration_error(_start)
