"""A failed call is tried again where that can help, and only there."""

from itertools import pairwise
from typing import Any

import pytest
import yaml

from services.llm_proxy.providers.failure import told_wait
from tests.llm_proxy.conftest import Gateway, events_of, running_gateway, text_of
from tests.llm_proxy.resilience.conftest import QUICK_RETRY, Site
from tests.llm_proxy.scripted import (
    breaks_before_output,
    breaks_midway,
    breaks_when_told,
    fails,
    waits,
)
from tests.llm_proxy.test_disconnect import Caller
from tests.llm_proxy.test_faults import TABLES
from tests.mock_vendor import Vendor
from tests.support.wait import until

pytestmark = pytest.mark.process

ATTEMPTS = QUICK_RETRY["attempts"]
PERMANENT = {"QuotaExceeded", "SetLimitExceeded", "PrepaidBillOverdue", "insufficient_quota"}


def attempts_for(status: int, code: str) -> int:
    """How often a vendor may be asked that answers so."""
    if code in PERMANENT or status in (400, 401, 402, 403, 404, 413, 422):
        return 1
    return int(ATTEMPTS)


@pytest.fixture(scope="module")
def retrying(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The vendors' gateway with retries on."""
    with running_gateway(tmp_path_factory.mktemp("retrying"), vendor) as gateway:
        path = gateway.folder / "models.yaml"
        models = yaml.safe_load(path.read_text())
        for provider in models["providers"].values():
            provider |= {"retry": QUICK_RETRY, "cooldown": {"failures": 1000}}
        path.write_text(yaml.safe_dump(models, sort_keys=False))
        gateway.app.state.catalog.refresh()
        yield gateway


def arrived(gateway: Gateway, response: Any) -> int:
    """How many calls upstream one of ours became."""
    wanted = response.headers["x-request-id"]
    return sum(seen.headers["x-request-id"] == wanted for seen in gateway.vendor.requests)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("provider", "code", "status"), TABLES)
def test_each_error_of_the_vendors_tables_is_retried_or_not(
    retrying: Gateway, provider: str, code: str, status: int, stream: bool
) -> None:
    assert retrying.chat(f"{provider}/words", stream=stream).status_code == 200  # the key is good
    response = retrying.chat(f"{provider}/fail:code={code}:as={stream}", stream=stream)
    assert response.status_code >= 400
    assert arrived(retrying, response) == attempts_for(status, code)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("behaviour", ["garbage", "notjson", "empty", "html", "cut:after=0"])
def test_an_answer_that_makes_no_sense_is_asked_for_again(
    retrying: Gateway, behaviour: str, stream: bool
) -> None:
    response = retrying.chat(f"openai/{behaviour}", stream=stream)
    assert response.status_code == 502
    assert arrived(retrying, response) == ATTEMPTS


@pytest.mark.parametrize("code", ["server_error", "rate_limit_exceeded"])
def test_an_error_told_within_a_stream_that_said_nothing_yet_is_retried(
    retrying: Gateway, code: str
) -> None:
    response = retrying.chat(f"openai/error_event:code={code}", stream=True)
    assert arrived(retrying, response) == ATTEMPTS


@pytest.mark.parametrize("behaviour", ["cut:after=2", "truncated:after=2", "error_event:after=2"])
def test_what_has_begun_is_never_begun_anew(retrying: Gateway, behaviour: str) -> None:
    response = retrying.chat(f"openai/{behaviour}", stream=True)
    assert arrived(retrying, response) == 1
    assert [name for name, _ in events_of(response)].count("error") == 1
    assert ("message", "[DONE]") not in events_of(response)


def test_what_began_after_a_heartbeat_is_never_begun_anew(site: Site) -> None:
    model = site.name()
    breaking, begin, end = breaks_when_told()
    waiting, head = waits(breaking)
    site.upstream.will(model, waiting)
    with (
        site.gateway.client() as client,
        client.stream(
            "POST", "/v1/chat/completions", json=site.body(f"one/{model}", stream=True)
        ) as response,
    ):
        pieces = response.iter_raw()
        assert next(pieces).startswith(b": keep-alive\n\n")
        head.open()
        until(lambda: begin.loop is not None, 5, "the head is sent")
        assert next(pieces).startswith(b": keep-alive\n\n")
        begin.open()
        said = next(piece for piece in pieces if b"Hel" in piece)
        end.open()
        said += b"".join(pieces)
    assert said.count(b"Hel") == 1
    assert b"event: error" in said
    attributes = site.attributes_of(response)
    assert attributes["trivet.attempts"] == 1
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0


@pytest.mark.parametrize("stream", [False, True])
def test_the_caller_sees_nothing_of_attempts_that_failed(site: Site, stream: bool) -> None:
    model = site.name()
    first = breaks_before_output if stream else fails(500)
    site.upstream.will(model, first, fails(503))
    response = site.chat(f"one/{model}", stream=stream)
    assert response.status_code == 200
    assert response.content.count(b"Hello") == 1
    assert site.models_of(response) == [model] * 3
    assert response.headers["x-trivet-model"] == f"one/{model}"
    attributes = site.attributes_of(response)
    assert attributes["trivet.attempts"] == 3
    assert attributes["trivet.end_reason"] == "complete"
    assert "trivet.fallback_from" not in attributes


def test_the_last_error_is_told_when_no_attempt_is_left(site: Site) -> None:
    model = site.name()
    site.upstream.will(model, fails(500), fails(503), fails(504), fails(500))
    response = site.chat(f"one/{model}")
    assert response.status_code == 504
    assert response.json()["error"]["provider"] == "one"
    assert len(site.models_of(response)) == 3


def test_a_request_at_fault_goes_straight_back_though_another_attempt_was_made(site: Site) -> None:
    model = site.name()
    site.upstream.will(model, fails(500), fails(422))
    response = site.chat(f"one/{model}")
    assert response.status_code == 422
    assert len(site.models_of(response)) == 2


@pytest.mark.parametrize("headers", [{"retry_after_ms": "150"}, {"retry_after": "0.15"}])
@pytest.mark.parametrize("status", [429, 503])
def test_a_vendors_wish_to_be_left_alone_is_obeyed(
    site: Site, status: int, headers: dict[str, str]
) -> None:
    model = site.name()
    site.upstream.will(model, fails(status, **headers))
    assert site.chat(f"one/{model}").status_code == 200
    times = [call.at for call in site.upstream.calls if call.model == model]
    assert [later - earlier >= 0.15 for earlier, later in pairwise(times)] == [True]


def test_a_wish_for_longer_than_a_caller_waits_goes_straight_back(site: Site) -> None:
    model = site.name()
    site.upstream.will(model, fails(429, retry_after="30"))
    response = site.chat(f"one/{model}")
    assert response.status_code == 429
    assert response.headers["retry-after"] == "30"
    assert len(site.models_of(response)) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({b"retry-after": b"7"}, 7),
        ({b"retry-after": b"1.5"}, 1.5),
        ({b"retry-after-ms": b"250", b"retry-after": b"9"}, 0.25),
        ({b"retry-after": b"Fri, 31 Dec 1999 23:59:59 GMT"}, 0),
        ({b"retry-after": b"Fri, 31 Dec 9999 23:59:59 GMT"}, 86400),
        ({b"retry-after": b"soon"}, None),
        ({b"retry-after": b"-1"}, None),
        ({b"retry-after": b"inf"}, None),
        ({b"retry-after": b"\xff"}, None),
        ({}, None),
    ],
)
def test_the_wish_is_read_in_each_of_its_forms(
    headers: dict[bytes, bytes], seconds: float | None
) -> None:
    assert told_wait(headers) == seconds


def test_hearts_beat_while_an_attempt_is_waited_for(site: Site) -> None:
    model = site.name()
    site.upstream.will(model, fails(429, retry_after_ms="250"))
    response = site.chat(f"one/{model}", stream=True)
    assert response.content.startswith(b": keep-alive\n\n")
    assert text_of(response) == "Hello"
    assert "x-trivet-model" not in response.headers  # the headers went before it was known


def test_an_error_after_such_a_heartbeat_is_an_event(site: Site) -> None:
    model = site.name()
    site.upstream.will(model, fails(429, retry_after_ms="250"), fails(400))
    response = site.chat(f"one/{model}", stream=True)
    assert response.status_code == 200
    [(name, data)] = events_of(response)
    assert name == "error"
    assert data["error"]["code"] == 400


@pytest.mark.parametrize("stream", [True, False])
def test_a_caller_who_leaves_during_the_wait_ends_it(site: Site, stream: bool) -> None:
    site.configure(providers={"one": {"retry": {"max_delay_seconds": 60}}})
    model = site.name()
    site.upstream.will(model, fails(429, retry_after="50"))
    body = site.body(f"one/{model}", stream=stream)
    caller = Caller(site.gateway, "/v1/chat/completions", body)
    until(lambda: site.upstream.calls, 5, "the first attempt")
    [seen] = site.upstream.calls
    caller.leave()
    attributes = site.gateway.neighbours.event_of(seen.request_id)["attributes"]
    assert attributes["trivet.end_reason"] == "client_disconnect"
    assert attributes["trivet.attempts"] == 1
    assert len(site.upstream.calls) == 1


def test_a_stream_that_broke_off_counts_against_its_deployment(site: Site) -> None:
    model = site.name()
    site.configure(deployments={"name": [{"model": f"one/{model}"}]})
    site.upstream.will(model, breaks_midway)
    response = site.chat("name", stream=True)
    assert text_of(response) == "Hel"
    assert events_of(response)[-1][0] == "error"
    assert site.attributes_of(response)["trivet.end_reason"] == "truncated"
    assert site.deployment("one", model)["failures"] == 1
