"""Records as files."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import uuid_utils

from services.analytics.database import open_database
from services.analytics.intake import take_in
from services.analytics.settings import Settings
from services.analytics.storage import EventStore
from services.kernel.database import write
from tests.analytics.conftest import Service
from tests.analytics.making import NOW, chat, search

ROOT = Path(__file__).parents[2]


def exported(service: Service, **params: str) -> str:
    response = service.administrator.get("/api/analytics/export", params=params)
    assert response.status_code == 200
    return response.content.decode("utf-8")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_json_lines_are_the_records_that_queries_shows(service: Service) -> None:
    service.send(chat("如何备份"), search("a\nb"), chat(ago=timedelta(days=1)))
    lines = [json.loads(line) for line in exported(service, format="jsonl").splitlines()]
    assert lines == service.queries()


def test_csv_has_the_same_fields_and_opens_as_utf_8(service: Service) -> None:
    service.send(chat('如何"备份", 你好\n第二行', extra={"trivet.citations": ["a", "b"]}))
    text = exported(service, format="csv")
    assert text.startswith("\ufeffid,kind,time,")
    (row,) = rows(text)
    assert list(row) == list(service.queries()[0])
    assert row["text"] == '如何"备份", 你好\n第二行'
    assert row["citations"] == '["a","b"]'
    assert (row["input_tokens"], row["cost_usd"], row["rating"]) == ("10", "0.000123", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_csv_is_a_formula(shared: Service, start: str) -> None:
    bad = f"{start}HYPERLINK(A1)"
    sent = chat(bad.strip(), model=bad, session_id=bad, extra={"trivet.assistant": bad})
    shared.send(sent)
    (row,) = rows(exported(shared, session=bad))
    assert row["model"] == f"'{bad}"
    starts = {value[0] for value in row.values() if value}
    assert not starts & set("=+-@\t\r＝＋－＠")
    assert json.loads(exported(shared, session=bad, format="jsonl"))["model"] == bad


def test_filters_hold_for_exports(service: Service) -> None:
    service.send(chat(), search(), search())
    assert len(rows(exported(service, kind="search"))) == 2
    assert rows(exported(service, kind="error")) == []


def test_an_export_of_many_pages_holds_each_record_once(service: Service) -> None:
    for _ in range(5):
        service.send(*(chat() for _ in range(1_000)))
    found = rows(exported(service))
    assert len(found) == len({row["id"] for row in found}) == 5_000


def test_a_file_is_offered_for_saving(service: Service) -> None:
    head = service.administrator.get("/api/analytics/export", params={"format": "jsonl"}).headers
    assert head["content-disposition"] == 'attachment; filename="trivet-records.jsonl"'
    assert head["content-type"] == "application/x-ndjson"


MEMORY = """
import asyncio, resource, sys
from pathlib import Path
from services.analytics.export_routes import _export_page, _exported
from services.analytics.schemas import ExportQuery
from services.analytics.settings import Settings
from services.analytics.state import open_state, utc_now
from prometheus_client import CollectorRegistry

async def main():
    settings = Settings(data_dir=Path(sys.argv[1]))
    async with open_state(settings, CollectorRegistry(), utc_now) as state:
        peaks = []
        for pages in (2, 10_000):
            query, size = ExportQuery(format="csv"), 0
            first = await _export_page(state, query, None)
            stream = _exported(state, query, first)
            async for chunk in stream:
                size += len(chunk)
                pages -= 1
                if not pages:
                    break
            await stream.aclose()
            peaks += [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, size]
    print(*peaks)

asyncio.run(main())
"""


@pytest.mark.process
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """The peak after two pages against the peak after all of them."""
    database, store = open_database(Settings(data_dir=tmp_path)), EventStore()
    for _ in range(16):
        batch = take_in([chat("x" * 2_000)] * 1_000, store_questions=True, now=NOW)
        rows = [replace(record, id=uuid_utils.uuid7().bytes) for _, record in batch.records]
        with write(database.writing) as connection:
            store.add(connection, [rows])
    database.dispose()
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    early_kib, _, late_kib, size_bytes = (int(part) for part in run.stdout.split())
    assert size_bytes > 32_000_000
    assert (late_kib - early_kib) * 1024 < size_bytes / 3
