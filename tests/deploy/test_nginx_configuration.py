"""The templates: what is filled in, what is refused, what a checker says of the result."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack import settings as stack_settings
from scripts.stack.certificates import certificate_of
from scripts.stack.console import Problem
from scripts.stack.nginx import Nginx
from scripts.stack.nginx_values import user_line, values
from scripts.stack.places import NGINX_TEMPLATES
from scripts.stack.settings import StackSettings
from scripts.stack.templates import render, render_tree
from tests.deploy.site import environ_of, write_pages
from tests.support.ports import free_port

FALSE_ALARMS = {
    "proxy_pass_normalized",  # the services' paths hold no encoded slashes
    # A service compares the Host with a browser's Origin, which has the port that $host lacks.
    "host_spoofing",
    "try_files_is_evil_too",  # a handful of files; a cache of them would outlive the next build
}


def settings_of(folder: Path, **more: str) -> StackSettings:
    return stack_settings.read(environ_of(folder, **more))


def filled(folder: Path, **more: str) -> dict[str, str]:
    return filled_for((1, 22, 1), folder, **more)


def filled_for(version: tuple[int, ...], folder: Path, **more: str) -> dict[str, str]:
    settings = settings_of(folder, **more)
    return values(settings, folder, version, certificate_of(settings))


def test_a_placeholder_that_nobody_fills_is_an_error() -> None:
    with pytest.raises(Problem, match=r"site\.conf asks for NO_SUCH_NAME"):
        render("listen @NO_SUCH_NAME@;", {"PORT": "1"}, "site.conf")


def test_nginxs_own_variables_are_left_alone() -> None:
    assert render("$uri @A@ user@example.org", {"A": "x"}, "f") == "$uri x user@example.org"


@pytest.mark.parametrize("prefix", ["a b", "/a;b/", "/../x/", "/a//b/", "/${x}/", '/"/', "/ä/"])
def test_a_bad_prefix_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(Problem, match="TRIVET_PREFIX"):
        settings_of(tmp_path, TRIVET_PREFIX=prefix)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOMAIN", "a b"),
        ("DOMAIN", "a.example;"),
        ("TRIVET_LISTEN_ADDRESS", "localhost;"),
        ("TRIVET_KB_URLS", "https://kb.example"),
        ("TRIVET_KB_URLS", "http://127.0.0.1:1/path"),
        ("TRIVET_KB_URLS", "http://127.0.0.1:99999"),
        ("TRIVET_LLM_PROXY_URLS", "http://a;b:1"),
        ("TRIVET_RUN_DIR", '/tmp/a"b'),
    ],
)
def test_a_value_that_nginx_could_misread_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(Problem):
        filled(tmp_path, **{name: value})


def test_every_instance_of_a_service_is_listed(tmp_path: Path) -> None:
    servers = filled(tmp_path, TRIVET_INSTANCES="3", KB_PORT="8739")["KB_SERVERS"]
    assert [line.split()[1] for line in servers.splitlines()] == [
        "127.0.0.1:8739",
        "127.0.0.1:9739",
        "127.0.0.1:10739",
    ]
    assert servers.count("max_fails=0;") == 3


def test_http2_is_asked_for_in_the_words_of_the_version(tmp_path: Path) -> None:
    old = filled_for((1, 22, 1), tmp_path, DOMAIN="a.example")
    new = filled_for((1, 27, 0), tmp_path, DOMAIN="a.example")
    assert old["LISTEN_HTTPS"].endswith("443 ssl http2;")
    assert old["HTTP2_LINE"].startswith("#")
    assert new["LISTEN_HTTPS"].endswith("443 ssl;")
    assert new["HTTP2_LINE"] == "http2 on;"


def test_a_usual_port_is_not_written_into_redirects(tmp_path: Path) -> None:
    assert filled(tmp_path, DOMAIN="a.example")["HTTPS_ORIGIN"] == "a.example"
    other = filled(tmp_path, DOMAIN="a.example", TRIVET_HTTPS_PORT="8443")
    assert other["HTTPS_ORIGIN"] == "a.example:8443"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up root")
def test_workers_give_up_root_where_they_can_still_read(tmp_path: Path) -> None:
    open_folder = Path("/usr/share")
    assert user_line([open_folder]).split()[1] in {"www-data;", "www-data", "nginx", "nobody"}
    assert user_line([open_folder]) != user_line([tmp_path])  # pytest's folders are private


def test_a_refused_configuration_leaves_the_old_one_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    nginx = Nginx(settings, write_pages(tmp_path))
    assert nginx.prepare()
    kept = (settings.run / "nginx/configuration/nginx.conf").read_text()
    broken = tmp_path / "templates"
    render_tree(NGINX_TEMPLATES, broken, filled(tmp_path))
    (broken / "conf.d" / "bad.conf").write_text("no_such_directive on;\n")
    monkeypatch.setattr("scripts.stack.nginx.NGINX_TEMPLATES", broken)
    with pytest.raises(Problem, match="no_such_directive"):
        nginx.prepare()
    assert (settings.run / "nginx/configuration/nginx.conf").read_text() == kept


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    nginx = Nginx(settings_of(tmp_path), write_pages(tmp_path))
    assert nginx.prepare()
    assert not nginx.prepare()


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    port = str(free_port())
    first = Nginx(settings_of(tmp_path / "a", TRIVET_HTTP_PORT=port), write_pages(tmp_path))
    second = Nginx(settings_of(tmp_path / "b", TRIVET_HTTP_PORT=port), write_pages(tmp_path))
    first.prepare()
    second.prepare()
    first.start()
    try:
        with pytest.raises(Problem, match=r"98: Address (already )?in use"):
            second.start()
    finally:
        first.stop()
    assert first.pid() is None


@pytest.mark.parametrize("more", [{}, {"DOMAIN": "localhost", "TRIVET_PREFIX": "/chat/"}])
def test_gixy_finds_nothing(tmp_path: Path, more: dict[str, str]) -> None:
    settings = settings_of(tmp_path, **more)
    Nginx(settings, write_pages(tmp_path)).prepare()
    configuration = settings.run / "nginx" / "configuration" / "nginx.conf"
    gixy = Path(sys.executable).with_name("gixy")
    done = subprocess.run(
        [gixy, "--format", "json", "--skips", ",".join(FALSE_ALARMS), configuration],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert [(issue["plugin"], issue["summary"], issue.get("config")) for issue in found] == []


def test_no_location_adds_headers_of_its_own() -> None:
    for path in NGINX_TEMPLATES.rglob("*.conf"):
        for line in path.read_text().splitlines():
            if line.startswith((" ", "\t")):
                assert not line.strip().startswith(("add_header", "proxy_set_header")), path
