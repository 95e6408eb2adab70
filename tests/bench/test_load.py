"""The driver as a process, against the upstream alone and through the bare relay and nginx."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.contenders import DIRECT, RELAY, Bed, Contender, DidNotStart, Running, process
from bench.nginx import NGINX
from bench.process import free_port
from tests.bench.support import driven, upstream_process
from tests.support.wait import until

STREAMS = {
    "scenario": "streams",
    "model": "mock+chunks=7",
    "chunks": 7,
    "connections": 3,
    "seconds": 0.2,
    "warm_seconds": 0.05,
}


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    folder = tmp_path_factory.mktemp("bed")
    with upstream_process(folder) as port:
        yield Bed(folder, port)


def job(bed: Bed, running: Running, **more: Any) -> dict[str, Any]:
    common = {"url": running.url, "upstream_port": bed.upstream_port, "pids": running.pids}
    return common | more


@pytest.mark.parametrize("contender", [DIRECT, NGINX, RELAY], ids=lambda item: item.name)
def test_streams_and_calls_come_whole_through_each_contender(
    bed: Bed, contender: Contender
) -> None:
    with contender.start(bed) as running:
        streams = driven(job(bed, running, **STREAMS))
        calls = driven(job(bed, running, scenario="json", connections=3, seconds=0.2))
        left = driven(job(bed, running, scenario="disconnect", streams=2))
        held = driven(
            job(
                bed,
                running,
                scenario="hold",
                model="mock+chunks=3+delay_ms=300",
                chunks=3,
                streams=20,
            )
        )
    assert (streams["errors"], calls["errors"], left["errors"], held["errors"]) == (0, 0, 0, 0)
    assert streams["answers"] and calls["answers"] and left["worst_p99_ms"]
    assert (held["answers"], held["upstream_streams"]) == (20, 20)
    assert (held.get("rss_mb") is None) is (contender is DIRECT)


def test_growth_looks_at_memory_twice_and_counts_every_stream(bed: Bed) -> None:
    with RELAY.start(bed) as running:
        more = {"model": "mock+chunks=2", "chunks": 2, "connections": 4}
        asked = {"scenario": "growth", "streams": 60, "early_streams": 20}
        figures = driven(job(bed, running, **more, **asked))
    assert figures["errors"] == 0
    assert (figures["answers"] or 0) >= 60
    assert figures["growth"] == (figures["late_rss_mb"] or 0) / (figures["early_rss_mb"] or 1)


def test_a_contender_that_refuses_gives_errors_and_no_answers(bed: Bed) -> None:
    refusing = Running(f"http://127.0.0.1:{bed.upstream_port}/nothing-here")
    figures = driven(job(bed, refusing, **STREAMS))
    assert figures["answers"] == 0
    assert (figures["errors"] or 0) > 0
    assert figures["relay_p50_ms"] is None


def test_a_contender_that_is_not_there_gives_errors(bed: Bed) -> None:
    absent = Running(f"http://127.0.0.1:{free_port()}/v1/chat/completions")
    figures = driven(job(bed, absent, **STREAMS))
    assert figures["answers"] == 0
    assert (figures["errors"] or 0) > 0


def test_the_processes_of_a_contender_end_with_it(bed: Bed) -> None:
    with NGINX.start(bed) as running:
        (pid,) = running.pids
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert workers
    gone = [Path(f"/proc/{one}") for one in (pid, *workers)]
    until(lambda: not any(path.exists() for path in gone), what="all have ended")


def test_a_contender_that_dies_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "print('no such setting'); raise SystemExit(78)"]
    with (
        pytest.raises(DidNotStart, match="no such setting"),
        process(tmp_path, argv, free_port()),
    ):
        pass


def test_an_unknown_scenario_fails_the_driver() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        driven({"scenario": "dance", "url": "http://127.0.0.1:9/"})
