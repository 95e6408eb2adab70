"""Streams pass through piece by piece, and a caller who leaves is noticed."""

import threading

import httpx

from tests.deploy.site import Site


def test_a_piece_arrives_before_the_next_one_is_made(door: Site) -> None:
    upstream = door.upstreams["llm_proxy"]
    upstream.gate.clear()
    with httpx.stream("POST", door.url("v1/chat/completions"), content=b"{}") as answer:
        pieces = answer.iter_raw()
        assert next(pieces) == b"data: first\n\n"
        upstream.gate.set()  # only now may the second piece be made
        assert b"".join(pieces) == b"data: second\n\ndata: [DONE]\n\n"


def test_task_streams_and_job_streams_are_not_held_back(door: Site) -> None:
    for service, path in (
        ("llm_proxy", "api/v1/workflow/tasks/t/stream"),
        ("llm_proxy", "api/v1/bbr/b/stream"),
        ("kb", "api/jobs/j/stream"),
    ):
        upstream = door.upstreams[service]
        upstream.gate.clear()
        with httpx.stream("GET", door.url(path)) as answer:
            assert next(answer.iter_raw()) == b"data: first\n\n"
            upstream.gate.set()


def test_the_service_notices_a_caller_who_leaves(door: Site) -> None:
    upstream = door.upstreams["llm_proxy"]
    upstream.gate.clear()
    upstream.left.clear()
    with httpx.stream("POST", door.url("v1/chat/completions"), content=b"{}") as answer:
        next(answer.iter_raw())
    assert upstream.left.wait(5)


def test_many_streams_flow_at_once(door: Site) -> None:
    upstream = door.upstreams["llm_proxy"]
    upstream.gate.clear()
    first, bodies = threading.Barrier(9), []

    def read() -> None:
        with httpx.stream("POST", door.url("v1/chat/completions"), content=b"{}") as answer:
            pieces = answer.iter_raw()
            body = next(pieces)
            first.wait(10)
            bodies.append(body + b"".join(pieces))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    first.wait(10)
    upstream.gate.set()
    for thread in threads:
        thread.join(10)
    assert bodies == [b"data: first\n\ndata: second\n\ndata: [DONE]\n\n"] * 8
