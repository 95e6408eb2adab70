"""Incoming files: kept on disk by the request, or fetched from the web, and read by the indexer one
after another."""

from __future__ import annotations

import codecs
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

from anyio import to_thread

from services.kb import jobs
from services.kb.database import Database
from services.kb.fetching import Fetcher
from services.kb.ingestion import Ingestion
from services.kb.preparation import Given, clean_source
from services.kernel.errors import Conflict, TrivetError

_log = logging.getLogger(__name__)
_COPY_CHARACTERS = 1024**2
# An upload that is not in a job yet is younger than this.
_ORPHAN_SECONDS = 3_600
# Files that failed are kept for a retry, the newest of them up to this size.
_KEPT_BYTES = 1024**3
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w-]{2,20})", re.IGNORECASE)
_SNIFFED_BYTES = 4_096


class UploadReader:
    """Turns one waiting file after another into a document; a bad one is noted and passed over."""

    def __init__(
        self, database: Database, spool_dir: Path, ingestion: Ingestion, fetcher: Fetcher
    ) -> None:
        self._database = database
        self._spool_dir = spool_dir
        self._ingestion = ingestion
        self._fetcher = fetcher

    async def read_one(self) -> bool:
        """False when no file waits."""
        file = await self._database.read(jobs.next_file)
        if file is None:
            return False
        reason = await self._taken(file)
        if reason:
            await self._database.write(partial(jobs.finish_file, file=file, error=reason))
        return True

    async def sweep(self) -> None:
        """Deletes files that no job needs any more."""
        states = await self._database.read(jobs.spools)
        await to_thread.run_sync(_sweep, self._spool_dir, states)

    async def _taken(self, file: Any) -> str:
        """Stores the file; returns why it could not be, else nothing."""
        path = self._spool_dir / (file.spool or f"{file.job_id}-{file.number}")
        try:
            given = Given(source=file.source, path=path, url=file.url)
            if not file.spool:
                given = await self._fetched(file, path)
            await self._ingestion.put(
                file.collection, given, lambda c, stored: _finish(c, file, stored.document_id)
            )
        except Conflict:
            return ""  # another call stored the same document at the same time: once more
        except TrivetError as error:
            await self._discard(file, path)
            return error.message
        except OSError:
            return "The uploaded file is gone: send it again."
        except Exception as exc:  # noqa: BLE001  # one bad file never stops the rest
            _log.error("a file could not be read", exc_info=exc)
            return "The file could not be read."
        await to_thread.run_sync(partial(path.unlink, missing_ok=True))
        return ""

    async def _fetched(self, file: Any, path: Path) -> Given:
        await to_thread.run_sync(partial(self._spool_dir.mkdir, parents=True, exist_ok=True))
        fetched = await self._fetcher.fetch(clean_source(file.source), path)
        await to_thread.run_sync(_in_utf8, path, fetched.charset, fetched.file_name)
        return Given(source=file.source, path=path, url=file.url, file_name=fetched.file_name)

    async def _discard(self, file: Any, path: Path) -> None:
        """What was fetched is fetched again on a retry; what was uploaded is kept for it."""
        if not file.spool:
            await to_thread.run_sync(partial(path.unlink, missing_ok=True))


def _finish(connection: Any, file: Any, document_id: str) -> None:
    jobs.finish_file(connection, file, document_id=document_id)


def spool(spool_dir: Path, content: IO[bytes]) -> str:
    """Copies an uploaded file so that it survives a crash; returns its name in the folder."""
    spool_dir.mkdir(parents=True, exist_ok=True)
    name = uuid.uuid4().hex
    with (spool_dir / name).open("wb") as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
    return name


def spool_bytes(spool_dir: Path, content: bytes) -> Path:
    """Writes what is read at once, and need not survive a crash; returns its path."""
    spool_dir.mkdir(parents=True, exist_ok=True)
    path = spool_dir / uuid.uuid4().hex
    path.write_bytes(content)
    return path


def _sweep(spool_dir: Path, states: Mapping[str, str]) -> None:
    if not spool_dir.is_dir():
        return
    found = [(path.stat(), path) for path in spool_dir.iterdir()]
    size = 0
    for status, path in sorted(found, key=lambda item: item[0].st_mtime, reverse=True):
        state = states.get(path.name, "unknown")
        size += 0 if state == "queued" else status.st_size
        orphan = state == "unknown" and time.time() - status.st_mtime > _ORPHAN_SECONDS
        too_much = state not in ("queued", "unknown") and size > _KEPT_BYTES
        if orphan or too_much or state == "stored":  # a process was killed before it deleted it
            path.unlink(missing_ok=True)


def _in_utf8(path: Path, charset: str, file_name: str) -> None:
    """Writes a page of another encoding anew, as the server or the page itself says."""
    if file_name.endswith((".pdf", ".docx", ".xml")):
        return  # these tell by themselves
    if not charset:
        with path.open("rb") as file:
            told = _META_CHARSET.search(file.read(_SNIFFED_BYTES))
        charset = told.group(1).decode("ascii") if told else ""
    try:
        codec = codecs.lookup(charset or "utf-8")
    except LookupError:
        return  # whether it is UTF-8 shows when it is read
    if codec.name in ("utf-8", "ascii"):
        return
    draft = path.with_name(f"{path.name}.utf8")
    with (
        path.open(encoding=codec.name, errors="replace", newline="") as old,
        draft.open("w", encoding="utf-8", newline="") as new,
    ):
        shutil.copyfileobj(old, new, _COPY_CHARACTERS)
    draft.replace(path)
