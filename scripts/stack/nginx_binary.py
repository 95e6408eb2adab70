"""Finds nginx, or brings it: by apt as root, else unpacked from Debian's package without root.

Standard library only.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.stack.console import Problem, step
from scripts.stack.machine import has_apt, is_root
from scripts.stack.mirrors import early_value
from scripts.stack.places import NGINX_UNPACKED
from scripts.stack.processes import run, succeeds

_SYSTEM_PATHS = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/nginx/sbin"
_UNPACKED = NGINX_UNPACKED / "usr" / "sbin" / "nginx"
_BY_HAND = "install nginx 1.22 or newer, or name one in NGINX_BIN"


def find() -> Path | None:
    """The nginx to use: NGINX_BIN, one on the machine, or the one unpacked before.

    The variable must not be called NGINX: nginx takes that for inherited sockets and hangs.
    """
    named = early_value("NGINX_BIN")
    if named:
        return Path(named) if shutil.which(named) else None
    found = shutil.which("nginx") or shutil.which("nginx", path=_SYSTEM_PATHS)
    if found:
        return Path(found)
    return _UNPACKED if _UNPACKED.exists() else None


def install() -> None:
    """Makes sure that there is an nginx. Raises Problem with what to do when there can be none."""
    if find() is not None:
        return
    if early_value("NGINX_BIN"):
        raise Problem("NGINX_BIN names no program: mend it, or remove it to have nginx installed")
    if not has_apt():
        raise Problem(f"nginx was not found and this machine has no apt: {_BY_HAND}")
    if is_root():
        _install_by_apt()
    else:
        _unpack()


def apt_install(*packages: str) -> None:
    """Debian packages, without questions and without what is only recommended."""
    environ = {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    otherwise = f"apt could not install {' '.join(packages)}: see the lines above"
    if succeeds(command, environ=environ):
        return
    run(["apt-get", "update"], otherwise="apt could not update its lists", environ=environ)
    run(command, otherwise=otherwise, environ=environ)


def _install_by_apt() -> None:
    with step("nginx, by apt (1 MB)"), _services_stay_down():
        apt_install("nginx")
    if shutil.which("systemctl"):
        # The package enables a service on port 80; Trivet starts an nginx of its own.
        succeeds(["systemctl", "disable", "nginx.service"])


@contextmanager
def _services_stay_down() -> Iterator[None]:
    """Debian starts what it installs, unless policy-rc.d says no (exit code 101).

    https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
    """
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def _unpack() -> None:
    otherwise = f"nginx could not be downloaded by apt-get: {_BY_HAND}"
    with step("nginx, Debian's package unpacked into .nginx/ (1 MB, no root needed)"):
        NGINX_UNPACKED.mkdir(exist_ok=True)
        run(["apt-get", "download", "nginx"], otherwise=otherwise, cwd=NGINX_UNPACKED)
        package = next(NGINX_UNPACKED.glob("nginx_*.deb"))
        run(["dpkg", "-x", package, NGINX_UNPACKED], otherwise=otherwise)
        if not succeeds([_UNPACKED, "-v"]):
            shutil.rmtree(NGINX_UNPACKED)
            raise Problem(f"Debian's nginx does not run here: {_BY_HAND}")
