"""The stack suite: what `make run` put up, measured from outside."""

import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.figures import milliseconds, percentile
from bench.options import Options, Unavailable
from bench.process import Memory, memory, tree
from bench.report import Result, Table, figure, mark
from scripts.stack.settings import read

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ("如何备份和恢复数据？", "How do I make a backup and restore it?")
SEARCHES = ("如何备份", "how to make a backup")
IDLE_LIMIT_BYTES = 2.5e9
OURS = "trivet-"  # a person's PM2 may hold other things, too
ANSWER_LIMIT_SECONDS = 120.0


@dataclass(frozen=True)
class Place:
    """A stack: where it lies, where it answers, what its PM2 is told."""

    root: Path
    base_url: str
    environ: Mapping[str, str]

    @property
    def pm2_home(self) -> Path:
        return Path(self.environ.get("PM2_HOME", Path.home() / ".pm2"))


@dataclass(frozen=True)
class Answer:
    """Times of one streamed answer, in ns from the request."""

    first_byte_ns: int
    first_text_ns: int
    whole_ns: int
    sources: int


def pids_by_name(place: Place) -> dict[str, list[int]]:
    """The processes of the stack: PM2's, PM2 itself, nginx.

    Raises:
        Unavailable: PM2 runs nothing of ours.
    """
    supervisor = live_pid(place.pm2_home / "pm2.pid")
    if supervisor is None:  # to ask it would start it
        raise Unavailable("no stack is running: `make run` starts one")
    found = {"pm2": [supervisor]}
    for app in listed(place):
        if app.get("pid") and app["name"].startswith(OURS):
            found.setdefault(app["name"], []).append(app["pid"])
    if not any(name.startswith(OURS) for name in found):
        raise Unavailable("no stack is running: `make run` starts one")
    if (nginx := live_pid(place.root / "run/nginx/nginx.pid")) is not None:
        found["nginx"] = [nginx]
    return dict(sorted(found.items()))


def live_pid(path: Path) -> int | None:
    """The process that a pid file names, if it is there."""
    pid = int(path.read_text()) if path.is_file() else 0
    return pid if pid and Path(f"/proc/{pid}").exists() else None


def listed(place: Place) -> list[dict[str, Any]]:
    """What `pm2 jlist` says; its banner may come before the JSON."""
    program = place.root / "node_modules/.bin/pm2"
    if not program.exists():
        raise Unavailable("nothing is installed here yet: `make run` does it")
    done = subprocess.run(
        [str(program), "jlist"], env=dict(place.environ), capture_output=True, check=True
    )
    start = done.stdout.find(b"[{")
    apps: list[dict[str, Any]] = orjson.loads(done.stdout[start:]) if start >= 0 else []
    return apps


def memory_table(place: Place) -> tuple[Table, bool]:
    """RSS and PSS of each process of the idle stack, and whether all stay below the limit."""
    # PM2 is the parent of all the others: only its own memory is its own.
    held = {
        name: [memory([pid] if name == "pm2" else tree(pid)) for pid in pids]
        for name, pids in pids_by_name(place).items()
    }
    rows = [[name, str(len(items)), *in_mb(items)] for name, items in held.items()]
    everything = [item for items in held.values() for item in items]
    rows.append(["together", str(len(everything)), *in_mb(everything)])
    holds = sum(item.rss_bytes for item in everything) <= IDLE_LIMIT_BYTES
    limit = f"{IDLE_LIMIT_BYTES / 1e9:g} GB"
    note = f"All processes together must stay under {limit} (RSS): {mark(holds)}"
    return Table("Memory, idle", ("process", "instances", "RSS MB", "PSS MB"), rows, note), holds


def in_mb(items: Sequence[Memory]) -> tuple[str, str]:
    return (
        figure(sum(item.rss_bytes for item in items) / 1e6),
        figure(sum(item.pss_bytes for item in items) / 1e6),
    )


def ask(place: Place, question: str) -> Answer:
    """One question to the site's assistant, its answer read as it streams."""
    body = orjson.dumps(
        {
            "model": "assistant/site",
            "stream": True,
            "messages": [{"role": "user", "content": question}],
        }
    )
    url = urllib.parse.urljoin(place.base_url, "v1/chat/completions")
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    began = time.monotonic_ns()
    first_byte = first_text = sources = 0
    with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_SECONDS) as reply:
        for line in reply:
            now = time.monotonic_ns() - began
            first_byte = first_byte or now
            if line.startswith(b"data: {"):
                chunk = orjson.loads(line[6:])
                sources = sources or len(chunk.get("citations") or ())
                first_text = first_text or (now if has_text(chunk) else 0)
    return Answer(first_byte, first_text, time.monotonic_ns() - began, sources)


def has_text(chunk: Mapping[str, object]) -> bool:
    choices = chunk.get("choices")
    return bool(isinstance(choices, list) and choices and choices[0]["delta"].get("content"))


def search(place: Place, query: str) -> int:
    """The time of one search, in ns."""
    words = urllib.parse.urlencode({"q": query, "top_k": 3})
    began = time.monotonic_ns()
    url = urllib.parse.urljoin(place.base_url, f"api/search?{words}")
    with urllib.request.urlopen(url, timeout=ANSWER_LIMIT_SECONDS) as reply:
        reply.read()
    return time.monotonic_ns() - began


def answers_table(place: Place, times: int) -> Table:
    rows = []
    for question in QUESTIONS:
        first = ask(place, question)
        later = [ask(place, question) for _ in range(times)]

        def p50(take: Callable[[Answer], int], answers: list[Answer] = later) -> str:
            return figure(milliseconds(percentile([take(answer) for answer in answers], 0.5)))

        rows.append(
            [
                question,
                figure(milliseconds(first.first_text_ns)),
                p50(lambda answer: answer.first_byte_ns),
                p50(lambda answer: answer.first_text_ns),
                p50(lambda answer: answer.whole_ns),
                str(first.sources),
            ]
        )
    columns = (
        "question",
        "first ask, first text ms",
        "first byte ms",
        "first text ms",
        "whole answer ms",
        "sources",
    )
    note = f"Through nginx, one at a time; the median of {times} asks after the first."
    return Table("A sourced answer of `assistant/site`", columns, rows, note)


def search_table(place: Place, times: int) -> Table:
    rows = []
    for query in SEARCHES:
        took = [search(place, query) for _ in range(times)]
        shown = [milliseconds(value) for value in (took[0], percentile(took[1:], 0.5))]
        rows.append([query, *(figure(value) for value in shown)])
    return Table("A search", ("query", "first ms", f"then, p50 of {times - 1}, ms"), rows)


def measure(place: Place, options: Options) -> tuple[list[Table], bool]:
    """Memory first, while nothing was asked; then answers and searches.

    Raises:
        Unavailable: the stack does not run or does not answer.
    """
    memory_of_all, holds = memory_table(place)
    times = 1 if options.quick else 5
    try:
        answers = answers_table(place, times)
        searches = search_table(place, times * 4)
    except (urllib.error.URLError, OSError) as exc:
        raise Unavailable(f"the stack at {place.base_url} does not answer ({exc})") from exc
    return [memory_of_all, answers, searches], holds


def run(options: Options) -> Result:
    """Measure the stack of this checkout, which must be running."""
    place = Place(ROOT, read().base_url, os.environ)
    tables, holds = measure(place, options)
    return Result(
        suite="stack",
        title="The running stack",
        introduction="What `make run` starts, idle for a while, asked through nginx.",
        tables=tables,
        raw=[{"heading": table.heading, "rows": table.rows} for table in tables],
        reached=holds,
    )
