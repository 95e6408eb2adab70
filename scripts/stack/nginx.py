"""nginx, the only door: rendered, checked, started, reloaded, stopped.

It runs as its own daemon and not under PM2: a reload of everything there would close the door, and
a killed master leaves workers on the port.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from scripts.stack import nginx_binary, pids
from scripts.stack.certificates import certificate_of
from scripts.stack.console import Problem
from scripts.stack.nginx_values import values
from scripts.stack.places import NGINX_TEMPLATES, ROOT, WEB_DIST
from scripts.stack.processes import output
from scripts.stack.settings import StackSettings
from scripts.stack.templates import render_tree

_STOP_SECONDS = 10.0


class Nginx:
    """The daemon of one stack, found by the pid file in its run folder."""

    def __init__(self, settings: StackSettings, pages: Path = WEB_DIST) -> None:
        self._settings = settings
        self._pages = pages
        self._home = settings.run / "nginx"
        self._configuration = self._home / "configuration"

    def binary(self) -> Path:
        named = self._settings.nginx_binary
        found = Path(named) if named else nginx_binary.find()
        if found is None:
            raise Problem("nginx was not found: run `make run`, which installs it")
        return found

    def pid(self) -> int | None:
        """The master's process id, when it is alive and ours."""
        try:
            pid = int((self._home / "nginx.pid").read_text(encoding="ascii"))
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self._home).encode() in words else None

    def prepare(self) -> bool:
        """Renders the configuration, lets nginx check it, and puts it in place.

        Returns whether it differs from what was there. Raises Problem, with the old one untouched.
        """
        draft = self._home / "configuration.new"
        shutil.rmtree(draft, ignore_errors=True)
        (self._home / "temporary").mkdir(parents=True, exist_ok=True)
        self._settings.logs.mkdir(parents=True, exist_ok=True)
        certificate = certificate_of(self._settings)
        filled = values(self._settings, self._pages, self._version(), certificate)
        render_tree(NGINX_TEMPLATES, draft, filled)
        self._check(draft)
        self._mount_pages()
        return self._put_in_place(draft)

    def start(self) -> None:
        """Starts the daemon. Raises Problem with nginx's own words when it does not come up."""
        done = self._nginx(self._configuration)
        if done.returncode != 0:
            raise Problem(f"nginx could not start: {_words(done.stderr)}")

    def reload(self) -> None:
        """New workers with the new configuration; the old ones finish what they are doing."""
        pid = self.pid()
        if pid is None:
            self.start()
            return
        os.kill(pid, signal.SIGHUP)

    def stop(self) -> None:
        """Ends the daemon and waits until it is gone. Open streams are cut."""
        pid = self.pid()
        if pid is not None:
            pids.end([pid], _STOP_SECONDS)

    def _version(self) -> tuple[int, ...]:
        found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", output([self.binary(), "-v"]))
        if found is None:
            raise Problem(f"{self.binary()} is no nginx: mend NGINX_BIN")
        return tuple(int(part) for part in found.groups())

    def _check(self, configuration: Path) -> None:
        done = self._nginx(configuration, "-t", "-q")
        if done.returncode != 0:
            raise Problem(f"nginx refuses its configuration: {_words(done.stderr)}")

    def _nginx(self, configuration: Path, *options: str) -> subprocess.CompletedProcess[str]:
        log = self._settings.logs / "nginx-error.log"
        arguments = [self.binary(), "-p", self._home, "-e", log, "-c", configuration / "nginx.conf"]
        # An empty environment: a variable named NGINX would be taken for inherited sockets.
        return subprocess.run(
            [*map(str, arguments), *options],
            cwd=ROOT,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _put_in_place(self, draft: Path) -> bool:
        if _contents(draft) == _contents(self._configuration):
            shutil.rmtree(draft)
            return False
        old = self._home / "configuration.old"
        shutil.rmtree(old, ignore_errors=True)
        if self._configuration.exists():
            self._configuration.rename(old)
        draft.rename(self._configuration)
        shutil.rmtree(old, ignore_errors=True)
        return True

    def _mount_pages(self) -> None:
        """The document root mirrors the prefix: `pages/PREFIX` is a link to the built pages."""
        link = self._home / "pages" / self._settings.prefix.strip("/")
        if link.is_symlink() and link.readlink() == self._pages:
            return
        root = self._home / "pages"
        if root.is_symlink():
            root.unlink()
        shutil.rmtree(root, ignore_errors=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(self._pages)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _words(text: str) -> str:
    """nginx's complaint on one line, without its time stamps."""
    lines = [re.sub(r"^nginx: |^\S+ \S+ (?=\[)", "", line) for line in text.splitlines()]
    told = dict.fromkeys(line for line in lines if "test failed" not in line)
    return "; ".join(told) or "see its error log"
