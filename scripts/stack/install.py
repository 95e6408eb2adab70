"""Installs everything, or sees that it is there: `python -m scripts.stack.install [development]`.

Nothing is started here, and the large downloads begin only after the machine, `.env` and the ports
have been found good. Standard library only.
"""

from __future__ import annotations

import subprocess
import sys

from scripts.stack import machine, nginx_binary, node_packages, python_packages
from scripts.stack.console import command
from scripts.stack.mirrors import read_mirrors
from scripts.stack.places import PYTHON, ROOT


def main() -> None:
    machine.check()
    mirrors = read_mirrors()
    python_packages.create_environment(mirrors)
    if "development" not in sys.argv[1:]:
        _preflight()
    python_packages.install_runtime(mirrors)
    if "development" in sys.argv[1:]:
        python_packages.install_development(mirrors)
    node_packages.install(mirrors)
    node_packages.build_pages()
    nginx_binary.install()


def _preflight() -> None:
    done = subprocess.run([str(PYTHON), "-m", "scripts.stack.preflight"], cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


if __name__ == "__main__":
    command(main)
