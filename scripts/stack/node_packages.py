"""node_modules by package-lock.json, and the pages built from web/. Standard library only."""

from __future__ import annotations

from pathlib import Path

from scripts.stack.console import step
from scripts.stack.mirrors import Mirrors
from scripts.stack.places import NODE_MODULES, ROOT, WEB, WEB_DIST
from scripts.stack.processes import output, run
from scripts.stack.stamps import digest_of, is_current, write

_LOCK = ROOT / "package-lock.json"
_MANIFESTS = [_LOCK, ROOT / "package.json", WEB / "package.json"]
_NOT_SOURCES = {"dist", "node_modules", "test"}


def install(mirrors: Mirrors) -> None:
    """PM2, pm2-logrotate and what the web build needs, exactly as locked."""
    stamp = NODE_MODULES / ".trivet-installed"
    digest = digest_of(_MANIFESTS, output(["node", "--version"]))
    if is_current(stamp, digest):
        return
    with step("PM2 and the tools of the web build, by npm (90 MB, once)"):
        run(
            ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
            otherwise="npm could not install the packages: see the lines above, mend the network "
            "or set TRIVET_NPM_REGISTRY to a mirror, then run this again",
            environ=mirrors.node_environ(),
        )
    write(stamp, digest)


def build_pages() -> None:
    """web/dist, when something in web/ is newer than what it was built from."""
    stamp = WEB_DIST / ".trivet-built"
    digest = digest_of([_LOCK, *_sources()])
    if is_current(stamp, digest):
        return
    with step("Chat page and console, from web/"):
        run(
            ["npm", "run", "build", "--workspace", "web"],
            otherwise="the pages could not be built: see the lines above",
        )
    write(stamp, digest)


def _sources() -> list[Path]:
    own = [path for path in WEB.iterdir() if path.name[0] != "." and path.name not in _NOT_SOURCES]
    # The build puts the guide and its pictures beside the pages.
    return [*own, ROOT / "library" / "guide", ROOT / "docs" / "images"]
