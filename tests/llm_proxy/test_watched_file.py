"""A file that is looked at again and again, whatever is written into it."""

from pathlib import Path

import pytest

from services.kernel.errors import ConfigurationError
from services.llm_proxy.watched_file import WatchedFile


def parse(text: str) -> int:
    if text == "refused":
        raise ConfigurationError("file: is refused", "file: for a second reason")
    return int(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "number"
    path.write_text("1")
    return path


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("refused", "the old one stays in force: file: is refused"),
        ("odd", "the old one stays in force: number cannot be understood"),
        (b"\xff", "the old one stays in force: number cannot be read"),
        (None, "the old one stays in force: number cannot be read"),
    ],
)
def test_what_cannot_be_taken_leaves_the_old_until_it_is_mended(
    path: Path, text: str | bytes | None, detail: str
) -> None:
    watched = WatchedFile(path, parse, interval_seconds=60)
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    watched.refresh()
    check = watched.check()
    assert (watched.current, check.ok, check.critical) == (1, False, False)
    assert check.detail == detail
    path.write_text("22")
    watched.refresh()
    assert (watched.current, watched.check().ok) == (22, True)


def test_what_has_not_changed_is_not_read_again(path: Path) -> None:
    read: list[str] = []
    watched = WatchedFile(path, read.append, interval_seconds=60)
    watched.refresh()
    assert read == ["1"]
    watched.reload()
    assert read == ["1", "1"]
