"""Every path of the contract reaches its service, without the prefix; nothing else does."""

import json

import httpx
import pytest

from tests.deploy.site import Site
from tests.support.wait import until

ROUTES = [
    ("v1/models", "llm_proxy"),
    ("v1/embeddings", "llm_proxy"),
    ("api/llm/doubao", "llm_proxy"),
    ("api/llm/dashscope/apps/abc/completion", "llm_proxy"),
    ("api/llm/keys", "llm_proxy"),
    ("api/session", "llm_proxy"),
    ("api/v1/workflow/tasks", "llm_proxy"),
    ("api/v1/bbr/generate", "llm_proxy"),
    ("api/v1/manual/sessions", "llm_proxy"),
    ("services/llm_proxy/readyz", "llm_proxy"),
    ("api/search", "kb"),
    ("api/company_info", "kb"),
    ("api/collections", "kb"),
    ("api/documents", "kb"),
    ("api/documents/some-id", "kb"),
    ("api/jobs/some-id", "kb"),
    ("api/evaluate", "kb"),
    ("api/v1/poems", "kb"),
    ("api/v1/poems/3/translations", "kb"),
    ("api/passages", "kb"),
    ("services/kb/livez", "kb"),
    ("services/kb/settings", "kb"),
    ("api/analytics/health", "analytics"),
    ("api/analytics/live", "analytics"),
    ("api/analytics/export", "analytics"),
    ("api/analytics/conversations", "analytics"),
    ("api/v1/statistics/dashboard", "analytics"),
    ("services/analytics/openapi.json", "analytics"),
]


@pytest.mark.parametrize(("path", "service"), ROUTES)
def test_each_path_reaches_its_service_without_the_prefix(
    door: Site, path: str, service: str
) -> None:
    answer = httpx.get(door.url(path)).json()
    inner = path.rpartition("/")[2] if path.startswith("services/") else path
    assert (answer["service"], answer["path"]) == (service, f"/{inner}")


def test_methods_queries_and_slashes_at_the_end_are_passed_on(door: Site) -> None:
    answer = httpx.post(door.url("api/search/?q=如何备份&top_k=3"), json={"a": 1}).json()
    assert answer["method"] == "POST"
    assert answer["path"] == "/api/search/"
    assert answer["query"] == "q=%E5%A6%82%E4%BD%95%E5%A4%87%E4%BB%BD&top_k=3"
    assert answer["body_bytes"] == len(b'{"a":1}')


@pytest.mark.parametrize(
    "path", ["metrics", "services/kb/metrics", "services/other/readyz", "api/unknown", "nothing"]
)
def test_what_is_not_shown_outside_is_not_found(door: Site, path: str) -> None:
    answer = httpx.get(door.url(path))
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found_error"


def test_pages_are_served_under_the_prefix(door: Site) -> None:
    assert "chat" in httpx.get(door.url("")).text
    assert "console" in httpx.get(door.url("console/")).text
    assert (
        httpx.get(door.url("assets/chat-abc123.js"))
        .headers["content-type"]
        .startswith("text/javascript")
    )


def test_a_missing_slash_is_put_right(door: Site) -> None:
    answer = httpx.get(door.url("console"))
    assert (answer.status_code, answer.headers["location"]) == (308, f"{door.prefix}console/")
    if door.prefix != "/":
        answer = httpx.get(door.origin + door.prefix.rstrip("/"))
        assert (answer.status_code, answer.headers["location"]) == (308, door.prefix)


def test_nothing_lies_beside_the_prefix(door: Site) -> None:
    if door.prefix == "/":
        pytest.skip("everything lies under /")
    for path in ("/", "/v1/models", "/api/search", "/console/"):
        assert httpx.get(door.origin + path).status_code == 404


def test_files_whose_names_begin_with_a_dot_are_not_served(door: Site) -> None:
    assert httpx.get(door.url(".trivet-built")).status_code == 404


def test_hashed_files_are_kept_for_ever_and_pages_are_not(door: Site) -> None:
    asset = httpx.get(door.url("assets/chat-abc123.js"))
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert httpx.get(door.url("")).headers["cache-control"] == "no-cache"
    assert httpx.get(door.url("assets/missing.js")).headers["cache-control"] == "no-store"
    assert "cache-control" not in httpx.get(door.url("api/search")).headers


def test_pages_are_compressed_and_streams_never(door: Site) -> None:
    asset = httpx.get(door.url("assets/chat-abc123.js"), headers={"Accept-Encoding": "gzip"})
    assert asset.headers["content-encoding"] == "gzip"
    door.upstreams["llm_proxy"].gate.set()
    stream = httpx.post(
        door.url("v1/chat/completions"), content=b"{}", headers={"Accept-Encoding": "gzip"}
    )
    assert "content-encoding" not in stream.headers
    door.upstreams["llm_proxy"].gate.clear()


def test_the_access_log_is_json_with_the_request_id_and_without_the_query(door: Site) -> None:
    request_id = "access-log-test-0001"
    url = door.url('api/search?q=a"secret\\question')
    httpx.get(url, headers={"X-Request-ID": request_id})

    def line() -> dict[str, object] | None:
        lines = [json.loads(text) for text in door.access_log.read_text().splitlines()]
        return next((entry for entry in lines if entry["request_id"] == request_id), None)

    entry = until(line, what="the request is in the access log")
    assert entry is not None
    assert entry["path"] == f"{door.prefix}api/search"
    assert (entry["status"], entry["method"]) == (200, "GET")
    assert "question" not in door.access_log.read_text()
