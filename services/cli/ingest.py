"""`trivet ingest`: uploads what is new or changed, removes what is gone, follows the jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.cli.client import CallFailed, KbClient
from services.cli.plan import LocalFile, Plan, plan_of, roots_of

_BATCH_FILES = 50
_BATCH_URLS = 500
_BATCH_BYTES = 16 * 1024 * 1024
_POLL_SECONDS = 0.3


@dataclass
class Outcome:
    """`fetched`: URLs, new or not; `errors`: (source, reason) of what could not be taken."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    fetched: int = 0
    errors: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What is to be ingested, and how. `timeout_seconds`: for the embedding; 0: do not wait."""

    paths: Sequence[Path]
    urls: Sequence[str]
    collection: str
    name: str = ""
    url_base: str = ""
    replace: bool = False
    timeout_seconds: float = 600.0
    max_bytes: int = 100 * 1024**2


def ingest(client: KbClient, request: Request, progress: Callable[[float, str], None]) -> Outcome:
    """Synchronises the paths into the collection. `progress` gets a share (0 to 1) and words.

    Raises BadPath and CallFailed; a file that kb refuses is in the outcome's `errors`.
    """
    client.ensure_collection(request.collection)
    plan = _plan(client, request)
    outcome = Outcome(len(plan.added), len(plan.changed), plan.unchanged)
    for source in plan.removed:
        params = {"collection": request.collection, "source": source}
        client.call("DELETE", "/api/documents", params=params)
        outcome.removed += 1
    files = [file for file in (*plan.added, *plan.changed) if _fits(file, request, outcome)]
    jobs = _fetch(client, request)
    outcome.fetched = len(request.urls)
    for batch in _batches(files):
        progress(0.0, f"sending {batch[0].source}")
        jobs += _upload(client, request, batch, outcome)
    if request.timeout_seconds:
        _follow(client, jobs, request.timeout_seconds, progress)
    _collect_errors(client, jobs, outcome)
    refused = {source for source, _ in outcome.errors}
    outcome.added -= sum(file.source in refused for file in plan.added)
    outcome.changed -= sum(file.source in refused for file in plan.changed)
    outcome.fetched -= sum("://" in source for source in refused)
    return outcome


def _plan(client: KbClient, request: Request) -> Plan:
    roots = roots_of(request.paths, request.name)
    known: dict[str, Any] = {}
    for root in roots:
        for prefix in [root.prefix] if root.prefix else [file.source for file in root.files]:
            listed = client.documents(request.collection, prefix)
            known.update((document["source"], document) for document in listed)
    return plan_of(roots, known, replace=request.replace)


def _batches(files: Sequence[LocalFile]) -> Iterator[list[LocalFile]]:
    batch: list[LocalFile] = []
    size = 0
    for file in files:
        file_bytes = file.path.stat().st_size
        if batch and (len(batch) >= _BATCH_FILES or size + file_bytes > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file_bytes
    if batch:
        yield batch


def _fits(file: LocalFile, request: Request, outcome: Outcome) -> bool:
    """Whether kb takes a file of this size: it would refuse a bigger one in the midst of it."""
    fits = file.path.stat().st_size <= request.max_bytes
    if not fits:
        limit = request.max_bytes // 1024**2
        outcome.errors.append((file.source, f"The file is larger than {limit} MiB."))
    return fits


def _fetch(client: KbClient, request: Request) -> list[str]:
    """The jobs that fetch the URLs."""
    groups = [
        list(request.urls[first : first + _BATCH_URLS])
        for first in range(0, len(request.urls), _BATCH_URLS)
    ]
    bodies = [{"collection": request.collection, "urls": group} for group in groups]
    return [client.call("POST", "/api/documents", json=body)["id"] for body in bodies]


def _upload(
    client: KbClient, request: Request, batch: Sequence[LocalFile], outcome: Outcome
) -> list[str]:
    """The job's id; where kb refuses the whole batch, its files are tried one by one."""
    form = {"collection": request.collection, "url_base": request.url_base}
    try:
        with ExitStack() as stack:
            parts = [
                ("files", (file.source, stack.enter_context(file.path.open("rb"))))
                for file in batch
            ]
            return [client.call("POST", "/api/documents", data=form, files=parts)["id"]]
    except (CallFailed, OSError) as error:
        if len(batch) > 1:
            return [job for file in batch for job in _upload(client, request, [file], outcome)]
        reason = str(error) if isinstance(error, CallFailed) else "the file cannot be read"
        outcome.errors.append((batch[0].source, reason))
        return []


def _follow(
    client: KbClient,
    jobs: Sequence[str],
    timeout_seconds: float,
    progress: Callable[[float, str], None],
) -> None:
    deadline = time.monotonic() + timeout_seconds
    while True:
        views = [client.call("GET", f"/api/jobs/{job}") for job in jobs]
        done = sum(view["chunks_done"] for view in views)
        total = sum(view["chunks_total"] for view in views)
        share = sum(view["progress"] for view in views) / (100 * len(views)) if views else 1.0
        progress(share, f"{done} of {total} passages")
        if all(view["state"] in ("done", "failed", "cancelled") for view in views):
            return
        if time.monotonic() > deadline:
            raise CallFailed(
                f"{total - done} passages wait to be embedded: is the embedder up? "
                "Until then they are found by their words"
            )
        time.sleep(_POLL_SECONDS)


def _collect_errors(client: KbClient, jobs: Sequence[str], outcome: Outcome) -> None:
    for job in jobs:
        for file in client.call("GET", f"/api/jobs/{job}")["files"]:
            if file["error"]:
                outcome.errors.append((file["source"], file["error"]))
