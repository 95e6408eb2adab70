"""What is handed in for a job: files and addresses of the web, as a form or as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from services.kb.catalogue import DEFAULT_COLLECTION
from services.kb.schemas import UrlsBody
from services.kernel.errors import InvalidRequest, PayloadTooLarge, Unprocessable
from services.kernel.routing import parse_json, read_body, validated

MAX_FILES = 1_000
_MAX_JSON_BYTES = 4 * 1024**2


@dataclass(frozen=True)
class Handed:
    """`files` are open as long as the context that gives them, on disk where they are big.
    `url_base`: each file's address is this, a slash and its name; empty: files have none."""

    collection: str
    url_base: str = ""
    files: list[UploadFile] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)


@asynccontextmanager
async def handed(request: Request, limit_bytes: int) -> AsyncIterator[Handed]:
    """Raises InvalidRequest for what is neither form nor JSON, Unprocessable for what holds neither
    files nor URLs, PayloadTooLarge over the limit, whatever the length claims to be."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        raw = await read_body(request.receive, min(limit_bytes, _MAX_JSON_BYTES))
        body = validated(UrlsBody, parse_json(raw))
        yield Handed(body.collection, urls=list(body.urls))
    elif kind == "multipart/form-data":
        async with _form(request, limit_bytes) as given:
            yield given
    else:
        raise InvalidRequest(
            "Send files as multipart/form-data in the field 'files', or URLs as JSON in 'urls'."
        )


@asynccontextmanager
async def _form(request: Request, limit_bytes: int) -> AsyncIterator[Handed]:
    limited = Request(request.scope, _limited(request.receive, limit_bytes))
    try:
        form = await limited.form(max_files=MAX_FILES, max_fields=MAX_FILES)
    except HTTPException as exc:  # Starlette's word for a broken form
        raise InvalidRequest("The form is not valid multipart/form-data.") from exc
    try:
        files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
        urls = [part for part in form.getlist("urls") if isinstance(part, str)]
        if not files and not urls:
            message = "The form holds no files in the field 'files'."
            raise Unprocessable(message, param="files")
        collection = str(form.get("collection") or DEFAULT_COLLECTION)
        yield Handed(collection, str(form.get("url_base") or ""), files, urls)
    finally:
        await form.close()


def _limited(receive: Receive, limit_bytes: int) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit_bytes:
            raise PayloadTooLarge(f"The upload is larger than {limit_bytes} bytes.")
        return message

    return limited
