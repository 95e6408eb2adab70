"""One error body on every route of every service, and the order of the checks."""

from typing import Any

import httpx

from services.kernel.auth import Access
from tests.contract.conftest import Service

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "payload_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "internal_error",
    502: "proxy_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def error_of(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"].startswith("application/json"), response.text
    error: dict[str, Any] = response.json()["error"]
    assert {"message", "type", "code", "request_id"} <= error.keys()
    assert error.keys() <= {"message", "type", "code", "request_id", "param", "provider"}
    assert error["code"] == response.status_code
    assert error["type"] == TYPES[response.status_code]
    assert error["request_id"] == response.headers["x-request-id"]
    return error


def test_an_unknown_path_is_404_whoever_asks(service: Service) -> None:
    for headers in ({}, service.admin):
        for path in ("/api/nothing", "/nothing/at/all", "/v1"):
            response = service.client.get(path, headers=headers)
            assert response.status_code == 404
            error_of(response)


def test_a_wrong_method_is_405_and_names_the_right_ones(service: Service) -> None:
    for item in service.app.operations:
        response = service.client.request("TRACE", service.url(item))
        assert response.status_code == 405, item.path
        assert item.method in response.headers["allow"]
        error_of(response)


def test_a_closed_call_is_401_before_its_body_is_looked_at(service: Service) -> None:
    closed = [item for item in service.app.operations if item.access is not Access.PUBLIC]
    for item in closed:
        response = service.client.request(item.method, service.url(item), content=b"\xff rubbish")
        assert response.status_code == 401, f"{item.method} {item.path}"
        error_of(response)


def test_a_credential_that_nobody_issued_is_401_everywhere(service: Service) -> None:
    for item in service.app.operations:
        headers = {"Authorization": "Bearer sk-test-not-a-key"}
        response = service.client.request(item.method, service.url(item), headers=headers)
        assert response.status_code == 401, f"{item.method} {item.path}"
        error_of(response)


def test_bad_json_is_400_and_a_wrong_shape_is_an_error_of_the_caller(service: Service) -> None:
    for item in (item for item in service.app.operations if item.body is not None):
        for content in (b"", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 5000):
            response = service.client.request(
                item.method, service.url(item), content=content, headers=service.admin
            )
            assert response.status_code == 400, f"{item.method} {item.path} {content[:9]!r}"
            error_of(response)
        for content in (b"[]", b"null", b'"text"', b"7"):
            response = service.client.request(
                item.method, service.url(item), content=content, headers=service.admin
            )
            assert response.status_code in (400, 404, 422), f"{item.path} {content!r}"
            error_of(response)


def test_a_body_over_the_limit_is_413(service: Service) -> None:
    for item in (item for item in service.app.operations if item.body is not None):
        content = b'{"x": "' + b"x" * 200_001 + b'"}'
        response = service.client.request(
            item.method, service.url(item), content=content, headers=service.admin
        )
        assert response.status_code == 413, f"{item.method} {item.path}"
        error_of(response)


def test_health_and_description_are_there(service: Service) -> None:
    assert service.client.get("/livez").json()["status"] == "ok"
    ready = service.client.get("/readyz")
    assert ready.json()["status"] in ("ok", "degraded", "unavailable")
    assert set(ready.json()) == {"status", "service", "version", "checks"}
    assert "trivet_request_duration_seconds" in service.client.get("/metrics").text
    document = service.client.get("/openapi.json").json()
    described = {(m.upper(), p) for p, ms in document["paths"].items() for m in ms}
    assert len(described) == len(service.app.operations)
