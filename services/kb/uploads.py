"""Uploaded files: kept on disk by the request, read by the indexer one after another."""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path

from anyio import to_thread

from services.kb import catalogue, documents, jobs
from services.kb.database import Database
from services.kb.preparation import Given, prepare
from services.kernel.database import read, write
from services.kernel.errors import TrivetError

_log = logging.getLogger(__name__)


class UploadReader:
    """Turns one waiting file after another into a document; a bad one is noted and passed over."""

    def __init__(self, database: Database, spool_dir: Path, *, chunk_tokens: int) -> None:
        self._database = database
        self._spool_dir = spool_dir
        self._chunk_tokens = chunk_tokens

    async def read_one(self) -> bool:
        """False when no file waits."""
        return await to_thread.run_sync(self._read_one)

    def _read_one(self) -> bool:
        with read(self._database.engine) as connection:
            file = jobs.next_file(connection)
        if file is None:
            return False
        path = self._spool_dir / file.spool
        try:
            given = Given(source=file.source, content=path.read_bytes(), url=file.url)
            prepared = prepare(given, self._chunk_tokens)
            with write(self._database.engine) as connection:
                collection = catalogue.find(connection, file.collection)
                stored = documents.put(connection, collection, prepared)
                jobs.finish_file(connection, file, document_id=stored.document_id)
        except TrivetError as error:
            self._refuse(file, error.message)
        except OSError:
            self._refuse(file, "The uploaded file is gone: send it again.")
        except Exception as exc:  # noqa: BLE001  # one bad file never stops the rest
            _log.error("a file could not be read", exc_info=exc)
            self._refuse(file, "The file could not be read.")
        path.unlink(missing_ok=True)
        return True

    def _refuse(self, file: object, reason: str) -> None:
        with write(self._database.engine) as connection:
            jobs.finish_file(connection, file, error=reason)


def spool(spool_dir: Path, content: bytes) -> str:
    """Writes an uploaded file so that it survives a crash; returns its name in the folder."""
    spool_dir.mkdir(parents=True, exist_ok=True)
    name = uuid.uuid4().hex
    with (spool_dir / name).open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return name
