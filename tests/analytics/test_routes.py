"""Each route: who may use it, and what it says to bad input."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.analytics.conftest import Service
from tests.analytics.making import chat

pytestmark = pytest.mark.process

AT = "/api/analytics"
OPEN = [("GET", f"{AT}/health"), ("POST", f"{AT}/feedback")]
FOR_NEIGHBOURS = [("POST", f"{AT}/events")]
FOR_ADMINISTRATORS = [
    ("GET", f"{AT}/statistics"),
    ("GET", f"{AT}/queries"),
    ("GET", f"{AT}/export"),
    ("POST", f"{AT}/cleanup"),
]
WITH_BODY = [f"{AT}/events", f"{AT}/feedback", f"{AT}/cleanup"]


def assert_error(response: Any, status: int, kind: str, param: str | None = None) -> None:
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert (error["type"], error["code"]) == (kind, status)
    assert error["request_id"] == response.headers["x-request-id"]
    assert error.get("param") == param


@pytest.mark.parametrize(("method", "path"), FOR_NEIGHBOURS + FOR_ADMINISTRATORS)
def test_a_stranger_is_refused_before_the_body_is_looked_at(
    shared: Service, method: str, path: str
) -> None:
    credentials: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer wrong"},
        {"x-api-key": "anonymous"},
    ]
    for headers in credentials:
        answer = shared.visitor.request(method, path, content=b"{", headers=headers)
        assert_error(answer, 401, "authentication_error")


@pytest.mark.parametrize(("method", "path"), FOR_ADMINISTRATORS)
def test_a_neighbour_is_no_administrator(shared: Service, method: str, path: str) -> None:
    assert_error(shared.neighbour.request(method, path), 403, "permission_error")


def test_an_administrator_may_send_events(shared: Service) -> None:
    answer = shared.administrator.post(f"{AT}/events", json={"events": [chat()]})
    assert answer.json()["accepted"] == 1


@pytest.mark.parametrize("path", WITH_BODY)
def test_what_is_no_json_is_400(shared: Service, path: str) -> None:
    for content in (b"", b"{", b"\xff\xfe", b"{'a': 1}"):
        answer = shared.administrator.post(path, content=content)
        assert_error(answer, 400, "invalid_request_error")


@pytest.mark.parametrize("path", WITH_BODY)
def test_json_of_another_shape_is_422(shared: Service, path: str) -> None:
    for content in (b"[]", b"3", b"null", b'"text"', b"{}"):
        answer = shared.administrator.post(path, content=content)
        assert answer.status_code == 422
        assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(("method", "path"), OPEN + FOR_NEIGHBOURS + FOR_ADMINISTRATORS)
def test_a_wrong_method_is_405(shared: Service, method: str, path: str) -> None:
    answer = shared.administrator.request("DELETE", path)
    assert_error(answer, 405, "invalid_request_error")
    assert method in answer.headers["allow"]


def test_a_body_over_the_limit_is_413(shared: Service) -> None:
    content = b'{"events": [' + b" " * (21 * 1024**2) + b"]}"
    answer = shared.neighbour.post(f"{AT}/events", content=content)
    assert_error(answer, 413, "payload_too_large")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"events": "all"}, "events"),
        ({"events": {"0": {}}}, "events"),
        ({"events": [{}] * 1_001}, "events"),
        ({"event": []}, "events"),
    ],
)
def test_a_batch_of_events_that_is_none(
    shared: Service, body: Mapping[str, object], param: str
) -> None:
    answer = shared.neighbour.post(f"{AT}/events", json=body)
    assert_error(answer, 422, "invalid_request_error", param)


def test_no_events_are_fine(shared: Service) -> None:
    assert shared.send() == {"accepted": 0, "duplicates": 0, "rejected": []}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"request_id": "r"}, "rating"),
        ({"request_id": "", "rating": "up"}, "request_id"),
        ({"request_id": "r" * 129, "rating": "up"}, "request_id"),
        ({"request_id": 7, "rating": "up"}, "request_id"),
        ({"request_id": "r", "rating": 5}, "rating"),
        ({"request_id": "r", "rating": "up", "comment": "x" * 2_001}, "comment"),
    ],
)
def test_a_vote_that_is_none(shared: Service, body: Mapping[str, object], param: str) -> None:
    answer = shared.visitor.post(f"{AT}/feedback", json=body)
    assert_error(answer, 422, "invalid_request_error", param)
    assert shared.queries(kind="feedback") == []


BAD_FILTERS = [
    ("kind", "nonsense"),
    ("status", "99"),
    ("status", "fine"),
    ("service", ""),
    ("model", "m" * 129),
    ("text", ""),
    ("text", "x" * 201),
    ("date_from", "yesterday"),
    ("date_from", "2026-13-01"),
    ("date_to", "2026-11-21T25:00:00Z"),
    ("date_to", "9" * 41),
]


@pytest.mark.parametrize("path", ["queries", "export"])
@pytest.mark.parametrize(("name", "value"), BAD_FILTERS)
def test_a_filter_that_is_none(shared: Service, path: str, name: str, value: str) -> None:
    answer = shared.administrator.get(f"{AT}/{path}", params={name: value})
    assert answer.status_code == 422
    assert answer.json()["error"]["param"].startswith(name)


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("queries", "limit", "0"),
        ("queries", "limit", "1001"),
        ("queries", "limit", "many"),
        ("queries", "cursor", "nonsense"),
        ("queries", "cursor", "1-"),
        ("queries", "cursor", f"{'9' * 19}-1"),
        ("export", "format", "xlsx"),
        ("statistics", "days", "0"),
        ("statistics", "days", "-1"),
        ("statistics", "days", "3661"),
        ("statistics", "days", "many"),
        ("statistics", "tz", "Mars/Olympus"),
        ("statistics", "tz", "../../etc/passwd"),
        ("statistics", "tz", "Asia"),
        ("statistics", "tz", "\0"),
        ("statistics", "tz", ""),
        ("statistics", "tz", "x" * 65),
        ("statistics", "group_by", "minute"),
    ],
)
def test_a_parameter_that_is_none(shared: Service, path: str, name: str, value: str) -> None:
    answer = shared.administrator.get(f"{AT}/{path}", params={name: value})
    assert_error(answer, 422, "invalid_request_error", name)
    assert "passwd" not in answer.text or "/usr" not in answer.text


def test_hours_are_told_for_a_quarter_at_most(shared: Service) -> None:
    params = {"days": "93", "group_by": "hour"}
    answer = shared.administrator.get(f"{AT}/statistics", params=params)
    assert_error(answer, 422, "invalid_request_error", "days")
    assert shared.statistics(days=92, group_by="hour")["series"]


def test_an_unknown_path_is_404_whoever_asks(shared: Service) -> None:
    for client in (shared.visitor, shared.administrator):
        assert_error(client.get(f"{AT}/nonsense"), 404, "not_found_error")


def test_paths_end_with_a_slash_or_not(shared: Service) -> None:
    assert shared.visitor.get(f"{AT}/health/").json()["status"] == "ok"


def test_anyone_may_see_the_health(service: Service) -> None:
    service.send(chat(), chat())
    health = service.visitor.get(f"{AT}/health").json()
    assert health.pop("size_bytes") > 10_000
    assert health == {
        "status": "ok",
        "rows": 2,
        "waiting_events": 0,
        "writer_lag_seconds": 0.0,
    }


def test_readiness_names_the_database_and_the_writer(shared: Service) -> None:
    report = shared.visitor.get("/readyz").json()
    assert report["status"] == "ok"
    assert set(report["checks"]) == {"database", "writer"}


def test_each_route_is_described(shared: Service) -> None:
    paths = shared.visitor.get("/openapi.json").json()["paths"]
    for method, path in OPEN + FOR_NEIGHBOURS + FOR_ADMINISTRATORS:
        assert paths[path][method.lower()]["summary"]
