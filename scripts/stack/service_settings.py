"""Reads every service's settings before anything is started, so that all mistakes show at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from scripts.stack.console import Problem
from services.kernel.errors import ConfigurationError
from services.kernel.settings import read_settings

MODULES = (
    "services.llm_proxy.settings",
    "services.llm_proxy.local_model.settings",
    "services.kb.settings",
    "services.kb.embedder.settings",
    "services.analytics.settings",
)


def check_services(environ: Mapping[str, str]) -> None:
    """Raises Problem naming every variable that a service would refuse."""
    problems: list[str] = []
    for name in MODULES:
        try:
            read_settings(import_module(name).Settings, environ)
        except ConfigurationError as exc:
            problems += [line for line in exc.problems if line not in problems]
    if problems:
        raise Problem(f"mend .env: {'; '.join(problems)}")
