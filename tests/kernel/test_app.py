"""What `build_app` gives to every service, over real sockets."""

import logging
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from services.kernel.app import Application, build_app
from services.kernel.auth import Access
from services.kernel.database import open_engine, write
from services.kernel.health import Check
from services.kernel.routing import Call, operation, raw_operation
from services.kernel.settings import CommonSettings, read_settings
from tests.support.server import running

CANARY = "canary-not-a-key"


class Times(BaseModel):
    times: int = Field(1, ge=1, le=3)
    word: list[str] = []


class Greeting(BaseModel):
    name: str


async def greet(call: Call[dict[str, Check]], query: Times, body: Greeting) -> Greeting:
    """Greets"""
    return Greeting(name=body.name * query.times + "".join(query.word))


async def fail(_call: Call[Any]) -> Greeting:
    """Fails"""
    raise RuntimeError(CANARY)


async def who(call: Call[Any]) -> dict[str, Any]:
    """Who is calling"""
    context = call.context
    return {
        "caller": call.caller.kind,
        "client": context.client,
        "visitor": context.visitor_id,
        "session": call.session_id,
    }


async def write_beside_another(_call: Call[Any]) -> Greeting:
    """Finds the database taken"""
    with tempfile.TemporaryDirectory() as folder:
        one, other = (open_engine(Path(folder) / "x.db") for _ in range(2))
        with other.connect() as impatient, write(one):
            impatient.exec_driver_sql("PRAGMA busy_timeout=0")
            impatient.exec_driver_sql("CREATE TABLE n (value INTEGER)")
    return Greeting(name="never")


async def half_a_stream(_scope: Scope, _receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
    raise RuntimeError(CANARY)


@pytest.fixture
def checks() -> dict[str, Check]:
    return {"engine": Check(True)}


@pytest.fixture
def app(tmp_path: Path, checks: dict[str, Check]) -> Application:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[dict[str, Check]]:
        yield checks

    async def readiness(state: dict[str, Check]) -> dict[str, Check]:
        return state

    environ = {
        "TRIVET_DATA_DIR": str(tmp_path),
        "TRIVET_JSON_BODY_MAX_BYTES": "2000",
        "TRIVET_ALLOWED_ORIGINS": "https://site.example",
    }
    operations = [
        operation("POST", "/greet", greet, access=Access.PUBLIC),
        operation("GET", "/fail", fail, access=Access.PUBLIC),
        operation("GET", "/busy", write_beside_another, access=Access.PUBLIC),
        operation("GET", "/who", who, access=Access.PUBLIC),
        operation("POST", "/admin", who, access=Access.ADMINISTRATOR),
        operation("POST", "/neighbour", who, access=Access.NEIGHBOUR),
        raw_operation(
            "GET", "/half", half_a_stream, access=Access.PUBLIC, summary="Breaks", streams=True
        ),
    ]
    settings = read_settings(CommonSettings, environ)
    return build_app("sample", settings, operations, lifespan, readiness)


@pytest.fixture
def client(app: Application) -> Iterator[httpx.Client]:
    with running(app) as base_url, httpx.Client(base_url=base_url) as client:
        yield client


def error_of(response: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = response.json()["error"]
    assert error["code"] == response.status_code
    assert error["request_id"] == response.headers["x-request-id"]
    assert {"message", "type"} <= error.keys()
    return error


def test_a_call_is_validated_and_answered_with_and_without_a_slash(client: httpx.Client) -> None:
    for path in ("/greet", "/greet/"):
        answer = client.post(f"{path}?times=2&word=a&word=b", content=b'{"name":"hi"}')
        assert answer.json() == {"name": "hihiab"}


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "kind", "param"),
    [
        ("GET", "/nothing", None, 404, "not_found_error", None),
        ("GET", "/greet", None, 405, "invalid_request_error", None),
        ("POST", "/greet", b"{", 400, "invalid_request_error", None),
        ("POST", "/greet", b"\xff", 400, "invalid_request_error", None),
        ("POST", "/greet", b'{"name": NaN}', 400, "invalid_request_error", None),
        ("POST", "/greet", b"[" * 5000, 413, "payload_too_large", None),
        ("POST", "/greet", b"{}", 422, "invalid_request_error", "name"),
        ("POST", "/greet?times=9", b'{"name":"x"}', 422, "invalid_request_error", "times"),
        ("GET", "/fail", None, 500, "internal_error", None),
        ("POST", "/admin", b"rubbish", 401, "authentication_error", None),
    ],
)
def test_bad_calls_get_the_one_error_body(
    client: httpx.Client,
    method: str,
    path: str,
    content: bytes | None,
    status: int,
    kind: str,
    param: str | None,
) -> None:
    response = client.request(method, path, content=content)
    error = error_of(response)
    assert (response.status_code, error["type"], error.get("param")) == (status, kind, param)
    assert CANARY not in response.text


def test_a_body_without_length_is_bounded_too(client: httpx.Client) -> None:
    response = client.post("/greet", content=(b"x" * 500 for _ in range(10)))
    assert error_of(response)["type"] == "payload_too_large"


def test_a_stream_that_breaks_ends_with_an_error_event(client: httpx.Client) -> None:
    response = client.get("/half")
    assert response.text.startswith("data: 1\n\nevent: error\ndata: {")
    assert CANARY not in response.text
    assert "[DONE]" not in response.text


def test_the_log_names_the_place_of_an_error(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        request_id = client.get("/fail").headers["x-request-id"]
    access = next(r for r in caplog.records if r.name == "trivet.access")
    fields = access.fields  # type: ignore[attr-defined]  # set by the middleware
    assert (fields["status"], fields["path"], fields["error"]) == (500, "/fail", "internal_error")
    assert request_id


def test_request_ids_are_kept_when_well_formed(client: httpx.Client) -> None:
    kept = client.get("/livez", headers={"X-Request-ID": "my.id-00001"})
    assert kept.headers["x-request-id"] == "my.id-00001"
    for bad in ("short", "x" * 65, "white space id", "semi;colon;id"):
        made = client.get("/livez", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert made != bad
        assert len(made) == 32


def test_callers_are_told_apart(client: httpx.Client, app: Application) -> None:
    admin = app.settings.admin_token_path.read_text().strip()
    service = app.settings.service_token_path.read_text().strip()

    def status(path: str, **headers: str) -> int:
        return client.post(path, headers=headers).status_code

    assert status("/admin", Authorization=f"Bearer {admin}") == 200
    assert status("/admin", **{"x-api-key": admin}) == 200
    assert status("/admin", Authorization=f"Bearer {service}") == 403
    assert status("/neighbour", Authorization=f"Bearer {service}") == 200
    assert status("/neighbour", Authorization=f"Bearer {admin}") == 200
    assert status("/neighbour", Authorization="Bearer anonymous") == 401
    assert status("/admin", Authorization="Bearer sk-test-not-a-key") == 401
    assert client.get("/who", headers={"x-api-key": "sk-test-not-a-key"}).status_code == 401
    assert client.get("/who", headers={"x-api-key": "anonymous"}).json()["caller"] == "visitor"


def test_a_session_cookie_works_from_our_own_pages_only(
    client: httpx.Client, app: Application
) -> None:
    cookie = f"trivet_session={app.authenticator.sessions.issue()}"
    same = client.post("/admin", headers={"Cookie": cookie, "Sec-Fetch-Site": "same-origin"})
    assert same.json()["caller"] == "administrator"
    for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        answer = client.post("/admin", headers={"Cookie": cookie, **foreign})
        assert error_of(answer)["type"] == "permission_error"
    forged = client.get("/who", headers={"Cookie": cookie[:-2] + "xx"})
    assert forged.json()["caller"] == "visitor"


def test_the_visitor_is_known_by_a_hash_never_by_the_address(client: httpx.Client) -> None:
    headers = {"X-Real-IP": "203.0.113.9", "X-Session-ID": "s-1"}
    first = client.get("/who", headers=headers).json()
    again = client.get("/who", headers=headers).json()
    other = client.get("/who", headers={"X-Real-IP": "203.0.113.10"}).json()
    assert first == again
    assert first["session"] == "s-1"
    assert first["client"] == "203.0.113.9"
    assert first["visitor"] != other["visitor"]
    assert "203" not in first["visitor"]


def test_readiness_tells_degraded_from_unavailable(
    client: httpx.Client, checks: dict[str, Check]
) -> None:
    assert client.get("/readyz").json()["status"] == "ok"
    checks["engine"] = Check(False, "is loading", critical=False)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    checks["engine"] = Check(False, "is down")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")


def test_metrics_count_by_route_template(client: httpx.Client) -> None:
    client.get("/who")
    client.get("/no/such/path")
    text = client.get("/metrics").text
    assert 'route="/who",status="200"' in text
    assert "/no/such" not in text


def test_the_openapi_document_describes_what_is_taken_and_given(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    greeting = document["paths"]["/greet"]["post"]
    assert [p["name"] for p in greeting["parameters"]] == ["times", "word"]
    assert greeting["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert "security" in document["paths"]["/admin"]["post"]
    assert "text/event-stream" in document["paths"]["/half"]["get"]["responses"]["200"]["content"]


def test_cors_is_for_allowed_origins_only(client: httpx.Client) -> None:
    preflight = {"Access-Control-Request-Method": "POST"}
    good = client.options("/greet", headers={"Origin": "https://site.example", **preflight})
    assert good.headers["access-control-allow-origin"] == "https://site.example"
    bad = client.options("/greet", headers={"Origin": "https://evil.example", **preflight})
    assert bad.json()["error"]["type"] == "permission_error"
    assert "access-control-allow-origin" not in bad.headers


def test_a_database_that_another_writes_to_is_no_fault_but_worth_another_try(
    client: httpx.Client,
) -> None:
    answer = client.get("/busy")
    assert answer.status_code == 503
    assert error_of(answer)["type"] == "overloaded_error"
    assert answer.headers["retry-after"] == "1"
