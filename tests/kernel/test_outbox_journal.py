"""Segments on disk: what is appended comes back whole, in order, once it is committed no more."""

import resource
from pathlib import Path

import pytest

from services.kernel.outbox.journal import Batch, Journal


def line(number: int) -> bytes:
    return b'{"n":%d}' % number


def append(journal: Journal, *numbers: int) -> None:
    journal.append(b"".join(line(n) + b"\n" for n in numbers))


def drain(journal: Journal, max_events: int = 500) -> list[bytes]:
    lines: list[bytes] = []
    while (batch := journal.read(max_events, 1024**2)) is not None:
        lines += batch.lines
        journal.commit(batch)
    return lines


def read(journal: Journal, max_events: int = 500) -> Batch:
    batch = journal.read(max_events, 1024**2)
    assert batch is not None
    return batch


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("0*.jsonl"))


def test_lines_come_back_in_order_over_many_segments(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_max_bytes=20)
    for n in range(10):
        append(journal, n)
    assert len(segments(tmp_path)) > 2
    assert drain(journal, max_events=3) == [line(n) for n in range(10)]


def test_nothing_stays_on_disk_of_what_was_delivered(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1024)
    append(journal, 1, 2, 3)
    drain(journal)
    assert segments(tmp_path) == []
    assert journal.size_bytes == journal.waiting_bytes == 0
    append(journal, 4)
    assert drain(journal) == [line(4)]


def test_a_batch_is_read_again_until_it_is_committed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1024)
    append(journal, 1, 2)
    assert read(journal).lines == read(journal).lines == [line(1), line(2)]


def test_a_restart_goes_on_where_delivery_had_come_to(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1024)
    append(journal, 1, 2, 3)
    journal.commit(read(journal, max_events=2))
    journal.close()
    assert drain(Journal(tmp_path, 1024)) == [line(3)]


def test_a_lost_cursor_means_sending_again_not_losing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1024)
    append(journal, 1, 2, 3)
    journal.commit(read(journal, max_events=2))
    journal.close()
    (tmp_path / "cursor.json").write_bytes(b'{"segm')
    assert drain(Journal(tmp_path, 1024)) == [line(1), line(2), line(3)]


def test_a_new_segment_never_takes_the_number_that_an_old_cursor_speaks_of(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1024)
    append(journal, 1, 2)
    journal.commit(read(journal, max_events=1))
    drain(journal)
    journal.close()
    later = Journal(tmp_path, 1024)
    append(later, 3)
    later.close()
    assert drain(Journal(tmp_path, 1024)) == [line(3)]


def test_a_torn_last_line_is_skipped_and_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1024)
    append(journal, 1, 2)
    journal.close()
    with segments(tmp_path)[0].open("ab") as file:
        file.write(b'{"n":3,"tor')
    later = Journal(tmp_path, 1024)
    append(later, 4)
    first = read(later)
    later.commit(first)
    torn = read(later)
    later.commit(torn)
    assert (first.lines, first.torn) == ([line(1), line(2)], 0)
    assert (torn.lines, torn.torn) == ([], 1)
    assert drain(later) == [line(4)]


def test_what_a_power_cut_left_between_lines_is_skipped_and_counted(tmp_path: Path) -> None:
    (tmp_path / "000000000001.jsonl").write_bytes(line(1) + b"\n\0\0\0\0\n7\n" + line(2) + b"\n")
    batch = read(Journal(tmp_path, 1024))
    assert (batch.lines, batch.torn) == ([line(1), line(2)], 2)


def test_a_write_that_fails_half_way_leaves_no_trace(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1024**2)
    append(journal, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            journal.append(line(2) + b" " * 10_000 + b"\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    append(journal, 3)
    assert journal.size_bytes == sum(path.stat().st_size for path in segments(tmp_path))
    assert drain(journal) == [line(1), line(3)]


def test_a_batch_is_bounded_in_bytes(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1024**2)
    append(journal, *range(100))
    batch = journal.read(500, 100)
    assert batch is not None
    assert 0 < sum(len(piece) + 1 for piece in batch.lines) <= 100
    assert drain(journal) == [line(n) for n in range(100)]


def test_adopting_takes_all_segments_and_their_torn_ends(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a", tmp_path / "b"
    ours.mkdir()
    theirs.mkdir()
    old = Journal(theirs, 10)
    append(old, 1, 2)
    append(old, 3)
    old.close()
    with segments(theirs)[0].open("ab") as file:
        file.write(b'{"n":')
    journal = Journal(ours, 1024)
    append(journal, 4)
    assert journal.adopt(theirs, room_bytes=1024) == 2
    append(journal, 5)
    assert drain(journal) == [line(4), line(1), line(2), line(3), line(5)]
    assert segments(theirs) == []


def test_adopting_stops_where_there_is_no_more_room(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a", tmp_path / "b"
    ours.mkdir()
    theirs.mkdir()
    old = Journal(theirs, 1)
    append(old, 1)
    append(old, 2)
    old.close()
    assert Journal(ours, 1024).adopt(theirs, room_bytes=10) == 1
    assert len(segments(theirs)) == 1
