"""Calls between neighbours, against real servers."""

from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.kernel import errors
from services.kernel.http_client import NeighbourClient
from tests.support.ports import free_port
from tests.support.server import running


async def answer(request: Request) -> Response:
    status = int(request.path_params["status"])
    if status == 200:
        return JSONResponse(dict(request.headers))
    return JSONResponse({"error": {"message": "in its own words"}}, status)


async def silent(_request: Request) -> Response:
    await anyio.sleep(5)
    return Response()


def neighbour() -> Starlette:
    return Starlette(routes=[Route("/silent", silent), Route("/{status}", answer)])


def test_the_token_and_the_request_id_go_along(tmp_path: Path) -> None:
    async def ask(base_url: str) -> dict[str, str]:
        client = NeighbourClient("kb", [base_url], "service-token", timeout_seconds=5)
        response = await client.request("GET", "/200", request_id="request-00001")
        await client.aclose()
        headers: dict[str, str] = response.json()
        return headers

    with running(neighbour()) as base_url:
        headers = anyio.run(ask, base_url)
    assert headers["authorization"] == "Bearer service-token"
    assert headers["x-request-id"] == "request-00001"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/400", errors.InvalidRequest),
        ("/401", errors.UpstreamError),
        ("/404", errors.NotFound),
        ("/409", errors.Conflict),
        ("/413", errors.PayloadTooLarge),
        ("/422", errors.Unprocessable),
        ("/429", errors.RateLimited),
        ("/500", errors.UpstreamError),
        ("/503", errors.Overloaded),
        ("/504", errors.UpstreamTimeout),
        ("/silent", errors.UpstreamTimeout),
    ],
)
def test_every_refusal_becomes_an_error_of_the_contract(path: str, kind: type) -> None:
    async def ask(base_url: str) -> None:
        patience_seconds = 0.3 if path == "/silent" else 30.0  # the others answer when they can
        client = NeighbourClient("kb", [base_url], "t", timeout_seconds=patience_seconds)
        try:
            await client.request("GET", path)
        finally:
            await client.aclose()

    with running(neighbour(), graceful_seconds=1) as base_url, pytest.raises(kind) as caught:
        anyio.run(ask, base_url)
    assert type(caught.value) is kind


def test_an_instance_that_is_down_is_passed_over() -> None:
    async def ask(*base_urls: str) -> int:
        client = NeighbourClient("kb", base_urls, "t", timeout_seconds=2)
        try:
            return (await client.request("GET", "/200")).status_code
        finally:
            await client.aclose()

    dead = f"http://127.0.0.1:{free_port()}"
    with running(neighbour()) as base_url:
        assert anyio.run(ask, dead, base_url) == 200
    with pytest.raises(errors.Overloaded):
        anyio.run(ask, dead, dead)
