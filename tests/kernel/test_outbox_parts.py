"""The outbox's smaller parts: one event as a line, the folder's lock, what was rejected."""

import json
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.kernel.outbox import NullOutbox
from services.kernel.outbox.event import encode_event
from services.kernel.outbox.folder import claim_folder, lock_folder, orphan_folders
from services.kernel.outbox.rejected import RejectedFile


def encoded(attributes: dict[str, object]) -> bytes | None:
    return encode_event(
        "kb", "search", attributes, request_id="r1", session_id=None, visitor_id="v1"
    )


def decoded(attributes: dict[str, object]) -> dict[str, Any]:
    line = encoded(attributes)
    assert line is not None
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    event: dict[str, Any] = json.loads(line)
    return event


def test_an_event_is_the_envelope_that_analytics_expects() -> None:
    event = decoded({"trivet.query": "如何\n备份"})
    assert event.pop("id")[14] == "7"
    assert event.pop("time")[19] == "."
    assert event == {
        "kind": "search",
        "service": "kb",
        "request_id": "r1",
        "session_id": None,
        "visitor_id": "v1",
        "attributes": {"trivet.query": "如何\n备份"},
    }


def test_ids_rise_with_time() -> None:
    ids = [decoded({})["id"] for _ in range(100)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 100


def test_half_a_character_of_a_caller_does_not_lose_the_event() -> None:
    assert decoded({"trivet.query": "a\ud800b"})["attributes"] == {"trivet.query": "a?b"}


def test_a_foreign_object_becomes_the_name_of_its_type() -> None:
    secret = ValueError("sk-test-not-a-key")
    attributes = decoded({"a": Decimal("1.5"), "b": secret})["attributes"]
    assert attributes == {"a": "Decimal", "b": "ValueError"}


def test_what_cannot_be_json_gives_no_line() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert encoded({"a": endless}) is None
    assert encoded({"a": float("inf"), "b": object()}) is None


def test_a_folder_is_held_by_one_process_and_a_second_gets_a_spare_one(tmp_path: Path) -> None:
    first = claim_folder(tmp_path, "kb", 0)
    second = claim_folder(tmp_path, "kb", 0)
    assert first.path.name == "kb-0"
    assert second.path.name == "kb-0.1"
    first.release()
    third = claim_folder(tmp_path, "kb", 0)
    assert third.path.name == "kb-0"
    second.release()
    third.release()


def test_a_folder_on_disk_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = claim_folder(tmp_path, "kb", 0)
    assert folder.path.stat().st_mode & 0o077 == 0
    folder.release()


def test_orphans_are_folders_of_instances_that_are_gone(tmp_path: Path) -> None:
    for name in ("kb-0", "kb-1", "kb-2", "kb-0.1", "llm_proxy-2", "kb-x"):
        (tmp_path / name).mkdir()
    own = lock_folder(tmp_path / "kb-0")
    assert own is not None
    found = list(orphan_folders(tmp_path, "kb", instances=2, idle_before=time.time() - 60))
    assert [folder.path.name for folder in found] == ["kb-0.1", "kb-2"]
    for folder in [own, *found]:
        folder.release()


def test_a_configured_instance_is_an_orphan_only_when_it_was_idle_for_long(tmp_path: Path) -> None:
    stale = tmp_path / "kb-1"
    stale.mkdir()
    an_hour_ago = time.time() - 3600
    os.utime(stale, (an_hour_ago, an_hour_ago))
    found = list(orphan_folders(tmp_path, "kb", instances=2, idle_before=time.time() - 60))
    assert [folder.path.name for folder in found] == ["kb-1"]
    found[0].remove()
    assert not stale.exists()


def test_rejected_events_are_kept_with_the_reason_and_within_a_bound(tmp_path: Path) -> None:
    rejected = RejectedFile(tmp_path, max_bytes=2_000)
    for n in range(200):
        rejected.append([(b'{"n":%d}' % n, "unfit")])
    kept = [
        json.loads(line)
        for name in ("rejected.1.jsonl", "rejected.jsonl")
        for line in (tmp_path / name).read_text().splitlines()
    ]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2_000
    assert kept[-1] == {"reason": "unfit", "event": {"n": 199}}
    assert rejected.kept == len(kept) == RejectedFile(tmp_path, 2_000).kept


@pytest.mark.anyio
async def test_the_null_outbox_keeps_nothing_and_is_content() -> None:
    outbox = NullOutbox()
    outbox.record("chat", {}, request_id="r1")
    assert outbox.check().ok
