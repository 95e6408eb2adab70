"""Who the site belongs to: a validated YAML file, read again when it is edited."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.kernel.errors import NotFound
from services.kernel.health import Check

_log = logging.getLogger(__name__)
_MAX_FILE_BYTES = 1024 * 1024

Line = Annotated[str, Field(min_length=1, max_length=10_000)]


class CompanyInfo(BaseModel):
    """The company in both languages; further fields of text are passed on as they are."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | int | float | bool | list[str]]

    name_cn: Line
    name_en: Line
    full_name_cn: Line
    full_name_en: Line
    website: Annotated[str, Field(pattern=r"^https?://\S+$")]
    description: Line


class AssistantInfo(BaseModel):
    """How the site's assistant introduces itself."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | int | float | bool | list[str]]

    name: Line
    full_name: Line


class Company(BaseModel):
    """The file's content."""

    model_config = ConfigDict(extra="forbid")

    company_info: CompanyInfo
    assistant_info: AssistantInfo


class CompanyFile:
    """The file as it is now. A bad edit shows in /readyz; the last good content goes on serving."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signature: tuple[int, int, int] | None = None
        self._company: Company | None = None
        self._problem = "not read yet"

    def read(self) -> Company:
        """Blocks for a stat, and for a read after an edit. Raises NotFound without a good file."""
        self._refresh()
        if self._company is None:
            raise NotFound("No company is described: write the file that KB_COMPANY_FILE names.")
        return self._company

    def check(self) -> Check:
        self._refresh()
        return Check(not self._problem, self._problem, critical=False)

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            signature = (status.st_mtime_ns, status.st_size, status.st_ino)
            if signature == self._signature:
                return
            self._company = _parsed(self._path)
            self._problem = ""
        except FileNotFoundError:
            signature, self._problem = (0, 0, 0), "the file is not there"
        except (OSError, ValueError) as exc:  # YAML's and pydantic's are ValueErrors, see _parsed
            self._problem = str(exc) if isinstance(exc, _BadFile) else "the file cannot be read"
        if self._problem and signature != self._signature:
            _log.warning("company file refused", extra={"fields": {"problem": self._problem}})
        self._signature = signature


class _BadFile(ValueError):
    """What is wrong with the file, in words of ours."""


def _parsed(path: Path) -> Company:
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise _BadFile("the file is larger than 1 MiB")
    try:
        return Company.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise _BadFile("the file is not valid YAML in UTF-8") from exc
    except ValidationError as exc:
        fields = {".".join(map(str, error["loc"])) or "the file" for error in exc.errors()}
        raise _BadFile(f"missing or wrong: {', '.join(sorted(fields))}") from exc
