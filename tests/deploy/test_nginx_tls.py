"""With a domain the site is HTTPS only."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.stack import settings as stack_settings
from scripts.stack.certificates import certificate_of, days_left
from scripts.stack.console import Problem
from scripts.stack.nginx import Nginx
from tests.deploy.site import Site, environ_of, site, write_pages
from tests.support.ports import free_port

DOMAIN = "localhost"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """nginx with a domain, a self-signed certificate, and free ports for 80 and 443."""
    domain = {
        "DOMAIN": DOMAIN,
        "TRIVET_REDIRECT_PORT": str(free_port()),
        "TRIVET_HTTPS_PORT": str(free_port()),
        "TRIVET_PREFIX": "/~temp/mogine_agent/",
    }
    with site(tmp_path_factory.mktemp("secure"), domain) as found:
        yield found


def trusting(found: Site) -> ssl.SSLContext:
    """A client that trusts the site's own certificate, and nothing else."""
    certificate = certificate_of(found.settings)
    assert certificate is not None
    return ssl.create_default_context(cafile=str(certificate.chain))


def https(found: Site) -> str:
    return f"https://{DOMAIN}:{found.settings.https_port}"


def test_pages_and_services_are_reached_over_https(secure: Site) -> None:
    with httpx.Client(verify=trusting(secure)) as client:
        assert "chat" in client.get(https(secure) + secure.prefix).text
        answer = client.get(f"{https(secure)}{secure.prefix}api/search").json()
    assert answer["headers"]["x-forwarded-proto"] == "https"


def test_browsers_are_told_to_stay_with_https(secure: Site) -> None:
    with httpx.Client(verify=trusting(secure)) as client:
        for path in (secure.prefix, "/nothing"):
            headers = client.get(https(secure) + path).headers
            assert headers["strict-transport-security"] == "max-age=63072000"


@pytest.mark.parametrize("path", ["/", "/~temp/mogine_agent/api/search?q=%E4%BD%A0&top_k=3"])
def test_plain_http_sends_on_to_the_domain_whatever_the_host_header_says(
    secure: Site, path: str
) -> None:
    origin = f"http://127.0.0.1:{secure.settings.redirect_port}"
    answer = httpx.get(origin + path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (308, https(secure) + path)


def test_plain_http_on_the_tls_port_is_sent_on(secure: Site) -> None:
    answer = httpx.get(f"http://127.0.0.1:{secure.settings.https_port}{secure.prefix}")
    assert (answer.status_code, answer.headers["location"]) == (308, https(secure) + secure.prefix)


def test_certificate_challenges_are_answered_over_plain_http(secure: Site) -> None:
    challenge = secure.settings.run / "acme" / ".well-known" / "acme-challenge" / "token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("proof")
    origin = f"http://127.0.0.1:{secure.settings.redirect_port}"
    assert httpx.get(f"{origin}/.well-known/acme-challenge/token").text == "proof"


def test_http2_is_offered(secure: Site) -> None:
    context = trusting(secure)
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert _handshake(secure, context)[1] == "h2"


def test_nothing_older_than_tls_1_3_is_spoken(secure: Site) -> None:
    assert _handshake(secure, trusting(secure))[0] == "TLSv1.3"
    old = trusting(secure)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        _handshake(secure, old)


def _handshake(found: Site, context: ssl.SSLContext) -> tuple[str | None, str | None]:
    """The version of TLS and the protocol that both sides settle on."""
    with (
        socket.create_connection(("127.0.0.1", found.settings.https_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=DOMAIN) as wrapped,
    ):
        return wrapped.version(), wrapped.selected_alpn_protocol()


def test_the_self_signed_key_is_the_owners_alone_and_is_made_once(tmp_path: Path) -> None:
    settings = stack_settings.read(environ_of(tmp_path, DOMAIN="chat.example"))
    first = certificate_of(settings)
    assert first is not None
    assert first.key.stat().st_mode & 0o777 == 0o600
    made = first.chain.read_bytes()
    assert certificate_of(settings) == first
    assert first.chain.read_bytes() == made
    assert 300 < days_left(first.chain) <= 365


def test_a_renewed_certificate_makes_another_configuration(tmp_path: Path) -> None:
    settings = stack_settings.read(environ_of(tmp_path, DOMAIN="chat.example"))
    nginx = Nginx(settings, write_pages(tmp_path))
    nginx.prepare()
    made = certificate_of(settings)
    assert made is not None
    made.chain.unlink()
    assert nginx.prepare()
    assert not nginx.prepare()


def test_a_certificate_of_ones_own_is_used(tmp_path: Path) -> None:
    made = certificate_of(stack_settings.read(environ_of(tmp_path, DOMAIN="chat.example")))
    assert made is not None
    given = {"TRIVET_TLS_CERTIFICATE": str(made.chain), "TRIVET_TLS_KEY": str(made.key)}
    settings = stack_settings.read(environ_of(tmp_path, DOMAIN="other.example", **given))
    assert certificate_of(settings) == made


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"TRIVET_TLS_KEY": "a.key", "DOMAIN": "a.example"}, "belong together"),
        ({"TRIVET_TLS_CERTIFICATE": "a.crt", "TRIVET_TLS_KEY": "a.key"}, "DOMAIN"),
        (
            {"TRIVET_TLS_CERTIFICATE": "no", "TRIVET_TLS_KEY": "no", "DOMAIN": "a.example"},
            "names no file",
        ),
    ],
)
def test_half_a_certificate_is_refused_with_a_way_out(
    tmp_path: Path, given: dict[str, str], words: str
) -> None:
    with pytest.raises(Problem, match=words):
        stack_settings.read(environ_of(tmp_path, **given))
