"""A multipart form with files, read within a limit whatever its length claims to be."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from services.kb.catalogue import DEFAULT_COLLECTION
from services.kernel.errors import InvalidRequest, PayloadTooLarge, Unprocessable

MAX_FILES = 1_000


@dataclass(frozen=True)
class UploadedFile:
    name: str
    content: bytes


@dataclass(frozen=True)
class UploadedForm:
    """`url_base`: each file's address is this, a slash and its name; empty: files have none."""

    collection: str
    url_base: str
    files: list[UploadedFile]


async def read_form(request: Request, limit_bytes: int) -> UploadedForm:
    """Raises InvalidRequest for what is no form, Unprocessable for one without files,
    PayloadTooLarge over the limit."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidRequest("Send files as multipart/form-data in the field 'files'.")
    limited = Request(request.scope, _limited(request.receive, limit_bytes))
    try:
        async with limited.form(max_files=MAX_FILES, max_fields=10) as form:
            parts = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
            files = [UploadedFile(part.filename or "", await part.read()) for part in parts]
            collection = str(form.get("collection") or DEFAULT_COLLECTION)
            url_base = str(form.get("url_base") or "")
    except HTTPException as exc:  # Starlette's word for a broken form
        raise InvalidRequest("The form is not valid multipart/form-data.") from exc
    if not files:
        raise Unprocessable("The form holds no files in the field 'files'.", param="files")
    return UploadedForm(collection, url_base, files)


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
