"""nginx as a plain proxy: the yardstick of every ratio."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contenders import Bed, Contender, Running, process
from bench.process import free_port

# One worker, as the others have one process. Buffering off, or it would not stream at all.
CONFIGURATION = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {room}/nginx.pid;
error_log {room}/error.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path {room}/body;
    proxy_temp_path {room}/proxy;
    fastcgi_temp_path {room}/fastcgi;
    uwsgi_temp_path {room}/uwsgi;
    scgi_temp_path {room}/scgi;
    upstream bench {{
        server 127.0.0.1:{upstream_port};
        keepalive 512;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://bench;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


def binary() -> str:
    """The nginx to run: NGINX_BIN, or the one on the PATH or where Debian puts it.

    Raises:
        FileNotFoundError: there is none.
    """
    found = os.environ.get("NGINX_BIN") or shutil.which("nginx", path=os.defpath + ":/usr/sbin")
    if not found:
        raise FileNotFoundError("nginx is not installed (or name it in NGINX_BIN)")
    return found


def write_configuration(room: Path, port: int, upstream_port: int) -> Path:
    path = room / "nginx.conf"
    path.write_text(CONFIGURATION.format(room=room, port=port, upstream_port=upstream_port))
    return path


@contextmanager
def start(bed: Bed) -> Iterator[Running]:
    room, port = bed.room("nginx"), free_port()
    configuration = write_configuration(room, port, bed.upstream_port)
    argv = [binary(), "-p", str(room), "-c", str(configuration)]
    with process(room, argv, port) as started:
        yield started


NGINX = Contender("nginx", start, "proxy_pass, buffering off, connections kept; no log")
