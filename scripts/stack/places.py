"""Where things lie in the checkout. Standard library only."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"
NODE_MODULES = ROOT / "node_modules"
WEB = ROOT / "web"
WEB_DIST = WEB / "dist"
NGINX_TEMPLATES = ROOT / "deploy" / "nginx"
# nginx unpacked here when it can be installed neither by apt nor found on the machine.
NGINX_UNPACKED = ROOT / ".nginx"
